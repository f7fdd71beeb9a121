//! How sure a verdict is: how far it leads, how far the excess is beyond the threshold, and how good the
//! signals were.

use super::Cause;
use super::account::Settlement;
use super::scene::Scene;

/// Confidence 0..=1 of the leading entry.
pub(super) fn of(
    scene: &Scene<'_>,
    _request: u32,
    settlement: &Settlement,
    missing: &[&'static str],
) -> f64 {
    let Some(&(cause, first)) = settlement.entries.first() else {
        return 0.0;
    };
    if cause == Cause::Unexplained {
        return 0.0;
    }
    let second = settlement.entries.get(1).map_or(0.0, |e| e.1.as_millis());
    let lead = 1.0 - second / first.as_millis().max(1e-9);
    let threshold = ((scene.options.slow_factor - 1.0) * settlement.expected.as_millis())
        .max(scene.options.floor());
    let clear = (settlement.excess.as_millis() / threshold.max(1e-9) - 1.0).clamp(0.0, 1.0);
    let signals = 1.0 - 0.08 * missing.len() as f64;
    ((0.55 + 0.25 * lead + 0.18 * clear) * signals).clamp(0.05, 0.98)
}
