//! How much memory a run may take: what it needs, and what is put away where that is too much.

use std::io;

use super::aside::{Aside, Origins};
use super::load::Loaded;
use super::shelf::{Away, Shelf};
use crate::baseline::Norms;
use crate::diagnose::{self, Judged, Needed, Options, Remarks, Verdicts};
use crate::error::Error;
use crate::model::{Dataset, Record, weight};
use crate::units::human;

/// The program itself, and what it reads into.
const ITSELF: u64 = 16 << 20;

/// Percent more than tables take, for each thread that works on them: room that was freed between others. At most
/// [`MOST_HOLES`]. As measured on dumps of a million spans, on one and two threads.
const HOLES: u64 = 8;
const MOST_HOLES: u64 = 40;

/// A span as it was read, without what was measured about it.
const SPAN: u64 = size_of::<Record>() as u64;

/// What sums take for each model call.
const SUMS: u64 = 64;

/// Requests that are judged before their verdicts are put away.
const PIECE: usize = 1 << 12;

/// The memory that a run may take, bytes, where that is limited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room(pub(super) Option<u64>);

impl Room {
    /// Spans that surely do not fit, whatever else there is.
    pub(super) fn spans(self) -> u64 {
        self.0.map_or(u64::MAX, |most| most / SPAN)
    }

    /// That there is room to rebuild what was read.
    ///
    /// # Errors
    /// When there is not.
    pub(super) fn holds(self, dataset: &Dataset) -> Result<(), Error> {
        // Records are sorted into a second table.
        let sorted = dataset.records.len() as u64 * (SPAN + 2 * size_of::<u32>() as u64);
        self.check("rebuilding traces", resident(dataset.bytes() + sorted))
    }

    /// Judges every request, as [`Room::judge`].
    ///
    /// # Errors
    /// As there.
    pub(super) fn diagnose(
        self,
        loaded: &mut Loaded,
        how: (&Options, Option<&Norms>),
    ) -> Result<Verdicts, Error> {
        self.judge(loaded, how)?.verdicts(loaded)
    }

    /// Judges every request. What is not needed meanwhile is put into a temporary file where there is too little room;
    /// verdicts stay there until they are asked for.
    ///
    /// # Errors
    /// When there is too little all the same, or when the file cannot be written or read.
    pub(super) fn judge(
        self,
        loaded: &mut Loaded,
        (rule, norms): (&Options, Option<&Norms>),
    ) -> Result<Held, Error> {
        let [at_once, in_steps] = needed(loaded);
        if self.0.is_none_or(|most| at_once <= most) {
            let Loaded { dataset, forest } = &*loaded;
            let verdicts = diagnose::diagnose_against(dataset, forest, rule, norms);
            return Ok(Held::Here(verdicts));
        }
        self.check("judging requests", in_steps)?;
        let shelved = in_pieces(loaded, (rule, norms)).map_err(|error| failed(&error))?;
        Ok(Held::Away(Box::new(shelved)))
    }

    fn check(self, doing: &str, needed: u64) -> Result<(), Error> {
        match self.0 {
            Some(most) if needed > most => Err(Error::Usage(format!(
                "{doing} takes {} of memory or more, and --max-memory allows {}: allow more, or divide the work (agentdiag-stage(1))",
                human::bytes(needed),
                human::bytes(most)
            ))),
            _ => Ok(()),
        }
    }
}

/// Bytes that judging takes at once, and step by step with all put aside that a step has no need of.
fn needed(loaded: &Loaded) -> [u64; 2] {
    let Loaded { dataset, forest } = loaded;
    let judging = Needed::by(dataset, forest);
    let tables = dataset.bytes() + forest.bytes();
    let at_once = tables + judging.survey + judging.pass + judging.verdicts;
    let aside = dataset.bytes_aside() + forest.tree.bytes();
    let calls = dataset.llm.bytes() + dataset.tools.bytes();
    let surveying = (tables + judging.survey).saturating_sub(aside);
    let passing = (surveying + judging.pass).saturating_sub(calls);
    let origins = weight(&dataset.origins) + forest.tree.bytes();
    let sums = dataset.llm.len() as u64 * SUMS;
    let summing = (tables + sums).saturating_sub(origins);
    let showing = tables + judging.verdicts;
    let in_steps = surveying.max(passing).max(summing).max(showing);
    [at_once, in_steps].map(resident)
}

/// What a run occupies whose tables take so many bytes.
fn resident(tables: u64) -> u64 {
    let holes = (HOLES * rayon::current_num_threads() as u64).min(MOST_HOLES);
    ITSELF + tables + tables / 100 * holes
}

/// Verdicts that were reached, wherever they lie.
pub(super) enum Held {
    /// In memory.
    Here(Verdicts),
    /// In a temporary file, with what only showing them needs.
    Away(Box<Shelved>),
}

/// What lies in the file until all sums are made.
pub(super) struct Shelved {
    shelf: Shelf,
    judged: Away<Judged>,
    remarks: Remarks,
    origins: Origins,
}

impl Held {
    /// The verdicts over what was judged; `loaded` is whole again then.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn verdicts(self, loaded: &mut Loaded) -> Result<Verdicts, Error> {
        match self {
            Self::Here(verdicts) => Ok(verdicts),
            Self::Away(shelved) => shelved.verdicts(loaded).map_err(|error| failed(&error)),
        }
    }
}

