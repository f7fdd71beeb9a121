//! Limits: what exceeds one is left out and named with its place and the option that raises it.

use super::{GOOD, TRACE, analyze, entry, folder, has_entry, requests, run};

/// The good dump with one more attribute, written as JSON, on its first span.
fn with_attribute(key: &str, value: &str) -> String {
    let mark = "\"attributes\":[{\"key\":\"gen_ai.operation.name\"";
    let more = format!("{{\"key\":\"{key}\",\"value\":{value}}},");
    let at = GOOD.find(mark).expect("it is there") + "\"attributes\":[".len();
    let dump = [&GOOD[..at], &more, &GOOD[at..]].concat();
    [GOOD, &dump.replace(TRACE, &"1".repeat(32))].concat()
}

/// `inner` between so many of `open` and `close`.
fn nested(levels: usize, open: &str, inner: &str, close: &str) -> String {
    [&open.repeat(levels), inner, &close.repeat(levels)].concat()
}

/// An object that goes on with a list `key` of what is nested in it.
fn opened(object: &str, key: &str) -> String {
    let inside = object.strip_suffix('}').expect("an object");
    format!("{inside},\"{key}\":[")
}

/// Lines of `format` whose values, or spans, are nested `levels` deep.
fn deep(format: &str, levels: usize) -> String {
    let key = "gen_ai.tool.call.arguments";
    let text = r#"{"stringValue":"x"}"#;
    let list = nested(levels, "[", "\"x\"", "]");
    let within = |object: &str, key| nested(levels, &opened(object, key), object, "]}");
    match format {
        "otlp list" => {
            let open = r#"{"arrayValue":{"values":["#;
            with_attribute(key, &nested(levels, open, text, "]}}"))
        }
        "otlp map" => {
            let open = r#"{"kvlistValue":{"values":[{"key":"k","value":"#;
            with_attribute(key, &nested(levels, open, text, "}]}}"))
        }
        "otlp plain list" => with_attribute(key, &list),
        "records" => record(&format!("{{\"{key}\":{list}}}")),
        "record maps" => {
            let maps = nested(levels, "{\"k\":", "\"x\"", "}");
            record(&format!("{{\"{key}\":{maps}}}"))
        }
        "spans in spans" => within(&record("{}"), "child_spans"),
        "segments" => within(SEGMENT, "subsegments"),
        "runs" => within(RUN, "child_runs"),
        "logs" => {
            let line = |message: &str| {
                format!(
                    r#"{{"timestamp":"2026-05-03T08:00:00Z","level":"info","trace_id":"{TRACE}","message":{message}}}"#
                )
            };
            [line(&list), line("1")].join("\n")
        }
        _ => panic!("{format}"),
    }
}

fn record(attributes: &str) -> String {
    format!(
        r#"{{"trace_id":"{TRACE}","span_id":"00000000000000ab","name":"x","start_time":"2026-05-03T08:00:00Z","end_time":"2026-05-03T08:00:01Z","attributes":{attributes}}}"#
    )
}

const SEGMENT: &str = r#"{"id":"00000000000000ab","name":"x","start_time":1760000000,"end_time":1760000001,"trace_id":"1-68e777c0-a006649127e371903a2de979","origin":"AWS::ECS"}"#;

const RUN: &str = r#"{"id":"aaaaaaaa-0000-0000-0000-000000000001","trace_id":"aaaaaaaa-0000-0000-0000-000000000001","name":"chain","run_type":"chain","start_time":"2025-10-09T08:53:20.0","end_time":"2025-10-09T08:53:23.5","inputs":{}}"#;

