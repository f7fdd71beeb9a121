//! `inputs` and `integrity`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model;
use crate::report;

/// One input as it was taken.
#[derive(Serialize)]
pub(in crate::report) struct Input<'a> {
    path: &'a str,
    format: &'a str,
    bytes: u64,
    unpacked_bytes: u64,
    spans: u64,
    metric_points: u64,
    log_records: u64,
    cluster_events: u64,
    exemplars: u64,
    why: &'a str,
    roles: BTreeMap<&'static str, u64>,
    dialects: BTreeMap<&'static str, u64>,
}

impl<'a> From<(&'a model::Input, report::Taken)> for Input<'a> {
    fn from((input, taken): (&'a model::Input, report::Taken)) -> Self {
        Self {
            path: &input.path,
            format: &input.format,
            bytes: input.bytes,
            unpacked_bytes: input.unpacked,
            spans: input.spans,
            metric_points: input.points,
            log_records: input.logs,
            cluster_events: input.events,
            exemplars: input.exemplars,
            why: &input.why,
            roles: taken.roles.into_iter().collect(),
            dialects: taken.dialects.into_iter().collect(),
        }
    }
}

/// What was lost, mended or guessed.
#[derive(Serialize)]
pub(in crate::report) struct Integrity<'a> {
    worst: Option<&'static str>,
    records_lost: u64,
    records_repaired: u64,
    inputs_unreadable: u64,
    issues: Vec<Issue<'a>>,
    dialects: BTreeMap<&'static str, u64>,
    unknown_keys: BTreeMap<&'a str, u64>,
    loss: Loss<'a>,
}

/// What is known to be missing.
#[derive(Serialize)]
struct Loss<'a> {
    absent_parents: u64,
    requests_without_root: u64,
    steps_declared: u64,
    steps_seen: u64,
    step_gaps: u64,
    turn_gaps: u64,
    input_tokens_declared: u64,
    input_tokens_seen: u64,
    effects: &'a [String],
}

/// One kind of issue in one input.
#[derive(Serialize)]
struct Issue<'a> {
    id: &'static str,
    severity: &'static str,
    count: u64,
    file: Option<&'a str>,
    byte_offset: u64,
    detail: &'a str,
    hint: &'static str,
}

impl<'a> From<&'a report::Integrity> for Integrity<'a> {
    fn from(integrity: &'a report::Integrity) -> Self {
        let keys = integrity.strange_keys.iter();
        Self {
            worst: integrity.worst.map(model::Severity::as_str),
            records_lost: integrity.lost,
            records_repaired: integrity.repaired,
            inputs_unreadable: integrity.unreadable,
            issues: integrity.problems.iter().map(Issue::from).collect(),
            dialects: integrity.dialects.iter().copied().collect(),
            unknown_keys: keys.map(|(key, spans)| (key.as_str(), *spans)).collect(),
            loss: Loss {
                absent_parents: integrity.loss.absent_parents,
                requests_without_root: integrity.loss.rootless,
                steps_declared: integrity.loss.steps_declared,
                steps_seen: integrity.loss.steps_seen,
                step_gaps: integrity.loss.step_gaps,
                turn_gaps: integrity.loss.turn_gaps,
                input_tokens_declared: integrity.loss.tokens_declared,
                input_tokens_seen: integrity.loss.tokens_seen,
                effects: &integrity.effects,
            },
        }
    }
}

impl<'a> From<&'a report::Problem> for Issue<'a> {
    fn from(problem: &'a report::Problem) -> Self {
        Self {
            id: problem.id,
            severity: problem.severity,
            count: problem.count,
            file: (!problem.file.is_empty()).then_some(problem.file.as_str()),
            byte_offset: problem.byte_offset,
            detail: &problem.detail,
            hint: problem.hint,
        }
    }
}
