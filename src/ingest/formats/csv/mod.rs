//! Tables of spans with a header line: exports of Langfuse, LangSmith, Phoenix and SigNoz, and the
//! tables that benchmarks for root-cause analysis come in. A row becomes the record that the JSON
//! readers know, each cell under the name that its column stands for.
//!
//! A line break inside quotes is read as one; only where a chunk ends may such a row be lost, and is
//! counted then.

mod column;
mod row;

use super::record::Reader;
use super::{Chunk, Format, Head, Layout, Mark, Parts};
use crate::ingest::fields::{Fields, check_text};
use crate::ingest::json::Json;
use crate::ingest::outlet::Outlet;
use crate::model::IssueKind;

use self::column::{Sort, Table};

/// CSV tables.
pub(super) const FORMAT: Format = Format {
    name: "csv-spans",
    about: "CSV tables of spans: Langfuse, LangSmith, Phoenix and SigNoz exports, Nezha",
    gives: "one span per row",
    loses: "nesting and types of attributes",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let line = head.bytes.split(|&b| b == b'\n').next()?;
    Table::of(line).map(|_| Layout::Sections(mark))
}

/// Rows stand for themselves, and all of them depend on the header.
fn mark(line: &[u8]) -> Mark {
    match Table::of(line) {
        Some(_) => Mark::Context,
        None => Mark::Start,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let Parts::Sections(before) = &chunk.parts else {
        return;
    };
    let mut table = Table::of(before);
    let mut text = Vec::new();
    for row in row::rows(&chunk.bytes) {
        let bytes = chunk.bytes.get(row.clone()).unwrap_or_default();
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        // Several tables may have been put into one file.
        if let Some(new) = Table::of(bytes) {
            table = Some(new);
            continue;
        }
        let Some(table) = &table else {
            continue;
        };
        let cells: Vec<_> = row::cells(bytes).collect();
        if cells.len() != table.columns.len() {
            out.issue(IssueKind::MalformedRecord, row.start, {
                let (found, wanted) = (cells.len(), table.columns.len());
                format!("a row with {found} cells under {wanted} columns")
            });
            continue;
        }
        table.write(&cells, &mut text);
        let mut reader = Reader::new(Json::new(&text), row.start, out);
        let read = match table.sort {
            Sort::Flat => reader.flat_record(),
            Sort::Langfuse => reader.langfuse_item(),
            Sort::LangSmith => reader.lone_run(),
        };
        if let Err(broken) = read {
            reader.report(broken, false);
        }
    }
    check_text(&chunk.bytes, out);
}
