//! Failed attempts of model calls, and the waits after them. Fast failures with long waits are a retry
//! cascade; attempts that hang and then fail are the provider's error. No list of error codes decides:
//! codes differ between providers, times do not.

use crate::diagnose::Cause;
use crate::diagnose::account::{Account, Proof, Target};
use crate::diagnose::scene::Scene;
use crate::trace::{StepKind, gaps};

/// Attempts hang from this many slow floors on.
const HANG: f64 = 4.0;

pub(in crate::diagnose) fn look(scene: &Scene<'_>, request: u32, account: &mut Account) {
    let r = &scene.forest.requests[request as usize];
    let mut lost = 0.0;
    let mut ended_by_failure = false;
    let mut pauses = Vec::new();
    for lane_index in r.lanes.clone() {
        let lane = &scene.forest.lanes[lane_index as usize];
        let ops = &scene.forest.ops[lane.ops.start as usize..lane.ops.end as usize];
        if !ops.iter().any(|op| op.kind == StepKind::Failed) {
            continue;
        }
        gaps(lane, ops, &mut pauses);
        let base = (lane.ops.start - r.ops.start) as usize;
        let mut i = 0;
        while i < ops.len() {
            if ops[i].kind != StepKind::Failed {
                i += 1;
                continue;
            }
            let end = i + ops[i..]
                .iter()
                .take_while(|op| op.kind == StepKind::Failed)
                .count();
            let hang: f64 = ops[i..end]
                .iter()
                .map(|op| op.window.len().as_millis())
                .sum();
            // The wait belongs to the failure before it when a model call follows.
            let waits: Vec<usize> = (i + 1..=end)
                .filter(|&j| {
                    ops.get(j)
                        .is_some_and(|op| matches!(op.kind, StepKind::Model | StepKind::Failed))
                })
                .collect();
            let wait: f64 = waits.iter().map(|&j| pauses[j].max(0) as f64 / 1e6).sum();
            let count = (end - i) as f64;
            let hangs = hang >= wait && hang / count > HANG * scene.options.floor();
            let cause = if hangs {
                Cause::ProviderError
            } else {
                Cause::RetryCascade
            };
            for (j, op) in ops.iter().enumerate().take(end).skip(i) {
                let proof = Proof {
                    span: Some(op.span),
                    fact: "failed_attempt",
                    observed: op.window.len().as_millis(),
                    expected: Some(0.0),
                    unit: "ms",
                    via: "attribute",
                    note: if hangs {
                        "a model call hung and then failed"
                    } else {
                        "a model call failed and was attempted again"
                    },
                };
                account.charge(
                    cause,
                    Target::Op(base + j),
                    op.window.len().as_millis(),
                    proof,
                );
            }
            for &j in &waits {
                let length = pauses[j] as f64 / 1e6;
                let proof = Proof {
                    span: Some(ops[j].span),
                    fact: "retry_wait",
                    observed: length,
                    expected: Some(0.0),
                    unit: "ms",
                    via: "derived",
                    note: "wait between a failed attempt and the next",
                };
                account.charge(cause, Target::Gap(base + j), length, proof);
            }
            lost += hang + wait;
            ended_by_failure |= end == ops.len() && lane_index == r.lanes.start;
            i = end;
        }
    }
    if ended_by_failure {
        forgive_what_was_not_done(scene, request, account, lost);
    }
}

/// A request that failure ended did not do the rest of its work. What that would have taken is no gain:
/// it is held against the time the failure cost. How much it was, those of its kind tell that worked for longer
/// than it had when it failed.
fn forgive_what_was_not_done(scene: &Scene<'_>, request: u32, account: &mut Account, lost: f64) {
    let r = &scene.forest.requests[request as usize];
    let worked = (r.duration().as_millis() - lost).max(0.0);
    let usual = scene
        .base
        .kinds
        .get(&r.kind)
        .map_or(0.0, |fit| fit.typical_above(worked));
    let spared = (usual - worked).max(0.0);
    let factor = ((lost - spared) / lost.max(1e-9)).max(0.0);
    account.scale(Cause::ProviderError, factor);
    account.scale(Cause::RetryCascade, factor);
}
