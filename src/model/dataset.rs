//! All that was read, from every input, before traces are rebuilt.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::{
    ClusterEvent, Exemplar, HttpCall, Ledger, LlmCall, LlmCalls, LogRecord, Op, Origin, Record,
    Resource, Scope, Series, Span, SpanId, SpanIx, Symbols, TaskFacts, ToolCall, ToolCalls,
    TraceId, TraceIx, Traces,
};
use crate::units::{Interner, Sym, growing, roomy};

/// One input as it was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Input {
    /// Name as the user gave it.
    pub path: String,
    /// What it was taken for, with its containers: `otlp-json lines (gzip)`.
    pub format: String,
    /// Why it was taken for that.
    pub why: String,
    /// Bytes read from it.
    pub bytes: u64,
    /// Bytes after unpacking.
    pub unpacked: u64,
    /// Span records read, duplicates included.
    pub spans: u64,
    /// Metric points read.
    pub points: u64,
    /// Log records read.
    pub logs: u64,
    /// Cluster events read.
    pub events: u64,
    /// Samples read from lines of metric text; the sum and the count of a histogram are one point.
    pub samples: u64,
    /// Exemplars read: single observations that name their trace.
    pub exemplars: u64,
}

impl Input {
    /// Adds what another worker counted of the same input.
    pub fn add_counts(&mut self, other: &Self) {
        self.spans += other.spans;
        self.points += other.points;
        self.logs += other.logs;
        self.events += other.events;
        self.samples += other.samples;
        self.exemplars += other.exemplars;
    }
}

/// Who emitted a span: a resource and an instrumentation scope. Few combinations occur.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Emitter {
    /// Index into [`Dataset::resources`].
    pub resource: u32,
    /// Index into [`Dataset::scopes`].
    pub scope: u32,
}

/// A span link: evidence for joining fragments.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// Trace and span that hold the link.
    pub from: (TraceId, SpanId),
    /// Trace and span it points to.
    pub to: (TraceId, SpanId),
}

/// A span that says which round of its request it belongs to.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct Round {
    /// Its trace.
    pub trace: TraceIx,
    /// The number of the round, as its emitter counts.
    pub number: u32,
}

/// Everything read. Arenas are indexed by [`Span::call`] according to [`Span::op`].
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// Strings behind every [`Sym`].
    pub names: Interner,
    /// Inputs in the order given.
    pub inputs: Vec<Input>,
    /// Resources.
    pub resources: Vec<Resource>,
    /// Instrumentation scopes.
    pub scopes: Vec<Scope>,
    /// Combinations of the two that spans have.
    pub emitters: Vec<Emitter>,
    /// Trace ids behind every [`TraceIx`].
    pub traces: Traces,
    /// Spans as they were read, in no order until [`crate::trace`] sorts them; none are left once it has rebuilt them.
    pub records: Vec<Record>,
    /// Spans of rebuilt traces.
    pub spans: Vec<Span>,
    /// Where each of these spans comes from; empty where that was put away.
    pub origins: Vec<Origin>,
    /// Facts of [`Op::is_model`] spans.
    pub llm: LlmCalls,
    /// Facts of [`Op::is_tool`] spans.
    pub tools: ToolCalls,
    /// Facts of [`Op::is_group`] spans.
    pub tasks: Vec<TaskFacts>,
    /// Facts of [`Op::Http`] spans.
    pub https: Vec<HttpCall>,
    /// Span links.
    pub links: Vec<Link>,
    /// Rounds that spans say they belong to.
    pub rounds: Vec<Round>,
    /// Metric series.
    pub series: Vec<Series>,
    /// Single observations of metrics that name their trace.
    pub exemplars: Vec<Exemplar>,
    /// Log records.
    pub logs: Vec<LogRecord>,
    /// Cluster events.
    pub events: Vec<ClusterEvent>,
    /// Attribute keys that look relevant and were not understood, with how many spans had them.
    pub strange_keys: HashMap<Sym, u64>,
    /// Dialects seen, with how many spans spoke each.
    pub dialects: HashMap<&'static str, u64>,
    /// The same for each input, by its index.
    pub dialects_of: HashMap<(u32, &'static str), u64>,
    /// What was lost, mended or guessed.
    pub ledger: Ledger,
}

