//! Baselines: learned in parts or at once, merged in any order, refused when broken, and used.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use agentdiag::aggregate::Profile;
use agentdiag::baseline::Norms;
use agentdiag::ingest::Source;
use agentdiag::saved::Saved;
use assert_cmd::Command;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use crate::pipeline::{Run, run};

const HEALTHY: &str = "fixtures/labelled/healthy-client-genai/traces.jsonl.gz";
const MIXED: &str = "fixtures/labelled/mixed-full-mixed/traces.jsonl.gz";

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn healthy() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| run(Source::find(&[fixture(HEALTHY)]), 2))
}

fn learn(run: &Run, keeps: impl Fn(u32) -> bool + Copy) -> Saved {
    let profile = Profile::learn_some(&run.data, &run.forest, &run.sums.per_request, keeps);
    Saved::new(Norms::learn_some(&run.data, &run.forest, keeps), profile)
}

fn bytes(saved: &Saved) -> Vec<u8> {
    let mut bytes = Vec::new();
    saved.write(&mut bytes).expect("written to memory");
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn baselines_of_parts_merge_to_that_of_the_whole(parts in prop::collection::vec(0_usize..3, 1..40)) {
        let run = healthy();
        let part_of = |request: u32| parts[request as usize % parts.len()];
        let mut merged = Saved::default();
        for part in [2, 0, 1] {
            let learned = bytes(&learn(run, |request| part_of(request) == part));
            merged.merge(Saved::parse("part.json", &learned).expect("what was written is read"));
        }
        prop_assert_eq!(bytes(&merged), bytes(&learn(run, |_| true)));
    }
}

fn agentdiag(folder: &TempDir, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let output = command.env_clear().current_dir(folder).args(args).output();
    let output = output.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it exits");
    (code, text(output.stdout), text(output.stderr))
}

/// Learns from `inputs`, and gives what was written.
fn baseline(folder: &TempDir, inputs: &[&str], name: &str) -> String {
    let args = [&["baseline", "-o", name], inputs].concat();
    let (code, out, err) = agentdiag(folder, &args);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("learned from"), "{out}");
    std::fs::read_to_string(folder.path().join(name)).expect("a baseline")
}

/// A baseline without how often requests were slow, why, and at what cost: they were judged among those they were
/// learned with.
fn without_verdicts(text: &str) -> Value {
    let mut saved: Value = serde_json::from_str(text).expect("JSON");
    let tasks = saved["profile"]["tasks"].as_object_mut().expect("tasks");
    for task in tasks.values_mut() {
        let rates = task["rates"].as_object_mut().expect("rates");
        assert!(
            rates.contains_key("slow") && rates.contains_key("cached"),
            "{rates:?}"
        );
        rates.retain(|name, _| name != "slow" && name != "wasted" && !name.starts_with("cause="));
    }
    saved
}

#[test]
fn baseline_files_merge_like_the_dumps_they_come_from() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (one, two) = (fixture(HEALTHY), fixture(MIXED));
    let (one, two) = (one.to_str().expect("UTF-8"), two.to_str().expect("UTF-8"));
    let whole = baseline(&folder, &[one, two], "whole.json");
    baseline(&folder, &[one], "one.json");
    baseline(&folder, &[two], "two.json");
    let merged = baseline(&folder, &["two.json", "one.json"], "merged.json");
    assert!(baseline(&folder, &["one.json", two], "mixed.json") == merged);
    assert!(without_verdicts(&merged) == without_verdicts(&whole));
    // A second run does not take its own earlier result for an input.
    let again = baseline(
        &folder,
        &["one.json", "two.json", "merged.json"],
        "merged.json",
    );
    assert!(again == merged);
    let (_, standard_output, _) = agentdiag(&folder, &["baseline", "one.json", "two.json"]);
    assert!(standard_output == merged);
}

