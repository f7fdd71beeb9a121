//! The soft retry: a tool answers without a result and the model asks for the same thing again, with the
//! same arguments, one reasoning round each time. The repeats and the rounds that asked for them count.

use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;
use crate::trace::{Repeat, gaps};

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let r = &scene.forest.requests[request as usize];
    let mut pauses = Vec::new();
    for lane_index in r.lanes.clone() {
        let lane = &scene.forest.lanes[lane_index as usize];
        let ops = &scene.forest.ops[lane.ops.start as usize..lane.ops.end as usize];
        let base = (lane.ops.start - r.ops.start) as usize;
        let repeats = scene.repeats.of(lane_index);
        if repeats.is_empty() {
            continue;
        }
        gaps(lane, ops, &mut pauses);
        let mut taken: Vec<usize> = Vec::new();
        for &Repeat { times, tool, round } in repeats {
            for (i, fact, note) in [
                (
                    round,
                    "repeated_round",
                    "a round that asked for the same tool call again",
                ),
                (
                    tool,
                    "repeated_tool_call",
                    "the same tool was called again with the same arguments",
                ),
            ] {
                if taken.contains(&i) {
                    continue;
                }
                taken.push(i);
                let length = ops[i].window.len().as_millis();
                let proof = Proof {
                    span: Some(ops[i].span),
                    fact,
                    observed: f64::from(times),
                    expected: Some(1.0),
                    unit: "calls",
                    via: "attribute",
                    note,
                };
                account.charge(
                    Cause::RetryCascade,
                    Target::Op(base + i),
                    length - account.charged(Target::Op(base + i)),
                    proof,
                );
                let pause = pauses[i].max(0) as f64 / 1e6;
                account.charge(
                    Cause::RetryCascade,
                    Target::Gap(base + i),
                    pause - account.charged(Target::Gap(base + i)),
                    proof,
                );
            }
        }
    }
}
