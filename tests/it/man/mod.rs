//! The manual pages are made from the same definitions as the help texts, and committed. When they
//! differ, `AGENTDIAG_BLESS=1 cargo test man` writes them anew.

mod budget;
mod json;
mod stages;

use std::path::{Path, PathBuf};
use std::{env, fs};

use agentdiag::cli::Cli;
use agentdiag::diagnose::Cause;
use agentdiag::dialect::dialects;
use agentdiag::ingest::FORMATS;
use agentdiag::report::tables::Table;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

#[test]
fn pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages = pages();
    if env::var_os("AGENTDIAG_BLESS").is_some() {
        fs::create_dir_all(&folder).expect("a folder");
        for (name, page) in &pages {
            fs::write(folder.join(name), page).expect("written");
        }
    }
    for (name, page) in &pages {
        let committed = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            committed == *page,
            "man/{name} is not current: AGENTDIAG_BLESS=1 writes it anew"
        );
    }
    assert_eq!(
        files(&folder).len(),
        pages.len(),
        "a page without a command in man/"
    );
}

fn pages() -> Vec<(String, String)> {
    let mut command = Cli::command();
    command.build();
    let mut pages = vec![("agentdiag.1".to_owned(), page(&command))];
    let real = command.get_subcommands().filter(|c| c.get_name() != "help");
    for sub in real {
        let name = format!("agentdiag-{}", sub.get_name());
        let below = sub.get_subcommands().filter(|c| c.get_name() != "help");
        pages.extend(below.map(|task| (format!("{name}-{}.1", task.get_name()), page(task))));
        pages.push((format!("{name}.1"), page(sub)));
    }
    pages.extend([
        book(
            "agentdiag-causes",
            "7",
            "why a request of an LLM agent was slow",
            causes(),
        ),
        book(
            "agentdiag-budget",
            "5",
            "what a set of requests must keep to",
            budget::sections(),
        ),
        book("agentdiag-formats", "7", "what agentdiag reads", formats()),
        book(
            "agentdiag-json",
            "5",
            "what agentdiag prints for programs",
            json::sections(),
        ),
        book(
            "agentdiag-stages",
            "7",
            "agentdiag on many machines",
            stages::sections(),
        ),
    ]);
    pages
}

fn page(command: &Command) -> String {
    let name = command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let man = Man::new(command.clone())
        .title(name.clone())
        .source(format!("agentdiag {}", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    man.render(&mut out).expect("written to memory");
    if name == "agentdiag-export" {
        tables().to_writer(&mut out).expect("written to memory");
    }
    also(&name).to_writer(&mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

/// Every column of every table.
fn tables() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["TABLES"]);
    roff.text([roman(
        "Times are milliseconds. A value that the dump does not show is null (an empty field in CSV), \
         and never zero. Rows come in a stable order.",
    )]);
    for table in Table::ALL {
        roff.control("SS", [table.name()]);
        roff.text([roman(table.about())]);
        for (name, kind, about) in table.columns() {
            roff.control("TP", []);
            roff.text([bold(name), roman(" "), italic(kind.name())]);
            roff.text([roman(about)]);
        }
    }
    roff.control("SH", ["OTLP"]);
    roff.text([roman(
        "Lines of OTLP/JSON: spans, then metrics, then logs; cluster events are left out. Spans carry the \
         attributes of the GenAI conventions; agentdiag.fact.* holds what the verdicts rest on, so that \
         analyzing the export again gives the same verdicts; on the root span of each request stand \
         agentdiag.slow, agentdiag.cause, agentdiag.confidence, agentdiag.expected_ms, \
         agentdiag.excess_ms, agentdiag.contribution_ms.*, agentdiag.part_ms.*, agentdiag.cost_usd and \
         agentdiag.missing_signals, and agentdiag.evidence on the spans that show it. Message \
         content is never exported: the program does not keep it.",
    )]);
    roff
}

/// Where to read on.
fn also(name: &str) -> Roff {
    let pages = [
        "agentdiag(1)",
        "agentdiag-budget(5)",
        "agentdiag-causes(7)",
        "agentdiag-formats(7)",
        "agentdiag-json(5)",
        "agentdiag-stages(7)",
    ];
    let others = pages
        .into_iter()
        .filter(|page| page.split('(').next() != Some(name));
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(others.collect::<Vec<_>>().join(", "))]);
    roff
}

