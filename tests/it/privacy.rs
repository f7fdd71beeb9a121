//! What people and models said never leaves the program: a word planted wherever programs write
//! content is in no output, no message and no file.

mod plant;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use agentdiag::cli::Cli;
use agentdiag::dialect::dialects;
use agentdiag::ingest::Source;
use assert_cmd::Command;
use clap::CommandFactory;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::plant::{content_keys, key, list, logs, plant, records, spans, spoil, table};
use crate::pipeline::read;
use crate::stages::recipe;

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
    &["analyze", "--format", "html", "DUMP"],
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
    &["compare", "--format", "markdown", "DUMP", "DUMP"],
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
fn every_form_of_output_is_tried() {
    let mut cli = Cli::command();
    cli.build();
    for command in cli.get_subcommands() {
        let runs: Vec<_> = RUNS
            .iter()
            .filter(|run| run[0] == command.get_name())
            .collect();
        for arg in command.get_arguments() {
            let usual = arg.get_default_values();
            // Charts as pixels are those that are searched as SVG.
            let forms = ["format", "to"].contains(&arg.get_id().as_str());
            for value in arg
                .get_possible_values()
                .iter()
                .filter(|_| forms && !runs.is_empty())
            {
                let name = value.get_name();
                let tried = runs
                    .iter()
                    .any(|run| run.iter().any(|arg| arg.split(',').any(|a| a == name)));
                let short = name == "json" && runs.iter().any(|run| run.contains(&"--json"));
                assert!(
                    tried || short || usual.iter().any(|v| v == name),
                    "`{} --{} {name}` is not tried",
                    command.get_name(),
                    arg.get_id()
                );
            }
        }
    }
}

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

/// Recordings of every vocabulary with planted content, and what this program exports of them.
fn planted() -> TempDir {
    let folder = TempDir::new().expect("a scratch folder");
    for path in dialect_fixtures() {
        let text = fs::read_to_string(&path).expect("readable");
        // An SDK's spans in the scope of its own, where its recording is of an agent's.
        let text = text.replace("\"support-agent\"", "\"strands.telemetry\"");
        let mut dump: Value = serde_json::from_str(&text).expect("JSON");
        plant(&mut dump);
        let name = path.strip_prefix(fixtures("dialects")).expect("a fixture");
        let name = name.to_string_lossy().replace('/', "-");
        fs::write(folder.path().join(name), dump.to_string()).expect("written");
    }
    fs::write(folder.path().join("logs.json"), logs().to_string()).expect("written");
    let exported = run(
        &["export", "--to", "otlp", "DUMP"],
        folder.path(),
        folder.path(),
    );
    let path = folder.path().join("exported.jsonl");
    fs::write(&path, exported.stdout).expect("written");
    let mut spans: Vec<String> = Vec::new();
    for line in fs::read_to_string(&path).expect("readable").lines() {
        let mut document: Value = serde_json::from_str(line).expect("JSON");
        plant(&mut document);
        spans.push(document.to_string());
    }
    fs::write(&path, spans.join("\n")).expect("written");
    folder
}

#[test]
fn content_of_every_vocabulary_stays_inside() {
    let folder = planted();
    let spoken = read(Source::find(&[folder.path()]), 2).dialects;
    for dialect in dialects().filter(|dialect| dialect.name != "general") {
        assert!(
            spoken.contains_key(dialect.name),
            "{} is not planted",
            dialect.name
        );
    }
    nothing_leaks(folder.path());
}

#[test]
fn content_of_every_format_stays_inside() {
    let folder = TempDir::new().expect("a scratch folder");
    let mut planted = 0;
    for path in files(&fixtures("formats")) {
        let name = path.strip_prefix(fixtures("formats")).expect("a fixture");
        let name = name.to_string_lossy().replace('/', "-");
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let text = match name.rsplit('.').next() {
            Some("csv") => table(&text),
            Some("json" | "jsonl") => records(&text),
            _ => None,
        };
        if let Some(text) = text {
            // And once more, cut off inside a planted word.
            let places: Vec<usize> = text.match_indices(CANARY).map(|(at, _)| at).collect();
            let cut = places[places.len() / 2] + CANARY.len();
            fs::write(folder.path().join(format!("cut-{name}")), &text[..cut]).expect("written");
            fs::write(folder.path().join(name), text).expect("written");
            planted += 1;
        }
    }
    assert!(planted >= 25, "{planted} formats hold content");
    nothing_leaks(folder.path());
}

