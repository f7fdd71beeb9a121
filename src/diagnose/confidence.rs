//! How sure a verdict is: an estimate of how often verdicts like it are right.
//!
//! A logistic regression over 1,172 slow verdicts on 21 labelled dumps of a simulated fleet (13
//! scenarios): how far the excess lies beyond the threshold tells most, then the lead over the
//! runner-up, then whether the cause is contention of some kind, which many things look like, and whether any
//! other request around was slow for it. Judged by constants fitted without their own scenario, the verdicts
//! had an expected calibration error of 0.011.
//! `tests/it/calibration.rs` says how to repeat this on other dumps.

use super::Cause;
use super::account::{Account, Settlement};
use super::scene::Scene;

/// Weights: of one, of ln(excess / threshold), of the lead over the runner-up, of contention, of standing alone.
const WEIGHTS: [f64; 5] = [-1.13, 1.32, 2.44, -0.77, -2.57];
/// ln(excess / threshold) beyond this adds nothing.
const FAR: f64 = 2.0;
/// Never surer than this: some verdicts are wrong for reasons no dump shows.
const MOST: f64 = 0.97;
/// Each missing signal costs this share. Not fitted: where a signal is missing fewer verdicts are given,
/// and those were right as often.
const PER_SIGNAL: f64 = 0.01;

/// Confidence 0..=1 of the leading entry.
pub(super) fn of(
    scene: &Scene<'_>,
    request: u32,
    account: &Account,
    settlement: &Settlement,
    missing: &[&'static str],
) -> f64 {
    let Some(&(cause, first)) = settlement.entries.first() else {
        return 0.0;
    };
    if cause == Cause::Unexplained {
        return 0.0;
    }
    let threshold = super::verdict::threshold(scene.options, settlement);
    let beyond = settlement.excess.as_millis() / threshold.max(1e-9);
    let second = settlement.entries.get(1).map_or(0.0, |e| e.1.as_millis());
    let contention = matches!(
        cause,
        Cause::NoisyNeighbour | Cause::RoutingChange | Cause::ColdCache
    );
    let features = [
        1.0,
        beyond.max(1e-9).ln().clamp(-1.0, FAR),
        1.0 - second / first.as_millis().max(1e-9),
        f64::from(u8::from(contention)),
        f64::from(u8::from(scene.stands_alone(request, cause))),
    ];
    let sum: f64 = WEIGHTS.iter().zip(features).map(|(w, f)| w * f).sum();
    let signals = 1.0 - PER_SIGNAL * missing.len() as f64;
    let told = match cause {
        Cause::OrchestrationGap => 1.0 - account.doubt_of_pauses().min(1.0),
        _ => 1.0,
    };
    (told * signals / (1.0 + (-sum).exp())).clamp(0.05, MOST)
}
