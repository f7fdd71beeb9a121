//! How much memory a run may take: what it needs, and what is put away where that is too much.

use std::io;

use super::aside::{self, Aside, Calls, Origins};
use super::load::Loaded;
use super::shelf::Shelf;
use crate::baseline::Norms;
use crate::diagnose::{self, Needed, Options, Remarks, Verdicts};
use crate::error::Error;
use crate::model::{Dataset, Record, weight};
use crate::units::human;

/// The program itself, and what it reads into.
const ITSELF: u64 = 19_000_000;

/// Percent more than tables take, and bytes more for each further thread that works on them: room that was freed between
/// others. As measured on dumps of a million spans, on one and two threads.
const HOLES: u64 = 8;
const HOLES_EACH: u64 = 2_000_000;

/// A span as it was read, without what was measured about it.
const SPAN: u64 = size_of::<Record>() as u64;

/// What sums take for each model call.
const SUMS: u64 = 64;

/// Requests that are judged before their verdicts are put away.
const PIECE: usize = 1 << 12;

/// Memory that a run does with where nothing is said: what a program of some size takes anyway, and for each span.
const USUAL: u64 = 64_000_000;
const USUAL_EACH: u64 = 160;

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
    /// verdicts stay there until they are asked for. Where nothing limits the memory, as much is put away as keeps a run
    /// to what is usual, if a file can be had for it.
    ///
    /// # Errors
    /// When there is too little all the same, or when the file cannot be written or read.
    pub(super) fn judge(
        self,
        loaded: &mut Loaded,
        (rule, norms): (&Options, Option<&Norms>),
    ) -> Result<Held, Error> {
        let needs = Needs::of(loaded);
        let most = self.0.unwrap_or_else(|| usual(&loaded.dataset));
        let fits = |plan: &Plan| needs.with(*plan) <= most;
        let plan = Plan::ALL.into_iter().find(fits).unwrap_or(Plan::Calls);
        self.check("judging requests", needs.with(plan))?;
        if plan == Plan::Nothing {
            let Loaded { dataset, forest } = &*loaded;
            let verdicts = diagnose::diagnose_against(dataset, forest, rule, norms);
            return Ok(Held::Here(verdicts));
        }
        let shelf = match self.0 {
            Some(_) => Shelf::new(),
            None => Ok(Shelf::lenient()),
        };
        let shelved = shelf.and_then(|shelf| in_pieces(loaded, (rule, norms), (plan, shelf)));
        Ok(Held::Away(Box::new(
            shelved.map_err(|error| failed(&error))?,
        )))
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

/// Bytes that a run does with over these spans, where nothing else is said.
fn usual(dataset: &Dataset) -> u64 {
    USUAL + USUAL_EACH * dataset.spans.len() as u64
}

/// What is put away while requests are judged; each also what those before it put away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Plan {
    /// All stays in memory.
    Nothing,
    /// What only is shown: where spans come from, what is no call; and verdicts as they are reached.
    Shown,
    /// Facts of calls, once requests are measured.
    Calls,
}

impl Plan {
    const ALL: [Self; 3] = [Self::Nothing, Self::Shown, Self::Calls];
}

/// Bytes that tables take, now and later.
struct Needs {
    /// All that were read and rebuilt.
    tables: u64,
    judging: Needed,
    sums: u64,
    /// Of the tables, what [`Plan::Shown`] puts away.
    aside: u64,
    /// Of these, what stays away until verdicts are shown.
    origins: u64,
    calls: u64,
}

impl Needs {
    fn of(loaded: &Loaded) -> Self {
        let Loaded { dataset, forest } = loaded;
        Self {
            tables: dataset.bytes() + forest.bytes(),
            judging: Needed::by(dataset, forest),
            sums: dataset.llm.len() as u64 * SUMS,
            aside: dataset.bytes_aside() + forest.tree.bytes(),
            origins: weight(&dataset.origins) + forest.tree.bytes(),
            calls: dataset.llm.bytes() + dataset.tools.bytes(),
        }
    }

