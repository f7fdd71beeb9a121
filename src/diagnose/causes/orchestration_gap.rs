//! Pauses of the agent itself, between its operations and after the last. Stalls that lie inside call
//! spans are found by `residual`, where operations of several requests were released together.

use super::lost_call;
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::holes;
use crate::diagnose::scene::Scene;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let r = &scene.forest.requests[request as usize];
    // Without model spans the time between tools is mostly the model's, and nobody can tell what held it.
    let unrecorded = r.llm_calls == 0;
    if unrecorded && scene.modelled.contains(&r.service) {
        return;
    }
    for pause in scene.measured.pauses.of(scene.forest, request) {
        let op = scene.measured.pauses.op_after(&pause);
        let lane = scene
            .measured
            .pauses
            .lane_before(&pause)
            .unwrap_or(r.lanes.start);
        let target = match op {
            Some(op) => Target::Gap((op - r.ops.start) as usize),
            None => Target::Tail((lane - r.lanes.start) as usize),
        };
        // A pause that ended together with operations of other requests is a stall at any length.
        let released = op.is_some_and(|op| scene.releases.of_gap(op).is_some());
        if account.charged(target) > 0.0 {
            continue;
        }
        if !released && let Some(lost) = lost_call::explain(scene, request, &pause) {
            account.charge(lost.cause, target, lost.millis, lost.proof);
            continue;
        }
        let Some(norm) = scene.base.gaps.norm(pause.key) else {
            continue;
        };
        let over = pause.length() - norm.centre;
        let long = holes::is_long(scene.base, scene.options, pause.key, pause.length());
        let stalled = released || long && !scene.holes.hides_a_span(scene, &pause);
        if over <= 0.0
            || !stalled
            || holes::is_explained(scene.base, pause.key, scene.measured.pauses.key_of(&pause))
            || holes::is_whole(scene, &pause) == Some(false)
        {
            continue;
        }
        if !released {
            account.doubt(over * scene.holes.share(scene, &pause));
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