#[test]
fn broken_baseline_files_are_refused_with_a_place() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let dump = fixture(HEALTHY);
    let dump = dump.to_str().expect("UTF-8");
    let good = baseline(&folder, &[dump], "good.json");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write("cut.json", &good[..good.len() / 2]);
    write("next.json", &good.replace("baseline.v1", "baseline.v2"));
    write(
        "negative.json",
        &good.replacen("\"requests\":", "\"requests\":-", 1),
    );
    write("other.json", "{\"models\": {}}");
    write("empty.json", "\n");
    write("poem.json", "so much depends\nupon\n");
    for (name, what) in [
        ("cut.json", "the file is cut off here"),
        (
            "next.json",
            "schema is `agentdiag.baseline.v2`; this version reads `agentdiag.baseline.v1`",
        ),
        ("negative.json", "expected a whole number"),
        ("other.json", "missing field `schema`"),
        ("empty.json", "the file is empty"),
        ("poem.json", "not JSON: expected value"),
    ] {
        let (code, out, err) = agentdiag(&folder, &["analyze", "--baseline", name, dump]);
        assert_eq!((code, out.as_str()), (2, ""), "{name}: {err}");
        assert!(
            err.contains(&format!("{name}:")) && err.contains(what),
            "{name}: {err}"
        );
        assert!(
            err.contains("expected a file written by `agentdiag baseline`"),
            "{err}"
        );
        let place = err.split(&format!("{name}:")).nth(1).expect("a place");
        let line = place.split(':').next().and_then(|n| n.parse::<u32>().ok());
        assert!(line.is_some(), "{err}");
    }
    let (code, _, err) = agentdiag(&folder, &["analyze", "--baseline", "none.json", dump]);
    assert_eq!(code, 2);
    assert!(err.contains("none.json: "), "{err}");
    let (code, _, err) = agentdiag(
        &folder,
        &["baseline", "good.json", "cut.json", "-o", "x.json"],
    );
    assert_eq!(code, 2);
    assert!(err.contains("cut.json:1:"), "{err}");
    assert!(!folder.path().join("x.json").exists());
}

#[test]
fn a_profile_counts_what_the_report_counts() {
    let run = healthy();
    let all = Profile::learn(&run.data, &run.forest, &run.sums.per_request).all_tasks();
    assert_eq!(all.requests, run.forest.requests.len() as u64);
    let tokens = run.forest.requests.iter().filter_map(|r| r.input_tokens);
    assert_eq!(all.input_tokens.sum(), tokens.sum::<u64>());
    let parts: u64 = all
        .parts
        .values()
        .map(agentdiag::aggregate::profile::Amounts::sum)
        .sum();
    assert_eq!(parts, all.duration.sum());
    assert!(all.choices.values().map(|c| c.calls).sum::<u64>() > 0);
}

#[test]
fn a_slow_dump_is_judged_by_a_healthy_one() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let dump = fixture(HEALTHY);
    let dump = dump.to_str().expect("UTF-8");
    baseline(&folder, &[dump], "base.json");
    let (code, out, err) = agentdiag(
        &folder,
        &["analyze", "--json", "--baseline", "base.json", dump],
    );
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["schema"], "agentdiag.analyze.v1");
}

/// Every subcommand that takes a baseline looks at it: a file that is none is refused by all of them.
#[test]
fn no_subcommand_overlooks_its_baseline() {
    let folder = TempDir::new().expect("a scratch folder");
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, "{\"schema\": \"agentdiag.baseline.v0\"}").expect("written");
    let bad = bad.display().to_string();
    let dump = fixture("fixtures/quickstart/traces.jsonl.gz")
        .display()
        .to_string();
    let budgets = fixture("fixtures/budgets/against-baseline.toml")
        .display()
        .to_string();
    for args in [
        &["analyze"][..],
        &["trace", "9b53286f"],
        &["report", "-o", "page.html"],
        &["export", "--to", "otlp"],
        &["replay"],
        &["rules"],
        &["drift"],
        &["check", "--budget", &budgets],
    ] {
        let args = [args, &["--baseline", &bad, &dump]].concat();
        let (code, _, errors) = agentdiag(&folder, &args);
        assert!(
            code == 2 && errors.contains("agentdiag.baseline.v0"),
            "{args:?}: {errors}"
        );
    }
}