impl Dataset {
    /// An empty one with room for millions of spans.
    #[must_use]
    pub fn growing() -> Self {
        Self {
            records: growing(),
            llm: LlmCalls::growing(),
            tools: ToolCalls::growing(),
            tasks: growing(),
            ..Self::default()
        }
    }

    /// The string behind `sym`.
    #[must_use]
    pub fn text(&self, sym: Sym) -> &str {
        self.names.get(sym)
    }

    /// Model-call facts of a span.
    #[must_use]
    #[inline(always)]
    pub fn llm_of(&self, span: &Span) -> Option<LlmCall> {
        self.llm.get(self.llm_index(span)?)
    }

    /// Where the facts of a span's model call lie in [`Dataset::llm`], if it is one.
    #[must_use]
    pub fn llm_index(&self, span: &Span) -> Option<usize> {
        span.call.get().filter(|_| span.op.is_model())
    }

    /// Tool facts of a span.
    #[must_use]
    #[inline]
    pub fn tool_of(&self, span: &Span) -> Option<ToolCall> {
        if span.op.is_tool() {
            self.tools.get(span.call.get()?)
        } else {
            None
        }
    }

    /// Task, agent or step facts of a span.
    #[must_use]
    pub fn task_of(&self, span: &Span) -> Option<&TaskFacts> {
        if span.op.is_group() {
            self.tasks.get(span.call.get()?)
        } else {
            None
        }
    }

    /// HTTP facts of a span.
    #[must_use]
    pub fn http_of(&self, span: &Span) -> Option<&HttpCall> {
        if span.op == Op::Http {
            self.https.get(span.call.get()?)
        } else {
            None
        }
    }

    /// The trace id of a span.
    #[must_use]
    #[inline]
    pub fn trace_of(&self, span: &Span) -> TraceId {
        self.traces.get(span.trace)
    }

    /// Where resource and scope of a span lie.
    #[must_use]
    #[inline]
    pub fn emitter_of(&self, span: &Span) -> Emitter {
        let emitter = self.emitters.get(span.emitter as usize);
        emitter.copied().unwrap_or_default()
    }

    /// The resource of a span.
    #[must_use]
    pub fn resource_of(&self, span: &Span) -> Resource {
        let at = self.emitter_of(span).resource as usize;
        self.resources.get(at).copied().unwrap_or_default()
    }

    /// Puts apart what spans are and where they come from: traces are rebuilt.
    pub fn settle(&mut self) {
        let records = std::mem::take(&mut self.records);
        self.spans = roomy(records.len());
        self.origins = roomy(records.len());
        records
            .par_iter()
            .map(|record| (record.span, record.origin()))
            .unzip_into_vecs(&mut self.spans, &mut self.origins);
    }

    /// The identity of a span; none where it is unknown.
    #[must_use]
    pub fn id_of(&self, span: SpanIx) -> SpanId {
        let origin = self.origins.get(span as usize);
        origin.map_or(SpanId::NONE, |origin| origin.id)
    }

