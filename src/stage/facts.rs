//! What is known of some spans, with a table of names of its own: a piece of a [`Dataset`] that can be sent.

use serde::{Deserialize, Serialize, Serializer};

use super::file::take_out;
use super::gather::Gather;
use super::packed;
use super::row::{Kind, Row, StreamError};
use crate::model::{
    ClusterEvent, Dataset, Emitter, Exemplar, HttpCall, Link, LlmCalls, LogRecord, Record,
    Resource, Round, Scope, Series, Span, Symbols, TaskFacts, ToolCalls, TraceId, TraceIx,
};
use crate::units::Sym;

/// Records of a dataset. Symbols, emitters and arenas count from the beginning of this piece.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
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
    #[serde(with = "packed::spans")]
    pub spans: Vec<Record>,
    /// Facts of model calls.
    pub llm: LlmCalls,
    /// Facts of tool calls.
    #[serde(with = "packed::tools")]
    pub tools: ToolCalls,
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

/// Bytes that a span takes with its facts, about.
pub(super) const SPAN: usize = 80;

impl Facts {
    /// A row that says this.
    ///
    /// # Errors
    /// As [`Row::new`].
    pub(super) fn row(&self, kind: Kind, key: u128) -> Result<Row, StreamError> {
        Row::sized(kind, Some(key), self, 1024 + SPAN * self.spans.len())
    }

    /// Those of the traces that are picked.
    pub(super) fn only(self, picked: impl Fn(TraceId) -> bool) -> Self {
        let links = self.links.iter().map(|link| link.from.0);
        let logs = self.logs.iter().map(|log| log.trace);
        let exemplars = self.exemplars.iter().map(|exemplar| exemplar.trace);
        let mut all = self
            .traces
            .iter()
            .copied()
            .chain(links)
            .chain(logs)
            .chain(exemplars);
        if all.all(&picked) {
            return self;
        }
        let mut gather = Gather::default();
        gather.add(self);
        take_out(&mut gather.finish(), picked)
    }
}

/// All records of a dataset that belong to traces but its spans, as [`Facts`] are written: what is borrowed is not copied,
/// it is large.
#[derive(Serialize)]
pub(super) struct Lent<'a> {
    names: Names<'a>,
    resources: &'a [Resource],
    scopes: &'a [Scope],
    emitters: &'a [Emitter],
    traces: Vec<TraceId>,
    #[serde(serialize_with = "packed::spans::serialize")]
    spans: &'a [Record],
    llm: &'a LlmCalls,
    #[serde(serialize_with = "packed::tools::serialize")]
    tools: &'a ToolCalls,
    tasks: &'a [TaskFacts],
    https: &'a [HttpCall],
    links: &'a [Link],
    logs: &'a [LogRecord],
    exemplars: &'a [Exemplar],
    series: &'a [Series],
    events: &'a [ClusterEvent],
    rounds: &'a [Round],
}

impl<'a> Lent<'a> {
    pub(super) fn of(data: &'a Dataset) -> Self {
        let traces = (0..data.traces.len() as u32).map(|number| data.traces.get(TraceIx(number)));
        Self {
            names: Names(data),
            resources: &data.resources,
            scopes: &data.scopes,
            emitters: &data.emitters,
            traces: traces.collect(),
            spans: &[],
            llm: &data.llm,
            tools: &data.tools,
            tasks: &data.tasks,
            https: &data.https,
            links: &data.links,
            logs: &data.logs,
            exemplars: &data.exemplars,
            series: &[],
            events: &[],
            rounds: &data.rounds,
        }
    }
}

/// The strings of a dataset.
struct Names<'a>(&'a Dataset);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = self.0.names.len() as u32;
        serializer.collect_seq((1..=count).map(|number| self.0.text(Sym(number))))
    }
}

/// Numbers of a piece by those of the dataset it is cut from.
struct Numbers {
    /// The piece that a number was given for, and the number; last, for numbers that the dataset does not have.
    given: Vec<(u32, u32)>,
    piece: u32,
}

impl Numbers {
    fn new(count: usize) -> Self {
        Self {
            given: vec![(0, 0); count + 1],
            piece: 1,
        }
    }

    fn place(&self, old: u32) -> usize {
        (old as usize).min(self.given.len() - 1)
    }

