//! Which spans make up one user request, and its totals.

use std::ops::Range;

use rayon::prelude::*;

use super::forest::Marks;
use super::lanes::{Walk, Work};
use super::repair::mark;
use super::{Counted, Forest, Lane, NO_LANE, Request, RootState, StepKind, StepOp, Tree, critical};
use crate::model::{Dataset, IssueKind, Op, SpanFlags, SpanIx, TaskFacts};
use crate::units::{Nanos, Sym, Window, growing};

/// Traces that one task looks at: enough that memory is reused, few enough to spread over threads.
const TRACES: usize = 512;
/// Such tasks per thread between two rounds of joining what was found.
const BATCHES: usize = 8;

/// Finds the requests of all traces, by start, trace id and root id.
pub(super) fn find(dataset: &Dataset, tree: &Tree, counted: &[Counted], marks: &Marks) -> Batch {
    let walk = Walk {
        dataset,
        tree,
        counted,
    };
    let mut all = Batch {
        requests: growing(),
        ops: growing(),
        lanes: growing(),
    };
    // Some batches at a time, so that few lie beside what they are joined to.
    let wave = TRACES * BATCHES * rayon::current_num_threads();
    for traces in tree.traces.chunks(wave) {
        let batches: Vec<Batch> = traces
            .par_chunks(TRACES)
            .map(|traces| Batch::of(&walk, traces, marks))
            .collect();
        for batch in batches {
            all.append(batch);
        }
    }
    sort(&mut all.requests, dataset);
    all
}

/// Counts the requests whose root is missing.
pub(super) fn note_rootless(dataset: &mut Dataset, requests: &[Request]) -> u64 {
    let mut found = 0;
    for request in requests
        .iter()
        .filter(|r| r.root_state == RootState::Missing)
    {
        found += 1;
        let place = dataset.origins[request.root as usize].place;
        dataset.ledger.note(IssueKind::MissingRoot, place, || {
            format!("trace {} has no root span", request.trace)
        });
    }
    found
}

/// Brings requests into their order.
fn sort(requests: &mut [Request], dataset: &Dataset) {
    requests.par_sort_unstable_by_key(|r| {
        let root = dataset.id_of(r.root);
        (r.wall.start, r.trace, root)
    });
}

impl Forest {
    /// Brings the requests into their order.
    pub fn sort_requests(&mut self, dataset: &Dataset) {
        sort(&mut self.requests, dataset);
    }
}

/// Requests of some traces; each one's lanes and operations lie where its ranges say.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) requests: Vec<Request>,
    pub(super) ops: Vec<StepOp>,
    pub(super) lanes: Vec<Lane>,
}

impl Batch {
    fn of(walk: &Walk<'_>, traces: &[Range<SpanIx>], marks: &Marks) -> Self {
        let mut batch = Self::default();
        let mut work = Work::default();
        for trace in traces {
            if let Some(only) = only_root(walk, trace) {
                batch.take(walk, &[only], marks, &mut work);
                continue;
            }
            for roots in candidates(walk, trace) {
                batch.take(walk, &roots, marks, &mut work);
            }
        }
        batch
    }

    /// Adds the request below `roots`, if there is one.
    fn take(&mut self, walk: &Walk<'_>, roots: &[SpanIx], marks: &Marks, work: &mut Work) {
        let Some(mut request) = request(walk, roots, marks, work) else {
            return;
        };
        let (ops, lanes) = (self.ops.len() as u32, self.lanes.len() as u32);
        let moved = work.ops.drain(..).map(|op| moved_op(op, lanes));
        self.ops.extend(moved);
        let moved = work.lanes.drain(..).map(|lane| moved_lane(lane, ops));
        self.lanes.extend(moved);
        request.ops = ops..self.ops.len() as u32;
        request.lanes = lanes..self.lanes.len() as u32;
        self.requests.push(request);
    }

    /// Moves a batch's numbers to where it lies among all.
    fn append(&mut self, batch: Self) {
        let (ops, lanes) = (self.ops.len() as u32, self.lanes.len() as u32);
        let moved_ops = batch.ops.into_par_iter().map(|op| moved_op(op, lanes));
        self.ops.par_extend(moved_ops);
        let moved_lanes = batch.lanes.into_iter().map(|lane| moved_lane(lane, ops));
        self.lanes.extend(moved_lanes);
        self.requests
            .extend(batch.requests.into_iter().map(|request| Request {
                ops: moved(request.ops, ops),
                lanes: moved(request.lanes, lanes),
                ..request
            }));
    }
}

