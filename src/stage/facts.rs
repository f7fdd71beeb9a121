//! What is known of some spans, with a table of names of its own: a piece of a [`Dataset`] that can be sent.

use serde::{Deserialize, Serialize};

use crate::baseline::Map;
use crate::model::{
    ClusterEvent, Dataset, Emitter, Exemplar, HttpCall, Link, LlmCall, LogRecord, Resource, Round,
    Scope, Series, Span, Symbols, TaskFacts, ToolCall, TraceId, TraceIx,
};
use crate::units::Sym;

/// Records of a dataset. Symbols, emitters and arenas count from the beginning of this piece.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Unix nanoseconds that starts of spans and times of logs count from; ends of spans count from their starts.
    pub since: u64,
    /// Strings behind the symbols, from [`Sym`] 1 on.
    pub names: Vec<String>,
    /// Resources.
    pub resources: Vec<Resource>,
    /// Instrumentation scopes.
    pub scopes: Vec<Scope>,
    /// Combinations of the two.
    pub emitters: Vec<Emitter>,
    /// Trace ids behind [`Span::trace`].
    pub traces: Vec<TraceId>,
    /// Spans.
    pub spans: Vec<Span>,
    /// Facts of model calls.
    pub llm: Vec<LlmCall>,
    /// Facts of tool calls.
    pub tools: Vec<ToolCall>,
    /// Facts of tasks, agents and steps.
    pub tasks: Vec<TaskFacts>,
    /// Facts of HTTP requests.
    pub https: Vec<HttpCall>,
    /// Span links.
    pub links: Vec<Link>,
    /// Log records.
    pub logs: Vec<LogRecord>,
    /// Observations that name a trace.
    pub exemplars: Vec<Exemplar>,
    /// Metric series.
    pub series: Vec<Series>,
    /// Cluster events.
    pub events: Vec<ClusterEvent>,
    /// Rounds that spans say they belong to.
    pub rounds: Vec<Round>,
}

impl Facts {
    /// Makes times small numbers, which take few bytes. So does an engine that is not there.
    fn count_times(&mut self) {
        let starts = self.spans.iter().map(|span| span.start.0);
        self.since = starts
            .chain(self.logs.iter().map(|log| log.time.0))
            .min()
            .unwrap_or(0);
        for span in &mut self.spans {
            span.end.0 = span.end.0.wrapping_sub(span.start.0);
            span.start.0 -= self.since;
        }
        self.logs
            .iter_mut()
            .for_each(|log| log.time.0 -= self.since);
        self.llm
            .iter_mut()
            .for_each(|call| call.engine = call.engine.wrapping_add(1));
    }

    /// Makes them what they were, whatever the numbers are.
    pub(super) fn restore_times(&mut self) {
        for span in &mut self.spans {
            span.start.0 = span.start.0.wrapping_add(self.since);
            span.end.0 = span.end.0.wrapping_add(span.start.0);
        }
        let times = self.logs.iter_mut();
        times.for_each(|log| log.time.0 = log.time.0.wrapping_add(self.since));
        self.llm
            .iter_mut()
            .for_each(|call| call.engine = call.engine.wrapping_sub(1));
    }
}

/// Copies records out of a dataset, one piece after another.
pub(super) struct Cut<'a> {
    from: &'a Dataset,
    into: Facts,
    names: Map<Sym, Sym>,
    resources: Map<u32, u32>,
    scopes: Map<u32, u32>,
    emitters: Map<u32, u32>,
    traces: Map<TraceIx, TraceIx>,
}

impl<'a> Cut<'a> {
    pub(super) fn new(from: &'a Dataset) -> Self {
        Self {
            from,
            into: Facts::default(),
            names: Map::default(),
            resources: Map::default(),
            scopes: Map::default(),
            emitters: Map::default(),
            traces: Map::default(),
        }
    }

    /// The piece so far; the next one begins empty.
    pub(super) fn take(&mut self) -> Facts {
        self.names.clear();
        self.resources.clear();
        self.scopes.clear();
        self.emitters.clear();
        self.traces.clear();
        let mut facts = std::mem::take(&mut self.into);
        facts.count_times();
        facts
    }

