//! The pipe in stages says what the pipe in one process says, to the byte: whatever the partitions, and whoever places
//! them. `AGENTDIAG_CORPORA` names folders of further dumps, one below another.

use std::collections::HashMap;
use std::fs;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::benches::data;

const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/recipe.sh");
const FORMATS: [&str; 5] = ["text", "json", "ndjson", "markdown", "html"];

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

pub(crate) fn program() -> PathBuf {
    assert_cmd::cargo::cargo_bin("agentdiag")
}

fn agentdiag(args: &[&str]) -> Output {
    let mut command = Command::new(program());
    command
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

pub(crate) fn printed(args: &[&str]) -> Vec<u8> {
    let output = agentdiag(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    output.stdout
}

fn texts(paths: &[PathBuf]) -> Vec<&str> {
    paths
        .iter()
        .map(|path| path.to_str().expect("UTF-8"))
        .collect()
}

/// What one process says.
pub(crate) fn alone(format: &str, files: &[PathBuf]) -> Vec<u8> {
    printed(&[&["analyze", "--format", format][..], &texts(files)].concat())
}

/// Runs the recipe for the shell; the report goes nowhere, the streams stay in `work`.
pub(crate) fn recipe(work: &Path, parts: usize, files: &[PathBuf]) -> Output {
    let mut path = program().parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell
        .arg(RECIPE)
        .arg(work)
        .arg(parts.to_string())
        .args(files);
    shell.env("PATH", path).env("JOBS", "2");
    shell.output().expect("a shell")
}

fn merged(work: &Path, format: &str) -> Vec<u8> {
    let streams = ["requests", "windows.arrow", "verdicts"].map(|name| work.join(name));
    printed(
        &[
            &["stage", "merge", "--format", format][..],
            &texts(&streams),
        ]
        .concat(),
    )
}

/// That stages over `parts` partitions say what one process says.
fn same(files: &[PathBuf], parts: usize, formats: &[&str]) {
    let work = TempDir::new().expect("a scratch folder");
    let output = recipe(work.path(), parts, files);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for format in formats {
        let (whole, staged) = (alone(format, files), merged(work.path(), format));
        assert!(
            whole == staged,
            "{format} in {parts} parts of {files:?} differs: {}",
            first_difference(&whole, &staged)
        );
    }
}

pub(crate) fn first_difference(a: &[u8], b: &[u8]) -> String {
    let at = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let around = |text: &[u8]| {
        let piece = &text[at.saturating_sub(60)..text.len().min(at + 60)];
        String::from_utf8_lossy(piece).into_owned()
    };
    format!("byte {at}: `{}` and `{}`", around(a), around(b))
}

// --- dumps --------------------------------------------------------------------------------------

/// Numbers that look random and are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}

/// How spans come apart.
#[derive(Clone, Copy)]
pub(crate) enum Spans {
    Whole,
    /// Some are lost, some delivered twice, some start a trace of their own: with the id of their parent, or a link.
    Dirty,
}

/// A dump of the seeded generator, of some megabytes.
pub(crate) fn generated(folder: &Path) -> PathBuf {
    let path = folder.join("generated.jsonl");
    let mut file = fs::File::create(&path).expect("a file");
    data::write(&mut file, data::Profile::Mixed, 3 << 20, 64).expect("written");
    path
}

fn text_of(dump: &Path) -> String {
    let mut text = String::new();
    let file = fs::File::open(dump).expect("traces");
    let read = match dump.extension().is_some_and(|ending| ending == "gz") {
        true => flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text),
        false => BufReader::new(file).read_to_string(&mut text),
    };
    read.expect("text");
    text
}

/// The traces of a dump, span by span at random, over `count` files in `folder`.
pub(crate) fn scatter(dump: &Path, folder: &Path, count: usize, spans: Spans) -> Vec<PathBuf> {
    let text = text_of(dump);
    let mut dice = Dice(count as u64);
    let mut files = vec![String::new(); count];
    for line in text.lines() {
        let request: Value = serde_json::from_str(line).expect("JSON");
        for block in request["resourceSpans"].as_array().expect("a list") {
            for scope in block["scopeSpans"].as_array().expect("a list") {
                for span in scope["spans"].as_array().expect("a list") {
                    for span in came(span.clone(), spans, &mut dice) {
                        let scopes = json!([{"scope": scope["scope"], "spans": [span]}]);
                        let line = json!({"resourceSpans": [{"resource": block["resource"], "scopeSpans": scopes}]});
                        let file = &mut files[dice.roll(count)];
                        file.push_str(&line.to_string());
                        file.push('\n');
                    }
                }
            }
        }
    }
    let written = files.iter().enumerate().map(|(number, text)| {
        let path = folder.join(format!("traces-{number:03}.jsonl"));
        fs::write(&path, text).expect("written");
        path
    });
    written.collect()
}

/// What arrives of a span.
fn came(mut span: Value, spans: Spans, dice: &mut Dice) -> Vec<Value> {
    let chance = match spans {
        Spans::Whole => return vec![span],
        Spans::Dirty => dice.roll(100),
    };
    let has_parent = span["parentSpanId"]
        .as_str()
        .is_some_and(|id| !id.is_empty());
    match chance {
        0..2 => Vec::new(),
        2..4 => vec![span.clone(), span],
        4..8 if has_parent => {
            let old = span["traceId"].clone();
            span["traceId"] = json!(format!("{:032x}", 1 + dice.roll(1 << 40)));
            if chance == 4 {
                span["links"] = json!([{"traceId": old, "spanId": span["parentSpanId"]}]);
                span["parentSpanId"] = json!("");
            }
            vec![span]
        }
        _ => vec![span],
    }
}

/// The other files of a dump: metrics, logs, events.
pub(crate) fn beside(folder: &Path) -> Vec<PathBuf> {
    let kept = ["metrics", "logs", "k8s"];
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let name = |path: &PathBuf| {
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let mut files: Vec<PathBuf> = entries
        .filter(|path| kept.iter().any(|k| name(path).starts_with(k)))
        .collect();
    files.sort();
    files
}

// --- without an engine --------------------------------------------------------------------------

fn labelled(name: &str, parts: usize, spans: Spans, formats: &[&str]) {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = fixture("labelled").join(name);
    let mut files = scatter(&dump.join("traces.jsonl.gz"), folder.path(), parts, spans);
    files.extend(beside(&dump));
    same(&files, parts, formats);
}

#[test]
fn one_part_says_the_same() {
    labelled("mixed-full-mixed", 1, Spans::Whole, &FORMATS);
}

#[test]
fn servers_that_also_worked_for_strangers_say_the_same() {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = fixture("quickstart/traces.jsonl.gz");
    same(&scatter(&dump, folder.path(), 4, Spans::Whole), 3, &FORMATS);
}

#[test]
fn three_parts_say_the_same() {
    labelled("healthy-client-genai", 3, Spans::Whole, &FORMATS);
    labelled("mixed-full-mixed", 3, Spans::Whole, &["json"]);
}

#[test]
fn sixty_four_parts_say_the_same() {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = generated(folder.path());
    let files = scatter(&dump, folder.path(), 64, Spans::Whole);
    same(&files, 64, &["json", "html"]);
}

#[test]
fn traces_that_came_apart_are_joined_across_parts() {
    labelled("mixed-full-mixed", 3, Spans::Dirty, &["json", "text"]);
    labelled("healthy-client-genai", 5, Spans::Dirty, &["json"]);
}

/// Calls that one file logs and another traces, metrics, events, alert rules' dumps: whatever there is.
#[test]
fn dumps_of_every_vocabulary_say_the_same_together() {
    let mut files = Vec::new();
    for folder in fs::read_dir(fixture("dialects")).expect("a folder") {
        let folder = folder.expect("an entry").path();
        let entries = fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("an entry").path());
        files.extend(entries.filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".expect.json")
        }));
    }
    files.sort();
    assert!(files.len() > 20);
    same(&files, 7, &["json"]);
}