fn moved(range: Range<u32>, by: u32) -> Range<u32> {
    range.start + by..range.end + by
}

fn moved_op(op: StepOp, lanes: u32) -> StepOp {
    let opens = match op.opens {
        NO_LANE => NO_LANE,
        lane => lane + lanes,
    };
    StepOp {
        lane: op.lane + lanes,
        opens,
        ..op
    }
}

fn moved_lane(lane: Lane, ops: u32) -> Lane {
    Lane {
        ops: moved(lane.ops, ops),
        ..lane
    }
}

/// The root of a trace that has one and nothing else.
fn only_root(walk: &Walk<'_>, trace: &Range<SpanIx>) -> Option<SpanIx> {
    let mut roots = walk.tree.roots(trace);
    let only = roots.next().filter(|_| roots.next().is_none())?;
    walk.is_named_root(only).then_some(only)
}

/// Sets of local roots, each the top of one request.
fn candidates(walk: &Walk<'_>, trace: &Range<SpanIx>) -> Vec<Vec<SpanIx>> {
    let roots: Vec<SpanIx> = walk.tree.roots(trace).collect();
    let (tops, rest): (Vec<SpanIx>, Vec<SpanIx>) =
        roots.iter().partition(|&&r| walk.is_named_root(r));
    match (tops.len(), rest.len()) {
        (0, _) => vec![rest],
        (1, 0) => vec![tops],
        _ if tops.iter().all(|&r| !holds_work(walk, r)) => vec![roots],
        _ => tops
            .into_iter()
            .map(|r| vec![r])
            .chain((!rest.is_empty()).then_some(rest))
            .collect(),
    }
}

/// A root that contains operations, and is not merely one itself.
fn holds_work(walk: &Walk<'_>, root: SpanIx) -> bool {
    let spans = &walk.dataset.spans;
    spans[root as usize].op.is_group()
        || walk
            .tree
            .subtree(root)
            .skip(1)
            .any(|s| walk.counted[s as usize] == Counted::Owner)
}

fn request(walk: &Walk<'_>, roots: &[SpanIx], marks: &Marks, work: &mut Work) -> Option<Request> {
    let spans = &walk.dataset.spans;
    let &root = roots.first()?;
    let span = &spans[root as usize];
    let whole = roots.len() == 1 && walk.is_named_root(root);
    let root_state = match (whole, span.is_open()) {
        (true, false) => RootState::Complete,
        (true, true) => RootState::Unfinished,
        (false, _) => RootState::Missing,
    };
    let all = roots.iter().flat_map(|&r| walk.tree.subtree(r));
    let wall = if root_state == RootState::Complete {
        span.window()
    } else {
        extent(walk, all)
    };
    walk.work(roots, wall, work);
    let mut request = Request {
        trace: walk.dataset.trace_of(span),
        root,
        root_state,
        wall,
        kind: Sym::NONE,
        agent: Sym::NONE,
        tenant: Sym::NONE,
        service: walk.dataset.resource_of(span).service,
        conversation: Sym::NONE,
        ops: 0..0,
        lanes: 0..0,
        parts: critical::partition(walk.dataset, wall, &work.lanes, &work.ops),
        spans: work.spans.len() as u32,
        errors: work
            .spans
            .iter()
            .filter(|&&s| spans[s as usize].failed())
            .count() as u32,
        llm_calls: 0,
        tool_calls: 0,
        retries: 0,
        input_tokens: None,
        cached_tokens: None,
        output_tokens: None,
        rolled_up: false,
        repairs: super::RepairSet::default(),
    };
    name(walk.dataset, &mut request, &work.spans);
    count(walk, &mut request, work);
    for &s in &work.spans {
        request.repairs.0 |= marks.of(s).0;
    }
    if root_state == RootState::Missing {
        request.repairs.mark(mark::MISSING_ROOT.into());
    }
    if work
        .ops
        .iter()
        .any(|op| op.window.start < wall.start || op.window.end > wall.end)
    {
        request.repairs.mark(mark::CLAMP.into());
    }
    Some(request)
}

fn extent(walk: &Walk<'_>, spans: impl Iterator<Item = SpanIx>) -> Window {
    let mut window = Window {
        start: Nanos(u64::MAX),
        end: Nanos::ZERO,
    };
    for s in spans {
        let span = &walk.dataset.spans[s as usize];
        window.start = window.start.min(span.start);
        window.end = window.end.max(span.end);
    }
    window.end = window.end.max(window.start);
    window
}

