//! The frozen JSON shape `agentdiag.analyze.v1`, with its own structures, so that changes inside
//! the program cannot change it. Keys may be added; none is renamed, retyped or removed.
//!
//! The list of requests, nearly all of it, is made one element at a time while it is written.

mod cost;
mod coverage;
mod input;
mod latency;
mod price;
mod replay;
mod request;
mod shows;
mod totals;
mod trace;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{IncidentRow, Report};
use crate::units::Nanos;
use cost::Cost;
use coverage::Coverage;
pub(super) use input::{Input, Integrity};
use latency::Latency;
pub(super) use price::PriceTable;
pub use replay::{REPLAY_SCHEMA, ReplayDocument};
pub use request::Request;
use shows::{Drift, Reading, Signal};
use totals::{Incident, Summary};
pub use trace::{TRACE_SCHEMA, TraceDocument};

/// Name and version of the shape.
pub const SCHEMA: &str = "agentdiag.analyze.v1";

/// The whole object but for its requests, which are written one by one.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    tool_version: &'static str,
    inputs: Vec<Input<'a>>,
    integrity: Integrity<'a>,
    coverage: Vec<Coverage>,
    summary: Summary<'a>,
    #[serde(serialize_with = "incidents")]
    incidents: &'a Report<'a>,
    requests: [(); 0],
    cost: Cost<'a>,
    drift: Drift<'a>,
    latency: Latency<'a>,
    signals: Vec<Signal>,
    readings: Vec<Reading<'a>>,
}

impl<'a> From<&'a Report<'a>> for Document<'a> {
    fn from(report: &'a Report<'a>) -> Self {
        let sums = report.sums();
        Self {
            schema: SCHEMA,
            tool_version: report.tool_version(),
            inputs: report
                .inputs()
                .iter()
                .zip(report.taken())
                .map(Input::from)
                .collect(),
            integrity: report.integrity().into(),
            coverage: report.coverage().iter().map(Coverage::from).collect(),
            summary: report.into(),
            incidents: report,
            requests: [],
            cost: report.into(),
            drift: (&sums.drift).into(),
            latency: (&sums.latency).into(),
            signals: sums.signals.iter().map(Signal::from).collect(),
            readings: sums.readings.iter().map(Reading::from).collect(),
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
