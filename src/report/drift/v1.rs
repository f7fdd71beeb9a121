//! The frozen JSON shape `agentdiag.drift.v1`. Keys may be added; none is renamed, retyped or removed.

use serde::Serialize;

use super::DriftReport;
use crate::aggregate::ToolShift;
use crate::aggregate::drift::{self, ALPHA, Effect, HALVED};
use crate::report::v1::{Input, Integrity};
use crate::units::human::rfc3339;

/// Name and version of the shape.
pub const SCHEMA: &str = "agentdiag.drift.v1";

/// The whole object.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    tool_version: &'static str,
    inputs: Vec<Input<'a>>,
    integrity: Integrity<'a>,
    against: &'a str,
    changed: bool,
    alpha: f64,
    before: Side,
    after: Side,
    tools: Tools<'a>,
    onset: Option<Onset<'a>>,
    collapsed_tools: Vec<Collapsed<'a>>,
    slices: Vec<Slice<'a>>,
    measures: Vec<Measure<'a>>,
    correction: Correction,
}

#[derive(Serialize)]
struct Side {
    requests: u64,
    start: Option<String>,
    end: Option<String>,
}

/// The overall test of tool choice: not corrected with the other comparisons.
#[derive(Serialize)]
struct Tools<'a> {
    drifted: bool,
    test: &'static str,
    p_value: Option<f64>,
    divergence_bits: Option<f64>,
    calls_before: u64,
    calls_after: u64,
    tools: Vec<Tool<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    tool: &'a str,
    calls_before: u64,
    calls_after: u64,
    calls_due: f64,
    share_before: Option<f64>,
    share_after: Option<f64>,
    p_value: Option<f64>,
    drifted: bool,
}

#[derive(Serialize)]
struct Onset<'a> {
    at: String,
    earliest: String,
    latest: String,
    tool: &'a str,
}

/// A tool whose share fell below half of what it was.
#[derive(Serialize)]
struct Collapsed<'a> {
    finding: &'static str,
    tool: &'a str,
    share_before: Option<f64>,
    share_after: Option<f64>,
    threshold: Option<f64>,
    p_value: Option<f64>,
    beyond_chance: bool,
}

#[derive(Serialize)]
struct Slice<'a> {
    by: &'static str,
    name: &'a str,
    calls_before: u64,
    calls_after: u64,
    p_value: Option<f64>,
    divergence_bits: Option<f64>,
    changed: bool,
    clearest_tool: Option<&'a str>,
}

#[derive(Serialize)]
struct Measure<'a> {
    name: &'static str,
    what: &'static str,
    changed: bool,
    p_value: Option<f64>,
    divergence_bits: Option<f64>,
    superiority: Option<f64>,
    n_before: u64,
    n_after: u64,
    median_before: Option<f64>,
    median_after: Option<f64>,
    shares: Vec<Share<'a>>,
}

#[derive(Serialize)]
struct Share<'a> {
    name: &'a str,
    before: f64,
    after: f64,
}

#[derive(Serialize)]
struct Correction {
    method: &'static str,
    comparisons: u64,
    covers: &'static str,
}

impl<'a> From<&'a DriftReport<'a>> for Document<'a> {
    fn from(report: &'a DriftReport<'a>) -> Self {
        let study = report.study;
        let onset = study.onset.as_ref().map(|onset| Onset {
            at: rfc3339(onset.at),
            earliest: rfc3339(onset.between.0),
            latest: rfc3339(onset.between.1),
            tool: &onset.tool,
        });
        Self {
            schema: SCHEMA,
            tool_version: env!("CARGO_PKG_VERSION"),
            inputs: report
                .inputs()
                .iter()
                .zip(report.taken())
                .map(Input::from)
                .collect(),
            integrity: (&report.integrity).into(),
            against: &report.against,
            changed: study.changed(),
            alpha: ALPHA,
            before: (&study.before).into(),
            after: (&study.after).into(),
            tools: (&study.tools).into(),
            onset,
            collapsed_tools: study.tools.collapsed().map(Collapsed::from).collect(),
            slices: study.slices.iter().map(Slice::from).collect(),
            measures: study.measures.iter().map(Measure::from).collect(),
            correction: Correction {
                method: "Holm",
                comparisons: study.comparisons,
                covers: "slices and measures together",
            },
        }
    }
}

impl From<&drift::Side> for Side {
    fn from(side: &drift::Side) -> Self {
        Self {
            requests: side.requests,
            start: side.window.map(|w| rfc3339(w.start)),
            end: side.window.map(|w| rfc3339(w.end)),
        }
    }
}

impl<'a> From<&'a drift::Drift> for Tools<'a> {
    fn from(drift: &'a drift::Drift) -> Self {
        Self {
            drifted: drift.drifted,
            test: "G-test within task and agent, and the clearest tool by Mantel-Haenszel, both with design effects; the better of the two, doubled",
            p_value: drift.p_value,
            divergence_bits: drift.divergence,
            calls_before: drift.calls_before,
            calls_after: drift.calls_after,
            tools: drift.tools.iter().map(Tool::from).collect(),
        }
    }
}

impl<'a> From<&'a ToolShift> for Tool<'a> {
    fn from(shift: &'a ToolShift) -> Self {
        Self {
            tool: &shift.tool,
            calls_before: shift.before.part,
            calls_after: shift.after.part,
            calls_due: shift.due,
            share_before: shift.before.share(),
            share_after: shift.after.share(),
            p_value: shift.p_value,
            drifted: shift.drifted,
        }
    }
}

impl<'a> From<&'a ToolShift> for Collapsed<'a> {
    fn from(shift: &'a ToolShift) -> Self {
        Self {
            finding: "tool_share_halved",
            tool: &shift.tool,
            share_before: shift.before.share(),
            share_after: shift.after.share(),
            threshold: shift.before.share().map(|share| share * HALVED),
            p_value: shift.p_value,
            beyond_chance: shift.p_value.is_some_and(|p| p <= ALPHA),
        }
    }
}

impl<'a> From<&'a drift::Slice> for Slice<'a> {
    fn from(slice: &'a drift::Slice) -> Self {
        Self {
            by: slice.by,
            name: &slice.name,
            calls_before: slice.calls.0,
            calls_after: slice.calls.1,
            p_value: slice.p_value,
            divergence_bits: slice.divergence,
            changed: slice.p_value.is_some_and(|p| p <= ALPHA),
            clearest_tool: slice.tool.as_deref(),
        }
    }
}

impl<'a> From<&'a drift::Measure> for Measure<'a> {
    fn from(measure: &'a drift::Measure) -> Self {
        let (divergence, superiority) = match measure.effect {
            Some(Effect::Divergence(bits)) => (Some(bits), None),
            Some(Effect::Superiority(share)) => (None, Some(share)),
            None => (None, None),
        };
        let share = |change: &'a drift::ShareChange| Share {
            name: &change.name,
            before: change.before,
            after: change.after,
        };
        Self {
            name: measure.name,
            what: measure.what,
            changed: measure.p_value.is_some_and(|p| p <= ALPHA),
            p_value: measure.p_value,
            divergence_bits: divergence,
            superiority,
            n_before: measure.before.n,
            n_after: measure.after.n,
            median_before: measure.before.median,
            median_after: measure.after.median,
            shares: measure.changes.iter().map(share).collect(),
        }
    }
}
