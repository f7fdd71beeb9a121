//! Where prices come from, and how old they are. Age is counted against the time of the requests:
//! the same dump has the same cost report for ever.

use crate::units::{Nanos, Window};

/// Where a price comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// Given on the command line.
    Flag,
    /// The user's own file.
    File,
    /// The configuration file.
    Config,
    /// The genai-prices table.
    GenaiPrices,
    /// LiteLLM's table.
    LiteLlm,
}

impl Source {
    /// Every source, those that go first before the others.
    pub const ALL: [Self; 5] = [
        Self::Flag,
        Self::File,
        Self::Config,
        Self::GenaiPrices,
        Self::LiteLlm,
    ];

    /// The name shown to readers.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Flag => "--price",
            Self::File => "price file",
            Self::Config => "configuration",
            Self::GenaiPrices => "genai-prices",
            Self::LiteLlm => "LiteLLM",
        }
    }
}

/// A table of prices as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vintage {
    /// Which table.
    pub source: Source,
    /// File it was read from; absent for built-in tables and the command line.
    pub path: Option<String>,
    /// Its form: `litellm`, `genai-prices`, `models.dev`, `openrouter`, `agentdiag`, `built-in`.
    pub form: &'static str,
    /// Its version as it names itself.
    pub version: Option<String>,
    /// Day on which it was taken, counted from 1970-01-01, where it says so.
    pub as_of: Option<i32>,
    /// Models in it.
    pub models: usize,
}

/// Prices are held to be stale from this many days on.
pub const STALE_DAYS: i32 = 30;

/// Version and day of the genai-prices table under `data/`: its README says where it was taken.
pub(super) const GENAI_PRICES: (&str, i32) = ("0.2.1", day(2026, 11, 20));
/// The same of LiteLLM's.
pub(super) const LITELLM: (&str, i32) = ("1.109.1", day(2026, 11, 20));

/// Days from 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
const fn day(year: i32, month: i32, of_month: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = month + if month > 2 { -3 } else { 9 };
    let of_year = (153 * shifted + 2) / 5 + of_month - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The day of an instant.
pub(super) fn day_of(at: Nanos) -> i32 {
    (at.0 / (86_400 * Nanos::SECOND.0)) as i32
}

/// The day that an ISO date begins with; `None` when it is none.
pub(super) fn parse_day(text: &str) -> Option<i32> {
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    Some(day(
        i32::from(date.year()),
        i32::from(date.month()),
        i32::from(date.day()),
    ))
}

impl Vintage {
    /// Its day as an ISO date, where it says so.
    #[must_use]
    pub fn day(&self) -> Option<String> {
        let second = i64::from(self.as_of?) * 86_400;
        let midnight = jiff::Timestamp::from_second(second).ok()?;
        Some(midnight.strftime("%Y-%m-%d").to_string())
    }

    /// Days from the table to the last request, negative when the table is younger; `None` where the
    /// table has no date.
    #[must_use]
    pub fn age_days(&self, requests: Window) -> Option<i32> {
        Some(day_of(requests.end) - self.as_of?)
    }

    /// What a reader should know about its age: nothing while it is fresh.
    #[must_use]
    pub fn warning(&self, requests: Window) -> Option<String> {
        let name = self.path.as_deref().unwrap_or(self.source.label());
        let Some(as_of) = self.as_of else {
            let user = matches!(self.source, Source::File | Source::Config);
            return (user && self.form != "agentdiag")
                .then(|| format!("{name} does not say of which day its prices are."));
        };
        let after = day_of(requests.end) - as_of;
        let before = as_of - day_of(requests.start);
        let days = |n: i32| format!("{n} day{}", if n == 1 { "" } else { "s" });
        if after > STALE_DAYS {
            Some(format!(
                "The prices of {name} are {} older than the last request: they may have changed since.",
                days(after)
            ))
        } else if after > 0 {
            Some(format!(
                "The prices of {name} are older than the last request, by {}.",
                days(after)
            ))
        } else if before > STALE_DAYS {
            Some(format!(
                "The prices of {name} are {} younger than the first request: where it keeps no history, they may differ from those of the time.",
                days(before)
            ))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vintage(as_of: Option<i32>) -> Vintage {
        Vintage {
            source: Source::GenaiPrices,
            path: None,
            form: "built-in",
            version: None,
            as_of,
            models: 1,
        }
    }

    fn on(from: i32, to: i32) -> Window {
        let at = |day: i32| Nanos(day as u64 * 86_400_000_000_000 + 5);
        Window {
            start: at(from),
            end: at(to),
        }
    }

    #[test]
    fn days_are_counted_from_the_epoch() {
        assert_eq!((day(1970, 1, 1), day(2026, 11, 20)), (0, 20_777));
        assert_eq!(parse_day("2026-11-20T08:00:00Z"), Some(20_777));
        assert_eq!(parse_day("2026-13-20"), None);
        assert_eq!(parse_day("soon"), None);
    }

    #[test]
    fn fresh_tables_are_silent_and_old_ones_are_not() {
        let table = vintage(Some(1000));
        assert_eq!(table.warning(on(990, 1000)), None);
        assert!(table.warning(on(990, 1001)).unwrap().contains("by 1 day."));
        assert!(
            table
                .warning(on(990, 1031))
                .unwrap()
                .contains("31 days older")
        );
        assert!(
            table
                .warning(on(900, 901))
                .unwrap()
                .contains("100 days younger")
        );
        assert_eq!(table.age_days(on(900, 1031)), Some(31));
        assert_eq!(vintage(None).age_days(on(1, 2)), None);
    }
}
