//! What people and models said never leaves the program: a word planted wherever programs write
//! content is in no output, no message and no file.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use agentdiag::cli::Cli;
use assert_cmd::Command;
use clap::CommandFactory;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The word that nobody may see.
const CANARY: &str = "zQ7canaryKx";

/// How each subcommand that reads a dump is run over the planted one; `DUMP` is its folder, `OUT` a
/// folder for files.
const RUNS: &[&[&str]] = &[
    &["analyze", "DUMP"],
    &["analyze", "--top", "100", "--width", "200", "DUMP"],
    &["analyze", "--json", "DUMP"],
    &["analyze", "--format", "ndjson", "-o", "OUT/rows", "DUMP"],
    &[
        "analyze",
        "--strict",
        "--slow-over",
        "1ms",
        "--json",
        "DUMP",
    ],
    &["analyze", "--format", "markdown", "DUMP"],
    &[
        "report",
        "--slow-over",
        "1ms",
        "-o",
        "OUT/report.html",
        "--charts",
        "OUT/charts",
        "DUMP",
    ],
    // A trace of the planted fixtures.
    &["trace", "01094c52", "DUMP"],
    &["trace", "01094c52", "--json", "DUMP"],
    &["trace", "no such id", "DUMP"],
    &["export", "--to", "otlp", "DUMP"],
    &["export", "--to", "csv", "-o", "OUT/csv", "DUMP"],
    &["export", "--to", "parquet", "-o", "OUT/parquet", "DUMP"],
    &["export", "--to", "openmetrics", "DUMP"],
    &["cost", "--by", "task,agent,tool,tenant,day", "DUMP"],
    &["cost", "--json", "DUMP"],
    &["drift", "DUMP"],
    &["drift", "--json", "DUMP"],
    &["replay", "DUMP"],
    &["replay", "--json", "DUMP"],
    &["rules", "DUMP"],
    &["baseline", "DUMP"],
    &["compare", "DUMP", "DUMP"],
    &["compare", "--json", "DUMP", "DUMP"],
    &["check", "--budget", "BUDGETS", "--baseline", "DUMP", "DUMP"],
    &[
        "check",
        "--budget",
        "BUDGETS",
        "--report",
        "junit=OUT/junit.xml",
        "--report",
        "sarif=OUT/check.sarif",
        "--report",
        "markdown=OUT/check.md",
        "--report",
        "github",
        "DUMP",
    ],
    &["check", "--budget", "BUDGETS", "--json", "DUMP"],
    &["baseline", "-o", "OUT/base.json", "DUMP"],
    // What further stages read is what this one writes.
    &["stage", "facts", "DUMP"],
    &["stage", "facts", "--parts", "3", "-o", "OUT/facts", "DUMP"],
];

/// Subcommands that read no dump.
const WITHOUT_DUMP: &[&str] = &["completions", "explain", "formats", "gpu", "help", "prices"];

#[test]
fn every_subcommand_is_tried() {
    let tried: Vec<&str> = RUNS.iter().map(|run| run[0]).collect();
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        assert!(
            tried.contains(&name) || WITHOUT_DUMP.contains(&name),
            "`{name}` is not tried with planted content"
        );
    }
}

#[test]
fn content_of_every_vocabulary_stays_inside() {
    let folder = TempDir::new().expect("a scratch folder");
    for path in dialect_fixtures() {
        let text = fs::read_to_string(&path).expect("readable");
        let mut dump: Value = serde_json::from_str(&text).expect("JSON");
        plant(&mut dump);
        let name = path.strip_prefix(fixtures()).expect("a fixture");
        let name = name.to_string_lossy().replace('/', "-");
        fs::write(folder.path().join(name), dump.to_string()).expect("written");
    }
    fs::write(folder.path().join("logs.json"), logs().to_string()).expect("written");
    nothing_leaks(folder.path());
}

