//! Formats that are recognised and not read: naming them is more help than "unknown".

use super::Head;

/// A format that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    /// Its name.
    pub(crate) name: &'static str,
    /// What to do instead, where that is more than all such inputs are told.
    pub(crate) hint: Option<&'static str>,
}

/// Bytes that start a file, with what they say.
const MAGIC: &[(&[u8], &str, &str)] = &[
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
    (
        b"PK\x03\x04",
        "a zip archive inside another file or from standard input",
        "save it as a file of its own and name that",
    ),
    (
        b"BZh",
        "bzip2",
        "unpack it first, or compress with gzip or zstd",
    ),
    (
        b"\xfd7zXZ\0",
        "xz",
        "unpack it first, or compress with gzip or zstd",
    ),
    (b"%PDF", "a PDF document", "export the data behind it"),
    (
        b"SQLite format 3\0",
        "a SQLite database",
        "export the spans as OTLP/JSON",
    ),
    (
        b"<!DOCTYPE",
        "an HTML page",
        "perhaps a sign-in form was saved instead of the export",
    ),
    (
        b"<html",
        "an HTML page",
        "perhaps a sign-in form was saved instead of the export",
    ),
    (b"<?xml", "an XML document", "export as JSON"),
    (
        b"{\"schema\":\"agentdiag.baseline",
        "a saved baseline, which keeps no spans",
        "name it with --baseline, beside a dump",
    ),
];

/// Keys that must all be there, with the format they name. In order of decision.
const KEYS: &[(&[&str], &str)] = &[
    (
        &["traceId", "id", "binaryAnnotations"],
        "Zipkin v1 JSON (fetch it from /api/v2)",
    ),
    (
        &["traceId", "id", "annotations.endpoint"],
        "Zipkin v1 JSON (fetch it from /api/v2)",
    ),
    (
        &["data.observations", "data.timestamp"],
        "a list of Langfuse traces without their observations (fetch those)",
    ),
    (
        &["traces.spanSets"],
        "a Tempo search result (fetch the traces by id)",
    ),
    (
        &["status", "data.resultType"],
        "an API response of Prometheus or Loki without series or lines",
    ),
    (
        &["trace_id", "span_id", "name"],
        "a list of spans without times",
    ),
    (
        &["schema", "tool_version"],
        "a report of agentdiag (read the dump it was made from)",
    ),
    (
        &["timestamp", "input_length", "output_length"],
        "a log of request sizes without spans and durations",
    ),
];

/// The unreadable format that `head` shows, if it is one of those that are known.
pub(crate) fn known_but_unread(head: &Head<'_>) -> Option<Known> {
    let magic = MAGIC
        .iter()
        .find(|(magic, ..)| head.bytes.starts_with(magic))
        .map(|&(_, name, hint)| Known {
            name,
            hint: Some(hint),
        });
    magic.or_else(|| by_keys(head)).or_else(|| csv(head.bytes))
}

fn by_keys(head: &Head<'_>) -> Option<Known> {
    let shape = head.shape.as_ref()?;
    let whole = KEYS.iter().find(|(keys, _)| shape.has_all(keys));
    let name = match whole {
        Some(&(_, name)) => name,
        None if shape.ends_with("spanContext.spanId") => "a list of spans without times",
        None => return None,
    };
    Some(Known { name, hint: None })
}

/// A header line of a table about model calls that has no spans.
fn csv(bytes: &[u8]) -> Option<Known> {
    let line = bytes.split(|&b| b == b'\n').next()?;
    let line = line.get(..line.len().min(4_000))?.to_ascii_lowercase();
    let has = |word: &[u8]| memchr::memmem::find(&line, word).is_some();
    if matches!(line.first(), Some(b'{' | b'[')) {
        return None;
    }
    let table = line.iter().filter(|b| **b == b',').count() > 1;
    (table && (has(b"trace_id") || has(b"traceid") || has(b"tokens"))).then_some(Known {
        name: "a CSV table without span ids and times",
        hint: Some("export the spans as JSON"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::json::Shape;

    fn name(bytes: &[u8]) -> Option<&'static str> {
        let head = Head {
            bytes,
            shape: Shape::of(bytes),
            lines: false,
        };
        known_but_unread(&head).map(|k| k.name)
    }

    #[test]
    fn formats_are_named_by_content() {
        assert_eq!(name(b"BZh9...."), Some("bzip2"));
        assert_eq!(
            name(br#"[{"traceId":"1","id":"1","binaryAnnotations":[]}]"#),
            Some("Zipkin v1 JSON (fetch it from /api/v2)")
        );
        assert_eq!(
            name(b"TraceID,SpanID,ParentID\n1,2,3"),
            Some("a CSV table without span ids and times")
        );
        assert_eq!(
            name(br#"{"schema":"agentdiag.baseline.v1","norms":{}}"#),
            Some("a saved baseline, which keeps no spans")
        );
        assert_eq!(name(br#"{"x":1}"#), None);
        assert_eq!(name(br#"{"trace_id":1,"a":2,"b":3}"#), None);
        assert_eq!(name(b"a, b"), None);
    }
}
