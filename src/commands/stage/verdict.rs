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
use crate::stage::{Body, Column, Kind, Part, Rebuilt, Row, StreamError, Writer};

/// Which requests to judge.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Streams of requests.
    pub paths: Vec<PathBuf>,
    /// What was learned over all requests.
    pub windows: PathBuf,
    /// Whether each request is written as a row too.
    pub rows: bool,
    /// Prices and threads; nothing is read.
    pub inputs: Inputs,
}

pub(super) fn verdict(options: &Verdict, out: impl Write) -> Result<Outcome, Error> {
    let prices = options.inputs.prices()?;
    let mut out = Writer::with_columns(out, columns()).map_err(rows::failed)?;
    let mut parts: Vec<Row> = Vec::new();
    rows::each(&options.paths, |row| {
        if row.kind == Kind::Part {
            parts.push(row);
        }
        Ok(())
    })?;
    let pool = super::pool(options.inputs.threads)?;
    for row in parts {
        let read = Part::read(&row).map_err(|error| Error::File(error.to_string()));
        let (head, part) = read?;
        drop(row);
        if head.is_empty() {
            continue;
        }
        let (shared, own) = learned(&options.windows, head.key)?;
        let rule = shared.rule;
        let (rebuilt, judged) = pool.install(|| {
            let rebuilt = Rebuilt::alone(&head, part, &shared.names);
            let judged = judge_part(&rebuilt.dataset, &rebuilt.forest, shared, own);
            (rebuilt, judged)
        });
        let all = Row::new(Kind::Verdicts, Some(head.key.0), &judged);
        all.and_then(|row| out.push(row)).map_err(rows::failed)?;
        if options.rows {
            requests(&rebuilt, &judged, &rule, &prices, |row| out.push(row))
                .map_err(rows::failed)?;
        }
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
            Kind::Own if row.key == Some(key.0) => own = Some(row.read()?),
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

/// The requests as rows of the table that `agentdiag export` writes.
fn requests(
    rebuilt: &Rebuilt,
    judged: &Judged,
    rule: &Options,
    prices: &Prices,
    mut take: impl FnMut(Row) -> Result<(), StreamError>,
) -> Result<(), StreamError> {
    let (dataset, forest) = (&rebuilt.dataset, &rebuilt.forest);
    let per_request = aggregate::request_costs(dataset, forest, prices);
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
    Table::Requests.rows(&report, |cells: &mut dyn Iterator<Item = Cell>| {
        take(Row {
            kind: Kind::Request,
            key: traces.next().map(|trace| trace.0),
            body: Body::Own(Vec::new()),
            cells: cells.collect(),
        })
    })
}