impl Shelved {
    fn verdicts(self, loaded: &mut Loaded) -> io::Result<Verdicts> {
        let mut shelf = self.shelf;
        self.origins.back(loaded, &mut shelf)?;
        let mut all = Judged::default();
        for piece in shelf.take(self.judged)? {
            all.absorb(piece);
        }
        let Loaded { dataset, forest } = loaded;
        Ok(diagnose::conclude(dataset, forest, all, self.remarks))
    }
}

fn failed(error: &io::Error) -> Error {
    let folder = std::env::temp_dir();
    Error::File(format!(
        "a temporary file in {}: {error}; TMPDIR names another folder, and without --max-memory none is needed",
        folder.display()
    ))
}

/// Judges step by step, with all put aside that a step has no need of.
fn in_pieces(
    loaded: &mut Loaded,
    (rule, norms): (&Options, Option<&Norms>),
) -> io::Result<Shelved> {
    let mut shelf = Shelf::new()?;
    let origins = Origins::put(loaded, &mut shelf)?;
    let aside = Aside::put(loaded, &mut shelf)?;
    let survey = diagnose::survey(&loaded.dataset, &loaded.forest, rule, norms);
    let data = &mut loaded.dataset;
    let spans = shelf.put(std::mem::take(&mut data.spans))?;
    let calls = shelf.put(vec![std::mem::take(&mut data.llm)])?;
    let tools = shelf.put(vec![std::mem::take(&mut data.tools)])?;
    let learned = diagnose::learn(&loaded.dataset, &loaded.forest, survey, rule);
    loaded.dataset.spans = shelf.take(spans)?;
    let mut judged = shelf.put(Vec::<Judged>::new())?;
    let Loaded { dataset, forest } = &*loaded;
    let remarks = diagnose::judge_all(dataset, forest, (learned, rule), PIECE, |piece| {
        shelf.add(&mut judged, &[piece])
    })?;
    loaded.dataset.llm = shelf.take(calls)?.pop().unwrap_or_default();
    loaded.dataset.tools = shelf.take(tools)?.pop().unwrap_or_default();
    aside.back(loaded, &mut shelf)?;
    Ok(Shelved {
        shelf,
        judged,
        remarks,
        origins,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::load::Inputs;

    const DUMP: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/labelled/mixed-full-mixed"
    );

    fn loaded() -> Loaded {
        let inputs = Inputs {
            paths: vec![DUMP.into()],
            ..Inputs::default()
        };
        let read = inputs.on_threads(|progress| Loaded::read(&inputs, progress));
        read.unwrap()
    }

    /// All that may be put aside.
    fn tables(loaded: &Loaded) -> String {
        let Loaded { dataset, forest } = loaded;
        let calls: Vec<_> = (0..dataset.llm.len()).map(|i| dataset.llm.get(i)).collect();
        let tools: Vec<_> = dataset.tools.iter().collect();
        let spans = (&dataset.spans, &dataset.origins, &forest.tree.parent);
        let facts = (calls, tools, &dataset.tasks, &dataset.https);
        let rest = (
            &dataset.links,
            &dataset.rounds,
            &dataset.exemplars,
            &dataset.logs,
        );
        format!("{spans:?}{facts:?}{rest:?}")
    }

    fn judged(loaded: &mut Loaded, most: Option<u64>) -> Result<String, Error> {
        let rule = Options::default();
        let verdicts = Room(most).diagnose(loaded, (&rule, None))?;
        Ok(format!("{verdicts:?}"))
    }

    #[test]
    fn verdicts_and_the_dump_are_the_same_whatever_is_put_away_meanwhile() {
        let mut loaded = loaded();
        let before = tables(&loaded);
        let [all, least] = needed(&loaded);
        assert!(least < all);
        let at_once = judged(&mut loaded, None).unwrap();
        for most in [all, all - 1, least] {
            assert_eq!(judged(&mut loaded, Some(most)).unwrap(), at_once, "{most}");
            assert_eq!(tables(&loaded), before, "{most}");
        }
    }

    #[test]
    fn a_run_that_needs_more_all_the_same_says_how_much() {
        let mut loaded = loaded();
        let [_, least] = needed(&loaded);
        let refused = judged(&mut loaded, Some(least - 1)).unwrap_err();
        let message = refused.to_string();
        assert!(message.starts_with("judging requests takes"), "{message}");
        let rebuilding = Room(Some(ITSELF)).holds(&loaded.dataset).unwrap_err();
        let message = rebuilding.to_string();
        assert!(message.starts_with("rebuilding traces takes"), "{message}");
        assert!(Room(None).holds(&loaded.dataset).is_ok());
    }

    #[test]
    fn reading_ends_where_it_is_sure_not_to_fit() {
        let few = Room(Some(100 * SPAN));
        assert_eq!((few.spans(), Room(None).spans()), (100, u64::MAX));
        let inputs = Inputs {
            paths: vec![DUMP.into()],
            max_memory: few.0,
            ..Inputs::default()
        };
        let read = inputs.on_threads(|progress| Loaded::read(&inputs, progress));
        assert!(matches!(read, Err(Error::Usage(_))));
    }
}
