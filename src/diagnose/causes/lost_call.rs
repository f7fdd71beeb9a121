//! A hole that a lost model call left, in a dump that lost spans at random: longer than such calls are, and the prompt
//! had grown, or others at the same place and time were slow.

use super::shares::{GIANT_SHARE, SURGE_SHARE, company_weight};
use crate::baseline::{CallIx, Pause};
use crate::diagnose::Cause;
use crate::diagnose::account::{Proof, SHARED_SLOWDOWN};
use crate::diagnose::holes;
use crate::diagnose::scene::Scene;
use crate::units::{Nanos, Window};

/// Least time beyond what such calls take, in slow floors.
const LEAST: f64 = 0.3;

/// What a hole most likely was.
pub(super) struct Lost {
    pub(super) cause: Cause,
    /// Milliseconds beyond what all but the longer calls of its kind of task take.
    pub(super) millis: f64,
    pub(super) proof: Proof,
}

/// Says what most likely filled `pause`, where a model call may have.
pub(super) fn explain(scene: &Scene<'_>, request: u32, pause: &Pause) -> Option<Lost> {
    let hole = Hole::of(scene, request, pause)?;
    hole.surge().or_else(|| hole.neighbour())
}

struct Hole<'a> {
    scene: &'a Scene<'a>,
    request: u32,
    window: Window,
    over: f64,
    /// The next call of the lane, else the one before.
    near: CallIx,
    next: Option<CallIx>,
}

impl<'a> Hole<'a> {
    fn of(scene: &'a Scene<'a>, request: u32, pause: &Pause) -> Option<Self> {
        let (forest, pauses) = (scene.forest, &scene.measured.pauses);
        let task = forest.requests[request as usize].kind;
        let usual = scene.holes.usual_call(task)?;
        let over = pause.length() - (usual.centre + usual.spread).exp();
        if over < LEAST * scene.options.floor() || !holes::may_hide_a_call(scene, pause) {
            return None;
        }
        let after = pauses.op_after(pause);
        let lane = match after {
            Some(op) => forest.ops[op as usize].lane,
            None => pauses.lane_before(pause)?,
        };
        let lane = &forest.lanes[lane as usize];
        let end = after.map_or(lane.window.end, |op| forest.ops[op as usize].window.start);
        let at = after.unwrap_or(lane.ops.end);
        let call = |op| scene.calls.of(op).map(|(index, _)| index);
        let next = (at..lane.ops.end).find_map(call);
        Some(Self {
            scene,
            request,
            window: Window {
                start: end - Nanos((pause.length() * 1e6) as u64),
                end,
            },
            over,
            near: next.or_else(|| (lane.ops.start..at).rev().find_map(call))?,
            next,
        })
    }

    /// The prompt of the next call had grown, and was computed before it.
    fn surge(&self) -> Option<Lost> {
        let (index, scene) = (self.next?, self.scene);
        let extra = scene.seen(index).surge()?;
        let hidden = extra.computed_before(scene.base, scene.calls.get(index))?;
        let note = "a call before this one left no span, and the prompt had grown far beyond what this step usually adds";
        let (observed, usual) = (extra.observed, extra.usual);
        let proof = self.proof("prompt_growth", (observed, usual), "tokens", note);
        let lost = self.lost(Cause::PrefillSurge, 1.0, proof);
        lost.filter(|_| hidden >= SURGE_SHARE * self.over)
    }

    /// Others at the same place and time were slowed, or slowed whoever was there.
    fn neighbour(&self) -> Option<Lost> {
        let scene = self.scene;
        let limit = scene.company_limit;
        let shared = scene.company_within(self.request, self.near, self.window);
        if let Some(shared) = shared.filter(|shared| *shared > limit) {
            let weight = company_weight(shared, limit);
            let note =
                "a call left no span while other requests' calls at the same place were slowed";
            let proof = self.proof(SHARED_SLOWDOWN, (shared, 1.0), "x normal", note);
            return self.lost(Cause::NoisyNeighbour, weight, proof);
        }
        let site = scene.sites[self.near as usize];
        let own = scene.number(self.request);
        let around = scene.giants.around(site, self.window);
        let delay: f64 = around.filter(|g| g.request != own).map(|g| g.millis).sum();
        let note = "a call left no span while another request's extra prompt was being computed at the same place";
        let proof = self.proof("neighbour_prefill", (delay, 0.0), "ms", note);
        let lost = self.lost(Cause::NoisyNeighbour, 1.0, proof);
        lost.filter(|_| delay > 0.0 && delay >= GIANT_SHARE * self.over)
    }

    fn lost(&self, cause: Cause, weight: f64, proof: Proof) -> Option<Lost> {
        let millis = weight * self.over;
        (millis > 0.0).then_some(Lost {
            cause,
            millis,
            proof,
        })
    }

    fn proof(
        &self,
        fact: &'static str,
        (observed, usual): (f64, f64),
        unit: &'static str,
        note: &'static str,
    ) -> Proof {
        Proof {
            span: Some(self.scene.calls.get(self.near).span),
            fact,
            observed,
            expected: Some(usual),
            unit,
            via: "derived",
            note,
        }
    }
}
