//! A check as SARIF 2.1.0, with each finding at its budget's line. Source: OASIS, "Static Analysis Results
//! Interchange Format (SARIF) Version 2.1.0".

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::report::check::{CheckReport, Line, Verdict, word};

/// Writes the check as a SARIF log with one run: results for what is broken, notifications for what cannot be told.
///
/// # Errors
/// When `out` cannot be written.
pub fn sarif(check: &CheckReport<'_>, mut out: impl Write) -> io::Result<()> {
    let lines: Vec<Line<'_>> = check.lines().collect();
    let rules: Vec<Value> = lines.iter().map(rule).collect();
    let numbered = || lines.iter().enumerate();
    let broken = numbered()
        .filter(|(_, line)| matches!(line.finding.verdict, Verdict::Broken | Verdict::Warned));
    let results: Vec<Value> = broken
        .map(|(index, line)| result(index, line, check))
        .collect();
    let untold = numbered().filter(|(_, line)| line.finding.verdict == Verdict::CannotTell);
    let notes: Vec<Value> = untold
        .map(|(index, line)| {
            json!({
                "level": if check.is_strict() { "error" } else { "note" },
                "message": {"text": line.message()},
                "associatedRule": {"id": line.budget.name, "index": index},
                "locations": [location(line, check)],
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "agentdiag",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "exitCode": check.outcome().code(),
                "toolExecutionNotifications": notes,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut out, &log)?;
    writeln!(out)
}

fn rule(line: &Line<'_>) -> Value {
    json!({
        "id": line.budget.name,
        "shortDescription": {"text": line.budget.text},
        "fullDescription": {"text": format!("Expected of the requests: {}", line.budget.text)},
        "help": {"text": "See agentdiag-budget(5); `agentdiag trace ID` shows one request in full."},
        "defaultConfiguration": {"level": "error"},
    })
}

fn result(index: usize, line: &Line<'_>, check: &CheckReport<'_>) -> Value {
    let finding = line.finding;
    let worst = finding.worst.map(|worst| worst.trace.to_string());
    json!({
        "ruleId": line.budget.name,
        "ruleIndex": index,
        "level": if finding.verdict == Verdict::Broken { "error" } else { "warning" },
        "message": {"text": line.message()},
        "locations": [location(line, check)],
        "partialFingerprints": {"agentdiag.budget/v1": line.budget.name},
        "properties": {
            "verdict": word(finding.verdict),
            "value": finding.value,
            "atBest": finding.at_best,
            "limit": finding.limit,
            "n": finding.n,
            "worstTrace": worst,
        },
    })
}

fn location(line: &Line<'_>, check: &CheckReport<'_>) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(check.file())},
        "region": {
            "startLine": line.budget.place.line,
            "startColumn": line.budget.place.column,
        },
    }})
}

/// A path as a relative reference (RFC 3986), or as a `file` URI where it is absolute.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char);
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("ci/a b:%.toml"), "ci/a%20b%3A%25.toml");
        assert_eq!(uri("/etc/b.toml"), "file:///etc/b.toml");
    }
}
