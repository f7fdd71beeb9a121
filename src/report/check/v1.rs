//! The frozen JSON shape `agentdiag.check.v1`. Keys may be added; none is renamed, retyped or removed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CheckReport, Line, Verdict, Worst, level, word};
use crate::budget::{Subject, Test};
use crate::diagnose::Cause;
use crate::report::v1::{Input, Integrity};
use crate::units::human::rfc3339;

/// Name and version of the shape.
pub const SCHEMA: &str = "agentdiag.check.v1";

/// The whole object.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    tool_version: &'static str,
    inputs: Vec<Input<'a>>,
    integrity: Integrity<'a>,
    requests: u64,
    budget_file: &'a str,
    baseline: Option<&'a str>,
    false_alarms: f64,
    verdict: String,
    exit_code: u8,
    counts: Counts,
    budgets: Vec<Budget<'a>>,
}

#[derive(Serialize)]
struct Counts {
    broken: u64,
    warned: u64,
    cannot_tell: u64,
    within_noise: u64,
    kept: u64,
    off: u64,
}

#[derive(Serialize)]
struct Budget<'a> {
    name: &'a str,
    expect: &'a str,
    r#match: BTreeMap<&'static str, Vec<&'a str>>,
    level: &'static str,
    test: &'static str,
    line: usize,
    column: usize,
    verdict: &'static str,
    message: String,
    why: Option<&'a str>,
    unit: &'static str,
    value: Option<f64>,
    at_best: Option<f64>,
    at_worst: Option<f64>,
    risk: f64,
    limit: Option<f64>,
    baseline: Option<f64>,
    n: u64,
    of: u64,
    n_baseline: Option<u64>,
    left_out: u64,
    beyond: Option<u64>,
    most_changed: Option<&'a str>,
    worst: Option<WorstRequest>,
}

#[derive(Serialize)]
struct WorstRequest {
    trace_id: String,
    start: String,
    duration_ms: f64,
    value: Option<f64>,
    cause: Option<&'static str>,
}

impl<'a> From<&'a CheckReport<'a>> for Document<'a> {
    fn from(report: &'a CheckReport<'a>) -> Self {
        let inputs = report.inputs().iter().zip(report.taken());
        Self {
            schema: SCHEMA,
            tool_version: env!("CARGO_PKG_VERSION"),
            inputs: inputs.map(Input::from).collect(),
            integrity: (&report.integrity).into(),
            requests: report.requests,
            budget_file: report.file(),
            baseline: report.baseline.as_deref(),
            false_alarms: report.false_alarms(),
            verdict: report.verdict().to_ascii_lowercase().replace(' ', "_"),
            exit_code: report.outcome().code(),
            counts: Counts {
                broken: report.count(Verdict::Broken),
                warned: report.count(Verdict::Warned),
                cannot_tell: report.count(Verdict::CannotTell),
                within_noise: report.count(Verdict::WithinNoise),
                kept: report.count(Verdict::Kept),
                off: report.count(Verdict::Off),
            },
            budgets: report.lines().map(Budget::from).collect(),
        }
    }
}

impl<'a> From<Line<'a>> for Budget<'a> {
    fn from(line: Line<'a>) -> Self {
        let Line { budget, finding } = line;
        let mut matching: BTreeMap<&'static str, Vec<&'a str>> = BTreeMap::new();
        for (key, pattern) in budget.scope.texts() {
            matching.entry(key).or_default().push(pattern);
        }
        Self {
            name: &budget.name,
            expect: &budget.text,
            r#match: matching,
            level: level(budget.level),
            test: match budget.test {
                Test::Interval => "interval",
                Test::Point => "point",
            },
            line: budget.place.line,
            column: budget.place.column,
            verdict: word(finding.verdict),
            message: line.message(),
            why: finding.why.as_deref(),
            unit: match budget.expect.subject {
                Subject::Drift(_, crate::budget::DriftBy::P) => "p",
                Subject::Drift(..) => "bits",
                ref subject => subject.unit().name(),
            },
            value: finding.value,
            at_best: finding.at_best,
            at_worst: finding.at_worst,
            risk: finding.risk,
            limit: finding.limit,
            baseline: finding.baseline,
            n: finding.n,
            of: finding.of,
            n_baseline: finding.n_baseline,
            left_out: finding.left_out,
            beyond: finding.beyond,
            most_changed: finding.most.as_deref(),
            worst: finding.worst.as_ref().map(WorstRequest::from),
        }
    }
}

impl From<&Worst> for WorstRequest {
    fn from(worst: &Worst) -> Self {
        Self {
            trace_id: worst.trace.to_string(),
            start: rfc3339(worst.start),
            duration_ms: worst.duration.as_millis(),
            value: worst.value,
            cause: worst.cause.map(Cause::label),
        }
    }
}
