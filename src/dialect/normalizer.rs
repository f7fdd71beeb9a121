//! Turns raw records into a dataset: one per worker thread.

use std::cell::RefCell;

use hashbrown::HashMap;

use super::calls::{self, Namer};
use super::fault::{self, Fault};
use super::field::NumberField as N;
use super::keys::{KeyMemo, Meaning};
use super::origin::Origins;
use super::recent::Recent;
use super::role::{self, Setting};
use super::series::SeriesIndex;
use super::slots::Slots;
use super::vocabulary::Role;
use super::{DIALECTS, SERVING, logged, records, shell};
use crate::ingest::{RawAttr, RawClusterEvent, RawExemplar, RawLog, RawMetric, RawSpan, Sink};
use crate::model::{
    CallIx, Dataset, Emitter, Exemplar, IssueKind, Ledger, Link, Op, Place, Round, Span, SpanFlags,
    Status, TraceIx,
};
use crate::units::Sym;

/// Larger numbers count no rounds.
const ROUNDS: u32 = 10_000;

/// A dataset under construction, filled by readers.
#[derive(Debug, Default)]
pub struct Normalizer {
    data: Dataset,
    keys: RefCell<KeyMemo>,
    origins: Origins,
    recent: Recent,
    series: SeriesIndex,
    emitters: HashMap<Emitter, u32>,
    named: HashMap<(u32, Sym), Option<Role>>,
    /// By input, how many spans spoke each dialect.
    spoken: Vec<[u64; DIALECTS.len()]>,
    buckets: bool,
}

impl Normalizer {
    /// An empty one with room for millions of spans; [`Normalizer::default`] is one for few.
    #[must_use]
    pub fn new() -> Self {
        Self {
            data: Dataset::growing(),
            ..Self::default()
        }
    }

    /// The same, taking the buckets of histograms too, which only alert rules look at.
    #[must_use]
    pub fn taking_buckets(self) -> Self {
        Self {
            buckets: true,
            ..self
        }
    }

    /// What was read.
    #[must_use]
    pub fn finish(mut self) -> Dataset {
        let general = DIALECTS.len() - 1;
        for (file, spoken) in self.spoken.iter().enumerate() {
            for (dialect, &count) in DIALECTS.iter().zip(spoken).take(general) {
                if count > 0 {
                    *self.data.dialects.entry(dialect.name).or_default() += count;
                    let key = (file as u32, dialect.name);
                    self.data.dialects_of.insert(key, count);
                }
            }
        }
        self.data
    }

    /// The number of an emitter, new or known.
    fn emitter(&mut self, emitter: Emitter) -> u32 {
        let all = &mut self.data.emitters;
        // The one met last tends to come again.
        if all.last() == Some(&emitter) {
            return all.len() as u32 - 1;
        }
        *self.emitters.entry(emitter).or_insert_with(|| {
            all.push(emitter);
            all.len() as u32 - 1
        })
    }

    /// What the span's name says, remembered per scope and name.
    fn named(&mut self, scope: u32, name: Sym) -> Option<Role> {
        let (data, origins) = (&self.data, &self.origins);
        *self
            .named
            .entry((scope, name))
            .or_insert_with(|| role_of_name(data.names.get(name), origins.speaker(scope).home))
    }

    /// Fills the arena that belongs to the span's operation.
    fn attach(&mut self, span: &mut Span, raw: &RawSpan<'_>, slots: &Slots<'_>, fault: Fault) {
        let scope = self.data.emitter_of(span).scope;
        let scope = self.origins.speaker(scope).name;
        let data = &mut self.data;
        let mut namer = Namer {
            names: &mut data.names,
            recent: &mut self.recent,
        };
        let index = match span.op {
            op if op.is_model() => {
                let (call, refused) = calls::llm(&mut namer, raw, slots, span, scope, fault);
                note_call(
                    &mut data.ledger,
                    raw.place,
                    call.cache_basis_assumed,
                    refused,
                );
                data.llm.push(call) + 1
            }
            op if op.is_tool() => {
                let silent = fault.silent && fault.kind.is_some();
                data.tools
                    .push(calls::tool(&mut namer, slots, span.op, &raw.name, silent));
                data.tools.len()
            }
            op if op.is_group() => {
                data.tasks.push(calls::task(&mut namer, slots, span.op));
                data.tasks.len()
            }
            Op::Http => {
                data.https.push(calls::http(&mut namer, slots));
                data.https.len()
            }
            _ => return,
        };
        span.call = CallIx(index as u32 - 1);
    }

    /// Notes which round of its request a span belongs to; most spans of one come together.
    fn round(&mut self, slots: &Slots<'_>, trace: TraceIx) {
        if let Some(number) = slots.number(N::Round).filter(|n| *n < f64::from(ROUNDS)) {
            let round = Round {
                trace,
                number: number as u32,
            };
            if self.data.rounds.last() != Some(&round) {
                self.data.rounds.push(round);
            }
        }
    }

