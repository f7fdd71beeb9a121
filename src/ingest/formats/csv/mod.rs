//! Tables of spans with a header line: exports of Langfuse, LangSmith, Phoenix and SigNoz, and the
//! tables that benchmarks for root-cause analysis come in. A row becomes the record that the JSON
//! readers know, each cell under the name that its column stands for.
//!
//! A line break inside quotes ends no row. Where quotes do not add up, the first line of what looked like a
//! row is counted as lost and reading goes on at the next.

mod column;
mod row;

use super::record::Reader;
use super::{Chunk, Format, Head, Layout, Parts};
use crate::ingest::fields::{Fields, check_text};
use crate::ingest::json::Json;
use crate::ingest::outlet::Outlet;
use crate::model::IssueKind;

use self::column::{Sort, Table, may_be_header};

/// CSV tables.
pub(super) const FORMAT: Format = Format {
    name: "csv-spans",
    about: "CSV tables of spans: Langfuse, LangSmith, Phoenix, SigNoz and Honeycomb exports, Nezha",
    gives: "one span per row",
    loses: "nesting and types of attributes",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let line = head.bytes.split(|&b| b == b'\n').next()?;
    Table::of(line).map(|_| Layout::Text(divide))
}

/// Cuts after a row; all of them depend on the last header.
fn divide(bytes: &[u8], whole: bool, header: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        let Some(end) = row::end(bytes, at) else {
            return if whole { bytes.len() } else { at };
        };
        let line = bytes.get(at..end).unwrap_or_default();
        if may_be_header(line) && Table::of(line).is_some() {
            *header = line.to_vec();
        }
        at = end + 1;
    }
    at
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let Parts::Text(before) = &chunk.parts else {
        return;
    };
    let mut table = Table::of(before).map(|table| table.filling(|key| out.wants(key)));
    let (mut cells, mut text, mut at) = (Vec::new(), Vec::new(), 0);
    while at < chunk.bytes.len() {
        let start = at;
        at = row::read(&chunk.bytes, start, &mut cells);
        if matches!(cells[..], [cell] if cell.is_blank()) {
            continue;
        }
        // Several tables may have been put into one file.
        let line = chunk.bytes.get(start..at).unwrap_or_default();
        if may_be_header(line)
            && let Some(new) = Table::of(line)
        {
            table = Some(new.filling(|key| out.wants(key)));
            continue;
        }
        let Some(table) = &table else {
            continue;
        };
        if cells.len() != table.count {
            let (found, wanted) = (cells.len(), table.count);
            let detail = format!("a row with {found} cells under {wanted} columns");
            out.issue(IssueKind::MalformedRecord, start, detail);
            at = memchr::memchr(b'\n', line).map_or(at, |end| start + end + 1);
            continue;
        }
        table.write(&cells, &mut text);
        let mut reader = Reader::new(Json::new(&text), start, out);
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
