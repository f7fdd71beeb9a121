//! The HTML report: what is in it, and how it behaves in a browser. Tests that need a browser are ignored
//! where the build script found none.

mod browser;
mod devtools;

use std::path::{Path, PathBuf};

use agentdiag::render::chart::Subject;
use agentdiag::render::html;
use assert_cmd::Command;
use base64::Engine as _;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::sample;

/// A report in a scratch folder.
struct Page {
    _folder: TempDir,
    path: PathBuf,
    text: String,
}

fn report(inputs: &[&Path], more: &[&str]) -> Page {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("report.html");
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    command
        .arg("report")
        .args(inputs)
        .arg("-o")
        .arg(&path)
        .args(more);
    let output = command.output().expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(&path).expect("a page");
    Page {
        _folder: folder,
        path,
        text,
    }
}

/// A labelled recording with many causes.
fn mixed() -> Page {
    report(&[Path::new("fixtures/labelled/mixed-full-mixed")], &[])
}

/// Names that would be markup, script or control characters if anything forgot to escape them.
const NAMES: [&str; 5] = [
    "</script><script>window.owned=1</script>",
    "\\\"><img src=x onerror=window.owned=1>",
    "<!--<script>",
    "<svg onload=window.owned=1>'`${x}",
    "a\\u202ereversed\\u0000\\u0007",
];

/// A dump of requests in which everything that can be named is hostile, some of it slow.
fn hostile() -> Page {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut lines = String::new();
    for number in 0..60_u64 {
        let name = NAMES[number as usize % NAMES.len()];
        let start = 1_777_795_200_000_000_000 + number * 5_000_000_000;
        let tool = if number % 6 == 5 {
            20_000_000_000
        } else {
            300_000_000 + number * 1_000_000
        };
        let span = |id: u64, parent: &str, name: &str, from: u64, to: u64, attributes: &str| {
            format!(
                r#"{{"traceId":"{:032x}","spanId":"{:016x}","parentSpanId":"{parent}","name":"{name}","startTimeUnixNano":"{from}","endTimeUnixNano":"{to}","attributes":[{attributes}]}}"#,
                number + 1,
                number * 10 + id
            )
        };
        let text = |key: &str, value: &str| {
            format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
        };
        let root = format!("{:016x}", number * 10 + 1);
        let spans = [
            span(1, "", name, start, start + 1_000_000_000 + tool, &[text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", name)].join(",")),
            span(2, &root, name, start, start + 900_000_000, &[
                text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", name), text("server.address", name),
                r#"{"key":"gen_ai.usage.input_tokens","value":{"intValue":"900"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"60"}}"#.to_owned(),
            ].join(",")),
            span(3, &root, name, start + 950_000_000, start + 950_000_000 + tool, &[text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", name)].join(",")),
        ];
        lines.push_str(&format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{}]}},"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
            text("service.name", name),
            spans.join(",")
        ));
        lines.push('\n');
    }
    let path = folder
        .path()
        .join("<img src=x onerror=window.owned=1>.jsonl");
    std::fs::write(&path, lines).expect("written");
    report(&[&path], &[])
}

#[test]
fn the_page_needs_nothing_and_allows_only_its_own_script_and_style() {
    let page = mixed().text;
    let policy = page
        .split_once("Content-Security-Policy\" content=\"")
        .expect("a policy")
        .1;
    let policy = policy
        .split_once('"')
        .expect("its end")
        .0
        .replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let source = page
            .split_once(open)
            .expect(open)
            .1
            .split_once(close)
            .expect(close)
            .0;
        let hash =
            base64::engine::general_purpose::STANDARD.encode(Sha256::digest(source.as_bytes()));
        assert!(
            policy.contains(&format!("'sha256-{hash}'")),
            "{open} is not what the policy allows"
        );
    }
    // Neither runs inline nor is loaded: the policy would stop both, silently.
    assert!(!page.contains(" style=\"") && !page.contains(" onclick") && !page.contains("@import"));
    let addresses = page
        .match_indices("http")
        .map(|(at, _)| page[at..].chars().take(40).collect::<String>());
    let elsewhere: Vec<String> = addresses
        .filter(|a| a.contains("://") && !a.starts_with("http://www.w3.org/2000/svg"))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn every_section_is_there_and_ids_are_unique() {
    let page = mixed().text;
    for id in [
        "timeline",
        "incidents",
        "causes",
        "requests",
        "worst",
        "phases",
        "heat",
        "latency",
        "tools",
        "alerts",
        "load",
        "signals",
        "input",
    ] {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(
            page.contains(&format!("href=\"#{id}\"")),
            "{id} cannot be reached"
        );
    }
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn hostile_names_are_escaped() {
    let page = hostile().text;
    for markup in [
        "<script>window",
        "<img",
        "<svg onload",
        "<!--<script",
        "\u{202e}",
        "\u{0}",
    ] {
        assert!(!page.contains(markup), "{markup:?} came through");
    }
    assert!(
        page.contains("&lt;img src=x onerror=window.owned=1&gt;"),
        "names are shown as they are"
    );
}

#[test]
fn the_page_stays_small_however_large_the_dump() {
    let size = |requests| {
        let sample = sample::large(requests);
        let report = sample.report();
        let figures = report.figures();
        let subject = Subject {
            report: &report,
            figures: &figures,
            alerts: None,
        };
        html::page(subject).expect("a page").len()
    };
    let (some, many) = (size(30_000), size(100_000));
    assert!(many < 8_000_000, "{many} bytes for 100,000 requests");
    assert!(
        many < some + some / 20,
        "{some} bytes for 30,000, {many} for 100,000 requests"
    );
}

#[test]
fn the_same_input_gives_the_same_page() {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let command = command.args(["analyze", "--format", "html", "--threads", "1"]);
    let output = command
        .arg("fixtures/labelled/mixed-full-mixed")
        .output()
        .expect("it runs");
    assert!(mixed().text.as_bytes() == output.stdout);
}
