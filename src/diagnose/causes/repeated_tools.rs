//! The soft retry: a tool answers without a result and the model asks for the same thing again, with the
//! same arguments, one reasoning round each time. The repeats and the rounds that asked for them count.

use crate::baseline::Map;
use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;
use crate::trace::{StepKind, StepOp, gaps};

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let r = &scene.forest.requests[request as usize];
    for lane_index in r.lanes.clone() {
        let lane = &scene.forest.lanes[lane_index as usize];
        let ops = &scene.forest.ops[lane.ops.start as usize..lane.ops.end as usize];
        let base = (lane.ops.start - r.ops.start) as usize;
        let repeats = repeats(scene, ops);
        if repeats.is_empty() {
            continue;
        }
        let (pauses, _) = gaps(lane, ops);
        let mut taken: Vec<usize> = Vec::new();
        for (times, tool, round) in repeats {
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

/// (how many times so far, position of the repeated tool call, position of the model call that asked).
/// A repeat without a model call in between is a plain double call, not a retry.
fn repeats(scene: &Scene<'_>, ops: &[StepOp]) -> Vec<(u32, usize, usize)> {
    let mut seen: Map<_, (usize, u32)> = Map::default();
    let mut found = Vec::new();
    let mut last_model = None;
    for (i, op) in ops.iter().enumerate() {
        if op.kind == StepKind::Model {
            last_model = Some(i);
        }
        let Some(tool) = scene
            .dataset
            .tool_of(&scene.dataset.spans[op.span as usize])
            .filter(|_| op.kind == StepKind::Tool)
        else {
            continue;
        };
        let Some(arguments) = tool.arguments else {
            continue;
        };
        let entry = seen.entry((tool.tool, arguments)).or_insert((i, 0));
        entry.1 += 1;
        if let Some(model) = last_model.filter(|m| *m > entry.0) {
            found.push((entry.1, i, model));
        }
        entry.0 = i;
    }
    found
}
