//! Pauses of the agent itself, between its operations and after the last. Stalls that lie inside call
//! spans are found by `residual`, where operations of several requests were released together.

use crate::baseline::{Call, StepName};
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;

/// From this many deviations above the usual pause on …
const OVER: f64 = 4.0;
/// … and from this many slow floors on top.
const LEAST: f64 = 0.3;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let r = &scene.forest.requests[request as usize];
    // Without model spans the time between tools is mostly the model's, and nobody can tell what held it.
    let unrecorded = r.llm_calls == 0;
    if unrecorded && scene.modelled.contains(&r.service) {
        return;
    }
    for pause in scene.measured.pauses.of(request) {
        let Some(norm) = scene.base.gaps.norm(pause.key) else {
            continue;
        };
        let over = pause.length() - norm.centre;
        if over <= 0.0 {
            continue;
        }
        let op = scene.measured.pauses.op_after(pause);
        let lane = scene
            .measured
            .pauses
            .lane_before(pause)
            .unwrap_or(r.lanes.start);
        let target = match op {
            Some(op) => Target::Gap((op - r.ops.start) as usize),
            None => Target::Tail((lane - r.lanes.start) as usize),
        };
        let limit = OVER * norm.spread + LEAST * scene.options.floor();
        let (_, before, after) = scene.measured.pauses.key_of(pause);
        let explained = matches!(before, StepName::Failed | StepName::Human | StepName::Open)
            || matches!(after, StepName::Human | StepName::Open);
        // A pause that ended together with operations of other requests is a stall at any length.
        let released = || op.is_some_and(|op| scene.releases.of_gap(op).is_some());
        if (over <= limit && !released())
            || explained
            || scene.base.gaps.lacks_a_span(pause.key)
            || op.is_some_and(|op| lost_a_call(scene, op))
            || account.charged(target) > 0.0
        {
            continue;
        }
        let span = op.map_or(scene.forest.lanes[lane as usize].span, |op| {
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
        let (cause, proof) = if unrecorded {
            let note = "far longer than usual without any span: model calls are not recorded here";
            (
                Cause::Unexplained,
                Proof {
                    fact: "unrecorded_time",
                    note,
                    ..proof
                },
            )
        } else {
            (Cause::OrchestrationGap, proof)
        };
        account.charge(cause, target, over, proof);
    }
}

/// True where the call after a pause found more of its prompt cached than the call before it had sent and
/// written: another call, which left no span, lies between them.
fn lost_a_call(scene: &Scene<'_>, op: u32) -> bool {
    let sent = |call: &Call| {
        let before = call.before(scene.calls)?;
        Some(u64::from(before.input?.get()) + before.output.map_or(0, |o| u64::from(o.get())))
    };
    scene.calls.of(op).is_some_and(|(_, call)| {
        let cached = call.cached.map(|cached| u64::from(cached.get()));
        cached
            .zip(sent(call))
            .is_some_and(|(cached, sent)| cached > sent)
    })
}