#[test]
fn the_rule_that_requests_are_judged_by_travels_with_what_was_learned() {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = fixture("labelled/mixed2-tokens-genai/traces.jsonl.gz");
    let files = scatter(&dump, folder.path(), 3, Spans::Whole);
    let work = folder.path().join("work");
    assert!(recipe(&work, 3, &files).status.success());
    let requests = work.join("requests");
    let requests = requests.to_str().expect("UTF-8");
    for rule in [
        &["--slow-top", "5%"][..],
        &["--slow-over", "8s"],
        &["--slow-floor", "2s"],
    ] {
        let windows = work.join("windows.arrow");
        let learned = printed(&[&["stage", "windows", requests][..], rule].concat());
        fs::write(&windows, learned).expect("written");
        for (part, number) in streams(&work.join("requests")).iter().zip(0..) {
            let paths = [&windows, part].map(|path| path.to_str().expect("UTF-8"));
            let verdict = printed(&["stage", "verdict", "--windows", paths[0], paths[1]]);
            let told = work.join("verdicts").join(format!("{number}.arrow"));
            fs::write(told, verdict).expect("written");
        }
        let whole = printed(&[&["analyze", "--json"][..], rule, &texts(&files)].concat());
        assert!(whole == merged(&work, "json"), "{rule:?}");
    }
}