    /// The number given to `old` in this piece.
    fn get(&self, old: u32) -> Option<u32> {
        let (piece, number) = self.given[self.place(old)];
        (piece == self.piece).then_some(number)
    }

    fn set(&mut self, old: u32, number: u32) {
        let place = self.place(old);
        self.given[place] = (self.piece, number);
    }

    /// Forgets all of them.
    fn next(&mut self) {
        self.piece += 1;
    }
}

/// Copies records out of a dataset, one piece after another.
pub(super) struct Cut<'a> {
    from: &'a Dataset,
    into: Facts,
    names: Numbers,
    resources: Numbers,
    scopes: Numbers,
    emitters: Numbers,
    traces: Numbers,
}

impl<'a> Cut<'a> {
    pub(super) fn new(from: &'a Dataset) -> Self {
        Self {
            from,
            into: Facts::default(),
            names: Numbers::new(from.names.len() + 1),
            resources: Numbers::new(from.resources.len()),
            scopes: Numbers::new(from.scopes.len()),
            emitters: Numbers::new(from.emitters.len()),
            traces: Numbers::new(from.traces.len()),
        }
    }

    /// The piece so far; the next one begins empty.
    pub(super) fn take(&mut self) -> Facts {
        self.names.next();
        self.resources.next();
        self.scopes.next();
        self.emitters.next();
        self.traces.next();
        std::mem::take(&mut self.into)
    }

    /// The symbol here of what `sym` names in the dataset.
    pub(super) fn sym(&mut self, sym: Sym) -> Sym {
        if sym.is_none() {
            return sym;
        }
        if let Some(known) = self.names.get(sym.0) {
            return Sym(known);
        }
        self.into.names.push(self.from.text(sym).to_owned());
        let number = self.into.names.len() as u32;
        self.names.set(sym.0, number);
        Sym(number)
    }

    fn named<T: Symbols>(&mut self, mut record: T) -> T {
        record.symbols(|sym| *sym = self.sym(*sym));
        record
    }

    fn resource(&mut self, at: u32) -> u32 {
        if let Some(known) = self.resources.get(at) {
            return known;
        }
        let all = self.from.resources.get(at as usize);
        let resource = self.named(all.copied().unwrap_or_default());
        self.into.resources.push(resource);
        let number = self.into.resources.len() as u32 - 1;
        self.resources.set(at, number);
        number
    }

    fn scope(&mut self, at: u32) -> u32 {
        if let Some(known) = self.scopes.get(at) {
            return known;
        }
        let all = self.from.scopes.get(at as usize);
        let scope = self.named(all.copied().unwrap_or_default());
        self.into.scopes.push(scope);
        let number = self.into.scopes.len() as u32 - 1;
        self.scopes.set(at, number);
        number
    }

    fn emitter(&mut self, span: &Span) -> u32 {
        if let Some(known) = self.emitters.get(span.emitter) {
            return known;
        }
        let emitter = self.from.emitter_of(span);
        let emitter = Emitter {
            resource: self.resource(emitter.resource),
            scope: self.scope(emitter.scope),
        };
        self.into.emitters.push(emitter);
        let number = self.into.emitters.len() as u32 - 1;
        self.emitters.set(span.emitter, number);
        number
    }

    fn trace(&mut self, trace: TraceIx) -> TraceIx {
        if let Some(known) = self.traces.get(trace.0) {
            return TraceIx(known);
        }
        self.into.traces.push(self.from.traces.get(trace));
        let number = self.into.traces.len() as u32 - 1;
        self.traces.set(trace.0, number);
        TraceIx(number)
    }

    /// Takes a span with its facts.
    pub(super) fn span(&mut self, span: &Record) {
        let mut copy = *span;
        copy.span = self.named(copy.span);
        copy.emitter = self.emitter(span);
        copy.trace = self.trace(span.trace);
        let place = |length: usize| crate::model::CallIx(length as u32 - 1);
        if let Some(call) = self.from.llm_of(span) {
            let call = self.named(call);
            self.into.llm.push(call);
            copy.call = place(self.into.llm.len());
        } else if let Some(tool) = self.from.tool_of(span) {
            let tool = self.named(tool);
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
