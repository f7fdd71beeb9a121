//! What makes a request slow: the same options for every subcommand that judges.

use std::path::PathBuf;

use clap::Args;

use crate::commands::load::Inputs;
use crate::diagnose::Options as SlowRule;
use crate::units::Nanos;

/// Options of every subcommand that judges requests.
#[derive(Debug, Args)]
pub struct Slow {
    /// What makes a request slow.
    #[command(flatten)]
    pub rule: Rule,

    /// Take what is normal from this file, written by `agentdiag baseline` from a healthy period
    ///
    /// Where it is silent (a model, tool or kind of task it has not seen), the healthier part of the dump itself says
    /// what is normal, as it does without a baseline.
    #[arg(long, value_name = "FILE", help_heading = "What is slow")]
    pub baseline: Option<PathBuf>,
}

/// What makes a request slow.
#[derive(Debug, Args)]
pub struct Rule {
    /// Slow from this multiple of the request's own expected time on
    #[arg(long, value_name = "FACTOR", default_value = "1.3", value_parser = factor, help_heading = "What is slow")]
    pub slow_factor: f64,

    /// ... and from this much lost time on
    #[arg(
        long,
        value_name = "TIME",
        default_value = "500ms",
        help_heading = "What is slow"
    )]
    pub slow_floor: Nanos,

    /// Instead: slow from this duration on, such as 8s
    #[arg(long, value_name = "TIME", conflicts_with_all = ["slow_factor", "slow_top"], help_heading = "What is slow")]
    pub slow_over: Option<Nanos>,

    /// Instead: the slowest share of all requests, such as 5%
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "slow_factor", help_heading = "What is slow")]
    pub slow_top: Option<f64>,
}

impl Slow {
    /// The inputs with the baseline that was meant.
    #[must_use]
    pub fn with_baseline(&self, inputs: Inputs) -> Inputs {
        let baseline = self.baseline.clone();
        Inputs { baseline, ..inputs }
    }

    /// The rule that was meant.
    #[must_use]
    pub fn rule(&self) -> SlowRule {
        self.rule.options()
    }
}

impl Rule {
    /// The rule that was meant.
    #[must_use]
    pub fn options(&self) -> SlowRule {
        SlowRule {
            slow_factor: self.slow_factor,
            slow_floor: self.slow_floor,
            slow_over: self.slow_over,
            slow_top: self.slow_top,
        }
    }
}

/// A factor that makes sense as a limit.
fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (1.0..1e6).contains(&factor) => Ok(factor),
        _ => Err("expected a number from 1 on, such as 1.3".to_owned()),
    }
}

/// A share as `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    match number.trim().parse::<f64>().map(|value| value / unit) {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("expected a share such as 5% or 0.05".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent_or_fraction() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.05"), Ok(0.05));
        for bad in ["0", "-1%", "101%", "NaN", "x"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }
}
