//! What was found about a budget, in words.

use super::{Line, Verdict};
use crate::budget::{DriftBy, Subject};
use crate::quantity::Unit;
use crate::report::drift::chance;
use crate::units::human::{count, counted, duration, instant, money, percent, plain, short};
use crate::units::{Nanos, Usd};

impl Line<'_> {
    /// A value in the unit of the budget.
    #[must_use]
    pub fn shown(&self, value: f64) -> String {
        match (
            &self.budget.expect.subject,
            self.budget.expect.subject.unit(),
        ) {
            (Subject::Drift(_, DriftBy::P), _) => chance(value),
            (_, Unit::Time) => {
                Nanos::from_millis(value).map_or_else(|| format!("{} ms", plain(value)), duration)
            }
            (_, Unit::Money) => Usd::from_dollars(value).map_or_else(|| plain(value), money),
            (_, Unit::Factor) => format!("{}x", plain(value)),
            (_, Unit::Share) => percent(value),
            (_, Unit::Tokens | Unit::Count) => plain(value),
        }
    }

    /// The same in a table, where space is short.
    #[must_use]
    pub fn cell(&self, value: f64) -> String {
        match (self.budget.expect.subject.unit(), Nanos::from_millis(value)) {
            (Unit::Time, Some(time)) => short(time),
            _ => self.shown(value),
        }
    }

    /// What is limited, as written.
    #[must_use]
    pub fn subject(&self) -> &str {
        let sign = self.budget.text.find(['<', '>', '≤', '≥']);
        self.budget.text[..sign.unwrap_or(self.budget.text.len())].trim()
    }

    /// The limit as written: `baseline * 1.10`.
    #[must_use]
    pub fn limit_text(&self) -> &str {
        let text = &self.budget.text;
        let sign = text.rfind(['<', '>', '=', '≤', '≥']).unwrap_or(0);
        let after = text[sign..].chars().next().map_or(0, char::len_utf8);
        text[sign + after..].trim()
    }

    /// What was found, in a sentence or two.
    #[must_use]
    pub fn message(&self) -> String {
        let finding = self.finding;
        let subject = self.subject();
        let value = finding
            .value
            .map(|value| self.shown(value))
            .unwrap_or_default();
        let limit = self.limit();
        let text = match finding.verdict {
            Verdict::Off => "not looked at: its level is off".to_owned(),
            Verdict::CannotTell => {
                let why = finding.why.as_deref().unwrap_or("the data do not tell");
                format!("{subject} cannot be told: {why}")
            }
            Verdict::Kept => format!("{subject} is {value}{}; the limit is {limit}", self.base()),
            Verdict::WithinNoise => format!(
                "{subject} is {value}{}; the limit is {limit}, and noise alone explains the rest{}",
                self.base(),
                self.best(" (", " at best)")
            ),
            Verdict::Broken | Verdict::Warned => format!(
                "{subject} is {value}{}{}; the limit is {limit}{}",
                self.base(),
                self.best(", and ", " at best"),
                self.beyond()
            ),
        };
        let left_out = match finding.left_out {
            0 => String::new(),
            n => format!(
                " Left out: {} of kinds the baseline lacks.",
                counted(n, "value")
            ),
        };
        let judged = !matches!(finding.verdict, Verdict::Off | Verdict::CannotTell);
        let note = finding.note.as_ref().filter(|_| judged);
        let note = note.map(|note| format!(" {note}")).unwrap_or_default();
        format!("{text}.{left_out}{note}{}", self.worst())
    }

    fn limit(&self) -> String {
        let limit = self.finding.limit.map(|limit| self.shown(limit));
        let limit = limit.unwrap_or_default();
        match self.finding.baseline {
            None => limit,
            Some(baseline) => format!(
                "{limit} ({}; the baseline has {} on the same mix of tasks)",
                self.limit_text(),
                self.shown(baseline)
            ),
        }
    }

    fn base(&self) -> String {
        match (self.finding.n, self.finding.n_baseline) {
            (n, None) => format!(" over {}", counted(n, "value")),
            (n, Some(theirs)) => format!(" over {} against {}", counted(n, "value"), count(theirs)),
        }
    }

    fn best(&self, before: &str, after: &str) -> String {
        match self.finding.at_best {
            Some(best) if self.finding.risk > 0.0 => {
                format!("{before}{}{after}", self.shown(best))
            }
            _ => String::new(),
        }
    }

    fn beyond(&self) -> String {
        match (self.finding.beyond, &self.finding.most) {
            (Some(n), _) if n > 0 => format!(", {} beyond it", counted(n, "value")),
            (_, Some(most)) => format!("; most of all {most} changed"),
            _ => String::new(),
        }
    }

    /// The worst request of a budget that is not plainly kept.
    fn worst(&self) -> String {
        let telling = matches!(
            self.finding.verdict,
            Verdict::Broken | Verdict::Warned | Verdict::WithinNoise
        );
        let Some(worst) = self.finding.worst.filter(|_| telling) else {
            return String::new();
        };
        let value = worst
            .value
            .map(|value| format!(" with {}", self.shown(value)));
        let cause = match worst.cause {
            Some(cause) => format!("slow for {}", cause.label()),
            None => "not slow by its own measure".to_owned(),
        };
        format!(
            " Worst: trace {}{}, {cause}, at {} UTC.",
            worst.trace,
            value.unwrap_or_else(|| format!(", which took {}", duration(worst.duration))),
            instant(worst.start)
        )
    }
}
