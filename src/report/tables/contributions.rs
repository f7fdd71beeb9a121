//! One row per slow request and cause that added time to it.

use super::{Cell, Column, Kind, column, millis, text};
use crate::diagnose::{Cause, Fact};
use crate::report::{Report, Row};
use crate::units::{Nanos, Ratio};

/// One entry of an account.
pub(super) struct Contribution<'a> {
    row: Row<'a>,
    cause: Cause,
    time: Nanos,
}

impl<'a> Contribution<'a> {
    fn proof(&self) -> Option<&'a Fact> {
        let mut claims = self.row.claims();
        let claim = claims.find(|claim| claim.cause == self.cause)?;
        Some(&claim.evidence.first)
    }
}

pub(super) fn rows<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Contribution<'a>> {
    report.rows().filter(Row::slow).flat_map(|row| {
        let shares = Cause::ALL.into_iter().zip(row.contributions());
        let taken = shares.filter(|(_, time)| *time > Nanos::ZERO);
        taken.map(move |(cause, time)| Contribution { row, cause, time })
    })
}

pub(super) fn columns<'a>() -> Vec<Column<Contribution<'a>>> {
    vec![
        column("trace_id", Kind::Text, "the request, as in requests", |c| {
            text(c.row.request.trace.to_string())
        }),
        column(
            "root_span_id",
            Kind::Text,
            "the request, as in requests",
            |c| text(c.row.root_span().to_string()),
        ),
        column("cause", Kind::Text, "a cause", |c| text(c.cause.label())),
        column(
            "added_ms",
            Kind::Number,
            "time it added; sums to excess_ms of the request",
            |c| millis(c.time),
        ),
        column("share", Kind::Number, "of the excess, 0 to 1", |c| {
            let share = Ratio {
                part: c.time.0,
                whole: c.row.excess().0,
            };
            share.share().map_or(Cell::Null, Cell::Number)
        }),
        column("verdict", Kind::Truth, "it is the verdict", |c| {
            Cell::Truth(c.row.cause() == Some(c.cause))
        }),
        column(
            "fact",
            Kind::Text,
            "strongest evidence: what was measured",
            |c| text(c.proof().map_or("", |fact| fact.fact)),
        ),
        column("observed", Kind::Number, "the value seen", |c| {
            c.proof()
                .map_or(Cell::Null, |fact| Cell::Number(fact.observed))
        }),
        column(
            "normal",
            Kind::Number,
            "the value this step normally has",
            |c| {
                let normal = c.proof().and_then(|fact| fact.expected);
                normal.map_or(Cell::Null, Cell::Number)
            },
        ),
        column("unit", Kind::Text, "unit of both", |c| {
            text(c.proof().map_or("", |fact| fact.unit))
        }),
        column("span_id", Kind::Text, "where it was seen", |c| {
            let span = c.proof().and_then(|fact| c.row.span_of(fact));
            text(span.map_or(String::new(), |(id, _)| id.to_string()))
        }),
        column("note", Kind::Text, "the evidence in words", |c| {
            text(c.proof().map_or("", |fact| fact.note.as_str()))
        }),
    ]
}