    /// Takes in what another worker read. The result does not depend on who read what, except for
    /// the numbering of symbols and arena entries, which no output shows.
    pub fn absorb(&mut self, other: Self) {
        let syms = self.names.absorb(&other.names);
        let sym = |s: &mut Sym| *s = syms.get(s.0 as usize).copied().unwrap_or(Sym::NONE);

        let resources = remap_table(&mut self.resources, other.resources, |r| r.symbols(sym));
        let scopes = remap_table(&mut self.scopes, other.scopes, |s| s.symbols(sym));
        let place = |known: &[u32], at: u32| known.get(at as usize).copied().unwrap_or(0);
        let emitters = remap_table(&mut self.emitters, other.emitters, |e| {
            e.resource = place(&resources, e.resource);
            e.scope = place(&scopes, e.scope);
        });
        let traces: Vec<TraceIx> = self.traces.absorb(&other.traces);
        let number = |trace: TraceIx| traces.get(trace.0 as usize).copied().unwrap_or_default();
        let bases = self.arenas();

        rayon::join(
            || {
                append(&mut self.records, other.records, |span| {
                    span.symbols(sym);
                    span.emitter = place(&emitters, span.emitter);
                    span.trace = number(span.trace);
                    span.move_call(bases);
                });
            },
            || {
                self.llm.absorb(other.llm, |mut s| {
                    sym(&mut s);
                    s
                });
                self.tools.absorb(other.tools, |mut s| {
                    sym(&mut s);
                    s
                });
                append(&mut self.tasks, other.tasks, |t| t.symbols(sym));
                append(&mut self.https, other.https, |h| h.symbols(sym));
            },
        );
        append(&mut self.links, other.links, |_| ());
        append(&mut self.rounds, other.rounds, |round| {
            round.trace = number(round.trace);
        });
        append(&mut self.logs, other.logs, |log| {
            log.symbols(sym);
            log.resource = place(&resources, log.resource);
        });
        append(&mut self.events, other.events, |event| event.symbols(sym));
        append(&mut self.series, other.series, |series| series.symbols(sym));
        append(&mut self.exemplars, other.exemplars, |e| e.symbols(sym));
        for (mut key, count) in other.strange_keys {
            sym(&mut key);
            *self.strange_keys.entry(key).or_default() += count;
        }
        for (dialect, count) in other.dialects {
            *self.dialects.entry(dialect).or_default() += count;
        }
        for (key, count) in other.dialects_of {
            *self.dialects_of.entry(key).or_default() += count;
        }
        self.ledger.absorb(other.ledger);
        for (index, input) in other.inputs.into_iter().enumerate() {
            match self.inputs.get_mut(index) {
                None => self.inputs.push(input),
                Some(known) => {
                    known.bytes += input.bytes;
                    known.unpacked += input.unpacked;
                    known.add_counts(&input);
                }
            }
        }
    }

    /// How much each arena of facts holds: of model calls, tools, groups and HTTP requests.
    #[must_use]
    pub fn arenas(&self) -> [u32; 4] {
        let lengths = [
            self.llm.len(),
            self.tools.len(),
            self.tasks.len(),
            self.https.len(),
        ];
        lengths.map(|length| length as u32)
    }

    /// Checks the invariants every later stage relies on.
    ///
    /// # Errors
    /// Names the first span that breaks one: an arena index out of range, an end before its start.
    pub fn check_valid(&self) -> Result<(), String> {
        for (index, span) in self.records.iter().enumerate() {
            let room = match span.op {
                op if op.is_model() => self.llm.len(),
                op if op.is_tool() => self.tools.len(),
                op if op.is_group() => self.tasks.len(),
                Op::Http => self.https.len(),
                _ => usize::MAX,
            };
            if span.call.get().is_some_and(|call| call >= room) {
                return Err(format!(
                    "span {index} ({}) points outside its arena",
                    span.id
                ));
            }
            if !span.is_open() && span.end < span.start {
                return Err(format!("span {index} ({}) ends before it starts", span.id));
            }
        }
        Ok(())
    }
}

/// Rows that one task looks at, at least.
const ROWS: usize = 1 << 14;

/// Appends a list, without a copy to an empty one.
pub(crate) fn extend<T>(into: &mut Vec<T>, from: Vec<T>) {
    if into.is_empty() {
        *into = from;
        return;
    }
    if into.capacity() - into.len() < from.len() {
        // Hardly more: doubling a table of millions for the last part read would cost more than the part.
        into.reserve_exact(from.len().max(into.len() / 8));
    }
    into.extend(from);
}

fn append<T: Send>(into: &mut Vec<T>, from: Vec<T>, each: impl Fn(&mut T) + Send + Sync) {
    let start = into.len();
    extend(into, from);
    let new = into[start..].par_iter_mut().with_min_len(ROWS);
    new.for_each(each);
}

fn remap_table<T: Copy + Eq + std::hash::Hash>(
    into: &mut Vec<T>,
    from: Vec<T>,
    mut each: impl FnMut(&mut T),
) -> Vec<u32> {
    let mut known: HashMap<T, u32> = into
        .iter()
        .enumerate()
        .map(|(i, t)| (*t, i as u32))
        .collect();
    from.into_iter()
        .map(|mut item| {
            each(&mut item);
            *known.entry(item).or_insert_with(|| {
                into.push(item);
                into.len() as u32 - 1
            })
        })
        .collect()
}
