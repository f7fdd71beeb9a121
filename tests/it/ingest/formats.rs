//! The fixtures of every format but OTLP: what they give is in the `.expect` beside them, and no
//! damage to them makes reading fail.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::fixtures::{check_all, folder};
use super::recorder::read_bytes;

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
    "phoenix",
    "prometheus",
    "tempo",
    "xray",
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
        .filter(|path| path.extension().is_none_or(|e| e != "expect"))
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