/// A page that is about no command.
fn book(name: &str, section: &str, about: &str, body: Roff) -> (String, String) {
    let mut roff = Roff::new();
    let version = format!("agentdiag {}", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [name, section, "", version.as_str()]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {about}"))]);
    let mut out = Vec::new();
    for part in [roff, body, also(name)] {
        part.to_writer(&mut out).expect("written to memory");
    }
    let page = String::from_utf8(out).expect("UTF-8");
    (format!("{name}.{section}"), page)
}

const READING: &str = "Files are told apart by content, never by name, and may be compressed with gzip or zstd. \
    Folders and quoted globs are searched; - is standard input. Traces, metrics, logs and cluster events may be \
    given together and in any order. What is damaged is skipped, counted and reported with its place; the rest is read.";

/// What becomes of inputs that are no plain files of telemetry; each is a test in `tests/it/odd`.
const ODD: &[(&str, &str)] = &[
    (
        "standard input, named pipes",
        "- and /dev/stdin; read as a stream to its end. A pipe that lies in a folder is passed over.",
    ),
    (
        "a file that grows",
        "It is read as it was when it was opened; the report says how much was added (grown_input).",
    ),
    (
        "a file that is cut short while it is read",
        "What was read before is used (shrunk_input; a loss under --strict).",
    ),
    (
        "sparse and preallocated files",
        "Reading stops at a run of 64 KiB of zero bytes (zero_filled; a loss under --strict). A file of zeros alone is refused.",
    ),
    (
        "files that unpack to far more than their size",
        "Once 256 MiB are unpacked, reading stops at 250 bytes for each stored byte (unpacked_limit; a loss under --strict); --max-ratio raises the limit.",
    ),
    (
        "deep nesting, long texts, many attributes, large records",
        "Values and spans below 100 levels, texts over 64 MiB, attributes beyond 65,536 of a record, and records over 512 MiB are left out (oversized_record; a loss under --strict); --max-nesting, --max-text, --max-attributes and --max-record raise the limits. Records of up to 512 KiB are never too large.",
    ),
    (
        "links in circles, dangling links",
        "Reported; the rest of the folder is read, every file once.",
    ),
    (
        "files one may not read",
        "Reported; exit code 2 when nothing else can be read, or under --strict.",
    ),
    (
        "compressed or Parquet data that is damaged",
        "What could be unpacked before the damage is used (damaged_compression; a loss under --strict).",
    ),
];

const SPEAKING: &str = "What attributes mean is decided span by span; one dump, even one span, may mix vocabularies. \
    Attribute keys that look relevant and are not understood are listed in the report.";

/// Every format and vocabulary, from the tables that the reader uses.
fn formats() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(READING)]);
    roff.control("SH", ["FORMATS"]);
    for format in FORMATS {
        roff.control("TP", []);
        roff.text([bold(format.name)]);
        roff.text([roman(format.about)]);
    }
    roff.control("SH", ["ODD INPUTS"]);
    for (what, outcome) in ODD {
        roff.control("TP", []);
        roff.text([bold(*what)]);
        roff.text([roman(*outcome)]);
    }
    roff.control("SH", ["VOCABULARIES"]);
    roff.text([roman(SPEAKING)]);
    for name in dialects().map(|dialect| dialect.name) {
        roff.control("TP", []);
        roff.text([bold(name)]);
    }
    roff
}

const ACCOUNT: &str = "Every nanosecond of a request is given to one part along its critical path, and compared \
    with what such a request normally takes. The difference is an account: each cause gets the time it can prove, \
    nobody is paid twice, and what nobody can prove is unexplained. The largest entry is the verdict.";

/// The ten causes: the heading is the label, as in the JSON output.
fn causes() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(ACCOUNT)]);
    roff.control("SH", ["CAUSES"]);
    for cause in Cause::ALL {
        let meta = cause.meta();
        roff.control("SS", [cause.label()]);
        roff.text([roman(meta.what)]);
        for (title, items) in [
            ("Recognised by:", &[meta.seen_by][..]),
            ("Look-alikes:", meta.look_alikes),
            ("Needs:", meta.needs),
            ("What to do:", meta.next_checks),
        ] {
            roff.control("PP", []);
            roff.text([bold(title), roman(" "), roman(items.join(" | "))]);
        }
    }
    roff
}

/// Every key that the program prints is documented, and every documented shape is printed.
#[test]
fn every_key_is_documented() {
    for shape in json::SHAPES {
        let mut command = assert_cmd::Command::cargo_bin("agentdiag").expect("built");
        let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
        let output = command.args(shape.args).output().expect("runs");
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(object["schema"], shape.schema);
        let known = documented(shape);
        let mut paths: Vec<String> = Vec::new();
        key_paths(&object, String::new(), &mut paths);
        paths.sort();
        paths.dedup();
        let strange: Vec<&String> = paths
            .iter()
            .filter(|p| !known.iter().any(|k| fits(k, p)))
            .collect();
        assert!(
            strange.is_empty(),
            "not in agentdiag-json(5), {}: {strange:?}",
            shape.schema
        );
    }
}

/// Documented paths, with what REQUEST and SPREAD stand for put in their place.
fn documented(shape: &json::Shape) -> Vec<String> {
    let request = json::REQUEST
        .iter()
        .map(|(path, ..)| format!("requests[].{path}"));
    let mut paths: Vec<String> = request.collect();
    for (path, ..) in shape.keys {
        let parts = [
            ("SPREAD", json::SPREAD),
            ("REQUEST", json::REQUEST),
            ("INPUT", json::INPUT),
            ("INTEGRITY", json::INTEGRITY),
        ];
        let part = parts
            .iter()
            .find_map(|(word, keys)| Some((path.strip_suffix(word)?, *keys)));
        let (stem, keys) = part.unwrap_or((*path, &[("", "", "")][..]));
        paths.extend(keys.iter().map(|(key, ..)| format!("{stem}{key}")));
    }
    paths
}

/// Every path in a document; all elements of lists count.
fn key_paths(value: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, inner) in map {
                let dot = if path.is_empty() { "" } else { "." };
                key_paths(inner, format!("{path}{dot}{key}"), paths);
            }
        }
        serde_json::Value::Array(list) => {
            for inner in list {
                key_paths(inner, format!("{path}[]"), paths);
            }
        }
        _ => paths.push(path),
    }
}

/// A documented path with NAME or GROUP in it stands for any key there; an object may be null.
fn fits(known: &str, path: &str) -> bool {
    let (mut known, mut path) = (known.split('.'), path.split('.'));
    loop {
        match (known.next(), path.next()) {
            (None, None) => return true,
            (Some(_), None) => return true,
            (Some("NAME"), Some(_)) => return true,
            (Some("NAME[]"), Some(_)) | (Some("GROUP[]"), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let entries = entries.map(|entry| entry.expect("an entry").path());
    // Beside the pages lie the pictures of README.md.
    entries.filter(|path| path.is_file()).collect()
}
