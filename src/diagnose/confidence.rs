//! How sure a verdict is: an estimate of how often verdicts like it are right.
//!
//! Over labelled dumps of a simulated fleet (1,180 slow verdicts) the share of right ones depended on
//! how far the excess lay beyond the threshold (0.48 at 1.0–1.5 times the threshold, 0.76 at 1.5–2,
//! 0.82 at 2–2.5, 0.89 at 2.5–3, 0.92 from 4 on), then on the lead over the runner-up, and little on
//! anything else. The curve below follows these figures; contention is right less often at its best.

use super::Cause;
use super::account::Settlement;
use super::scene::Scene;

/// Never surer than this: some verdicts are wrong for reasons no dump shows.
const MOST: f64 = 0.94;
const MOST_CONTENTION: f64 = 0.90;
/// Loss of confidence close to the threshold: `NEAR · exp(−FALL · excess / threshold)`.
const NEAR: f64 = 4.8;
const FALL: f64 = 1.88;
/// What a dead heat keeps; a lead of [`CLEAR_LEAD`] keeps all.
const DEAD_HEAT: f64 = 0.55;
const CLEAR_LEAD: f64 = 0.85;
/// Each missing signal costs this share.
const PER_SIGNAL: f64 = 0.01;

/// Confidence 0..=1 of the leading entry.
pub(super) fn of(scene: &Scene<'_>, settlement: &Settlement, missing: &[&'static str]) -> f64 {
    let Some(&(cause, first)) = settlement.entries.first() else {
        return 0.0;
    };
    let most = match cause {
        Cause::Unexplained => return 0.0,
        Cause::NoisyNeighbour | Cause::RoutingChange | Cause::ColdCache => MOST_CONTENTION,
        _ => MOST,
    };
    let threshold = super::verdict::threshold(scene.options, settlement);
    let beyond = settlement.excess.as_millis() / threshold.max(1e-9);
    let clear = most - NEAR * (-FALL * beyond).exp();
    let second = settlement.entries.get(1).map_or(0.0, |e| e.1.as_millis());
    let lead = 1.0 - second / first.as_millis().max(1e-9);
    let ahead = DEAD_HEAT + (1.0 - DEAD_HEAT) * (lead / CLEAR_LEAD).clamp(0.0, 1.0);
    let signals = 1.0 - PER_SIGNAL * missing.len() as f64;
    (clear * ahead * signals).clamp(0.05, MOST)
}
