//! What a budget expects: a number of the requests, compared with a limit.

use crate::quantity::{Condition, Quantity, Unit};

/// A number made of many.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Statistic {
    /// The value that this share (0..1) is at most.
    Quantile(f64),
    /// The mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// All together.
    Sum,
}

/// How statistics are written, and what they are.
pub const STATISTICS: &[(&str, &str)] = &[
    (
        "p50, p95, p99.9, ...",
        "the value that so many in a hundred are at most",
    ),
    ("median", "the same as p50"),
    ("mean", "the mean"),
    (
        "max",
        "the largest; one value beyond the limit breaks the budget",
    ),
    (
        "min",
        "the smallest; one value below the limit breaks the budget",
    ),
    ("sum", "all together"),
];

impl Statistic {
    /// By how it is written.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "median" => Self::Quantile(0.5),
            "mean" | "avg" => Self::Mean,
            "max" => Self::Max,
            "min" => Self::Min,
            "sum" | "total" => Self::Sum,
            _ => {
                let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
                return (percent > 0.0 && percent < 100.0).then(|| Self::Quantile(percent / 100.0));
            }
        })
    }

    /// True when another sample of the same kind would give another number.
    #[must_use]
    pub fn is_estimate(self) -> bool {
        matches!(self, Self::Quantile(_) | Self::Mean)
    }
}

/// How drift is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DriftBy {
    /// The chance of so large a change when nothing changed.
    P,
    /// How far the shares are apart: Jensen–Shannon divergence in bits.
    Bits,
}

/// What may drift: its name, the name of the measure behind it (empty for tool choice), and what it is.
pub const DRIFTS: &[(&str, &str, &str)] = &[
    ("tools", "", "which tools agents choose"),
    ("tool_order", "tool_order", "which tool follows which"),
    ("models", "model_mix", "models that answered"),
    ("finish_reasons", "finish_reasons", "why generation ended"),
    ("completion", "completion", "requests that ended well"),
    ("rounds", "rounds", "model rounds per request"),
    ("output_length", "output_length", "output tokens per call"),
];

/// What is limited.
#[derive(Clone, PartialEq, Debug)]
pub enum Subject {
    /// A statistic of a quantity.
    Of(Statistic, Quantity),
    /// The share of what a condition is true of.
    Rate(Condition),
    /// How often a condition is true.
    Count(Condition),
    /// Change against a baseline, or in the course of the dump; by place in [`DRIFTS`].
    Drift(usize, DriftBy),
}

impl Subject {
    /// What it is measured in; drift has plain numbers.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Of(_, quantity) => quantity.meta().unit,
            Self::Rate(_) => Unit::Share,
            Self::Count(_) | Self::Drift(..) => Unit::Count,
        }
    }

    /// True when another sample of the same kind would give another number.
    #[must_use]
    pub fn is_estimate(&self) -> bool {
        match self {
            Self::Of(statistic, _) => statistic.is_estimate(),
            Self::Rate(_) => true,
            Self::Count(_) | Self::Drift(..) => false,
        }
    }

    /// True when it depends on which prompt tokens came from a cache.
    pub(super) fn counts_cache(&self) -> bool {
        match self {
            Self::Of(_, quantity) => quantity.counts_cache(),
            Self::Rate(condition) | Self::Count(condition) => condition.counts_cache(),
            Self::Drift(..) => false,
        }
    }
}

/// What must hold between subject and limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// True when `value` keeps to `limit`.
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
        }
    }

    /// True when larger values are worse.
    #[must_use]
    pub fn is_ceiling(self) -> bool {
        matches!(self, Self::Below | Self::AtMost)
    }

    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A limit: so many times the baseline, and so much more.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limit {
    /// Times the baseline; 0 when the limit does not depend on one.
    pub per_baseline: f64,
    /// Beside it, in the unit of the subject.
    pub constant: f64,
}

impl Limit {
    /// True when it cannot be known without a baseline.
    #[must_use]
    pub fn is_relative(self) -> bool {
        self.per_baseline != 0.0
    }

    /// The limit for a baseline.
    #[must_use]
    pub fn at(self, baseline: f64) -> f64 {
        self.per_baseline * baseline + self.constant
    }
}

/// A whole expectation.
#[derive(Clone, PartialEq, Debug)]
pub struct Expect {
    /// What is limited.
    pub subject: Subject,
    /// How.
    pub comparison: Comparison,
    /// By what.
    pub limit: Limit,
}