#[test]
fn content_in_damaged_records_stays_inside() {
    let folder = TempDir::new().expect("a scratch folder");
    for (index, path) in dialect_fixtures().iter().enumerate() {
        let text = fs::read_to_string(path).expect("readable");
        let mut dump: Value = serde_json::from_str(&text).expect("JSON");
        plant(&mut dump);
        spoil(&mut dump);
        let whole = dump.to_string();
        // Cut inside a planted word, so that the unfinished text ends with it.
        let places: Vec<usize> = whole.match_indices(CANARY).map(|(at, _)| at).collect();
        let cut = places[places.len() * (index % 5 + 1) / 6] + CANARY.len();
        let file = format!("{index}.jsonl");
        fs::write(
            folder.path().join(file),
            format!("{whole}\n{}", &whole[..cut]),
        )
        .expect("written");
    }
    let lone = format!("{CANARY} {{\"resourceSpans\": \"{CANARY}\"}}\n{{\"{CANARY}\": [}}");
    fs::write(folder.path().join("lone.json"), lone).expect("written");
    nothing_leaks(folder.path());
}

#[test]
fn ids_of_customers_are_shown_as_digests_when_asked_for() {
    let folder = TempDir::new().expect("a scratch folder");
    let text = fs::read_to_string(fixtures().join("seed_agent/full.json")).expect("readable");
    let mut dump: Value = serde_json::from_str(&text).expect("JSON");
    for span in spans(&mut dump) {
        let ids = [
            "user.id",
            "session.id",
            "tenant.id",
            "gen_ai.conversation.id",
            "langfuse.user.id",
        ];
        let attributes = list(span, "attributes");
        attributes.retain(|a| !ids.contains(&key(a).as_str()) && key(a) != "agent.tenant");
        attributes.extend(ids.map(|id| json!({"key": id, "value": {"stringValue": CANARY}})));
    }
    fs::write(folder.path().join("dump.json"), dump.to_string()).expect("written");
    let run = |more: &[&str]| {
        let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
        let command = command.env_clear().current_dir(folder.path());
        let output = command
            .args(["analyze", "--json", "dump.json"])
            .args(more)
            .output();
        output.expect("it runs").stdout
    };
    assert!(leaks(&run(&[])), "the dump shows no id to hide");
    let (once, again) = (run(&["--redact"]), run(&["--redact"]));
    assert!(!leaks(&once) && !leaks(&again));
    assert_ne!(once, again, "two runs share a key");
    let keyed = ["--redact", "--redact-key", "k"];
    assert_eq!(run(&keyed), run(&keyed));
}

/// Content under every key of the list, in every kind of value, on every span; in events, status
/// messages and links.
fn plant(dump: &mut Value) {
    let message = json!([{"role": "user", "content": CANARY, "parts": [{"type": "text", "content": CANARY}]}]);
    let kinds = [
        json!({"stringValue": CANARY}),
        json!({"stringValue": message.to_string()}),
        json!({"arrayValue": {"values": [{"stringValue": CANARY}]}}),
        json!({"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": CANARY}}]}}),
        json!({"bytesValue": CANARY}),
    ];
    let mut next = 0;
    for span in spans(dump) {
        let attributes = list(span, "attributes");
        let present: Vec<String> = attributes.iter().map(key).collect();
        for attribute in attributes.iter_mut() {
            if content_keys().any(|content| content == key(attribute)) {
                attribute["value"] = said(&key(attribute), &kinds[0]);
            }
        }
        for content in content_keys().filter(|c| !present.iter().any(|p| p == c)) {
            next += 1;
            attributes
                .push(json!({"key": content, "value": said(content, &kinds[next % kinds.len()])}));
        }
        let events = [
            "exception",
            "gen_ai.user.message",
            "gen_ai.choice",
            "gen_ai.content.prompt",
            "tool.output",
        ];
        let time = span["startTimeUnixNano"].clone();
        let recorded = events.iter().map(|name| {
            let attributes = content_keys().map(|key| json!({"key": key, "value": kinds[0]}));
            json!({"name": name, "timeUnixNano": time, "attributes": attributes.collect::<Vec<_>>()})
        });
        list(span, "events").extend(recorded.collect::<Vec<_>>());
        span["status"] = json!({"code": 2, "message": format!("Error code: 429 - {CANARY}")});
        span["traceState"] = json!(CANARY);
    }
}

/// A value for `key`: where an address is expected, one with private parts.
fn said(key: &str, content: &Value) -> Value {
    match key {
        "url.full" | "http.url" => {
            let url = format!("https://me:{CANARY}@llm.example/v1/{CANARY}?key={CANARY}#{CANARY}");
            json!({"stringValue": url})
        }
        "http.target" => json!({"stringValue": format!("/v1/chat?key={CANARY}#{CANARY}")}),
        _ => content.clone(),
    }
}

