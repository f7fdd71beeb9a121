//! Arguments of `replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Display, Form, Inputs, Slow};
use crate::alerts::Version;
use crate::commands::{load, replay};
use crate::units::Nanos;

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Replay {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// Prometheus rule files; without any, six alerts about agents that are built in
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,

    /// Let the built-in rule about tool choice watch this tool only; may be repeated. Without it, every tool
    #[arg(long, value_name = "TOOL", conflicts_with = "rules")]
    pub high_stakes: Vec<String>,

    /// Time between evaluations, where a group of rules does not say
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = interval)]
    pub interval: Nanos,

    /// Time between scrapes of the series that are derived from spans
    ///
    /// They begin with the first request of the dump: a rule that looks back further, or divides by how much history
    /// there is, had more of it in production.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = interval)]
    pub scrape: Nanos,

    /// Version of Prometheus to follow, such as 3 or 2.42: they differ at the edges of ranges
    ///
    /// In 2, a sample at the left edge of a range is inside it, so that a range of 5m over the series derived
    /// from spans holds exactly five minutes; in 3 it is outside, and 5m hold one scrape less.
    #[arg(long, value_name = "VERSION", default_value = "2")]
    pub prometheus: Version,

    /// Whose series count where spans and recorded metrics both give one of the same name
    #[arg(long, value_name = "SOURCE", default_value = "spans")]
    pub prefer: Prefer,

    /// Share of requests that should succeed, for the windows in which the error budget burns too fast
    #[arg(long, value_name = "SHARE", default_value = "99%", value_parser = objective)]
    pub slo: f64,

    /// Exit with 1 when an alert fired
    #[arg(long)]
    pub fail_on_fire: bool,

    /// How to write the result.
    #[command(flatten)]
    pub form: Form,

    /// What is slow.
    #[command(flatten)]
    pub slow: Slow,

    /// Rows to show of a long list (text only)
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
}

impl Replay {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> replay::Options {
        replay::Options {
            inputs: load::Inputs {
                buckets: true,
                ..self.slow.with_baseline(self.inputs.options(display))
            },
            rules: self.rules.clone(),
            high_stakes: self.high_stakes.clone(),
            interval: self.interval,
            scrape: self.scrape,
            version: self.prometheus,
            prefer: self.prefer.into(),
            objective: self.slo,
            fail_on_fire: self.fail_on_fire,
            json: self.form.is_json(),
            rule: self.slow.rule(),
            top: self.top,
            style: display.style(),
        }
    }
}

/// Whose series count.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Prefer {
    /// Derived from spans: complete from the first request on.
    Spans,
    /// As they were scraped.
    Metrics,
}

impl From<Prefer> for replay::Prefer {
    fn from(prefer: Prefer) -> Self {
        match prefer {
            Prefer::Spans => Self::Spans,
            Prefer::Metrics => Self::Metrics,
        }
    }
}

/// A duration of at least a millisecond.
pub(super) fn interval(text: &str) -> Result<Nanos, String> {
    let time = text.parse::<Nanos>().map_err(|e| e.to_string())?;
    match time >= Nanos::MILLI {
        true => Ok(time),
        false => Err("expected a time such as 30s".to_owned()),
    }
}

/// A share below one, as `99.9%` or `0.999`.
fn objective(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    match number.trim().parse::<f64>().map(|value| value / unit) {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a share below 100%, such as 99.9%".to_owned()),
    }
}

const EXAMPLES: &str = "\
JSON (agentdiag.replay.v1):
  from, to, interval_s   when rules were evaluated
  summary                alert_rules, alert_rules_fired, firings, firings_without_incident, incidents, incidents_unseen, failed_rules
  alerts[]               rule (index), name, labels, pending_since, fired_at, resolved_at (null: not by the end), value, peak, annotations, incidents (indices)
  incidents[]            cause, scope, start, end, requests, alerts (indices), alerted_after_s (null: never)
  burn_rate[]            labels (agent_id, long, short, factor), start, end, peak (multiple of what the objective allows)
  rules[]                file, line, group, name, kind, expr, evaluations, firings, only_pending, failures, first_failure, missing_metrics
  notes[]                what the reader must know

Examples:
  agentdiag replay traces.jsonl
  agentdiag replay traces.jsonl metrics.prom.gz --rules agent-alerts.yml
  agentdiag replay exports/ --rules alerts.yml --fail-on-fire --json | jq '.alerts[] | [.name, .fired_at]'";
