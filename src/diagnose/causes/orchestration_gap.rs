//! Pauses of the agent itself, between its operations and after the last. Stalls that lie inside call
//! spans are found by `residual`, where operations of several requests were released together.

use crate::baseline::StepName;
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;

/// From this many deviations above the usual pause on …
const OVER: f64 = 4.0;
/// … and from this many slow floors on top.
const LEAST: f64 = 0.3;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let r = &scene.forest.requests[request as usize];
    if r.llm_calls == 0 {
        return; // without model spans the time between tools is the model's
    }
    for pause in scene.pauses.of(request) {
        let target = match pause.op() {
            Some(op) => Target::Gap((op - r.ops.start) as usize),
            None => Target::Tail((pause.lane - r.lanes.start) as usize),
        };
        let Some(norm) = scene.base.gaps.norm(pause) else {
            continue;
        };
        let over = pause.length() - norm.centre;
        let limit = OVER * norm.spread + LEAST * scene.options.floor();
        // A pause that ended together with operations of other requests is a stall at any length.
        let released = pause
            .op()
            .is_some_and(|op| scene.releases.of_gap(op).is_some());
        let (_, before, after) = scene.pauses.key(pause);
        let touches_failure =
            before == StepName::Failed || before == StepName::Human || after == StepName::Human;
        if (over <= limit && !released)
            || touches_failure
            || scene.pauses.lacks_a_span(pause)
            || account.charged(target) > 0.0
        {
            continue;
        }
        let span = pause
            .op()
            .map_or(scene.forest.lanes[pause.lane as usize].span, |op| {
                scene.forest.ops[op as usize].span
            });
        let proof = Proof {
            span: Some(span),
            fact: "pause",
            observed: pause.length(),
            expected: Some(norm.centre),
            unit: "ms",
            via: "derived",
            note: "nothing was running while the agent paused",
        };
        account.charge(Cause::OrchestrationGap, target, over, proof);
    }
}
