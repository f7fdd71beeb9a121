//! A tool that took longer than that tool usually does. A tool that is always slow is no cause.

use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;
use crate::trace::{NO_LANE, StepKind};

/// From this many spreads above the tool's own centre on.
const OVER: f64 = 3.5;
/// … and from this many slow floors on.
const LEAST: f64 = 0.5;
/// A tool seen less often than this has no history of its own.
const LEAST_CALLS: usize = 4;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let r = &scene.forest.requests[request as usize];
    for op_index in r.ops.clone() {
        let op = &scene.forest.ops[op_index as usize];
        if op.kind != StepKind::Tool || op.opens != NO_LANE {
            continue;
        }
        let target = Target::Op((op_index - r.ops.start) as usize);
        let length = op.window.len().as_millis();
        let Some(usual) = scene
            .base
            .tools
            .of(&scene.measured.tools, op_index)
            .filter(|usual| usual.fit.n >= LEAST_CALLS)
        else {
            continue;
        };
        let over = length - usual.typical;
        if over < LEAST * scene.options.floor()
            || account.charged(target) > 0.0
            || usual.fit.height(length) < OVER
        {
            continue;
        }
        let proof = Proof {
            span: Some(op.span),
            fact: "tool_time",
            observed: length,
            expected: Some(usual.typical),
            unit: "ms",
            via: "derived",
            note: "the tool took longer than it usually does",
        };
        account.charge(Cause::ToolBottleneck, target, over, proof);
    }
}
