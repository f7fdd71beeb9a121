//! What columns stand for.

use super::row::{self, Cell};
use crate::ingest::json::{is_whole, quote};

/// Which reader the rows go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// One span per row.
    Flat,
    /// One observation per row.
    Langfuse,
    /// One run per row.
    LangSmith,
}

/// Where the cells of a column go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Column {
    /// To a field of this name.
    Field(String),
    /// To an attribute.
    Attribute(String),
    /// To an attribute of the resource.
    Resource(String),
    /// Nowhere.
    Nothing,
}

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) sort: Sort,
    pub(super) columns: Vec<Column>,
}

/// Longer lines are no headers.
const LONGEST: usize = 16_384;

impl Table {
    /// The table that `line` is the header of; `None` when it is none of spans.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii();
        if !may_be_header(line) || matches!(line.first(), None | Some(b'{' | b'[' | b'#')) {
            return None;
        }
        let mut cells = Vec::new();
        row::read(line, 0, &mut cells);
        let names: Vec<String> = cells
            .iter()
            .map(|cell| {
                let mut text = Vec::new();
                cell.text(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
            .collect();
        let bare: Vec<String> = names.iter().map(|name| bare(name)).collect();
        let has = |sought: &[&str]| bare.iter().any(|b| sought.contains(&b.as_str()));
        let sort = match () {
            () if has(&["runtype"]) && has(&["id"]) => Sort::LangSmith,
            () if has(&["parentobservationid"]) && has(&["id"]) => Sort::Langfuse,
            () if has(&["traceid", "contexttraceid", "tracetraceid"])
                && has(&["spanid", "contextspanid", "tracespanid"])
                && has(&["start", "starttime", "starttimeunixnano", "timestamp"]) =>
            {
                Sort::Flat
            }
            () => return None,
        };
        let ends = has(&["end", "endtime", "endtimeunixnano"]);
        let columns = names
            .into_iter()
            .zip(&bare)
            .map(|(name, bare)| match sort {
                Sort::Flat => flat(name, bare, ends),
                Sort::Langfuse | Sort::LangSmith => Column::Field(name),
            })
            .collect();
        Some(Self { sort, columns })
    }

    /// How rows are written; `wants` tells which attributes are of use.
    pub(super) fn filling(self, wants: impl Fn(&[u8]) -> bool) -> Filling {
        let count = self.columns.len();
        let (mut fields, mut attributes, mut resource) = (Vec::new(), Vec::new(), Vec::new());
        for (cell, column) in self.columns.into_iter().enumerate() {
            let (list, name, always) = match column {
                Column::Field(name) => (&mut fields, name, true),
                Column::Attribute(name) => (&mut attributes, name, false),
                Column::Resource(name) => (&mut resource, name, true),
                Column::Nothing => continue,
            };
            let always = always || wants(name.as_bytes());
            let mut key = Vec::new();
            quote(name.as_bytes(), &mut key);
            key.push(b':');
            list.push(Entry { cell, key, always });
        }
        Filling {
            sort: self.sort,
            count,
            fields,
            attributes,
            resource,
        }
    }
}

/// How the rows of a table are written as JSON objects.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) sort: Sort,
    /// How many cells a row has.
    pub(super) count: usize,
    fields: Vec<Entry>,
    attributes: Vec<Entry>,
    resource: Vec<Entry>,
}

/// A cell of every row.
#[derive(Debug)]
struct Entry {
    cell: usize,
    /// Its name as a JSON key, with the colon.
    key: Vec<u8>,
    /// Wanted whatever it is; other cells may hold objects with wanted entries.
    always: bool,
}

impl Filling {
    /// Writes a row as a JSON object.
    pub(super) fn write(&self, cells: &[Cell<'_>], into: &mut Vec<u8>) {
        into.clear();
        into.push(b'{');
        entries(&self.fields, cells, into);
        for (name, list) in [
            (&b"\"attributes\":{"[..], &self.attributes),
            (b"\"resource\":{", &self.resource),
        ] {
            let start = into.len();
            into.extend(name);
            match entries(list, cells, into) {
                true => close(into),
                false => into.truncate(start),
            }
        }
        if into.last() == Some(&b',') {
            into.pop();
        }
        into.push(b'}');
    }
}

/// Writes the cells of a list that are not blank, each with a comma; true when there were any.
fn entries(list: &[Entry], cells: &[Cell<'_>], into: &mut Vec<u8>) -> bool {
    let start = into.len();
    for Entry { cell, key, always } in list {
        let Some(cell) = cells.get(*cell).filter(|cell| !cell.is_blank()) else {
            continue;
        };
        let packed = matches!(cell.first(), Some(b'{' | b'['));
        if *always || packed {
            into.extend(key);
            value(*cell, packed, into);
            into.push(b',');
        }
    }
    into.len() > start
}

/// JSON that is whole stays JSON, all else is text.
fn value(cell: Cell<'_>, packed: bool, into: &mut Vec<u8>) {
    let start = into.len();
    if packed {
        cell.text(into);
        if is_whole(into.get(start..).unwrap_or_default()) {
            return;
        }
        into.truncate(start);
    }
    cell.quote(into);
}

fn close(into: &mut Vec<u8>) {
    into.pop();
    into.extend(b"},");
}

/// True when a line looks enough like a header to be read as one: a cell that ends in `id`.
pub(super) fn may_be_header(line: &[u8]) -> bool {
    line.len() <= LONGEST
        && memchr::memchr2_iter(b'd', b'D', line).any(|at| {
            let before = at.checked_sub(1).and_then(|at| line.get(at));
            let after = line.get(at + 1);
            matches!(before, Some(b'i' | b'I'))
                && matches!(after, None | Some(b',' | b'"' | b'\r' | b' '))
        })
}

/// Letters and digits of a name, in lower case.
fn bare(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn flat(name: String, bare: &str, ends: bool) -> Column {
    let field = match bare {
        "traceid" | "contexttraceid" | "tracetraceid" => "trace_id",
        "spanid" | "contextspanid" | "tracespanid" => "span_id",
        "parentid" | "parentspanid" | "traceparentid" => "parent_id",
        "operationname" | "spanname" | "name" => "name",
        "start" | "starttime" | "starttimeunixnano" | "timestamp" => "start_time",
        "end" | "endtime" | "endtimeunixnano" => "end_time",
        // The unit differs from table to table, and the end is known.
        "duration" if ends => return Column::Nothing,
        "duration" | "durationnano" | "durationnanos" | "durationns" => "duration_nano",
        "durationms" => "duration_ms",
        "kind" | "spankind" | "kindstring" => "kind",
        "statuscode" | "statuscodestring" => "status_code",
        "statusmessage" => "status_message",
        "service" | "servicename" => "service_name",
        "events" => "events",
        "attributes" | "attributesstring" => "attributes",
        "resources" | "resourcesstring" => "resources",
        "metaannotationtype" => "meta.annotation_type",
        "podname" => return Column::Resource("k8s.pod.name".into()),
        "index" | "" => return Column::Nothing,
        _ => {
            let inside = name.strip_prefix("attributes.").map(str::to_owned);
            return Column::Attribute(inside.unwrap_or(name));
        }
    };
    Column::Field(field.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_objects() {
        let table = Table::of(
            b"TraceID,SpanID,PodName,StartTimeUnixNano,note,attributes.llm.x,attributes.llm.y",
        )
        .unwrap();
        assert_eq!(table.sort, Sort::Flat);
        let table = table.filling(|name| name != b"llm.y");
        let mut cells = Vec::new();
        row::read(
            b"a,b,p,5,\"say \"\"hi\"\"\",\"{\"\"k\"\":1}\",z",
            0,
            &mut cells,
        );
        let mut into = Vec::new();
        table.write(&cells, &mut into);
        assert_eq!(
            String::from_utf8_lossy(&into),
            r#"{"trace_id":"a","span_id":"b","start_time":"5","attributes":{"note":"say \"hi\"","llm.x":{"k":1}},"resource":{"k8s.pod.name":"p"}}"#
        );
        row::read(b",,,,,,", 0, &mut cells);
        table.write(&cells, &mut into);
        assert_eq!(into, b"{}");
    }

    #[test]
    fn other_tables_are_none_of_spans() {
        for line in [
            "",
            "a,b,c",
            "TIMESTAMP,ContextTokens,GeneratedTokens",
            "{\"trace_id\"",
        ] {
            assert!(Table::of(line.as_bytes()).is_none(), "{line}");
        }
    }
}