/// What the request is called, from the task facts nearest its root.
fn name(dataset: &Dataset, request: &mut Request, spans: &[SpanIx]) {
    let mut facts = TaskFacts::default();
    for &s in spans {
        let span = &dataset.spans[s as usize];
        if let Some(t) = dataset.task_of(span) {
            facts.task_type = facts.task_type.or(t.task_type);
            facts.agent = facts.agent.or(t.agent);
            facts.tenant = facts.tenant.or(t.tenant);
            facts.conversation = facts.conversation.or(t.conversation);
        }
        if let Some(l) = dataset.llm_of(span) {
            facts.conversation = facts.conversation.or(l.conversation);
        }
    }
    let root = &dataset.spans[request.root as usize];
    request.kind = facts.task_type.or(facts.agent).or(root.name);
    (request.agent, request.tenant, request.conversation) =
        (facts.agent, facts.tenant, facts.conversation);
}

/// Calls, tokens and retries, each counted once.
fn count(walk: &Walk<'_>, request: &mut Request, work: &Work) {
    let add = |total: &mut Option<u64>, value: Option<u32>| {
        if let Some(v) = value {
            *total = Some(total.unwrap_or(0) + u64::from(v));
        }
    };
    for &s in &work.spans {
        let span = &walk.dataset.spans[s as usize];
        if walk.counted[s as usize] != Counted::Owner {
            continue;
        }
        if let Some(l) = walk.dataset.llm_of(span) {
            add(&mut request.input_tokens, l.input.map(|k| k.value));
            add(&mut request.cached_tokens, l.cached.map(|k| k.value));
            add(&mut request.output_tokens, l.output.map(|k| k.value));
            request.retries += u32::from(l.resends.unwrap_or(0));
        }
        request.tool_calls += u32::from(span.op == Op::Tool);
    }
    if request.input_tokens.is_none() && request.output_tokens.is_none() {
        take_sums(walk.dataset, request, &work.spans);
    }
    let of = |kind: StepKind| work.ops.iter().filter(|op| op.kind == kind).count() as u32;
    request.llm_calls = of(StepKind::Model) + of(StepKind::Failed);
    request.retries += of(StepKind::Failed) + repeated_tools(walk.dataset, work);
}

/// Where no call shows usage, the sums that groups give are all there is.
fn take_sums(dataset: &Dataset, request: &mut Request, spans: &[SpanIx]) {
    for &s in spans {
        let span = &dataset.spans[s as usize];
        let facts = match dataset.task_of(span) {
            Some(facts) if span.flags.has(SpanFlags::ROLLUP) => facts,
            _ => continue,
        };
        for (total, sum) in [
            (&mut request.input_tokens, facts.rollup_input),
            (&mut request.output_tokens, facts.rollup_output),
        ] {
            if let Some(sum) = sum {
                *total = Some(total.unwrap_or(0) + u64::from(sum));
                request.rolled_up = true;
            }
        }
    }
}

/// Tool calls with the same name and arguments as an earlier one of the same lane: asked for again,
/// not merely called in parallel. A model call stands between the two; where the emitter records
/// none, the first had ended before the second began.
fn repeated_tools(dataset: &Dataset, work: &Work) -> u32 {
    let mut repeats = 0;
    let mut seen = hashbrown::HashMap::<_, u32, foldhash::fast::FixedState>::default();
    for lane in &work.lanes {
        seen.clear();
        let mut round = 0;
        let ops = &work.ops[lane.ops.start as usize..lane.ops.end as usize];
        let silent = !ops
            .iter()
            .any(|op| matches!(op.kind, StepKind::Model | StepKind::Failed));
        let mut ended = Nanos::ZERO;
        for op in ops {
            round += match silent {
                true => u32::from(op.window.start >= ended),
                false => u32::from(op.kind == StepKind::Model),
            };
            ended = ended.max(op.window.end);
            let Some(tool) = dataset.tool_of(&dataset.spans[op.span as usize]) else {
                continue;
            };
            let failed = dataset.spans[op.span as usize].failed();
            let key = match tool.arguments {
                Some(arguments) => (tool.tool, Some(arguments)),
                // Not recorded: a tool that failed the time before was asked again.
                None => (tool.tool, None),
            };
            let before = seen.insert(key, round);
            repeats += u32::from(before.is_some_and(|before| before < round));
            if key.1.is_none() && !failed {
                seen.remove(&key);
            }
        }
    }
    repeats
}
