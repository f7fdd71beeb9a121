//! Rows put together again to one dataset.

use super::facts::Facts;
use super::file::{FileFacts, Meta};
use crate::baseline::Map;
use crate::model::{CallIx, Dataset, Emitter, Input, Resource, Round, Scope, Symbols, TraceIx};
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
        facts.restore_times();
        let data = &mut self.data;
        let moved = Moved {
            names: std::iter::once(Sym::NONE)
                .chain(facts.names.iter().map(|name| data.names.intern(name)))
                .collect(),
        };
        let sym = |sym: &mut Sym| *sym = moved.sym(*sym);
        let resources = place(
            &mut self.resources,
            &mut data.resources,
            facts.resources,
            |r| {
                r.symbols(sym);
            },
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
        let traces: Vec<TraceIx> = facts
            .traces
            .iter()
            .map(|&id| data.traces.number(id))
            .collect();
        let number = |trace: TraceIx| traces.get(trace.0 as usize).copied().unwrap_or_default();
        let first = data.spans.len() as u32;
        let bases = data.arenas();
        let arenas = [
            facts.llm.len(),
            facts.tools.len(),
            facts.tasks.len(),
            facts.https.len(),
        ];
        for mut span in facts.spans {
            span.symbols(sym);
            span.emitter = at(&emitters, span.emitter);
            span.trace = number(span.trace);
            let room = span.op.arena().map_or(0, |arena| arenas[arena]);
            match span.call.get() {
                Some(call) if call < room => span.move_call(bases),
                _ => span.call = CallIx::NONE,
            }
            data.spans.push(span);
        }
        for mut call in facts.llm {
            call.symbols(sym);
            if call.engine != u32::MAX {
                call.engine = call.engine.saturating_add(first);
            }
            data.llm.push(call);
        }
        data.tools.extend(named(facts.tools, sym));
        data.tasks.extend(named(facts.tasks, sym));
        data.https.extend(named(facts.https, sym));
        data.links.extend(facts.links);
        data.rounds
            .extend(facts.rounds.into_iter().map(|round| Round {
                trace: number(round.trace),
                ..round
            }));
        data.logs.extend(named(facts.logs, sym).map(|mut log| {
            log.resource = at(&resources, log.resource);
            log
        }));
        data.exemplars.extend(named(facts.exemplars, sym));
        data.series.extend(named(facts.series, sym));
        data.events.extend(named(facts.events, sym));
        moved
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
        for span in &mut data.spans {
            span.place.file = of(span.place.file);
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

fn named<T: Symbols>(records: Vec<T>, sym: impl Fn(&mut Sym)) -> impl Iterator<Item = T> {
    records.into_iter().map(move |mut record| {
        record.symbols(&sym);
        record
    })
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
