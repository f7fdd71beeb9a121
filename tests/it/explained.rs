//! How inputs were read, as it is explained to whoever owns the instrumentation.

use std::path::Path;

use agentdiag::ingest::Source;
use agentdiag::render::{Style, terminal};
use serde_json::Value;

use crate::pipeline::{Run, run};

fn fixtures(names: &[&str]) -> Run {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let bytes = |name: &&str| std::fs::read(root.join(name)).expect("a fixture");
    let sources = names.iter().map(|n| Source::from_bytes(n, bytes(n)));
    run(sources.collect(), 2)
}

#[test]
fn inputs_are_explained() {
    let run = fixtures(&[
        "labelled/mixed-full-mixed/traces.jsonl.gz",
        "formats/metrics/exemplars.om",
        "hostile/broken-lines.jsonl",
    ]);
    let mut page = Vec::new();
    let options = terminal::Options {
        style: Style::PLAIN,
        top: 5,
    };
    terminal::explain_input(&run.report(), options, &mut page).expect("written to memory");
    insta::assert_snapshot!("explained", String::from_utf8(page).expect("UTF-8"));
}

#[test]
fn coverage_counts_what_is_there() {
    let run = fixtures(&["dialects/otel_genai/healthy.json"]);
    let page: Value = serde_json::from_str(&run.pages()[0]).expect("JSON");
    let of = |signal: &str| {
        let all = page["coverage"].as_array().expect("a list").iter();
        let mut found = all.filter(|c| c["signal"] == signal);
        let found = found.next().expect("a signal");
        (found["known"].as_u64(), found["of"].as_u64())
    };
    let (tokens, calls) = of("input tokens");
    assert!(calls > Some(1));
    assert_eq!(tokens, calls, "every call says what it used");
    assert_eq!(of("queue and prefill on the server").0, Some(0));
    let input = &page["inputs"][0];
    assert_eq!(input["roles"]["llm"].as_u64(), calls);
    assert!(
        input["why"]
            .as_str()
            .is_some_and(|w| w.contains("resourceSpans"))
    );
}
