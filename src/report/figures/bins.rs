//! Stretches of time of equal length, at round instants.

use crate::units::{Nanos, Window};

/// Equal stretches that cover a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimeBins {
    /// Start of the first.
    pub start: Nanos,
    /// Length of each.
    pub step: Nanos,
    /// How many.
    pub count: usize,
}

/// Lengths in seconds that people read off a clock.
const STEPS: [u64; 17] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
];
const DAY: u64 = 86_400;

impl TimeBins {
    /// At most `most` stretches over `window`; none where it is empty.
    #[must_use]
    pub fn over(window: Window, most: usize) -> Self {
        if window.is_empty() {
            return Self::default();
        }
        let least = (window.len().0 / (most.max(2) as u64 - 1)).max(1);
        let step = round_step(least);
        let start = window.start.0 / step * step;
        let last = window.end.0.saturating_sub(1) / step * step;
        Self {
            start: Nanos(start),
            step: Nanos(step),
            count: ((last - start) / step + 1) as usize,
        }
    }

    /// The stretch that holds `time`; the nearest one for a time outside.
    #[must_use]
    pub fn index(&self, time: Nanos) -> usize {
        let index = time.since(self.start).0 / self.step.0.max(1);
        (index as usize).min(self.count.saturating_sub(1))
    }

    /// When stretch `index` starts.
    #[must_use]
    pub fn at(&self, index: usize) -> Nanos {
        self.start + Nanos(self.step.0.saturating_mul(index as u64))
    }

    /// From the first to the last.
    #[must_use]
    pub fn window(&self) -> Window {
        Window {
            start: self.start,
            end: self.at(self.count),
        }
    }

    /// One value per stretch.
    pub(super) fn each<T: Clone + Default>(&self) -> Vec<T> {
        vec![T::default(); self.count]
    }
}

/// The shortest round length of at least `least` nanoseconds.
fn round_step(least: u64) -> u64 {
    let second = Nanos::SECOND.0;
    if least <= second {
        let tens = (0..9).map(|p| 10_u64.pow(p));
        let mut steps = tens.flat_map(|ten| [ten, 2 * ten, 5 * ten]);
        return steps.find(|step| *step >= least).unwrap_or(second);
    }
    let fixed = STEPS.iter().map(|s| s * second).find(|s| *s >= least);
    fixed.unwrap_or_else(|| {
        let days = least.div_ceil(DAY * second).next_power_of_two();
        days.saturating_mul(DAY * second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_cover_the_window_and_are_few() {
        for (start, end) in [
            (0, 1),
            (7, 61_000_000_000),
            (1_000_000_000_000, 1_209_500_000_000),
            (0, u64::MAX),
        ] {
            let window = Window {
                start: Nanos(start),
                end: Nanos(end),
            };
            let bins = TimeBins::over(window, 40);
            assert!((1..=40).contains(&bins.count), "{bins:?}");
            assert!(bins.start <= window.start && bins.window().end >= window.end);
            assert_eq!(bins.index(window.start), 0);
            assert_eq!(bins.index(Nanos(end)), bins.count - 1);
        }
        assert_eq!(TimeBins::over(Window::default(), 40).count, 0);
    }
}