#[test]
fn content_stays_inside_between_stages() {
    let (folder, work) = (planted(), TempDir::new().expect("a scratch folder"));
    let output = recipe(work.path(), 3, &files(folder.path()));
    assert!(output.status.success());
    assert!(!leaks(&output.stdout) && !leaks(&output.stderr));
    let streams = files(work.path());
    let mut known = 0;
    for stream in &streams {
        let bytes = fs::read(stream).expect("readable");
        assert!(
            !leaks(&bytes),
            "{} holds it: {}",
            stream.display(),
            around(&bytes)
        );
        // Rows are not packed: what may be said is found in them.
        known += usize::from(holds(&bytes, b"gen_ai") || holds(&bytes, b"lookup"));
    }
    assert!(
        streams.len() > 8 && known > 3,
        "{known} of {}",
        streams.len()
    );
    for damaged in [
        &["stage", "learn"][..],
        &["stage", "windows"],
        &["stage", "merge"],
    ] {
        let path = work.path().join("damaged.arrow");
        let mut bytes = fs::read(&streams[1]).expect("readable");
        let half = bytes.len() / 2;
        bytes.truncate(half);
        bytes.extend(CANARY.as_bytes());
        fs::write(&path, bytes).expect("written");
        let said = run(&[damaged, &["DUMP"]].concat(), &path, work.path());
        assert!(!leaks(&said.stdout) && !leaks(&said.stderr), "{damaged:?}");
    }
}

#[test]
fn every_key_that_a_vocabulary_looks_into_is_planted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialect");
    let looks_into = [
        "R::Arguments",
        "R::CostDetails",
        "R::Invocation",
        "R::Metadata",
        "R::Usage",
        "R::Vendor",
        "T::ErrorText",
    ];
    let mut found = 0;
    for path in files(&folder) {
        let text = fs::read_to_string(&path).expect("readable");
        let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for field in looks_into {
            for (at, _) in flat.match_indices(&format!("\", {field}")) {
                let name = flat[..at].rsplit('"').next().unwrap_or_default();
                found += 1;
                assert!(
                    content_keys().any(|key| key == name),
                    "`{name}` of {} is not planted",
                    path.display()
                );
            }
        }
    }
    assert!(found > 20, "{found} keys");
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
    let text =
        fs::read_to_string(fixtures("dialects").join("seed_agent/full.json")).expect("readable");
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
    let shown = |more: &[&str]| {
        let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
        let command = command.env_clear().current_dir(folder.path());
        let output = command
            .args(["analyze", "--json", "dump.json"])
            .args(more)
            .output();
        output.expect("it runs").stdout
    };
    assert!(leaks(&shown(&[])), "the dump shows no id to hide");
    let (once, again) = (shown(&["--redact"]), shown(&["--redact"]));
    assert!(!leaks(&once) && !leaks(&again));
    assert_ne!(once, again, "two runs share a key");
    let keyed = ["--redact", "--redact-key", "k"];
    assert_eq!(shown(&keyed), shown(&keyed));
}

/// One run over `dump`, what it writes going to `out`.
fn run(args: &[&str], dump: &Path, out: &Path) -> Output {
    let place = |arg: &&str| -> OsString {
        let arg = arg.replace("DUMP", &dump.display().to_string());
        let budgets = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/budgets/agentdiag.toml"
        );
        let arg = arg.replace("BUDGETS", budgets);
        arg.replace("OUT", &out.display().to_string()).into()
    };
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    // Whatever it wrote to a place for temporary files would fail.
    let command = command.env_clear().env("TMPDIR", "/dev/null/none");
    let command = command.current_dir(out).args(args.iter().map(place));
    command.output().expect("it runs")
}

fn nothing_leaks(dump: &Path) {
    let out = TempDir::new().expect("a scratch folder");
    for args in RUNS {
        let said = run(args, dump, out.path());
        assert!(
            said.status.code().is_some_and(|code| code != 101),
            "{args:?}"
        );
        assert!(
            !leaks(&said.stdout),
            "{args:?} says it: {}",
            around(&said.stdout)
        );
        assert!(
            !leaks(&said.stderr),
            "{args:?} says it: {}",
            around(&said.stderr)
        );
    }
    let mut written = 0;
    for file in files(out.path()) {
        let bytes = match file.extension().is_some_and(|kind| kind == "parquet") {
            true => rows(&file),
            false => fs::read(&file).expect("readable"),
        };
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

/// The rows of a Parquet file, which are packed in it.
fn rows(path: &Path) -> Vec<u8> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let file = fs::File::open(path).expect("readable");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let rows = reader.get_row_iter(None).expect("rows");
    let texts: Vec<String> = rows.map(|row| row.expect("a row").to_string()).collect();
    texts.join("\n").into_bytes()
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part == word)
}

fn leaks(bytes: &[u8]) -> bool {
    holds(bytes, CANARY.as_bytes())
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

fn fixtures(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(kind)
}

/// The recordings of every vocabulary that are one OTLP/JSON document.
fn dialect_fixtures() -> Vec<PathBuf> {
    let all = files(&fixtures("dialects")).into_iter();
    let dumps: Vec<PathBuf> = all
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".expect.json")
        })
        .filter(|path| {
            let text = fs::read_to_string(path).expect("readable");
            serde_json::from_str::<Value>(&text).is_ok_and(|dump| {
                dump["resourceSpans"].is_array() || dump["resourceLogs"].is_array()
            })
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
