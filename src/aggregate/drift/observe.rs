//! What one request did, as far as drift looks at it.

use std::borrow::Cow;

use crate::aggregate::cost::{agent_of, call_of, ops};
use crate::model::{Dataset, Digest, LlmCall};
use crate::trace::{Forest, Request, RootState, StepKind, StepOp};
use crate::units::Sym;

/// What was chosen how often by one agent in one kind of task.
pub(in crate::aggregate) struct Picked<'a> {
    pub(in crate::aggregate) kind: &'a str,
    pub(in crate::aggregate) agent: &'a str,
    pub(in crate::aggregate) chosen: Vec<(Cow<'a, str>, u64)>,
}

/// One tool call that was a choice, and the model that made it.
#[derive(Clone, Copy)]
pub(super) struct Pick {
    pub(super) lane: u32,
    pub(super) agent: Sym,
    pub(super) model: Sym,
    pub(super) tool: Sym,
}

/// The choices of one request after the other, in memory that is used again.
#[derive(Default)]
pub(super) struct Picks {
    all: Vec<Pick>,
    asked: Vec<(Sym, Digest)>,
}

impl Picks {
    /// The choices of a request in order. The same tool with the same arguments is chosen once: to repeat a
    /// call is a retry and not another choice.
    pub(super) fn of(&mut self, data: &Dataset, forest: &Forest, request: &Request) -> &[Pick] {
        self.all.clear();
        self.asked.clear();
        let mut model = (u32::MAX, Sym::NONE);
        for op in ops(forest, request) {
            let Some(span) = data.spans.get(op.span as usize) else {
                continue;
            };
            if let (StepKind::Model, Some(call)) = (op.kind, data.llm_index(span)) {
                model = (op.lane, data.llm.model(call).unwrap_or_default());
            }
            if op.kind != StepKind::Tool || !span.op.is_tool() {
                continue;
            }
            let called = data.tool_of(span);
            let tool = called.map(|call| call.tool).unwrap_or_default();
            let tool = tool.or(span.name);
            if let Some(arguments) = called.and_then(|call| call.arguments) {
                if self.asked.contains(&(tool, arguments)) {
                    continue;
                }
                self.asked.push((tool, arguments));
            }
            self.all.push(Pick {
                lane: op.lane,
                agent: agent_of(forest, request, op),
                model: if model.0 == op.lane {
                    model.1
                } else {
                    Sym::NONE
                },
                tool,
            });
        }
        &self.all
    }
}

/// The tools a request chose, by agent.
pub(in crate::aggregate) fn tools<'a>(
    data: &'a Dataset,
    forest: &Forest,
    request: &Request,
) -> Vec<Picked<'a>> {
    let mut picks = Picks::default();
    let each = picks.of(data, forest, request).iter();
    let named = each.map(|pick| (data.text(pick.agent), Cow::Borrowed(data.text(pick.tool))));
    by_agent(data.text(request.kind), named)
}

/// Which tool followed which, by agent: the order of tools, beginning with the first.
pub(in crate::aggregate) fn order<'a>(
    data: &'a Dataset,
    forest: &Forest,
    request: &Request,
) -> Vec<Picked<'a>> {
    let mut last: Option<Pick> = None;
    let mut steps: Vec<(&'a str, Cow<'a, str>)> = Vec::new();
    for &pick in Picks::default().of(data, forest, request) {
        let before = last
            .filter(|l| l.lane == pick.lane)
            .map_or("(start)", |l| data.text(l.tool));
        let step = format!("{before} > {}", data.text(pick.tool));
        steps.push((data.text(pick.agent), Cow::Owned(step)));
        last = Some(pick);
    }
    by_agent(data.text(request.kind), steps)
}

/// The models that answered.
pub(in crate::aggregate) fn models<'a>(
    data: &'a Dataset,
    forest: &Forest,
    request: &Request,
) -> Vec<Picked<'a>> {
    named_by_calls(data, forest, request, LlmCall::model)
}

/// Why generation ended.
pub(in crate::aggregate) fn finishes<'a>(
    data: &'a Dataset,
    forest: &Forest,
    request: &Request,
) -> Vec<Picked<'a>> {
    named_by_calls(data, forest, request, |call| call.finish)
}

/// What the answered calls of a request name, where they do.
fn named_by_calls<'a>(
    data: &'a Dataset,
    forest: &Forest,
    request: &Request,
    name: impl Fn(&LlmCall) -> Sym,
) -> Vec<Picked<'a>> {
    let calls = answered(forest, request).filter_map(|op| call_of(data, op));
    let named = calls
        .map(|call| data.text(name(&call)))
        .filter(|name| !name.is_empty());
    by_agent(
        data.text(request.kind),
        named.map(|name| ("", Cow::Borrowed(name))),
    )
}

/// Whether the request came to a good end; nothing where the dump does not show its end.
pub(in crate::aggregate) fn ends<'a>(
    data: &'a Dataset,
    _: &Forest,
    request: &Request,
) -> Vec<Picked<'a>> {
    let failed = data
        .spans
        .get(request.root as usize)
        .is_some_and(|span| span.failed());
    let end = match (request.root_state, failed) {
        (RootState::Complete, false) => "completed",
        (RootState::Complete, true) => "failed",
        _ => return Vec::new(),
    };
    by_agent(data.text(request.kind), [("", Cow::Borrowed(end))])
}

/// Model rounds of a request; none where it called no model.
pub(in crate::aggregate) fn rounds(_: &Dataset, forest: &Forest, request: &Request) -> Option<f64> {
    let rounds = answered(forest, request).count();
    (rounds > 0).then_some(rounds as f64)
}

/// Mean output tokens per call that shows them.
pub(in crate::aggregate) fn output(
    data: &Dataset,
    forest: &Forest,
    request: &Request,
) -> Option<f64> {
    let calls = answered(forest, request).filter_map(|op| call_of(data, op)?.output);
    let (sum, n) = calls.fold((0.0, 0.0), |(sum, n), k| {
        (sum + f64::from(k.value), n + 1.0)
    });
    (n > 0.0).then(|| sum / n)
}

fn answered<'a>(forest: &'a Forest, request: &Request) -> impl Iterator<Item = &'a StepOp> {
    ops(forest, request)
        .iter()
        .filter(|op| op.kind == StepKind::Model)
}

fn by_agent<'a>(
    kind: &'a str,
    each: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>,
) -> Vec<Picked<'a>> {
    let mut all: Vec<Picked<'a>> = Vec::new();
    for (agent, name) in each {
        let at = all
            .iter()
            .position(|p| p.agent == agent)
            .unwrap_or_else(|| {
                all.push(Picked {
                    kind,
                    agent,
                    chosen: Vec::new(),
                });
                all.len() - 1
            });
        let chosen = &mut all[at].chosen;
        match chosen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => chosen.push((name, 1)),
        }
    }
    all
}
