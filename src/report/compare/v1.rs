//! The frozen JSON shape `agentdiag.compare.v1`. Keys may be added; none is renamed, retyped or removed.

use serde::Serialize;

use super::sentence::statistic;
use super::{CompareReport, Row, section};
use crate::compare::ALPHA;
use crate::report::v1::{Input, Integrity};

/// Name and version of the shape.
pub const SCHEMA: &str = "agentdiag.compare.v1";

/// The whole object.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    tool_version: &'static str,
    base: &'a str,
    new: &'a str,
    requests_base: u64,
    requests_new: u64,
    inputs: Vec<Input<'a>>,
    integrity: Option<Integrity<'a>>,
    changed: bool,
    headline: Vec<String>,
    alpha: f64,
    comparisons: u64,
    correction: &'static str,
    rows: Vec<Compared<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Compared<'a> {
    section: &'static str,
    name: Option<&'a str>,
    what: &'a str,
    statistic: String,
    unit: &'static str,
    base: f64,
    new: f64,
    difference: f64,
    low: Option<f64>,
    high: Option<f64>,
    change: Option<f64>,
    p_value: Option<f64>,
    changed: bool,
    n_base: u64,
    n_new: u64,
    left_out: u64,
}

impl<'a> From<&'a CompareReport<'a>> for Document<'a> {
    fn from(report: &'a CompareReport<'a>) -> Self {
        let inputs = report.inputs().iter().zip(report.taken());
        Self {
            schema: SCHEMA,
            tool_version: env!("CARGO_PKG_VERSION"),
            base: &report.base,
            new: &report.new,
            requests_base: report.found.requests.0,
            requests_new: report.found.requests.1,
            inputs: inputs.map(Input::from).collect(),
            integrity: report.integrity.as_ref().map(Integrity::from),
            changed: !report.changed().is_empty(),
            headline: report.headline(usize::MAX),
            alpha: ALPHA,
            comparisons: report.found.comparisons,
            correction: "Holm",
            rows: report.found.rows.iter().map(Compared::from).collect(),
            notes: &report.found.notes,
        }
    }
}

impl<'a> From<&'a Row> for Compared<'a> {
    fn from(row: &'a Row) -> Self {
        let found = row.difference;
        Self {
            section: section(row.section),
            name: (!row.name.is_empty()).then_some(row.name.as_str()),
            what: &row.what,
            statistic: statistic(row.measure),
            unit: row.unit.name(),
            base: found.base,
            new: found.new,
            difference: found.new - found.base,
            low: found.low,
            high: found.high,
            change: found.change(),
            p_value: row.p_value,
            changed: row.changed(),
            n_base: row.n_base,
            n_new: row.n_new,
            left_out: row.left_out,
        }
    }
}
