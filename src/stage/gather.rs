//! Rows put together again to one dataset.

use super::facts::Facts;
use super::file::{FileFacts, Meta};
use crate::baseline::Map;
use crate::model::{
    CallIx, Dataset, Emitter, Input, Record, Resource, Scope, Symbols, TraceIx, extend,
};
use crate::units::Sym;

/// A dataset under way. Pieces come in any order; the numbering of what they share depends on it, and no
/// output shows that.
#[derive(Debug, Default)]
pub struct Gather {
    data: Dataset,
    resources: Map<Resource, u32>,
    scopes: Map<Scope, u32>,
    emitters: Map<Emitter, u32>,
    files: Vec<(u32, Input)>,
    readable: u64,
}

/// Where the records of a piece went.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Symbol by symbol of the piece.
    names: Vec<Sym>,
}

impl Moved {
    pub(super) fn sym(&self, sym: Sym) -> Sym {
        self.names.get(sym.0 as usize).copied().unwrap_or_default()
    }
}

impl Gather {
    /// The names so far, to be extended by what else refers to them.
    pub(super) fn dataset(&mut self) -> &mut Dataset {
        &mut self.data
    }

    /// Takes in a piece.
    pub(super) fn add(&mut self, mut facts: Facts) -> Moved {
        let first = self.data.records.len() as u32;
        let engines = facts.llm.engines_mut();
        engines.for_each(|engine| *engine = engine.saturating_add(first));
        let (moved, spans) = self.add_but_spans(facts);
        extend(&mut self.data.records, spans);
        moved
    }

    /// Takes in a piece whose spans will have the places that its calls name already. They come back, for these places.
    pub(super) fn add_but_spans(&mut self, facts: Facts) -> (Moved, Vec<Record>) {
        let data = &mut self.data;
        let names = facts.names.iter();
        let names = std::iter::once(Sym::NONE).chain(names.map(|name| data.names.intern(name)));
        let moved = Moved {
            names: names.collect(),
        };
        let sym = |sym: &mut Sym| *sym = moved.sym(*sym);
        let resources = place(
            &mut self.resources,
            &mut data.resources,
            facts.resources,
            |r| r.symbols(sym),
        );
        let scopes = place(&mut self.scopes, &mut data.scopes, facts.scopes, |s| {
            s.symbols(sym)
        });
        let at = |known: &[u32], index: u32| known.get(index as usize).copied().unwrap_or(0);
        let emitters = place(
            &mut self.emitters,
            &mut data.emitters,
            facts.emitters,
            |e| {
                e.resource = at(&resources, e.resource);
                e.scope = at(&scopes, e.scope);
            },
        );
        let traces = facts.traces.iter();
        let traces: Vec<TraceIx> = traces.map(|&id| data.traces.number(id)).collect();
        let number = |trace: TraceIx| traces.get(trace.0 as usize).copied().unwrap_or_default();
        let bases = data.arenas();
        let arenas = [
            facts.llm.len(),
            facts.tools.len(),
            facts.tasks.len(),
            facts.https.len(),
        ];
        let mut spans = facts.spans;
        for span in &mut spans {
            span.span.symbols(sym);
            span.emitter = at(&emitters, span.emitter);
            span.trace = number(span.trace);
            let room = span.op.arena().map_or(0, |arena| arenas[arena]);
            match span.call.get() {
                Some(call) if call < room => span.move_call(bases),
                _ => span.call = CallIx::NONE,
            }
        }
        data.llm.absorb(facts.llm, |sym| moved.sym(sym));
        data.tools.absorb(facts.tools, |sym| moved.sym(sym));
        append(&mut data.tasks, facts.tasks, |task| task.symbols(sym));
        append(&mut data.https, facts.https, |http| http.symbols(sym));
        append(&mut data.links, facts.links, |_| ());
        append(&mut data.rounds, facts.rounds, |round| {
            round.trace = number(round.trace);
        });
        append(&mut data.logs, facts.logs, |log| {
            log.symbols(sym);
            log.resource = at(&resources, log.resource);
        });
        append(&mut data.exemplars, facts.exemplars, |one| one.symbols(sym));
        append(&mut data.series, facts.series, |series| series.symbols(sym));
        append(&mut data.events, facts.events, |event| event.symbols(sym));
        (moved, spans)
    }

    /// Takes in what a file says of one trace.
    pub fn add_facts(&mut self, facts: Facts) {
        self.add(facts);
    }

    /// Takes in what a file says besides its traces.
    pub fn add_file(&mut self, file: FileFacts) {
        let moved = self.add(file.facts);
        self.add_meta(file.meta, &moved);
    }

    pub(super) fn add_meta(&mut self, meta: Meta, moved: &Moved) {
        for (key, count) in meta.strange_keys {
            *self.data.strange_keys.entry(moved.sym(key)).or_default() += count;
        }
        for (dialect, file, count) in meta.dialects {
            if let Some(name) = crate::dialect::named(&dialect) {
                *self.data.dialects.entry(name).or_default() += count;
                *self.data.dialects_of.entry((file, name)).or_default() += count;
            }
        }
        self.data.ledger.absorb(meta.ledger);
        self.readable += meta.readable;
        self.files.extend(meta.inputs);
    }

    /// How many inputs were of a readable format.
    #[must_use]
    pub fn readable(&self) -> u64 {
        self.readable
    }

    /// All that was gathered, files numbered as they were when read.
    #[must_use]
    pub fn finish(self) -> Dataset {
        self.data
    }

    /// All that was gathered, with files numbered one by one in the order of the numbers they were read under.
    #[must_use]
    pub fn finish_files(mut self) -> Dataset {
        self.files
            .sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.path.cmp(&b.1.path)));
        // A task that ran twice says the same file twice.
        self.files.dedup_by_key(|file| file.0);
        let numbers: Map<u32, u32> = self.files.iter().map(|file| file.0).zip(0..).collect();
        let of = |file: u32| numbers.get(&file).copied().unwrap_or(u32::MAX);
        let mut data = self.data;
        // Spans of one file tend to follow one another.
        let mut last = (u32::MAX, u32::MAX);
        for span in &mut data.origins {
            if span.place.file != last.0 {
                last = (span.place.file, of(span.place.file));
            }
            span.place.file = last.1;
        }
        data.ledger = data.ledger.renumbered(of);
        let spoken = std::mem::take(&mut data.dialects_of).into_iter();
        data.dialects_of = spoken
            .map(|((file, name), n)| ((of(file), name), n))
            .collect();
        data.inputs = self.files.into_iter().map(|file| file.1).collect();
        data
    }
}

fn append<T>(into: &mut Vec<T>, mut from: Vec<T>, each: impl Fn(&mut T)) {
    from.iter_mut().for_each(each);
    extend(into, from);
}

fn place<T: Copy + Eq + std::hash::Hash>(
    known: &mut Map<T, u32>,
    all: &mut Vec<T>,
    piece: Vec<T>,
    mut each: impl FnMut(&mut T),
) -> Vec<u32> {
    piece
        .into_iter()
        .map(|mut record| {
            each(&mut record);
            *known.entry(record).or_insert_with(|| {
                all.push(record);
                all.len() as u32 - 1
            })
        })
        .collect()
}
