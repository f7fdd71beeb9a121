//! One function per kind of target; each panics when something does not hold that must.

use std::io::Write as _;

use agentdiag::aggregate::{self, Config, Prices};
use agentdiag::alerts::{self, Store, Version};
use agentdiag::budget;
use agentdiag::diagnose;
use agentdiag::dialect::{self, Normalizer};
use agentdiag::ingest::{FORMATS, Format, Options, Source, read_all, read_as, unpacked_length};
use agentdiag::model::Dataset;
use agentdiag::render::{self, Style, terminal};
use agentdiag::report::{Findings, Report};
use agentdiag::saved::Saved;
use agentdiag::stage::{Across, Evidence, Facts, FileFacts, Kind, Part, Reader};
use agentdiag::trace::{self, Forest};

/// Larger inputs find nothing that smaller ones do not, and take longer.
const UNPACKED: u64 = 1 << 24;

fn options() -> Options {
    Options {
        threads: Some(1),
        max_record: 1 << 20,
        max_unpacked: UNPACKED,
        taken: vec!["2026-05-12T08:02:24Z".parse().expect("a date")],
        ..Options::default()
    }
}

/// Targets that read records, and the formats each reads: those that are written alike share one.
pub const READERS: &[(&str, &[&str])] = &[
    ("clickhouse", &["clickhouse"]),
    ("csv", &["csv-spans"]),
    ("datadog", &["datadog"]),
    ("flat", &["phoenix", "span-records"]),
    ("jaeger", &["jaeger-json", "jaeger-documents"]),
    ("k8s", &["k8s-events", "k8s-table"]),
    ("langfuse", &["langfuse"]),
    ("langsmith", &["langsmith"]),
    ("logs", &["json-logs", "loki"]),
    ("openai_agents", &["openai-agents"]),
    ("otlp_json", &["otlp-json"]),
    ("otlp_proto", &["otlp-proto"]),
    ("prom_api", &["prometheus-api"]),
    ("prom_text", &["prom-text"]),
    ("xray", &["aws-xray"]),
    ("zipkin", &["zipkin-json"]),
];

/// Runs the target called `target` over `bytes`.
pub fn run(target: &str, bytes: &[u8]) {
    match target {
        "archive" => archive(bytes),
        "config" => config(bytes),
        "pipe" => pipe(bytes),
        "stage" => stage(bytes),
        "unpack" => unpack(bytes),
        _ => {
            let found = READERS.iter().find(|(name, _)| *name == target);
            let (_, formats) = found.unwrap_or_else(|| panic!("no target is called {target}"));
            formats.iter().for_each(|name| reader(format(name), bytes));
        }
    }
}

fn format(name: &str) -> &'static Format {
    let found = FORMATS.iter().find(|format| format.name == name);
    found.unwrap_or_else(|| panic!("no format is called {name}"))
}

/// Reads `bytes` as `format`, with every vocabulary, and checks what comes of it.
fn reader(format: &'static Format, bytes: &[u8]) {
    // Without the room that a dump needs: mapping it takes longer than reading a few records.
    let mut sink = Normalizer::default().taking_buckets();
    if read_as(format, bytes, &options(), &mut sink).is_some() {
        let data = sink.finish();
        data.check_valid().expect("a valid dataset");
    }
}

/// Unpacks `bytes`.
fn unpack(bytes: &[u8]) {
    let length = unpacked_length(bytes, UNPACKED);
    assert!(length.is_ok_and(|length| length <= UNPACKED) || !bytes.is_empty());
}

/// Lists and reads the archive `bytes`.
fn archive(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a scratch file");
    file.write_all(bytes).expect("written");
    read(Source::find(&[file.path()]));
}

fn read(sources: Vec<Source>) -> Dataset {
    let reading = read_all(sources, &options(), Normalizer::default, &());
    let mut data = Dataset::default();
    for sink in reading.sinks {
        data.absorb(sink.finish());
    }
    dialect::merge_series(&mut data);
    dialect::choose_signal(&mut data);
    data.inputs = reading.inputs;
    data.ledger.absorb(reading.ledger);
    data
}

/// Takes `bytes` for each of the files besides the dump.
fn config(bytes: &[u8]) {
    drop(Prices::with_bytes("prices.json", bytes));
    drop(Saved::parse("base.json", bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mut store = Store::new(Version::default());
        drop(alerts::read("rules.yml", text, &mut store));
        drop(budget::read("agentdiag.toml", text));
        drop(Config::parse("agentdiag.toml", text));
    }
}

/// Reads `bytes` as rows that stages hand each other.
fn stage(bytes: &[u8]) {
    let Ok(mut reader) = Reader::new(bytes) else {
        return;
    };
    while let Ok(Some(rows)) = reader.next_rows() {
        for row in rows {
            match row.kind {
                Kind::Traces => drop(row.read::<Facts>()),
                Kind::File => drop(row.read::<FileFacts>()),
                Kind::Evidence => drop(row.read::<Evidence>()),
                Kind::Across => drop(row.read::<Across>()),
                Kind::Part => drop(Part::read(&row)),
                Kind::Windows => drop(row.read::<diagnose::Shared>()),
                Kind::Own => drop(row.read::<diagnose::Own>()),
                Kind::Verdicts => drop(row.read::<diagnose::Judged>()),
                // The first is for one module alone, the second holds no body.
                Kind::Waiting | Kind::Request => {}
            }
        }
    }
}

/// All of `analyze` over `bytes`: from telling the format to the pages.
fn pipe(bytes: &[u8]) {
    let mut data = read(vec![Source::from_bytes("fuzz", bytes.to_vec())]);
    let rule = diagnose::Options::default();
    let forest = Forest::build(&mut data, &trace::Options::default());
    data.check_valid().expect("a valid dataset");
    for request in &forest.requests {
        assert_eq!(
            request.parts.total(),
            request.duration(),
            "parts sum to wall time"
        );
    }
    let verdicts = diagnose::diagnose(&data, &forest, &rule);
    let sums = aggregate::summarise(&data, &forest, &Prices::builtin());
    let report = Report::assemble(Findings {
        dataset: &data,
        forest: &forest,
        diagnoses: &verdicts.diagnoses,
        incidents: &verdicts.incidents,
        notes: &verdicts.notes,
        sums: &sums,
        rule: &rule,
    });
    let (mut json, mut text) = (Vec::new(), Vec::new());
    render::json(&report, &mut json).expect("written to memory");
    let style = terminal::Options {
        style: Style::PLAIN,
        top: 10,
    };
    terminal::text(&report, style, &mut text).expect("written to memory");
    assert!(std::str::from_utf8(&json).is_ok() && std::str::from_utf8(&text).is_ok());
}