/// The streams below a folder.
fn streams(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        match path.is_dir() {
            true => found.extend(streams(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[test]
fn a_file_delivered_twice_changes_the_ledger_and_nothing_else() {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = fixture("labelled/healthy-client-genai/traces.jsonl.gz");
    let mut files = scatter(&dump, folder.path(), 3, Spans::Whole);
    let once: Value = serde_json::from_slice(&alone("json", &files)).expect("JSON");
    let again = folder.path().join("traces-again.jsonl");
    fs::copy(&files[1], &again).expect("copied");
    files.push(again);
    same(&files, 3, &["json"]);
    let twice: Value = serde_json::from_slice(&alone("json", &files)).expect("JSON");
    for of in ["requests", "incidents", "cost", "latency"] {
        let plain = |report: &Value| {
            let mut part = report[of].clone();
            for request in part.as_array_mut().into_iter().flatten() {
                // Each says that a copy was put aside.
                request["repairs"] = Value::Null;
            }
            part
        };
        assert_eq!(plain(&once), plain(&twice), "{of}");
    }
    assert_ne!(once["integrity"], twice["integrity"]);
}

#[test]
fn a_damaged_file_costs_itself_alone() {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = fixture("labelled/healthy-client-genai/traces.jsonl.gz");
    let mut files = scatter(&dump, folder.path(), 3, Spans::Whole);
    for (name, bytes) in [
        ("noise.jsonl", &[0xff, 0x00, 0x13, 0x37].repeat(500)[..]),
        ("empty.jsonl", b""),
        (
            "cut.jsonl.gz",
            &fs::read(&dump).expect("readable")[..30_000],
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        files.push(path);
    }
    files.push(folder.path().join("is-not-there.jsonl"));
    same(&files, 3, &["json"]);
}

#[test]
fn an_input_that_was_given_up_is_an_entry_of_the_ledger() {
    let folder = TempDir::new().expect("a scratch folder");
    let path = folder.path().join("poison.jsonl");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let facts = at("facts");
    let file = path.to_str().expect("UTF-8");
    let quickstart = fixture("quickstart/traces.jsonl.gz");
    let quickstart = quickstart.to_str().expect("UTF-8");
    printed(&[
        "stage", "facts", "--parts", "2", "-o", &facts, "--number", "0", quickstart,
    ]);
    printed(&[
        "stage",
        "facts",
        "--parts",
        "2",
        "-o",
        &facts,
        "--number",
        "1",
        "--failed",
        "it ended with signal 9",
        file,
    ]);
    fs::write(at("learned.arrow"), printed(&["stage", "learn", &facts])).expect("written");
    fs::write(
        at("windows.arrow"),
        printed(&["stage", "windows", &at("learned.arrow")]),
    )
    .expect("written");
    let verdicts = printed(&[
        "stage",
        "verdict",
        "--windows",
        &at("windows.arrow"),
        &at("learned.arrow"),
    ]);
    fs::write(at("verdicts.arrow"), verdicts).expect("written");
    let streams = ["learned.arrow", "windows.arrow", "verdicts.arrow"].map(at);
    let merge = [
        &["stage", "merge", "--json"][..],
        &streams.each_ref().map(String::as_str),
    ]
    .concat();
    let report: Value = serde_json::from_slice(&printed(&merge)).expect("JSON");
    let issues = report["integrity"]["issues"].as_array().expect("a list");
    let given_up = issues
        .iter()
        .find(|issue| issue["id"] == "given_up_input")
        .expect("an entry");
    assert_eq!(
        (&given_up["file"], &given_up["detail"]),
        (&json!(file), &json!("it ended with signal 9"))
    );
    assert_eq!(report["inputs"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_is_missing_or_no_stream_is_said() {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = fixture("quickstart/traces.jsonl.gz");
    let work = folder.path().join("work");
    let files = scatter(&dump, folder.path(), 2, Spans::Dirty);
    assert!(recipe(&work, 2, &files).status.success());
    let refused = |args: &[&str], words: &str| {
        let output = agentdiag(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(said.contains(words), "{args:?}: {said}");
    };
    let at = |name: &str| work.join(name).to_str().expect("UTF-8").to_owned();
    let (learned, windows, verdicts) = (at("requests"), at("windows.arrow"), at("verdicts"));
    refused(
        &["stage", "learn", dump.to_str().expect("UTF-8")],
        "Arrow IPC stream",
    );
    refused(&["stage", "learn", &at("nothing.arrow")], "nothing.arrow");
    refused(&["stage", "merge", &learned, &verdicts], "stage windows");
    refused(
        &["stage", "merge", &learned, &windows],
        "verdicts over the requests of one partition are missing",
    );
    refused(
        &["stage", "verdict", "--windows", &at("across.1"), &learned],
        "stage windows",
    );
    let first = at("requests/learned");
    refused(&["stage", "windows", &first], "still wait");
    refused(&["stage", "windows", &learned, &learned], "twice");
    let whole = fs::read(&windows).expect("readable");
    fs::write(at("cut.arrow"), &whole[..whole.len() / 2]).expect("written");
    refused(
        &["stage", "merge", &learned, &verdicts, &at("cut.arrow")],
        "cut.arrow",
    );
}

/// The folders of further dumps, one below another.
pub(crate) fn further() -> Vec<PathBuf> {
    let corpora = std::env::var_os("AGENTDIAG_CORPORA").expect("a folder of dumps");
    let entries = fs::read_dir(corpora).expect("a folder");
    let folders = entries.map(|entry| entry.expect("an entry").path());
    let mut dumps: Vec<PathBuf> = folders
        .filter(|folder| folder.join("traces.jsonl.gz").is_file())
        .collect();
    dumps.sort();
    assert!(!dumps.is_empty(), "no traces.jsonl.gz below it");
    dumps
}

#[test]
#[cfg_attr(
    not(corpora),
    ignore = "needs AGENTDIAG_CORPORA, a folder of further dumps"
)]
fn further_dumps_say_the_same() {
    for folder in further() {
        for parts in [1, 3, 64] {
            let scattered = TempDir::new().expect("a scratch folder");
            let traces = folder.join("traces.jsonl.gz");
            let mut files = scatter(&traces, scattered.path(), parts, Spans::Whole);
            files.extend(beside(&folder));
            same(&files, parts, &["json", "text"]);
        }
    }
}

/// Rows of the table, as stages write them and as one process does.
#[test]
fn request_rows_are_those_of_export() {
    let folder = TempDir::new().expect("a scratch folder");
    let dump = fixture("labelled/mixed2-tokens-genai/traces.jsonl.gz");
    let files = scatter(&dump, folder.path(), 3, Spans::Whole);
    let work = folder.path().join("work");
    assert!(recipe(&work, 3, &files).status.success());
    let exported = printed(
        &[
            &["export", "--to", "csv", "--table", "requests"][..],
            &texts(&files),
        ]
        .concat(),
    );
    let exported = String::from_utf8(exported).expect("UTF-8");
    let windows = work.join("windows.arrow");
    let windows = windows.to_str().expect("UTF-8");
    let mut rows = 0;
    let mut found: HashMap<String, f64> = HashMap::new();
    for part in streams(&work.join("requests")) {
        let part = part.to_str().expect("UTF-8");
        let judged = printed(&["stage", "verdict", "--windows", windows, part]);
        let file = std::io::Cursor::new(judged);
        for batch in arrow_ipc::reader::StreamReader::try_new(file, None).expect("a stream") {
            let batch = batch.expect("a batch");
            let column = |name: &str| batch.column_by_name(name).expect("a column").as_any();
            let ids: &arrow_array::StringArray =
                column("root_span_id").downcast_ref().expect("texts");
            let lost: &arrow_array::Float64Array =
                column("excess_ms").downcast_ref().expect("numbers");
            for (id, lost) in ids.iter().zip(lost) {
                rows += usize::from(id.is_some());
                found.extend(id.map(str::to_owned).zip(lost));
            }
        }
    }
    let mut lines = exported.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let at = |name: &str| names.iter().position(|n| *n == name).expect("a column");
    let (id, lost) = (at("root_span_id"), at("excess_ms"));
    assert_eq!(exported.lines().count() - 1, rows);
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let expected: Option<f64> = cells[lost].parse().ok();
        assert_eq!(found.get(cells[id]).copied(), expected, "{line}");
    }
}