    /// How many names there are so far.
    pub(super) fn names(&self) -> u32 {
        self.into.names.len() as u32
    }

    /// The symbol here of what `sym` names in the dataset.
    pub(super) fn sym(&mut self, sym: Sym) -> Sym {
        if sym.is_none() {
            return sym;
        }
        let (names, from) = (&mut self.into.names, self.from);
        *self.names.entry(sym).or_insert_with(|| {
            names.push(from.text(sym).to_owned());
            Sym(names.len() as u32)
        })
    }

    fn named<T: Symbols>(&mut self, mut record: T) -> T {
        record.symbols(|sym| *sym = self.sym(*sym));
        record
    }

    fn resource(&mut self, at: u32) -> u32 {
        if let Some(&known) = self.resources.get(&at) {
            return known;
        }
        let all = self.from.resources.get(at as usize);
        let resource = self.named(all.copied().unwrap_or_default());
        self.into.resources.push(resource);
        let number = self.into.resources.len() as u32 - 1;
        self.resources.insert(at, number);
        number
    }

    fn scope(&mut self, at: u32) -> u32 {
        if let Some(&known) = self.scopes.get(&at) {
            return known;
        }
        let all = self.from.scopes.get(at as usize);
        let scope = self.named(all.copied().unwrap_or_default());
        self.into.scopes.push(scope);
        let number = self.into.scopes.len() as u32 - 1;
        self.scopes.insert(at, number);
        number
    }

    fn emitter(&mut self, span: &Span) -> u32 {
        if let Some(&known) = self.emitters.get(&span.emitter) {
            return known;
        }
        let emitter = self.from.emitter_of(span);
        let emitter = Emitter {
            resource: self.resource(emitter.resource),
            scope: self.scope(emitter.scope),
        };
        self.into.emitters.push(emitter);
        let number = self.into.emitters.len() as u32 - 1;
        self.emitters.insert(span.emitter, number);
        number
    }

    fn trace(&mut self, trace: TraceIx) -> TraceIx {
        let (traces, from) = (&mut self.into.traces, self.from);
        *self.traces.entry(trace).or_insert_with(|| {
            traces.push(from.traces.get(trace));
            TraceIx(traces.len() as u32 - 1)
        })
    }

    /// Takes a span with its facts.
    pub(super) fn span(&mut self, span: &Span) {
        let mut copy = self.named(*span);
        copy.emitter = self.emitter(span);
        copy.trace = self.trace(span.trace);
        let place = |length: usize| crate::model::CallIx(length as u32 - 1);
        if let Some(call) = self.from.llm_of(span) {
            let call = self.named(call);
            self.into.llm.push(call);
            copy.call = place(self.into.llm.len());
        } else if let Some(tool) = self.from.tool_of(span) {
            let tool = self.named(*tool);
            self.into.tools.push(tool);
            copy.call = place(self.into.tools.len());
        } else if let Some(task) = self.from.task_of(span) {
            let task = self.named(*task);
            self.into.tasks.push(task);
            copy.call = place(self.into.tasks.len());
        } else if let Some(http) = self.from.http_of(span) {
            let http = self.named(*http);
            self.into.https.push(http);
            copy.call = place(self.into.https.len());
        }
        self.into.spans.push(copy);
    }

    pub(super) fn link(&mut self, link: Link) {
        self.into.links.push(link);
    }

    pub(super) fn round(&mut self, round: Round) {
        let trace = self.trace(round.trace);
        self.into.rounds.push(Round { trace, ..round });
    }

    pub(super) fn log(&mut self, log: &LogRecord) {
        let mut copy = self.named(*log);
        copy.resource = self.resource(log.resource);
        self.into.logs.push(copy);
    }

    pub(super) fn exemplar(&mut self, exemplar: Exemplar) {
        let copy = self.named(exemplar);
        self.into.exemplars.push(copy);
    }

    pub(super) fn series(&mut self, series: &Series) {
        let copy = self.named(series.clone());
        self.into.series.push(copy);
    }

    pub(super) fn event(&mut self, event: ClusterEvent) {
        let copy = self.named(event);
        self.into.events.push(copy);
    }
}
