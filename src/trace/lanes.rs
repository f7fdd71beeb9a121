//! From a subtree of spans to lanes of operations: what each agent did, one thing after another.

use super::{Counted, Lane, NO_LANE, StepKind, StepOp, Tree};
use crate::model::{Dataset, Op, Span, SpanFlags, SpanIx};
use crate::units::{Nanos, Sym, Window};

/// Lanes and operations of one request, indices relative to it.
#[derive(Default)]
pub(super) struct Work {
    pub(super) lanes: Vec<Lane>,
    pub(super) ops: Vec<StepOp>,
    /// Spans visited.
    pub(super) spans: Vec<SpanIx>,
    busy: Busy,
    stack: Vec<SpanIx>,
    open: Vec<(SpanIx, u32)>,
}

impl Work {
    /// Nothing in it, its memory kept for the next request.
    fn clear(&mut self) {
        self.lanes.clear();
        self.ops.clear();
        self.spans.clear();
        self.busy.clear();
    }
}

pub(super) struct Walk<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) tree: &'a Tree,
    pub(super) counted: &'a [Counted],
}

impl Walk<'_> {
    /// The work below `roots` (one root, or all local roots of a trace without one), within `wall`.
    pub(super) fn work(&self, roots: &[SpanIx], wall: Window, work: &mut Work) {
        work.clear();
        let Some(&first) = roots.first() else {
            return;
        };
        for &root in roots {
            let spans = &mut work.spans;
            self.tree
                .walk(root, &mut work.stack, |span| spans.push(span));
        }
        work.busy.fill(self, &work.spans);
        work.lanes.push(self.lane(first, wall, None));
        let mut stack = std::mem::take(&mut work.open);
        let rooted = roots.len() == 1 && self.is_container(first);
        if rooted {
            stack.extend(self.tree.children(first).map(|c| (c, 0)))
        } else {
            stack.extend(roots.iter().map(|&r| (r, 0)))
        }
        stack.reverse();
        while let Some((span, lane)) = stack.pop() {
            let below = self.visit(span, lane, work);
            let at = stack.len();
            if let Some(lane) = below {
                stack.extend(self.tree.children(span).map(|c| (c, lane)));
            }
            stack[at..].reverse();
        }
        work.open = stack;
        arrange(work);
    }

    /// A request's root is the container of its main lane unless it is itself a call.
    /// True for a span that says it has no parent.
    pub(super) fn is_named_root(&self, span: SpanIx) -> bool {
        self.dataset.origins[span as usize].parent.is_none()
    }

    fn is_container(&self, root: SpanIx) -> bool {
        self.counted[root as usize] != Counted::Owner
    }

    fn lane(&self, span: SpanIx, window: Window, above: Option<&Lane>) -> Lane {
        let s = &self.dataset.spans[span as usize];
        let resource = self.dataset.resource_of(s);
        let agent = self
            .dataset
            .task_of(s)
            .map_or(Sym::NONE, |t| t.agent.or(t.task_type))
            .or(s.name);
        // A sub-agent that does not tell its region runs where the agent does that started it.
        let region = above.map_or(Sym::NONE, |l| l.region);
        Lane {
            ops: 0..0,
            window,
            agent,
            service: resource.service,
            region: resource.region.or(region),
            span,
        }
    }

    /// Records what `span` is and says in which lane its children continue; `None` to skip them.
    fn visit(&self, span: SpanIx, lane: u32, work: &mut Work) -> Option<u32> {
        let s = &self.dataset.spans[span as usize];
        let mut op = StepOp {
            span,
            lane,
            opens: NO_LANE,
            kind: StepKind::Tool,
            window: s.window(),
        };
        match (s.op, self.counted[span as usize]) {
            _ if s.flags.has(SpanFlags::NOISE) => Some(lane),
            (_, Counted::Twin(_)) => Some(lane),
            (Op::HumanWait, _) => {
                op.kind = StepKind::Human;
                work.ops.push(op);
                None
            }
            (Op::Llm | Op::Engine, Counted::Owner) => {
                op.kind = if failed(self.dataset, s) {
                    StepKind::Failed
                } else {
                    StepKind::Model
                };
                op.window = self.model_window(span);
                work.ops.push(op);
                Some(lane)
            }
            (Op::Embedding, Counted::Owner) => {
                work.ops.push(op);
                None
            }
            (Op::Tool | Op::Retrieval | Op::Mcp, Counted::Owner) if !work.busy.thinks(span) => {
                work.ops.push(op);
                None
            }
            (Op::Tool | Op::Retrieval | Op::Mcp, Counted::Owner) => Some(self.open(op, work)),
            (Op::Task | Op::Agent, _) if work.busy.works(span) => {
                op.kind = StepKind::Group;
                Some(self.open(op, work))
            }
            _ => Some(lane),
        }
    }

    fn open(&self, mut op: StepOp, work: &mut Work) -> u32 {
        op.opens = work.lanes.len() as u32;
        let lane = self.lane(op.span, op.window, work.lanes.get(op.lane as usize));
        work.lanes.push(lane);
        work.ops.push(op);
        op.opens
    }

    /// Some emitters end a span when the stream opens and note the first token later: the call then
    /// lasted until the step around it ended, if that step waited for nothing else, and at least until
    /// the first token.
    fn stream_end(&self, span: SpanIx) -> Option<Nanos> {
        let s = &self.dataset.spans[span as usize];
        let first = s.start + self.dataset.llm_of(s)?.first_token?.value;
        if first <= s.end + Nanos::MILLI {
            return None;
        }
        let around = self.tree.parent_of(span)?;
        let alone = self
            .tree
            .children(around)
            .all(|c| c == span || self.dataset.spans[c as usize].start <= s.start);
        let is_root = self.tree.parent_of(around).is_none();
        let step = self.dataset.spans[around as usize].end;
        Some(if alone && !is_root {
            step.max(first)
        } else {
            first
        })
    }

    /// When the model worked: where the span stays open for tools or sub-agents, until the emitter's
    /// own figure or until the first of them started.
    fn model_window(&self, span: SpanIx) -> Window {
        let s = &self.dataset.spans[span as usize];
        let first = self
            .tree
            .children(span)
            .filter(|&c| is_hosted(&self.dataset.spans[c as usize]))
            .map(|c| self.dataset.spans[c as usize].start)
            .min();
        let Some(first) = first else {
            return Window {
                start: s.start,
                end: self.stream_end(span).unwrap_or(s.window().end),
            };
        };
        let said = self
            .dataset
            .llm_of(s)
            .and_then(|l| l.model_time)
            .map(|t| s.start + t.value);
        Window {
            start: s.start,
            end: said.unwrap_or(first).min(first).min(s.end).max(s.start),
        }
    }
}

