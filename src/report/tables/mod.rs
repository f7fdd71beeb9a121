//! The result as tables, for notebooks and databases: requests, their calls, all spans, and what
//! each cause contributed. Each column is said once: its name, its type, what it means, its value.

mod calls;
mod contributions;
mod requests;
mod spans;

use std::borrow::Cow;

use super::{Report, Row};
pub use crate::aggregate::{Cell, Kind};
use crate::trace::Part;
use crate::units::human::rfc3339;
use crate::units::{Nanos, Sym};

/// How the value of a column is had from a row.
enum Value<R> {
    Of(fn(&R) -> Cell),
    OfPart(fn(&R, Part) -> Cell, Part),
}

/// One column of a table over `R`.
pub struct Column<R> {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its type.
    pub kind: Kind,
    /// What it means.
    pub about: &'static str,
    value: Value<R>,
}

impl<R> Column<R> {
    fn cell(&self, row: &R) -> Cell {
        match self.value {
            Value::Of(value) => value(row),
            Value::OfPart(value, part) => value(row, part),
        }
    }
}

/// Name, type and meaning of a column.
pub type About = (Cow<'static, str>, Kind, &'static str);

/// A table there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    /// One row per request.
    Requests,
    /// One row per model or tool call, counted once however many spans recorded it.
    Calls,
    /// One row per span.
    Spans,
    /// One row per request and cause that added time to it.
    Contributions,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 4] = [
        Self::Requests,
        Self::Calls,
        Self::Spans,
        Self::Contributions,
    ];

    /// Its name, and that of its file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Calls => "calls",
            Self::Spans => "spans",
            Self::Contributions => "contributions",
        }
    }

    /// What a row is.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Requests => "one row per request",
            Self::Calls => {
                "one row per model or tool call, counted once however many spans recorded it"
            }
            Self::Spans => "one row per span, times after repairs",
            Self::Contributions => "one row per slow request and cause that added time to it",
        }
    }

    /// Its columns.
    #[must_use]
    pub fn columns(self) -> Vec<About> {
        match self {
            Self::Requests => about(&requests::columns()),
            Self::Calls => about(&calls::columns()),
            Self::Spans => about(&spans::columns()),
            Self::Contributions => about(&contributions::columns()),
        }
    }

    /// Hands every row to `take`, in a stable order.
    ///
    /// # Errors
    /// The first that `take` gives.
    pub fn rows<E>(
        self,
        report: &Report<'_>,
        take: impl FnMut(&mut dyn Iterator<Item = Cell>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Requests => each(&requests::columns(), report.rows(), take),
            Self::Calls => each(&calls::columns(), calls::rows(report), take),
            Self::Spans => each(&spans::columns(), spans::rows(report), take),
            Self::Contributions => {
                each(&contributions::columns(), contributions::rows(report), take)
            }
        }
    }
}

fn about<R>(columns: &[Column<R>]) -> Vec<About> {
    let about = |c: &Column<R>| (c.name.clone(), c.kind, c.about);
    columns.iter().map(about).collect()
}

fn each<R, E>(
    columns: &[Column<R>],
    rows: impl Iterator<Item = R>,
    mut take: impl FnMut(&mut dyn Iterator<Item = Cell>) -> Result<(), E>,
) -> Result<(), E> {
    for row in rows {
        take(&mut columns.iter().map(|column| column.cell(&row)))?;
    }
    Ok(())
}

fn column<R>(
    name: &'static str,
    kind: Kind,
    about: &'static str,
    cell: fn(&R) -> Cell,
) -> Column<R> {
    Column {
        name: name.into(),
        kind,
        about,
        value: Value::Of(cell),
    }
}

/// Text; empty is not known.
fn text(text: impl Into<String>) -> Cell {
    let text = text.into();
    match text.is_empty() {
        true => Cell::Null,
        false => Cell::Text(text),
    }
}

fn count(number: impl TryInto<i64>) -> Cell {
    number.try_into().map_or(Cell::Null, Cell::Integer)
}

fn counted<N: TryInto<i64>>(number: Option<N>) -> Cell {
    number.map_or(Cell::Null, count)
}

fn millis(time: Nanos) -> Cell {
    Cell::Number(time.as_millis())
}

fn timed(time: Option<Nanos>) -> Cell {
    time.map_or(Cell::Null, millis)
}

fn instant(time: Nanos) -> Cell {
    text(rfc3339(time))
}

fn named(row: &Row<'_>, sym: Sym) -> Cell {
    text(row.report.dataset().text(sym))
}
