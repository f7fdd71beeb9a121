//! Why clocks are not higher.

/// One reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Throttle {
    /// Bit of the mask. Source: NVML, `nvmlClocksThrottleReasons`.
    bit: u64,
    /// Lower-case name, after NVML's.
    pub label: &'static str,
    /// For people; empty for what is no hindrance.
    pub words: &'static str,
}

const fn reason(bit: u64, label: &'static str, words: &'static str) -> Throttle {
    Throttle { bit, label, words }
}

pub(super) const REASONS: [Throttle; 9] = [
    reason(0x01, "gpu_idle", ""),
    reason(0x02, "applications_clocks_setting", ""),
    reason(0x04, "sw_power_cap", "power cap"),
    reason(0x08, "hw_slowdown", "hw slowdown"),
    reason(0x10, "sync_boost", "sync boost"),
    reason(0x20, "sw_thermal_slowdown", "heat"),
    reason(0x40, "hw_thermal_slowdown", "heat (hw)"),
    reason(0x80, "hw_power_brake_slowdown", "power brake"),
    reason(0x100, "display_clock_setting", ""),
];

impl Throttle {
    /// True when `mask` names this reason.
    pub(super) fn within(self, mask: u64) -> bool {
        mask & self.bit != 0
    }
}

/// Reasons in `mask` that hold a device back.
pub fn active(mask: u64) -> impl Iterator<Item = Throttle> {
    let reasons = REASONS.into_iter();
    reasons.filter(move |reason| reason.within(mask) && !reason.words.is_empty())
}
