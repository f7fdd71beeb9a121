//! Which spans make up one user request, and its totals.

use std::ops::Range;

use rayon::prelude::*;

use super::forest::Marks;
use super::lanes::{Walk, Work};
use super::repair::mark;
use super::{Counted, Forest, Lane, NO_LANE, Request, RootState, StepKind, StepOp, critical};
use crate::model::{Dataset, IssueKind, Op, SpanIx, TaskFacts};
use crate::units::{Nanos, Sym, Window};

/// Traces that one task looks at: enough that memory is reused, few enough to spread over threads.
const TRACES: usize = 512;

/// Finds the requests of all traces and appends them, their lanes and operations, to `forest`.
pub(super) fn find(dataset: &mut Dataset, forest: &mut Forest, counted: &[Counted], marks: &Marks) {
    let walk = Walk {
        dataset,
        tree: &forest.tree,
        counted,
    };
    let batches: Vec<Batch> = forest
        .tree
        .traces
        .par_chunks(TRACES)
        .map(|traces| Batch::of(&walk, traces, marks))
        .collect();
    let mut order: Vec<(u32, u32)> = Vec::new();
    for (batch, index) in batches.iter().zip(0..) {
        order.extend((0..batch.requests.len() as u32).map(|request| (index, request)));
    }
    let request =
        |(batch, request): (u32, u32)| &batches[batch as usize].requests[request as usize];
    order.sort_by_key(|&at| {
        let r = request(at);
        (r.wall.start, r.trace, dataset.spans[r.root as usize].id)
    });
    forest.requests.reserve_exact(order.len());
    forest
        .ops
        .reserve_exact(batches.iter().map(|b| b.ops.len()).sum());
    forest
        .lanes
        .reserve_exact(batches.iter().map(|b| b.lanes.len()).sum());
    for &at in &order {
        append(forest, &batches[at.0 as usize], request(at));
    }
    drop(batches);
    let missing = forest.requests.iter();
    for request in missing.filter(|r| r.root_state == RootState::Missing) {
        let span = dataset.spans[request.root as usize];
        dataset
            .ledger
            .count(IssueKind::MissingRoot, span.place, || {
                format!("trace {} has no root span", span.trace)
            });
    }
}

/// Requests of some traces; each one's lanes and operations lie where its ranges say, and are numbered
/// from there.
#[derive(Default)]
struct Batch {
    requests: Vec<Request>,
    ops: Vec<StepOp>,
    lanes: Vec<Lane>,
}

impl Batch {
    fn of(walk: &Walk<'_>, traces: &[Range<SpanIx>], marks: &Marks) -> Self {
        let mut batch = Self::default();
        let mut work = Work::default();
        for trace in traces {
            for roots in candidates(walk, trace) {
                let Some(mut request) = request(walk, &roots, marks, &mut work) else {
                    continue;
                };
                let (ops, lanes) = (batch.ops.len() as u32, batch.lanes.len() as u32);
                batch.ops.append(&mut work.ops);
                batch.lanes.append(&mut work.lanes);
                request.ops = ops..batch.ops.len() as u32;
                request.lanes = lanes..batch.lanes.len() as u32;
                batch.requests.push(request);
            }
        }
        batch
    }
}

/// Moves a request's numbers to where it lies among all.
fn append(forest: &mut Forest, batch: &Batch, request: &Request) {
    let (ops, lanes) = (forest.ops.len() as u32, forest.lanes.len() as u32);
    let range = |r: &Range<u32>| r.start as usize..r.end as usize;
    let moved = batch.ops[range(&request.ops)].iter().map(|op| StepOp {
        lane: op.lane + lanes,
        opens: if op.opens == NO_LANE {
            NO_LANE
        } else {
            op.opens + lanes
        },
        ..*op
    });
    forest.ops.extend(moved);
    let moved = batch.lanes[range(&request.lanes)].iter().map(|lane| Lane {
        ops: lane.ops.start + ops..lane.ops.end + ops,
        ..lane.clone()
    });
    forest.lanes.extend(moved);
    forest.requests.push(Request {
        ops: ops..forest.ops.len() as u32,
        lanes: lanes..forest.lanes.len() as u32,
        ..request.clone()
    });
}

/// Sets of local roots, each the top of one request.
fn candidates(walk: &Walk<'_>, trace: &Range<SpanIx>) -> Vec<Vec<SpanIx>> {
    let spans = &walk.dataset.spans;
    let roots: Vec<SpanIx> = walk.tree.roots(trace).collect();
    let (tops, rest): (Vec<SpanIx>, Vec<SpanIx>) = roots
        .iter()
        .partition(|&&r| spans[r as usize].parent.is_none());
    match (tops.len(), rest.len()) {
        (0, 0) => Vec::new(),
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
    let whole = roots.len() == 1 && span.parent.is_none();
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
    *work = walk.work(roots, wall);
    let mut request = Request {
        trace: span.trace,
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
    let of = |kind: StepKind| work.ops.iter().filter(|op| op.kind == kind).count() as u32;
    request.llm_calls = of(StepKind::Model) + of(StepKind::Failed);
    request.retries += of(StepKind::Failed) + repeated_tools(walk.dataset, work);
}

/// Tool calls with the same name and arguments as an earlier one of the same lane, with a model call
/// in between: asked for again, not merely called in parallel.
fn repeated_tools(dataset: &Dataset, work: &Work) -> u32 {
    let mut repeats = 0;
    let mut seen = hashbrown::HashMap::<_, u32, foldhash::fast::FixedState>::default();
    for lane in &work.lanes {
        seen.clear();
        let mut round = 0;
        for op in &work.ops[lane.ops.start as usize..lane.ops.end as usize] {
            round += u32::from(op.kind == StepKind::Model);
            let Some(tool) = dataset.tool_of(&dataset.spans[op.span as usize]) else {
                continue;
            };
            let Some(arguments) = tool.arguments else {
                continue;
            };
            if seen
                .insert((tool.tool, arguments), round)
                .is_some_and(|before| before < round)
            {
                repeats += 1;
            }
        }
    }
    repeats
}
