//! Two sets side by side: nothing changed between two draws of one set, and what was changed is named.

use agentdiag::compare::{Comparison, Section, Side, compare};
use agentdiag::quantity::Source;
use agentdiag::stats::SplitMix;
use assert_cmd::Command;
use rayon::prelude::*;
use serde_json::Value;

use crate::budgets::{Healthy, Judged, healthy, slower};

const HEALTHY: &str = "fixtures/labelled/healthy-client-genai/traces.jsonl.gz";
const FAULTY: &str = "fixtures/labelled/mixed-full-mixed/traces.jsonl.gz";

fn run(args: &[&str]) -> (i32, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.env_clear().current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.args(args).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.code().expect("it exits"), text)
}

#[test]
fn text_as_a_whole() {
    let (code, text) = run(&["compare", HEALTHY, FAULTY]);
    assert_eq!(code, 0);
    insta::assert_snapshot!("compare-text", text);
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    let (_, page) = run(&[
        "compare", "--format", "markdown", "--top", "3", HEALTHY, FAULTY,
    ]);
    insta::assert_snapshot!("compare-markdown", page);
}

#[test]
fn a_set_and_itself_are_alike() {
    let (code, json) = run(&["compare", "--json", HEALTHY, HEALTHY]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, json["changed"].as_bool()), (0, Some(false)));
    let rows = json["rows"].as_array().expect("rows");
    assert!(rows.len() > 40);
    for row in rows {
        let difference = row["difference"].as_f64().expect("a number");
        assert!(difference.abs() < 1e-9, "{row}");
    }
    let said = json["headline"][0].as_str().expect("a sentence");
    assert!(said.starts_with("Nothing changed"), "{said}");
}

#[test]
fn a_saved_period_stands_in_for_its_dump() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let base = folder.path().join("base.json").display().to_string();
    run(&["baseline", HEALTHY, "-o", &base]);
    let rows = |base: &str, new: &str| -> Vec<Value> {
        let (_, json) = run(&["compare", "--json", base, new]);
        let json: Value = serde_json::from_str(&json).expect("JSON");
        json["rows"].as_array().expect("rows").clone()
    };
    let (saved, dump) = (rows(&base, FAULTY), rows(HEALTHY, FAULTY));
    assert!(
        saved.len() >= 25 && saved.len() < dump.len(),
        "{}",
        saved.len()
    );
    for row in &saved {
        let same = |other: &&Value| {
            ["section", "name", "what", "statistic"]
                .iter()
                .all(|key| other[*key] == row[*key])
        };
        let Some(other) = dump.iter().find(same) else {
            continue;
        };
        for key in ["base", "new"] {
            let (a, b) = (
                row[key].as_f64().expect("a number"),
                other[key].as_f64().expect("a number"),
            );
            assert!((a - b).abs() <= 0.02 * b.abs() + 1e-9, "{row}\n{other}");
        }
    }
    let both = rows(&base, &base);
    assert!(both.iter().all(|row| row["changed"] == false));
}

fn drawn<'a>(source: &Source<'a>, random: &mut SplitMix, n: usize) -> Source<'a> {
    source.with((0..n).map(|_| random.below(source.len()) as u32).collect())
}

/// How many of so many pairs of draws meet `is`.
fn share(
    (runs, n): (u64, usize),
    before: &Source<'_>,
    after: &Source<'_>,
    is: impl Fn(&Comparison) -> bool + Sync,
) -> f64 {
    let hits = (0..runs).into_par_iter().filter(|seed| {
        let mut random = SplitMix::new(*seed);
        let (before, after) = (drawn(before, &mut random, n), drawn(after, &mut random, n));
        is(&compare(Side::Dump(&before), Side::Dump(&after)))
    });
    hits.count() as f64 / runs as f64
}

#[test]
fn two_draws_of_one_set_hardly_ever_differ_and_a_slower_one_does() {
    let known = Healthy::learn();
    let source = known.judged.source();
    let changed = |found: &Comparison| found.rows.iter().any(agentdiag::compare::Row::changed);
    let runs = 40;
    let alarms = share((runs, 200), &source, &source, changed);
    println!("two draws of one set: something changed in {alarms} of runs");
    // The promise is 5 %; this is two standard errors more.
    assert!(alarms <= 0.12, "{alarms}");
    let slow = Judged::by(&known.norms, slower(healthy()));
    let seen = share((20, 300), &source, &slow.source(), |found| {
        let mut rows = found.rows.iter();
        rows.any(|row| row.section == Section::Requests && row.what == "slowdown" && row.changed())
    });
    println!("15 % slower, n = 300: seen in {seen} of runs");
    assert!(seen >= 0.95, "{seen}");
}
