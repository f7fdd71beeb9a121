//! The fixtures of every format but OTLP: what they give is in the `.expect` beside them, and no
//! damage to them makes reading fail.

use std::fs;
use std::path::PathBuf;

use agentdiag::ingest::{Options, Source};
use proptest::prelude::*;

use super::fixtures::{check_all, folder};
use super::recorder::{read_bytes, read_with};

/// Folders under `fixtures/formats`.
const FOLDERS: &[&str] = &[
    "clickhouse",
    "csv",
    "datadog",
    "flat",
    "jaeger",
    "langfuse",
    "langsmith",
    "logs",
    "openai-agents",
    "parquet",
    "phoenix",
    "prometheus",
    "tempo",
    "xray",
    "zip",
    "zipkin",
];

#[test]
fn every_fixture_gives_what_it_should() {
    for name in FOLDERS {
        check_all(&format!("formats/{name}"));
    }
}

fn fixtures() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = FOLDERS
        .iter()
        .flat_map(|name| fs::read_dir(folder("formats").join(name)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|e| e != "expect" && e != "zip"))
        .collect();
    all.sort();
    all
}

#[test]
fn a_server_that_answers_with_its_default_limit_is_named() {
    let trace = |n: usize| {
        format!(
            "{{\"traceID\":\"{n:032x}\",\"spans\":[{{\"spanID\":\"{n:016x}\",\"operationName\":\"a\",\
             \"startTime\":1760000000000000,\"duration\":1}}],\"processes\":{{}}}}"
        )
    };
    for (count, issues) in [(19, None), (20, Some(1)), (21, None)] {
        let traces: Vec<String> = (1..=count).map(trace).collect();
        let record = read_bytes(format!("{{\"data\":[{}]}}", traces.join(",")).as_bytes());
        assert_eq!(record.spans.len(), count);
        assert_eq!(record.issues().get("partial_export").copied(), issues);
    }
}

/// Inputs of several chunks, by the format they are of.
fn large() -> Vec<(&'static str, usize, String)> {
    let count = 12_000;
    let each = |write: &dyn Fn(usize) -> String, between: &str| {
        let all: Vec<String> = (1..=count).map(write).collect();
        all.join(between)
    };
    let prompt = |n: usize| "say \\\"}] ".repeat(n % 40);
    let jaeger = |n: usize| {
        format!(
            "{{\"traceID\":\"{n:032x}\",\"spans\":[{{\"spanID\":\"{n:016x}\",\"operationName\":\"a\",\
             \"references\":[{{\"span\":{{\"operationName\":\"{}\"}}}}],\"startTime\":1760000000000000,\
             \"duration\":1,\"processID\":\"p\"}}],\"processes\":{{\"p\":{{\"serviceName\":\"s\"}}}}}}",
            prompt(n)
        )
    };
    let flat = |n: usize| {
        format!(
            "{{\"trace_id\":\"{n:032x}\",\"span_id\":\"{n:016x}\",\"name\":\"a\",\
             \"start_time\":1760000000000000000,\"attributes\":{{\"x\":\"{}\"}}}}",
            prompt(n)
        )
    };
    let run = |n: usize| {
        format!(
            "{{\"id\":\"{n:08x}-0000-0000-0000-000000000001\",\"run_type\":\"llm\",\"name\":\"a\",\
             \"trace_id\":\"{n:032x}\",\"start_time\":\"2025-10-09T08:53:20\",\"inputs\":\"{}\"}}",
            prompt(n)
        )
    };
    let row = |n: usize| {
        let note = "words ".repeat(n % 40);
        format!("{n:032x},{n:016x},,1760000000000000000,\"{note}, \"\"quoted\"\"\"")
    };
    let (lines, runs) = (each(&flat, "\n"), each(&run, ",\n"));
    vec![
        (
            "jaeger-json documents",
            count,
            format!("{{\"data\":[{}]}}", each(&jaeger, ",")),
        ),
        ("span-records lines", count, lines.clone()),
        (
            "span-records objects",
            count,
            format!("[\n{}\n]", lines.replace('\n', ",\n")),
        ),
        (
            "langsmith documents",
            count,
            format!("{{\"post\":[{runs}]}}"),
        ),
        (
            "csv-spans text",
            count,
            format!(
                "trace_id,span_id,parent_id,start,note\n{}",
                each(&row, "\n")
            ),
        ),
    ]
}

#[test]
fn nothing_is_lost_at_the_seams_and_threads_make_no_difference() {
    for (format, count, text) in large() {
        assert!(text.len() > 2 << 20, "{format}: {}", text.len());
        let read = |threads| {
            let options = Options {
                threads: Some(threads),
                ..Options::default()
            };
            let source = Source::from_bytes("t", text.clone().into_bytes());
            read_with(vec![source], &options)
        };
        let record = read(1);
        assert_eq!(record.inputs[0].format, format);
        assert_eq!(record.spans.len(), count, "{format}: {:?}", record.ledger);
        assert_eq!(record.issues().get("malformed_record"), None, "{format}");
        assert!(record.spans.iter().all(|s| s.start.is_some()), "{format}");
        assert!(record == read(4), "{format}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_damage_makes_reading_fail(
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"\"\\{}[],:0-e".to_vec())],
        cut in any::<bool>(),
    ) {
        for path in fixtures() {
            let mut bytes = fs::read(&path).unwrap();
            let whole = read_bytes(&bytes).inputs[0].spans;
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at + 1);
            }
            let record = read_bytes(&bytes);
            prop_assert!(record.inputs[0].spans <= whole + 2, "{}", path.display());
        }
    }
}
