//! Real exports, where somebody has them: `AGENTDIAG_REAL_DUMPS` names a folder with files and a
//! `FACTS.json` that says how many records of which kind each holds.

use std::collections::HashSet;
use std::path::Path;

use agentdiag::dialect::Normalizer;
use agentdiag::ingest::{Options, Source, read_all};
use agentdiag::model::Op;
use serde_json::Value;

use super::recorder::{Record, read};

const FORMATS: &[&str] = &[
    "otlp-json",
    "jsonl of otlp-json",
    "array of otlp-json",
    "tempo-batches",
    "jaeger-v3",
    "jaeger-api",
    "zipkin-v2",
    "Jaeger Elasticsearch span document (one span)",
    "csv spans (TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration)",
    "langfuse-trace-download",
    "langsmith-batch",
    "array of flat span record",
    "jsonl of flat span record",
    "wrapper{spans:[…]}",
    "array of wrapper{spans:[…]}",
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
        let format = fact["format"].as_str().unwrap_or("");
        if file.starts_with('_') {
            continue;
        }
        if FORMATS.contains(&format) {
            let record = read(Source::find(&[Path::new(&folder).join(file)]));
            println!("{file}: {} {:?}", record.inputs[0].format, record.issues());
            assert_eq!(record.readable, 1, "{file}");
            compare(file, fact, &record);
            // A wrapper around a call is one as well until traces are built: never fewer.
            let models = model_calls(&Path::new(&folder).join(file));
            if let Some(counted) = fact["llm_spans"].as_u64() {
                assert!(models >= counted, "{models} model calls of {file}");
            }
            checked += 1;
        } else {
            let record = read(Source::find(&[Path::new(&folder).join(file)]));
            let stated = record.readable == 1 || !record.issues().is_empty();
            assert!(stated, "{file} was refused without a reason");
        }
    }
    assert!(checked > 0);
}

/// Spans that the dialects take for calls of a model.
fn model_calls(path: &Path) -> u64 {
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    let reading = read_all(Source::find(&[path]), &options, Normalizer::new, &());
    let sets = reading.sinks.into_iter().map(Normalizer::finish);
    sets.flat_map(|data| data.spans)
        .filter(|span| span.op == Op::Llm)
        .count() as u64
}

/// What the facts say about `key`, read the way it is meant here; `None` when they do not say.
fn expected(fact: &Value, key: &str) -> Option<u64> {
    let number = |key: &str| fact[key].as_u64().unwrap_or(0);
    let repeated = number("duplicate_ids");
    match (fact["format"].as_str()?, key) {
        // The halves of a call that share an id by design are two spans.
        ("zipkin-v2", "duplicate_ids") => Some(0),
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