/// Work that a model span may stay open for.
fn is_hosted(span: &Span) -> bool {
    matches!(
        span.op,
        Op::Tool | Op::Retrieval | Op::Mcp | Op::Agent | Op::Task
    )
}

fn failed(dataset: &Dataset, span: &Span) -> bool {
    let status = dataset.llm_of(span).and_then(|l| l.http_status);
    span.failed() || status.is_some_and(|s| s >= 400)
}

/// Which spans have calls below them.
#[derive(Default)]
struct Busy {
    models: Set,
    tools: Set,
}

/// Sets that held this many are not kept.
const LARGE: usize = 1024;

type Set = hashbrown::HashSet<SpanIx, foldhash::fast::FixedState>;

impl Busy {
    fn clear(&mut self) {
        for set in [&mut self.models, &mut self.tools] {
            // Emptying takes as long as it once was large.
            if set.capacity() > LARGE {
                *set = Set::default();
            }
            set.clear();
        }
    }

    fn fill(&mut self, walk: &Walk<'_>, spans: &[SpanIx]) {
        for &i in spans {
            if walk.counted[i as usize] != Counted::Owner {
                continue;
            }
            let below = match walk.dataset.spans[i as usize].op {
                Op::Llm | Op::Engine => &mut self.models,
                Op::Tool | Op::Retrieval => &mut self.tools,
                _ => continue,
            };
            for up in walk.tree.ancestors(i) {
                if !below.insert(up) {
                    break;
                }
            }
        }
    }

    /// Model calls lie below it.
    fn thinks(&self, span: SpanIx) -> bool {
        self.models.contains(&span)
    }

    /// Model calls or tools lie below it: a sub-agent without model spans still works.
    fn works(&self, span: SpanIx) -> bool {
        self.thinks(span) || self.tools.contains(&span)
    }
}

/// Puts operations lane by lane, each by start, and says where each lane's lie.
fn arrange(work: &mut Work) {
    work.ops
        .sort_unstable_by_key(|op| (op.lane, op.window.start, op.window.end, op.span));
    for (index, lane) in work.lanes.iter_mut().enumerate() {
        let start = work.ops.partition_point(|op| (op.lane as usize) < index);
        let end = work.ops.partition_point(|op| op.lane as usize <= index);
        lane.ops = start as u32..end as u32;
        if lane.window.is_empty() {
            lane.window.end = lane.window.start.max(Nanos(lane.window.end.0));
        }
    }
}