/// Numbers that are words, ids that are sentences.
fn spoil(dump: &mut Value) {
    for (index, span) in spans(dump).into_iter().enumerate() {
        for attribute in list(span, "attributes") {
            if key(attribute).contains("tokens") {
                attribute["value"] = json!({"intValue": CANARY});
            }
        }
        match index % 4 {
            0 => span["endTimeUnixNano"] = json!(CANARY),
            1 => span["spanId"] = json!(CANARY),
            2 => span["kind"] = json!(CANARY),
            _ => span["status"] = json!(CANARY),
        }
    }
}

fn logs() -> Value {
    let record = json!({
        "timeUnixNano": "1777795200010000000",
        "severityText": "ERROR",
        "body": {"stringValue": CANARY},
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b171",
        "attributes": [{"key": "exception.message", "value": {"stringValue": CANARY}}],
    });
    json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [record]}]}]})
}

fn nothing_leaks(dump: &Path) {
    let out = TempDir::new().expect("a scratch folder");
    for run in RUNS {
        let place = |arg: &&str| -> OsString {
            let arg = arg.replace("DUMP", &dump.display().to_string());
            let budgets = concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/fixtures/budgets/agentdiag.toml"
            );
            let arg = arg.replace("BUDGETS", budgets);
            arg.replace("OUT", &out.path().display().to_string()).into()
        };
        let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
        let command = command.env_clear().current_dir(out.path());
        let said = command
            .args(run.iter().map(place))
            .output()
            .expect("it runs");
        assert!(
            said.status.code().is_some_and(|code| code != 101),
            "{run:?}"
        );
        assert!(
            !leaks(&said.stdout),
            "{run:?} says it: {}",
            around(&said.stdout)
        );
        assert!(
            !leaks(&said.stderr),
            "{run:?} says it: {}",
            around(&said.stderr)
        );
    }
    let mut written = 0;
    for file in files(out.path()) {
        let bytes = fs::read(&file).expect("readable");
        assert!(
            !leaks(&bytes),
            "{} holds it: {}",
            file.display(),
            around(&bytes)
        );
        written += 1;
    }
    assert!(written > 0, "no run wrote a file");
}

fn leaks(bytes: &[u8]) -> bool {
    bytes
        .windows(CANARY.len())
        .any(|part| part == CANARY.as_bytes())
}

/// The text before and after the word.
fn around(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let at = text.find(CANARY).unwrap_or(0);
    let near = |c: usize| {
        text.char_indices()
            .map(|(i, _)| i)
            .take_while(|i| *i <= c)
            .last()
    };
    let (from, to) = (near(at.saturating_sub(200)), near(at + 100));
    text[from.unwrap_or(0)..to.unwrap_or(0)].to_owned()
}

fn content_keys() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("content_keys.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn key(attribute: &Value) -> String {
    attribute["key"].as_str().unwrap_or_default().to_owned()
}

fn list<'a>(of: &'a mut Value, key: &str) -> &'a mut Vec<Value> {
    if !of[key].is_array() {
        of[key] = json!([]);
    }
    of[key].as_array_mut().expect("a list")
}

fn spans(dump: &mut Value) -> Vec<&mut Value> {
    let resources = list(dump, "resourceSpans").iter_mut();
    let scopes = resources.flat_map(|resource| list(resource, "scopeSpans"));
    scopes.flat_map(|scope| list(scope, "spans")).collect()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dialects")
}

/// The recordings of every vocabulary that are one OTLP/JSON document.
fn dialect_fixtures() -> Vec<PathBuf> {
    let all = files(&fixtures()).into_iter();
    let dumps: Vec<PathBuf> = all
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".expect.json")
        })
        .filter(|path| {
            let text = fs::read_to_string(path).expect("readable");
            serde_json::from_str::<Value>(&text).is_ok_and(|dump| dump["resourceSpans"].is_array())
        })
        .collect();
    assert!(dumps.len() >= 20, "{dumps:?}");
    dumps
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all.sort();
    all
}
