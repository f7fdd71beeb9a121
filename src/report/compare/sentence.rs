//! Comparisons in words.

use super::{CompareReport, Measure, Row, Section};
use crate::compare::ALPHA;
use crate::quantity::Unit;
use crate::report::drift::chance;
use crate::units::human::{count, duration, money, percent, plain, short};
use crate::units::{Nanos, Usd};

impl Row {
    /// A value in the unit of the row.
    #[must_use]
    pub fn shown(&self, value: f64) -> String {
        match self.unit {
            Unit::Time => Nanos::from_millis(value).map_or_else(|| plain(value), duration),
            Unit::Money => Usd::from_dollars(value).map_or_else(|| plain(value), money),
            Unit::Factor => format!("{}x", plain(value)),
            Unit::Share => percent(value),
            Unit::Tokens | Unit::Count => plain(value),
        }
    }

    /// The same in a table, where space is short.
    #[must_use]
    pub fn cell(&self, value: f64) -> String {
        match (self.unit, Nanos::from_millis(value)) {
            (Unit::Time, Some(time)) => short(time),
            _ => self.shown(value),
        }
    }

    /// A difference in the unit of the row, with its sign; shares differ by points.
    #[must_use]
    pub fn shown_difference(&self, value: f64) -> String {
        let sign = if value < 0.0 { "-" } else { "+" };
        let size = match self.unit {
            Unit::Share => format!("{:.1} pt", value.abs() * 100.0),
            _ => self.shown(value.abs()),
        };
        format!("{sign}{size}")
    }

    /// How much larger the new number is: `+15%`, `3.2x`, or the points between two shares.
    #[must_use]
    pub fn shown_change(&self) -> String {
        let difference = self.difference;
        if self.unit == Unit::Share {
            return self.shown_difference(difference.new - difference.base);
        }
        match difference.change() {
            None => "new".to_owned(),
            Some(change) if change >= 2.0 => format!("{}x", plain(change + 1.0)),
            Some(change) => format!("{:+.1}%", change * 100.0),
        }
    }

    /// What is compared, in a few words.
    #[must_use]
    pub fn title(&self) -> String {
        let what = self.what.as_str();
        match (self.section, self.measure) {
            (Section::Causes, _) => format!("slow for {}", self.name),
            (Section::Phases, _) => format!("time in {}", self.name.replace('_', " ")),
            (Section::Tools | Section::Models, Measure::Rate) if what.contains('=') => {
                "share of calls".to_owned()
            }
            (_, Measure::Rate) => match what {
                "rate(slow)" => "slow requests".to_owned(),
                "rate(error)" => "failed requests".to_owned(),
                "rate(incomplete)" => "requests without end".to_owned(),
                "rate(llm_error)" => "failed model calls".to_owned(),
                "rate(tool_error)" => "failed calls".to_owned(),
                "rate(cached)" => "prompt from cache".to_owned(),
                other => other.to_owned(),
            },
            (_, measure) => format!("{} {}", statistic(measure), what.replace('_', " ")),
        }
    }

    /// What changed, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let difference = self.difference;
        let of = match self.section {
            Section::Tools | Section::Models => format!("{}: ", self.name),
            _ => String::new(),
        };
        let interval = match (difference.low, difference.high) {
            (Some(low), Some(high)) => format!(
                ", 95% interval {} to {}",
                self.shown_difference(low),
                self.shown_difference(high)
            ),
            _ => String::new(),
        };
        format!(
            "{of}{} {} instead of {} ({}{interval}; p {})",
            self.title(),
            self.shown(difference.new),
            self.shown(difference.base),
            self.shown_change(),
            chance(self.p_value.unwrap_or(1.0))
        )
    }
}

/// A statistic as in budgets.
#[must_use]
pub(super) fn statistic(measure: Measure) -> String {
    match measure {
        Measure::Mean => "mean".to_owned(),
        Measure::Rate => "rate".to_owned(),
        Measure::Quantile(q) if (q - 0.5).abs() < 1e-9 => "median".to_owned(),
        Measure::Quantile(q) => format!("p{}", plain(q * 100.0)),
    }
}

impl CompareReport<'_> {
    /// What changed, in sentences: those of the first `most` changes.
    #[must_use]
    pub fn headline(&self, most: usize) -> Vec<String> {
        let changed = self.changed();
        let mut lines: Vec<String> = changed
            .iter()
            .take(most)
            .map(|row| row.sentence())
            .collect();
        match changed.len() {
            0 if self.found.comparisons == 0 => {
                lines.push("There is too little to compare: eight values of the same kind of task are needed on each side.".to_owned());
            }
            0 => lines.push(format!(
                "Nothing changed by more than chance explains, over {} comparisons.",
                count(self.found.comparisons)
            )),
            n if n > most => lines.push(format!("{} more changes are marked below.", n - most)),
            _ => {}
        }
        lines
    }

    /// How the comparisons were corrected.
    #[must_use]
    pub fn correction(&self) -> String {
        format!(
            "p corrected for {} comparisons (Holm); changed where p is at most {ALPHA}",
            count(self.found.comparisons)
        )
    }
}
