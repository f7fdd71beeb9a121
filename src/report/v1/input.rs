//! `inputs` and `integrity`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model;
use crate::report;

/// One input as it was taken.
#[derive(Serialize)]
pub(super) struct Input<'a> {
    path: &'a str,
    format: &'a str,
    bytes: u64,
    unpacked_bytes: u64,
    spans: u64,
    metric_points: u64,
    log_records: u64,
    cluster_events: u64,
}

impl<'a> From<&'a model::Input> for Input<'a> {
    fn from(input: &'a model::Input) -> Self {
        Self {
            path: &input.path,
            format: &input.format,
            bytes: input.bytes,
            unpacked_bytes: input.unpacked,
            spans: input.spans,
            metric_points: input.points,
            log_records: input.logs,
            cluster_events: input.events,
        }
    }
}

/// What was lost, mended or guessed.
#[derive(Serialize)]
pub(super) struct Integrity<'a> {
    worst: Option<&'static str>,
    records_lost: u64,
    records_repaired: u64,
    inputs_unreadable: u64,
    issues: Vec<Issue<'a>>,
    dialects: BTreeMap<&'static str, u64>,
    unknown_keys: BTreeMap<&'a str, u64>,
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
