//! Real exports, where somebody has them: `AGENTDIAG_REAL_DUMPS` names a folder with files and a
//! `FACTS.json` that says how many records of which kind each holds.

use std::collections::HashSet;
use std::path::Path;

use agentdiag::dialect::Normalizer;
use agentdiag::ingest::{Options, Source, read_all};
use agentdiag::model::{Op, Severity};
use serde_json::Value;

use super::recorder::{Record, read_with};

/// What becomes of a file.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    /// Its records are read and counted.
    Read,
    /// Its samples are read, at the time that is given.
    Sampled,
    /// A table of cluster events is read, at the time that is given.
    Tabled,
    /// It is refused, for this reason.
    Refused(&'static str),
}

/// By what the facts call the format. Every file must be in here.
const FORMATS: &[(&str, Fate)] = &[
    ("otlp-json", Fate::Read),
    ("jsonl of otlp-json", Fate::Read),
    ("array of otlp-json", Fate::Read),
    ("tempo-batches", Fate::Read),
    ("jaeger-v3", Fate::Read),
    ("jaeger-api", Fate::Read),
    ("zipkin-v2", Fate::Read),
    ("Jaeger Elasticsearch span document (one span)", Fate::Read),
    (
        "csv spans (TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration)",
        Fate::Read,
    ),
    ("langfuse-trace-download", Fate::Read),
    ("langsmith-batch", Fate::Read),
    ("array of flat span record", Fate::Read),
    ("jsonl of flat span record", Fate::Read),
    ("wrapper{spans:[…]}", Fate::Read),
    ("array of wrapper{spans:[…]}", Fate::Read),
    ("prometheus-text", Fate::Sampled),
    ("openmetrics", Fate::Sampled),
    (
        "two JSON header lines of the recording tool, then the text table of `kubectl events`",
        Fate::Tabled,
    ),
    (
        "map operation -> list of span records without times",
        Fate::Refused("a list of spans without times"),
    ),
    (
        "csv (TIMESTAMP,ContextTokens,GeneratedTokens)",
        Fate::Refused("a CSV table without span ids and times"),
    ),
    (
        "injected faults, hour -> list",
        Fate::Refused("it begins like a JSON object with the keys 1"),
    ),
    (
        "list of metric families \"name type\"",
        Fate::Refused("it begins like plain text"),
    ),
    (
        "jsonl requests",
        Fate::Refused("a log of request sizes without spans and durations"),
    ),
];

#[test]
fn real_dumps_are_read_without_losses() {
    let Ok(folder) = std::env::var("AGENTDIAG_REAL_DUMPS") else {
        return;
    };
    let facts = std::fs::read(Path::new(&folder).join("FACTS.json")).unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    let mut checked = 0;
    for (file, fact) in facts.as_object().unwrap() {
        if file.starts_with('_') {
            continue;
        }
        let format = fact["format"].as_str().unwrap_or("");
        let fate = FORMATS.iter().find(|(name, _)| *name == format);
        let (_, fate) = fate.unwrap_or_else(|| panic!("{file}: nothing is said about {format}"));
        let path = Path::new(&folder).join(file);
        let options = Options {
            threads: Some(2),
            taken: vec!["2026-01-01T00:00:00Z".parse().unwrap()],
            ..Options::default()
        };
        let record = read_with(Source::find(&[&path]), &options);
        println!("{file}: {} {:?}", record.inputs[0].format, record.issues());
        let number = |key: &str| fact[key].as_u64().unwrap_or(0);
        match fate {
            Fate::Read => {
                assert_eq!(record.readable, 1, "{file}");
                compare(file, fact, &record);
                // A wrapper around a call is one as well until traces are built: never fewer.
                let models = model_calls(&path);
                let counted = number("llm_spans");
                assert!(models >= counted, "{models} model calls of {file}");
            }
            Fate::Sampled => {
                let input = &record.inputs[0];
                let found = (input.samples, input.exemplars);
                assert_eq!(found, (number("samples"), number("exemplars")), "{file}");
                let lost = record.ledger.worst() >= Some(Severity::DataLoss);
                assert!(!lost, "{file}: {:?}", record.issues());
            }
            Fate::Tabled => assert_eq!(record.inputs[0].events, number("events"), "{file}"),
            Fate::Refused(reason) => {
                assert_eq!(record.readable, 0, "{file}");
                let said = record
                    .ledger
                    .iter()
                    .any(|(.., t)| t.detail.contains(reason));
                assert!(said, "{file}: {:?}", record.ledger);
            }
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked} files");
}

/// Spans that the dialects take for calls of a model.
fn model_calls(path: &Path) -> u64 {
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    let reading = read_all(Source::find(&[path]), &options, Normalizer::new, &());
    let sets = reading.sinks.into_iter().map(Normalizer::finish);
    sets.flat_map(|data| data.records)
        .filter(|span| span.op == Op::Llm)
        .count() as u64
}

/// What the facts say about `key`, read the way it is meant here; `None` when they do not say.
fn expected(fact: &Value, key: &str) -> Option<u64> {
    let number = |key: &str| fact[key].as_u64().unwrap_or(0);
    let repeated = number("duplicate_ids");
    match (fact["format"].as_str()?, key) {
        // Start and end of a run are two records of one span, and events are counted elsewhere.
        ("langsmith-batch", "duplicate_ids") => Some(0),
        ("langsmith-batch", "spans" | "roots") => Some(number(key) - repeated),
        ("langsmith-batch", "events") => None,
        // Only the spans of this one were counted.
        ("Jaeger Elasticsearch span document (one span)", key) => fact[key].as_u64(),
        _ => Some(number(key)),
    }
}

fn compare(file: &str, fact: &Value, record: &Record) {
    let mut seen = HashSet::new();
    let duplicates = record
        .spans
        .iter()
        .filter(|s| !seen.insert((s.trace, s.id)))
        .count();
    let roots = record.spans.iter().filter(|s| s.parent == 0).count();
    let orphan = |trace, parent| parent != 0 && !seen.contains(&(trace, parent));
    let orphans = record
        .spans
        .iter()
        .filter(|s| orphan(s.trace, s.parent))
        .count();
    let points: u64 = [
        "gauge",
        "sum",
        "histogram",
        "exponentialHistogram",
        "summary",
    ]
    .iter()
    .filter_map(|kind| fact[format!("datapoints_{kind}")].as_u64())
    .sum();
    let found = [
        ("spans", record.spans.len()),
        ("duplicate_ids", duplicates),
        ("roots", roots),
        ("orphans", orphans),
        ("errors", record.spans.iter().filter(|s| s.failed).count()),
        ("events", record.spans.iter().map(|s| s.events.len()).sum()),
        ("log_records", record.logs.len()),
        ("metrics", record.metrics.len()),
        (
            "bad_lines",
            record
                .issues()
                .get("malformed_record")
                .map_or(0, |n| *n as usize),
        ),
    ];
    for (key, count) in found {
        if let Some(expected) = expected(fact, key) {
            assert_eq!(expected, count as u64, "{key} of {file}");
        }
    }
    assert_eq!(points, record.inputs[0].points, "points of {file}");
    let without_id = record.issues().get("bad_id").copied().unwrap_or(0);
    let delivered = record.inputs[0].spans - without_id;
    assert_eq!(delivered, record.spans.len() as u64, "{file}");
}
