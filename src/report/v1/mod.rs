//! The frozen JSON shape `agentdiag.analyze.v1`, with its own structures, so that changes inside
//! the program cannot change it. Keys may be added; none is renamed, retyped or removed.
//!
//! Lists of requests are made one element at a time while they are written.

mod cost;
mod input;
mod latency;
mod request;
mod shows;
mod totals;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{IncidentRow, Report};
use crate::units::Nanos;
use cost::Cost;
use input::{Input, Integrity};
use latency::Latency;
pub use request::Request;
use shows::{Drift, Signal};
use totals::{Incident, Summary};

/// Name and version of the shape.
pub const SCHEMA: &str = "agentdiag.analyze.v1";

/// The whole object.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    tool_version: &'static str,
    inputs: Vec<Input<'a>>,
    integrity: Integrity<'a>,
    summary: Summary<'a>,
    #[serde(serialize_with = "incidents")]
    incidents: &'a Report<'a>,
    #[serde(serialize_with = "requests")]
    requests: &'a Report<'a>,
    cost: Cost<'a>,
    drift: Drift<'a>,
    latency: Latency<'a>,
    signals: Vec<Signal>,
}

impl<'a> From<&'a Report<'a>> for Document<'a> {
    fn from(report: &'a Report<'a>) -> Self {
        let sums = report.sums();
        Self {
            schema: SCHEMA,
            tool_version: report.tool_version(),
            inputs: report.inputs().iter().map(Input::from).collect(),
            integrity: report.integrity().into(),
            summary: report.into(),
            incidents: report,
            requests: report,
            cost: report.into(),
            drift: (&sums.drift).into(),
            latency: (&sums.latency).into(),
            signals: sums.signals.iter().map(Signal::from).collect(),
        }
    }
}

fn incidents<S: Serializer>(report: &&Report<'_>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        report
            .incidents()
            .map(|row: IncidentRow<'_>| Incident::from(row)),
    )
}

fn requests<S: Serializer>(report: &&Report<'_>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(report.rows().map(|row| Request::from(&row)))
}

/// Milliseconds by name, in a given order.
struct Millis<const N: usize>([(&'static str, Nanos); N]);

impl<const N: usize> Serialize for Millis<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(N))?;
        for (name, time) in self.0 {
            map.serialize_entry(name, &time.as_millis())?;
        }
        map.end()
    }
}
