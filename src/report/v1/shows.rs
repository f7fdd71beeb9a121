//! `drift` and `signals`: what changed in the choice of tools, and what the dump shows at all.

use serde::Serialize;

use crate::aggregate::{self, State, ToolShift};
use crate::units::human::rfc3339;

/// What became of the choice of tools in the course of the dump.
#[derive(Serialize)]
pub(super) struct Drift<'a> {
    drifted: bool,
    p_value: Option<f64>,
    divergence_bits: Option<f64>,
    calls_before: u64,
    calls_after: u64,
    split: Option<String>,
    collapsed_tools: Vec<&'a str>,
    tools: Vec<Tool<'a>>,
}

/// One tool before and after.
#[derive(Serialize)]
struct Tool<'a> {
    tool: &'a str,
    calls_before: u64,
    calls_after: u64,
    share_before: Option<f64>,
    share_after: Option<f64>,
    p_value: Option<f64>,
    drifted: bool,
}

/// One signal and how often it is there.
#[derive(Serialize)]
pub(super) struct Signal {
    name: &'static str,
    layer: &'static str,
    per: &'static str,
    present: u64,
    of: u64,
    share: Option<f64>,
    without_it: &'static str,
    how_to_get_it: &'static str,
}

/// One signal an operator watches, over the whole dump.
#[derive(Serialize)]
pub(super) struct Reading<'a> {
    layer: &'static str,
    name: &'static str,
    state: &'static str,
    value: Option<f64>,
    unit: &'static str,
    metric: Option<&'a str>,
    instrument: Option<&'static str>,
}

impl<'a> From<&'a aggregate::Reading> for Reading<'a> {
    fn from(reading: &'a aggregate::Reading) -> Self {
        let (metric, instrument) = match &reading.state {
            State::Present(metric) => (Some(metric.as_str()), None),
            State::Derived => (None, None),
            State::Absent(instrument) => (None, Some(*instrument)),
        };
        Self {
            layer: reading.layer.label(),
            name: reading.name,
            state: reading.state.label(),
            value: reading.value,
            unit: reading.unit,
            metric,
            instrument,
        }
    }
}

impl<'a> From<&'a aggregate::Drift> for Drift<'a> {
    fn from(drift: &'a aggregate::Drift) -> Self {
        Self {
            drifted: drift.drifted,
            p_value: drift.p_value,
            divergence_bits: drift.divergence,
            calls_before: drift.calls_before,
            calls_after: drift.calls_after,
            split: drift.split.map(rfc3339),
            collapsed_tools: drift.collapsed().map(|shift| shift.tool.as_str()).collect(),
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
            share_before: shift.before.share(),
            share_after: shift.after.share(),
            p_value: shift.p_value,
            drifted: shift.drifted,
        }
    }
}

impl From<&aggregate::Signal> for Signal {
    fn from(signal: &aggregate::Signal) -> Self {
        Self {
            name: signal.name,
            layer: signal.layer.label(),
            per: signal.per,
            present: signal.coverage.part,
            of: signal.coverage.whole,
            share: signal.coverage.share(),
            without_it: signal.gap,
            how_to_get_it: signal.remedy,
        }
    }
}
