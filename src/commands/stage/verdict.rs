//! `agentdiag stage verdict`: requests of a partition to verdicts, and to rows of a table.

use std::io::Write;
use std::path::PathBuf;

use super::rows;
use crate::aggregate::{self, Aggregates, Cell, Prices};
use crate::commands::load::Inputs;
use crate::diagnose::{Judged, Options, Own, Shared, judge_part};
use crate::error::{Error, Outcome};
use crate::model::TraceId;
use crate::report::tables::Table;
use crate::report::{Findings, Report};
use crate::stage::{Column, Kind, Part, Rebuilt, Row, StreamError, Writer};

/// Which requests to judge.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Streams of requests.
    pub paths: Vec<PathBuf>,
    /// What was learned over all requests.
    pub windows: PathBuf,
    /// Prices and threads; nothing is read.
    pub inputs: Inputs,
}

pub(super) fn verdict(options: &Verdict, out: impl Write) -> Result<Outcome, Error> {
    let prices = options.inputs.prices()?;
    let mut out = Writer::with_columns(out, columns()).map_err(rows::failed)?;
    let mut parts: Vec<Part> = Vec::new();
    rows::each(&options.paths, |row| {
        if row.kind == Kind::Part {
            parts.push(row.read()?);
        }
        Ok(())
    })?;
    for part in parts {
        let (shared, own) = learned(&options.windows, part.key())?;
        let judged = options
            .inputs
            .on_threads(|_| judge(part, shared, own, &prices))?;
        judged
            .into_iter()
            .try_for_each(|row| out.push(row))
            .map_err(rows::failed)?;
    }
    out.finish().map_err(rows::failed)?;
    Ok(Outcome::Done)
}

fn columns() -> Vec<Column> {
    let columns = Table::Requests.columns().into_iter();
    columns.map(|(name, kind, _)| (name, kind)).collect()
}

/// What was learned over all requests, and of the part called `key`.
fn learned(path: &PathBuf, key: TraceId) -> Result<(Shared, Own), Error> {
    let (mut shared, mut own): (Option<Shared>, Option<Own>) = (None, None);
    rows::each(&[path], |row| {
        match row.kind {
            Kind::Windows => shared = Some(row.read()?),
            Kind::Own if row.trace == Some(key) => own = Some(row.read()?),
            _ => {}
        }
        Ok(())
    })?;
    shared.zip(own).ok_or_else(|| {
        Error::File(format!(
            "{}: says nothing of the partition whose first trace is {key}; expected the stream of stage windows over all partitions",
            path.display()
        ))
    })
}

fn judge(part: Part, shared: Shared, own: Own, prices: &Prices) -> Result<Vec<Row>, Error> {
    let (key, rule) = (part.key(), shared.rule);
    let rebuilt = part.alone(&shared.names);
    let judged = judge_part(&rebuilt.dataset, &rebuilt.forest, shared, own);
    let mut list = vec![Row::new(Kind::Verdicts, Some(key), &judged).map_err(rows::failed)?];
    requests(&rebuilt, &judged, &rule, prices, &mut list)?;
    Ok(list)
}

/// The requests as rows of the table that `agentdiag export` writes.
fn requests(
    rebuilt: &Rebuilt,
    judged: &Judged,
    rule: &Options,
    prices: &Prices,
    list: &mut Vec<Row>,
) -> Result<(), Error> {
    let (dataset, forest) = (&rebuilt.dataset, &rebuilt.forest);
    let per_request = aggregate::request_costs(dataset, forest, prices)
        .map_err(|error| Error::Fault(error.to_string()))?;
    let sums = Aggregates {
        per_request,
        ..Aggregates::default()
    };
    let report = Report::assemble(Findings {
        dataset,
        forest,
        diagnoses: &judged.diagnoses,
        incidents: &[],
        notes: &[],
        sums: &sums,
        rule,
    });
    let mut traces = forest.requests.iter().map(|request| request.trace);
    let take = |cells: &mut dyn Iterator<Item = Cell>| {
        list.push(Row {
            kind: Kind::Request,
            trace: traces.next(),
            body: Vec::new(),
            cells: cells.collect(),
        });
        Ok::<(), StreamError>(())
    };
    Table::Requests.rows(&report, take).map_err(rows::failed)
}
