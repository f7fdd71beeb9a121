//! Tables as Parquet or CSV.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::To;
use crate::aggregate::Cell;
#[cfg(feature = "parquet-export")]
use crate::aggregate::Parquet;
use crate::commands::output::write_file;
use crate::error::Error;
use crate::report::Report;
use crate::report::tables::Table;

/// Every table into a file of its name.
pub(super) fn all(report: &Report<'_>, to: To, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder)
        .map_err(|error| Error::File(format!("{}: cannot be made: {error}", folder.display())))?;
    let ending = match to {
        To::Csv => "csv",
        _ => "parquet",
    };
    for table in Table::ALL {
        let path = folder.join(format!("{}.{ending}", table.name()));
        write_file(&path, |file| one(report, to, table, file))?;
    }
    Ok(())
}

/// One table.
pub(super) fn one(report: &Report<'_>, to: To, table: Table, out: impl Write) -> io::Result<()> {
    match to {
        To::Csv => as_csv(report, table, out),
        _ => as_parquet(report, table, out),
    }
}

#[cfg(feature = "parquet-export")]
fn as_parquet(report: &Report<'_>, table: Table, out: impl Write) -> io::Result<()> {
    let columns = table.columns();
    let columns: Vec<_> = columns
        .iter()
        .map(|(name, kind, _)| (name.as_ref(), *kind))
        .collect();
    let mut file = Parquet::new(out, &columns)?;
    table.rows(report, |cells| file.row(cells))?;
    file.finish()
}

#[cfg(not(feature = "parquet-export"))]
fn as_parquet(_: &Report<'_>, _: Table, _: impl Write) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        super::NO_PARQUET,
    ))
}

fn as_csv(report: &Report<'_>, table: Table, out: impl Write) -> io::Result<()> {
    let mut file = csv::Writer::from_writer(out);
    file.write_record(table.columns().iter().map(|(name, ..)| name.as_ref()))?;
    table.rows(report, |cells| {
        for cell in cells {
            file.write_field(text(cell))?;
        }
        file.write_record(None::<&[u8]>)
    })?;
    file.flush()
}

/// Null is an empty field.
fn text(cell: Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => text,
        Cell::Integer(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Truth(truth) => truth.to_string(),
    }
}
