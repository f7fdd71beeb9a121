//! What columns stand for.

use std::borrow::Cow;

use super::row;
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
        if line.len() > LONGEST || matches!(line.first(), None | Some(b'{' | b'[' | b'#')) {
            return None;
        }
        let names: Vec<String> = row::cells(line)
            .map(|cell| String::from_utf8_lossy(&cell).trim().to_owned())
            .collect();
        let bare: Vec<String> = names.iter().map(|name| bare(name)).collect();
        let has = |sought: &[&str]| bare.iter().any(|b| sought.contains(&b.as_str()));
        let sort = match () {
            () if has(&["runtype"]) && has(&["id"]) => Sort::LangSmith,
            () if has(&["parentobservationid"]) && has(&["id"]) => Sort::Langfuse,
            () if has(&["traceid", "contexttraceid"])
                && has(&["spanid", "contextspanid"])
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

    /// Writes a row as a JSON object.
    pub(super) fn write(&self, cells: &[Cow<'_, [u8]>], into: &mut Vec<u8>) {
        into.clear();
        into.push(b'{');
        let filled = || {
            self.columns
                .iter()
                .zip(cells)
                .filter(|(_, c)| !c.is_empty())
        };
        for (column, cell) in filled() {
            if let Column::Field(name) = column {
                entry(name, cell, into);
            }
        }
        for resource in [false, true] {
            let start = into.len();
            into.extend(match resource {
                true => b"\"resource\":{".as_slice(),
                false => b"\"attributes\":{".as_slice(),
            });
            let empty = into.len();
            for (column, cell) in filled() {
                match (column, resource) {
                    (Column::Attribute(name), false) | (Column::Resource(name), true) => {
                        entry(name, cell, into);
                    }
                    _ => {}
                }
            }
            match into.len() == empty {
                true => into.truncate(start),
                false => close(into),
            }
        }
        if into.last() == Some(&b',') {
            into.pop();
        }
        into.push(b'}');
    }
}

fn close(into: &mut Vec<u8>) {
    if into.last() == Some(&b',') {
        into.pop();
    }
    into.extend(b"},");
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
        "traceid" | "contexttraceid" => "trace_id",
        "spanid" | "contextspanid" => "span_id",
        "parentid" | "parentspanid" => "parent_id",
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
        "podname" => return Column::Resource("k8s.pod.name".into()),
        "index" | "" => return Column::Nothing,
        _ => {
            let inside = name.strip_prefix("attributes.").map(str::to_owned);
            return Column::Attribute(inside.unwrap_or(name));
        }
    };
    Column::Field(field.into())
}

/// A key and its value: JSON that is whole stays JSON, all else is text.
fn entry(name: &str, cell: &[u8], into: &mut Vec<u8>) {
    quote(name.as_bytes(), into);
    into.push(b':');
    let cell = cell.trim_ascii();
    match is_whole(cell) {
        true => into.extend(cell),
        false => quote(cell, into),
    }
    into.push(b',');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_objects() {
        let table =
            Table::of(b"TraceID,SpanID,PodName,StartTimeUnixNano,note,attributes.llm.x").unwrap();
        assert_eq!(table.sort, Sort::Flat);
        let cells = row::cells(b"a,b,p,5,\"say \"\"hi\"\"\",\"{\"\"k\"\":1}\"").collect::<Vec<_>>();
        let mut into = Vec::new();
        table.write(&cells, &mut into);
        assert_eq!(
            String::from_utf8_lossy(&into),
            r#"{"trace_id":"a","span_id":"b","start_time":"5","attributes":{"note":"say \"hi\"","llm.x":{"k":1}},"resource":{"k8s.pod.name":"p"}}"#
        );
        table.write(&row::cells(b",,,,,").collect::<Vec<_>>(), &mut into);
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
