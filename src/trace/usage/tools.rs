//! Tool calls recorded by a framework, an MCP client and an MCP server, one inside the other.

use super::above::Above;
use super::{Counted, owner_of};
use crate::model::{Dataset, Op, SpanIx, ToolCall};
use crate::trace::NO_SPAN;

/// One tool call is the outermost of its chain; a message that calls a tool with no tool span above
/// it becomes the tool call.
pub(super) fn join(dataset: &mut Dataset, above: &Above, counted: &mut [Counted]) {
    for &span in &above.leads.tools {
        let op = dataset.spans[span as usize].op;
        let Some(call) = dataset.tool_of(&dataset.spans[span as usize]) else {
            continue;
        };
        let outer = owner_above(dataset, above, counted, span, &call);
        if let Some(owner) = outer {
            take(dataset, owner, &call);
            counted[span as usize] = Counted::Twin(owner);
        } else if op == Op::Mcp && !call.tool.is_none() {
            dataset.spans[span as usize].op = Op::Tool;
            counted[span as usize] = Counted::Owner;
        }
    }
}

/// The tool call above that this one repeats. Messages that call no tool are looked through.
fn owner_above(
    dataset: &Dataset,
    above: &Above,
    counted: &[Counted],
    span: SpanIx,
    call: &ToolCall,
) -> Option<SpanIx> {
    let mut outer = above.tool[span as usize];
    while outer != NO_SPAN {
        let over = &dataset.spans[outer as usize];
        if counted[outer as usize] != Counted::NotACall {
            let owner = owner_of(counted, outer);
            let known = dataset.tool_of(&dataset.spans[owner as usize])?;
            return same(dataset, &known, call).then_some(owner);
        }
        if over.op != Op::Mcp {
            return None;
        }
        outer = above.tool[outer as usize];
    }
    None
}

fn same(dataset: &Dataset, known: &ToolCall, call: &ToolCall) -> bool {
    if known.call_id.is_some() && known.call_id == call.call_id {
        return true;
    }
    let (a, b) = (dataset.text(known.tool), dataset.text(call.tool));
    !a.is_empty() && !b.is_empty() && (a == b || ends_in(a, b) || ends_in(b, a))
}

/// `whole` is `part` with a server's name before it.
fn ends_in(whole: &str, part: &str) -> bool {
    whole
        .strip_suffix(part)
        .is_some_and(|server| server.ends_with(['/', '.', ':']) || server.ends_with("__"))
}

fn take(dataset: &mut Dataset, owner: SpanIx, from: &ToolCall) {
    let Some(at) = dataset.spans[owner as usize].call.get() else {
        return;
    };
    dataset.tools.change(at, |into| {
        into.arguments = into.arguments.or(from.arguments);
        into.call_id = into.call_id.or(from.call_id);
        into.reported = into.reported.or(from.reported);
        into.said_failed |= from.said_failed;
    });
}