    fn note(&mut self, slots: &Slots<'_>, place: Place) {
        let mut bits = slots.spoken();
        let file = place.file as usize;
        if self.spoken.len() <= file {
            self.spoken.resize(file + 1, [0; DIALECTS.len()]);
        }
        while bits != 0 {
            let spoken = self.spoken.get_mut(file);
            if let Some(count) = spoken.and_then(|s| s.get_mut(bits.trailing_zeros() as usize)) {
                *count += 1;
            }
            bits &= bits - 1;
        }
        for (count, kind, detail) in [
            (
                slots.bad_numbers,
                IssueKind::BadNumber,
                "a figure is not finite or negative",
            ),
            (
                slots.wrong_types,
                IssueKind::WrongType,
                "a value is not of its field's type",
            ),
            (
                slots.conflicts,
                IssueKind::ConflictingFigure,
                "two vocabularies count tokens differently",
            ),
        ] {
            for _ in 0..count {
                self.data.ledger.count(kind, place, || detail.to_owned());
            }
        }
    }
}

fn note_call(ledger: &mut Ledger, place: Place, assumed: bool, refused: u32) {
    if assumed {
        ledger.count(IssueKind::AssumedCacheBasis, place, || {
            "cached tokens without a word on whether input includes them".to_owned()
        });
    }
    for _ in 0..refused {
        ledger.count(IssueKind::BadNumber, place, || {
            "a time inside a call is longer than the call".to_owned()
        });
    }
}

fn role_of_name(name: &str, home: Option<u8>) -> Option<Role> {
    let own = home
        .and_then(|h| DIALECTS.get(h as usize))
        .map_or(&[][..], |d| d.own_names);
    let everywhere = DIALECTS.iter().flat_map(|d| d.names);
    own.iter()
        .chain(everywhere)
        .find(|(pattern, _)| pattern.fits(name))
        .map(|(_, role)| *role)
}

impl Sink for Normalizer {
    fn wants(&self, key: &[u8]) -> bool {
        !matches!(self.keys.borrow_mut().meaning(key), Meaning::Nothing)
    }

    fn recognise(&self, key: &[u8]) -> Option<u16> {
        self.keys.borrow_mut().recognise(key)
    }

    fn wants_buckets(&self) -> bool {
        self.buckets
    }

    fn resource(&mut self, attributes: &[RawAttr<'_>]) -> u32 {
        self.origins.resource(&mut self.data, attributes)
    }

    fn scope(&mut self, name: &str, version: &str) -> u32 {
        self.origins.scope(&mut self.data, name, version)
    }

    fn span(&mut self, raw: &RawSpan<'_>, resource: u32, scope: u32) {
        let emitter = self.emitter(Emitter { resource, scope });
        let Some(mut span) = shell::of(&mut self.data, raw, emitter) else {
            return;
        };
        let mut slots = Slots::new(self.origins.speaker(scope).home);
        let data = &mut self.data;
        slots.gather(&raw.attributes, &raw.hints, self.keys.get_mut(), |key| {
            *data.strange_keys.entry(data.names.intern(key)).or_default() += 1;
        });
        let setting = Setting {
            named: self.named(scope, span.name),
            serving: self.origins.host(resource).serving,
            engine_keys: slots.has_keys_of(SERVING),
        };
        slots.take_named(setting.named);
        self.note(&slots, raw.place);
        match role::decide(raw, &slots, setting) {
            None => span.flags.set(SpanFlags::NOISE),
            Some(op) => {
                span.op = op;
                let fault = fault::find(raw, &slots, op);
                span.error = fault.kind;
                if fault.kind.is_some() && fault.silent && !op.is_tool() {
                    span.status = Status::Error;
                }
                self.attach(&mut span, raw, &slots, fault);
            }
        }
        self.round(&slots, span.trace);
        let from = (raw.trace, raw.id);
        self.data.links.extend(raw.links.iter().map(|link| Link {
            from,
            to: (link.trace, link.span),
        }));
        self.data.records.push(span);
    }

    fn metric(&mut self, metric: &RawMetric<'_>, resource: u32) {
        self.series.metric(&mut self.data, metric, resource);
    }

    fn exemplar(&mut self, name: &str, exemplar: &RawExemplar) {
        let metric = self.data.names.intern(name);
        self.data.exemplars.push(Exemplar {
            metric,
            time: exemplar.time,
            value: exemplar.value,
            trace: exemplar.trace,
            span: exemplar.span,
        });
    }

    fn log(&mut self, log: &RawLog<'_>, resource: u32) {
        records::log(&mut self.data, self.keys.get_mut(), log, resource);
        if let Some((span, scope)) = logged::span_of(log) {
            let scope = self.scope(scope, "");
            self.span(&span, resource, scope);
        }
    }

    fn cluster_event(&mut self, event: &RawClusterEvent<'_>) {
        records::cluster_event(&mut self.data, event);
    }

    fn ledger(&mut self) -> &mut Ledger {
        &mut self.data.ledger
    }
}

#[cfg(test)]
mod tests;