    /// Bytes that a run takes with what `plan` says put away.
    fn with(&self, plan: Plan) -> u64 {
        let Needed {
            survey,
            pass,
            verdicts,
        } = self.judging;
        if plan == Plan::Nothing {
            return resident(self.tables + survey + pass + verdicts);
        }
        let surveying = (self.tables + survey).saturating_sub(self.aside);
        let passing = match plan {
            Plan::Calls => (surveying + pass).saturating_sub(self.calls),
            _ => surveying + pass,
        };
        let summing = (self.tables + self.sums).saturating_sub(self.origins);
        let showing = self.tables + verdicts;
        resident(surveying.max(passing).max(summing).max(showing))
    }
}

/// What a run occupies whose tables take so many bytes.
fn resident(tables: u64) -> u64 {
    let further = rayon::current_num_threads().saturating_sub(1) as u64;
    ITSELF + tables + tables / 100 * HOLES + HOLES_EACH * further
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
    judged: aside::Verdicts,
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
        let Self {
            shelf,
            judged,
            remarks,
            origins,
        } = self;
        let (judged, back) = rayon::join(|| judged.back(&shelf), || origins.back(loaded, &shelf));
        back?;
        let Loaded { dataset, forest } = loaded;
        Ok(diagnose::conclude(dataset, forest, judged?, remarks))
    }
}

fn failed(error: &io::Error) -> Error {
    let folder = std::env::temp_dir();
    Error::File(format!(
        "a temporary file in {}: {error}; TMPDIR names another folder, and with more for --max-memory none is needed",
        folder.display()
    ))
}

/// Judges step by step, with all put aside that a step has no need of.
fn in_pieces(
    loaded: &mut Loaded,
    (rule, norms): (&Options, Option<&Norms>),
    (plan, shelf): (Plan, Shelf),
) -> io::Result<Shelved> {
    let origins = Origins::put(loaded, &shelf)?;
    let aside = Aside::put(loaded, &shelf)?;
    let survey = diagnose::survey(&loaded.dataset, &loaded.forest, rule, norms);
    let calls = match plan {
        Plan::Calls => Some(Calls::put(loaded, &shelf)?),
        _ => None,
    };
    let Loaded { dataset, forest } = &*loaded;
    let learned = diagnose::learn(dataset, forest, survey, rule);
    let mut judged = aside::Verdicts::default();
    let remarks = diagnose::judge_all(dataset, forest, (learned, rule), PIECE, |piece| {
        judged.add(piece, &shelf)
    })?;
    if let Some(calls) = calls {
        calls.back(loaded, &shelf)?;
    }
    aside.back(loaded, &shelf)?;
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
        let needs = Plan::ALL.map(|plan| Needs::of(&loaded).with(plan));
        assert!(needs.is_sorted_by(|more, less| more >= less) && needs[2] < needs[0]);
        let at_once = judged(&mut loaded, None).unwrap();
        for most in needs {
            assert_eq!(judged(&mut loaded, Some(most)).unwrap(), at_once, "{most}");
            assert_eq!(tables(&loaded), before, "{most}");
        }
    }

    #[test]
    fn without_a_file_all_stays_in_memory_and_is_the_same() {
        let mut loaded = loaded();
        let before = tables(&loaded);
        let rule = Options::default();
        let at_once = judged(&mut loaded, None).unwrap();
        let how = (&rule, None);
        let shelved = in_pieces(&mut loaded, how, (Plan::Calls, Shelf::over(None, true)));
        let verdicts = shelved.unwrap().verdicts(&mut loaded).unwrap();
        assert_eq!(format!("{verdicts:?}"), at_once);
        assert_eq!(tables(&loaded), before);
    }

    #[test]
    fn what_is_usual_decides_where_nothing_is_said() {
        let loaded = loaded();
        let spans = loaded.dataset.spans.len() as u64;
        assert_eq!(usual(&loaded.dataset), 64_000_000 + 160 * spans);
        let needs = Needs::of(&loaded);
        assert!(needs.with(Plan::Nothing) < usual(&loaded.dataset), "few");
    }

    #[test]
    fn a_run_that_needs_more_all_the_same_says_how_much() {
        let mut loaded = loaded();
        let least = Needs::of(&loaded).with(Plan::Calls);
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
