//! Budgets over drift, against a dump, against what was saved of it, and in the course of a dump.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

const BEGIN: u64 = 1_778_572_800_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// A dump of requests of one agent. Of each ten, `tenths` call tool `b`, the others tool `a`.
fn chosen(folder: &Path, name: &str, tenths: impl Fn(u64) -> u64) -> String {
    let mut spans = Vec::new();
    for n in 0..160_u64 {
        let start = BEGIN + n * 20 * SECOND;
        let mut span = |id: u64, name: &str, at: u64, length: u64, attributes: &Value| {
            let parent = if id == 1 {
                String::new()
            } else {
                format!("{:016x}", (n << 8) + 1)
            };
            spans.push(json!({
                "traceId": format!("{:032x}", n + 1),
                "spanId": format!("{:016x}", (n << 8) + id),
                "parentSpanId": parent,
                "name": name,
                "kind": 1,
                "startTimeUnixNano": (start + at).to_string(),
                "endTimeUnixNano": (start + at + length).to_string(),
                "attributes": attributes,
            }));
        };
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let count = |key: &str, n: u64| json!({"key": key, "value": {"intValue": n.to_string()}});
        let tool = if n % 10 < tenths(n) { "b" } else { "a" };
        let operation = |word| text("gen_ai.operation.name", word);
        span(
            1,
            "task",
            0,
            3 * SECOND,
            &json!([operation("invoke_agent"), text("tenant.id", "t")]),
        );
        let call = json!([
            operation("chat"),
            text("gen_ai.request.model", "m"),
            count("gen_ai.usage.input_tokens", 900),
            count("gen_ai.usage.output_tokens", 60 + n % 7),
        ]);
        span(2, "chat", 1_000, SECOND, &call);
        span(
            3,
            tool,
            SECOND * 2,
            SECOND / 2,
            &json!([operation("execute_tool"), text("gen_ai.tool.name", tool)]),
        );
    }
    let service = json!([{"key": "service.name", "value": {"stringValue": "shop"}}]);
    let dump = json!({"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": [{"spans": spans}]}]});
    let path = folder.join(name);
    fs::write(&path, dump.to_string()).expect("written");
    path.to_string_lossy().into_owned()
}

fn run(args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let output = command.env_clear().args(args).output().expect("it runs");
    (
        output.status.code(),
        String::from_utf8(output.stdout).expect("UTF-8"),
    )
}

/// The verdict over one budget, and why it could not be told.
fn verdict(folder: &Path, budget: &str, base: Option<&str>, dump: &str) -> (String, String) {
    let path = folder.join("budget.toml");
    fs::write(&path, format!("[[budget]]\nname = \"d\"\n{budget}\n")).expect("written");
    let path = path.to_string_lossy();
    let mut args = vec!["check", "--json", "--budget", &path, dump];
    args.extend(base.into_iter().flat_map(|base| ["--baseline", base]));
    let (_, out) = run(&args);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let budget = &report["budgets"][0];
    let text = |key: &str| budget[key].as_str().unwrap_or_default().to_owned();
    (text("verdict"), budget.to_string())
}

#[test]
fn drift_breaks_a_budget_against_a_dump_and_against_what_was_saved_of_it() {
    let temporary = TempDir::new().expect("a scratch folder");
    let folder = temporary.path();
    let before = chosen(folder, "before.json", |_| 2);
    let same = chosen(folder, "same.json", |_| 2);
    let after = chosen(folder, "after.json", |_| 8);
    let turned = chosen(folder, "turned.json", |n| if n < 80 { 1 } else { 9 });
    let saved = folder.join("base.json").to_string_lossy().into_owned();
    assert_eq!(run(&["baseline", "-o", &saved, &before]).0, Some(0));
    let of = |budget: &str, base, dump: &str| verdict(folder, budget, base, dump).0;
    for base in [before.as_str(), saved.as_str()] {
        for limit in ["drift(tools) p > 0.01", "drift(tools) bits < 0.1"] {
            let budget = format!("expect = \"{limit}\"");
            assert_eq!(of(&budget, Some(base), &after), "broken", "{limit} {base}");
            assert_eq!(of(&budget, Some(base), &same), "kept", "{limit} {base}");
        }
    }
    let tools = "expect = \"drift(tools) p > 0.01\"";
    assert_eq!(of(tools, None, &turned), "broken", "in the course of it");
    assert_eq!(of(tools, None, &same), "kept");
    for alike in [
        "models",
        "completion",
        "rounds",
        "output_length",
        "finish_reasons",
    ] {
        let budget = format!("expect = \"drift({alike}) p > 0.01\"");
        let (verdict, why) = verdict(folder, &budget, Some(&before), &after);
        assert_ne!(verdict, "broken", "{why}");
    }
}

#[test]
fn drift_of_a_part_needs_a_dump_to_compare_with() {
    let temporary = TempDir::new().expect("a scratch folder");
    let folder = temporary.path();
    let before = chosen(folder, "before.json", |_| 2);
    let saved = folder.join("base.json").to_string_lossy().into_owned();
    assert_eq!(run(&["baseline", "-o", &saved, &before]).0, Some(0));
    let part = "expect = \"drift(tools) p > 0.01\"\nmatch = { tenant = \"t\" }";
    let (told, why) = verdict(folder, part, Some(&saved), &before);
    assert!(
        told == "cannot_tell" && why.contains("a saved baseline is of all"),
        "{why}"
    );
    let (told, why) = verdict(folder, part, Some(&before), &before);
    assert_eq!(told, "kept", "{why}");
}
