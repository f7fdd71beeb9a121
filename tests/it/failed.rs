//! Requests that ended in an error: counted, with what went wrong last before that, also where nothing was slow.

use std::fs;

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::otlp::Span;

const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;

/// A request of one model call: what the call failed with, and whether the request did.
fn request(n: u64, error: Option<&str>, failed: bool) -> [Span; 2] {
    let start = BEGIN + n * 60_000 * MS;
    let span = |id, parent, name: &str, end| Span {
        trace: n.into(),
        id: 10 * n + id,
        parent,
        name: name.into(),
        kind: 1,
        start,
        end,
        service: "agent".into(),
        scope: "made".into(),
        attributes: vec![("gen_ai.operation.name", json!(name))],
        ..Span::default()
    };
    let mut root = span(1, 0, "invoke_agent", start + 900 * MS);
    let mut call = span(2, 10 * n + 1, "chat", start + 800 * MS);
    root.failed = failed;
    call.failed = error.is_some();
    let error = error.map(|error| ("error.type", json!(error)));
    call.attributes.extend(error);
    call.attributes
        .push(("gen_ai.request.model", json!("some-model")));
    [root, call]
}

fn said(requests: &[[Span; 2]], form: &str) -> String {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("dump.jsonl");
    let lines: Vec<String> = requests.iter().flatten().map(Span::line).collect();
    fs::write(&path, lines.join("\n")).expect("written");
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    command.env_clear().args(["analyze", "--format", form]);
    let output = command.arg(&path).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn failed_requests_are_counted_by_their_last_error() {
    let mut unfinished = request(7, Some("401"), true);
    unfinished[0].end = 0;
    let requests = [
        request(1, Some("401"), true),
        request(2, Some("429"), true),
        request(3, Some("401"), true),
        // Retried in vain or not: the request came to a good end.
        request(4, Some("429"), false),
        request(5, None, true),
        request(6, None, false),
        unfinished,
    ];
    let report: Value = serde_json::from_str(&said(&requests, "json")).expect("JSON");
    let summary = &report["summary"];
    let counts = (&summary["ended"], &summary["failed"]);
    assert_eq!(counts, (&json!(6), &json!(4)));
    assert_eq!(summary["failed_share"], json!(4.0 / 6.0));
    assert_eq!(
        summary["failed_after"],
        json!({"auth": 2, "rate_limit": 1, "error": 1})
    );
    let line = "4 of 6 finished requests ended in an error (67%); the last before it: auth (2), rate_limit (1), without a class (1)";
    let text = said(&requests, "text");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&text).contains(&format!("Failed {line}")), "{text}");
    // Nothing was slow: what failed is what to look at.
    assert_eq!(summary["slow"], 0);
    assert_eq!(summary["failed_trace_id"], format!("{:032x}", 1));
    assert!(
        words(&text).contains("Next look at the first request that failed"),
        "{text}"
    );
    for form in ["markdown", "json"] {
        let text = said(&requests, form).replace('\\', "");
        assert!(text.contains(line), "{form}: {text}");
    }
}

#[test]
fn nothing_is_said_where_none_failed() {
    let requests = [request(1, None, false), request(2, Some("429"), false)];
    assert!(!said(&requests, "text").contains("Failed"));
}
