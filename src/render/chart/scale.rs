//! Axes: from values to pixels, with labels at round values.

use crate::units::human::{compact, instant, money, short};
use crate::units::{Nanos, Usd, Window};

/// One axis.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Scale {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) log: bool,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Where `value` lies between two pixels; values beyond the ends lie on them.
    pub(super) fn place(&self, value: f64, first: i32, last: i32) -> i32 {
        let on = |v: f64| if self.log { v.max(1e-9).log10() } else { v };
        let (from, to) = (on(self.from), on(self.to));
        let share = (on(value) - from) / (to - from).max(f64::MIN_POSITIVE);
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        first + (share * f64::from(last - first)).round() as i32
    }

    /// Instants, labelled with the clock, or the day where the window is long.
    pub(super) fn times(window: Window, most: usize) -> Self {
        let bins = crate::report::figures::TimeBins::over(window, most + 1);
        let second = bins.step >= Nanos::SECOND && bins.step.0.is_multiple_of(60 * Nanos::SECOND.0);
        let days = bins.step.0 >= 43_200 * Nanos::SECOND.0;
        let label = |at: Nanos| {
            let text = instant(at);
            let (day, clock) = text.split_once(' ').unwrap_or(("", &text));
            match (days, second) {
                (true, _) => day.get(5..).unwrap_or(day).to_owned(),
                (false, true) => clock.get(..5).unwrap_or(clock).to_owned(),
                (false, false) => clock.to_owned(),
            }
        };
        let ticks = (0..=bins.count).map(|index| bins.at(index));
        let ticks = ticks.filter(|at| *at >= window.start && *at <= window.end);
        Self {
            from: window.start.0 as f64,
            to: window.end.0 as f64,
            log: false,
            ticks: ticks.map(|at| (at.0 as f64, label(at))).collect(),
        }
    }

    /// Durations in nanoseconds, each step about as much longer than the one before.
    pub(super) fn durations(least: Nanos, most: Nanos) -> Self {
        let from = least.0.max(1_000_000) as f64 * 0.85;
        let to = (most.0 as f64 * 1.15).max(from * 2.0);
        let round = [
            1,
            2,
            5,
            10,
            20,
            50,
            100,
            200,
            500,
            1_000,
            2_000,
            5_000,
            10_000,
            20_000,
            30_000,
            60_000,
            120_000,
            300_000,
            600_000,
            1_800_000,
            3_600_000,
            7_200_000,
            21_600_000,
            86_400_000,
            604_800_000,
        ];
        let within = |ns: &f64| (from..=to).contains(ns);
        let mut ticks: Vec<f64> = round
            .iter()
            .map(|ms| *ms as f64 * 1e6)
            .filter(within)
            .collect();
        while ticks.len() > 9 {
            ticks = ticks.into_iter().step_by(2).collect();
        }
        Self {
            from,
            to,
            log: true,
            ticks: ticks
                .into_iter()
                .map(|ns| (ns, round_duration(Nanos(ns as u64))))
                .collect(),
        }
    }

    /// From zero to at least `most`, with a label of each step.
    pub(super) fn linear(most: f64, steps: u32, label: impl Fn(f64) -> String) -> Self {
        let most = if most.is_finite() && most > 0.0 {
            most
        } else {
            1.0
        };
        let step = round_up(most / f64::from(steps.max(1)));
        let count = (most / step).ceil().max(1.0) as u32;
        let ticks = (0..=count).map(|n| f64::from(n) * step);
        Self {
            from: 0.0,
            to: f64::from(count) * step,
            log: false,
            ticks: ticks.map(|value| (value, label(value))).collect(),
        }
    }

    /// Counts from zero, labelled at whole numbers.
    pub(super) fn counts(most: u64, steps: u32) -> Self {
        let least = (most as f64 / f64::from(steps.max(1))).max(1.0);
        let power = 10_f64.powf(least.log10().floor());
        let mut round = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter();
        let step = round
            .find(|step| *step >= least * 0.999_999)
            .unwrap_or(least);
        let count = (most as f64 / step).ceil().max(1.0);
        Self::linear(count * step, count as u32, |value| {
            compact(value.round() as u64)
        })
    }

    /// Durations from zero.
    pub(super) fn lengths(most: Nanos, steps: u32) -> Self {
        Self::linear(most.as_secs(), steps, |secs| {
            Nanos::from_secs(secs).map_or_else(String::new, round_duration)
        })
    }

    /// Dollars from zero.
    pub(super) fn dollars(most: Usd, steps: u32) -> Self {
        Self::linear(most.as_dollars(), steps, |value| {
            let text = Usd::from_dollars(value).map_or_else(String::new, money);
            match text.contains('.') && value < 0.995 {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        })
    }
}

/// A duration that is round, without the digits that say how exactly it was measured.
fn round_duration(time: Nanos) -> String {
    let text = short(time);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {unit}")
        }
        _ => text
            .strip_suffix("00s")
            .or(text.strip_suffix("00m"))
            .map_or(text.clone(), str::to_owned),
    }
}

/// The next of 1, 2, 2.5, 5, 10 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= value * 0.999_999)
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_on_the_sheet() {
        let scale = Scale::durations(Nanos(0), Nanos(u64::MAX));
        for value in [0.0, 1e6, f64::NAN, f64::INFINITY, -5.0] {
            assert!((0..=100).contains(&scale.place(value, 0, 100)), "{value}");
        }
        assert!((2..=9).contains(&scale.ticks.len()));
    }

    #[test]
    fn labels_are_round() {
        let labels = |scale: Scale| scale.ticks.into_iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(labels(Scale::counts(70, 4)), ["0", "20", "40", "60", "80"]);
        assert_eq!(labels(Scale::counts(3, 4)), ["0", "1", "2", "3"]);
        assert_eq!(
            labels(Scale::lengths(Nanos(4_100_000_000), 4)),
            ["0 s", "2 s", "4 s", "6 s"]
        );
        assert_eq!(
            labels(Scale::dollars(Usd(3_900_000), 4)),
            ["$0", "$0.001", "$0.002", "$0.003", "$0.004"]
        );
        let minute = Scale::durations(Nanos(900_000_000), Nanos(130_000_000_000));
        assert_eq!(labels(minute).last().map(String::as_str), Some("2m"));
    }
}