#[test]
fn values_and_spans_nested_too_deep() {
    for format in [
        "otlp list",
        "otlp map",
        "otlp plain list",
        "records",
        "record maps",
        "spans in spans",
        "segments",
        "runs",
        "logs",
    ] {
        let text = deep(format, 240);
        let folder = folder(&[("deep.jsonl", text.as_bytes())]);
        let usual = analyze(folder.path(), &["deep.jsonl"]).json();
        let found = entry(&usual, "oversized_record");
        let detail = found["detail"].as_str().expect("a text");
        assert!(
            detail.contains("deeper than 100 levels"),
            "{format}: {detail}"
        );
        assert!(detail.contains("--max-nesting"), "{format}: {detail}");
        assert_eq!(found["file"], "deep.jsonl", "{format}");
        assert!(found["byte_offset"].is_u64(), "{format}");
        assert_eq!(
            analyze(folder.path(), &["--strict", "deep.jsonl"]).code,
            Some(2)
        );
        let raised = ["--max-nesting", "250", "deep.jsonl"];
        let raised = analyze(folder.path(), &raised).json();
        assert!(!has_entry(&raised, "oversized_record"), "{format}");
    }
    // No depth at all ends the run.
    for format in ["otlp list", "records", "record maps", "logs"] {
        let text = deep(format, 900);
        let folder = folder(&[("deep.jsonl", text.as_bytes())]);
        let raised = ["--max-nesting", "250", "deep.jsonl"];
        let report = analyze(folder.path(), &raised).json();
        assert!(has_entry(&report, "oversized_record"), "{format}");
    }
    let beyond = run(
        folder(&[]).path(),
        &["analyze", "--max-nesting", "251", "x"],
    );
    assert_eq!(beyond.code, Some(2));
    assert!(
        beyond.err.contains("251 is not in 1..=250"),
        "{}",
        beyond.err
    );
}

#[test]
fn texts_that_are_too_long() {
    let long = format!("{{\"stringValue\":\"{}\"}}", "x".repeat(3_000));
    let text = with_attribute("gen_ai.tool.call.arguments", &long);
    let folder = folder(&[("long.jsonl", text.as_bytes())]);
    let lowered = analyze(folder.path(), &["--max-text", "2kB", "long.jsonl"]).json();
    let found = entry(&lowered, "oversized_record");
    assert_eq!(
        found["detail"],
        "a text of more than 2000 bytes, left out; --max-text raises the limit"
    );
    let at = found["byte_offset"].as_u64().expect("a number") as usize;
    assert!((GOOD.len()..text.len()).contains(&at), "{at}");
    assert_eq!(requests(&lowered), 2);
    let usual = analyze(folder.path(), &["long.jsonl"]).json();
    assert!(!has_entry(&usual, "oversized_record"));
}

#[test]
fn names_that_are_too_long() {
    let dump = GOOD.replace("chat gpt", &"n".repeat(3_000));
    let folder = folder(&[("long.jsonl", dump.as_bytes())]);
    let said = analyze(folder.path(), &["--max-text", "2kB", "long.jsonl"]);
    assert!(!said.out.contains("nnnn"));
    assert!(has_entry(&said.json(), "oversized_record"));
}

#[test]
fn too_many_attributes() {
    let text = with_attribute("gen_ai.request.temperature", r#"{"doubleValue":1.0}"#);
    let folder = folder(&[("wide.jsonl", text.as_bytes())]);
    let lowered = analyze(folder.path(), &["--max-attributes", "1", "wide.jsonl"]).json();
    let found = entry(&lowered, "oversized_record");
    assert_eq!(
        found["detail"],
        "more than 1 attributes, the rest left out; --max-attributes raises the limit"
    );
    assert!(!has_entry(
        &analyze(folder.path(), &["wide.jsonl"]).json(),
        "oversized_record"
    ));
}

#[test]
fn records_that_are_too_large() {
    let large = with_attribute(
        "gen_ai.prompt",
        &format!("{{\"stringValue\":\"{}\"}}", "x".repeat(3 << 20)),
    );
    let folder = folder(&[("large.jsonl", large.as_bytes())]);
    let lowered = analyze(folder.path(), &["--max-record", "1MiB", "large.jsonl"]).json();
    let found = entry(&lowered, "oversized_record");
    assert_eq!(found["byte_offset"], GOOD.len());
    let detail = found["detail"].as_str().expect("a text");
    assert!(
        detail.contains("1048576 bytes") && detail.contains("--max-record"),
        "{detail}"
    );
    assert_eq!(requests(&lowered), 1);
    assert_eq!(
        requests(&analyze(folder.path(), &["large.jsonl"]).json()),
        2
    );
}
