//! Damaged dumps: spans lost, clocks apart, lines out of order. The damage is drawn from a
//! seed; the verdicts over `fixtures/labelled` may fall only so far. And dumps in which nothing can be
//! told from normal say so.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};

use agentdiag::diagnose::Cause;
use agentdiag::ingest::Source;
use agentdiag::model::{Dataset, SpanId};
use agentdiag::units::Nanos;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::pipeline::{Run, over, read, run};
use crate::yardsticks::{Pair, labelled, labels, macro_f1, pairs, verdicts};

/// Share of macro-F1 that may be lost with a tenth of all spans: a limit against further loss. The aim
/// is 0.05 and is not reached: where the slow call itself is lost, nothing in the dump tells.
const LOST_TO_SPANS: f64 = 0.1;
/// … with a fifth of all links to parents.
const LOST_TO_LINKS: f64 = 0.05;
/// … with clocks of services up to 200 ms apart.
const LOST_TO_SKEW: f64 = 0.03;

#[test]
fn a_tenth_of_the_spans_is_missed_little() {
    let damaged = score(lose_a_tenth);
    fallen("spans", damaged, LOST_TO_SPANS);
}

fn lose_a_tenth(data: &mut Dataset, draw: &mut Draw) {
    data.records
        .retain(|s| s.parent == SpanId::NONE || draw.next() >= 0.1);
}

/// Healthy requests that may be said to have stalled where a tenth of all spans is lost.
const TAKEN_FOR_STALLS: f64 = 0.01;

#[test]
fn holes_that_lost_spans_leave_are_seldom_taken_for_stalls() {
    let (mut healthy, mut accused) = (0, 0);
    for folder in labelled() {
        let labels = labels(&folder);
        let mut data = read(Source::find(std::slice::from_ref(&folder)), 2);
        damaged(&mut data, lose_a_tenth);
        for (truth, told) in pairs(&labels, &verdicts(&over(data))) {
            healthy += usize::from(truth.is_none());
            accused += usize::from(truth.is_none() && told == Some(Cause::OrchestrationGap));
        }
    }
    println!("{accused} of {healthy} healthy requests were said to have stalled");
    assert!(
        accused as f64 <= TAKEN_FOR_STALLS * healthy as f64,
        "{accused} of {healthy}"
    );
}

#[test]
fn parents_that_are_not_in_the_dump_are_missed_little() {
    let damaged = score(|data, draw| {
        for span in &mut data.records {
            if span.parent != SpanId::NONE && draw.next() < 0.2 {
                span.parent = SpanId((draw.next() * 1e15) as u64 + 1);
            }
        }
    });
    fallen("a fifth of the parents", damaged, LOST_TO_LINKS);
}

#[test]
fn parents_that_are_not_named_are_missed_little() {
    let damaged = score(|data, draw| {
        for span in &mut data.records {
            if draw.next() < 0.2 {
                span.parent = SpanId::NONE;
            }
        }
    });
    fallen("a fifth of the parents' names", damaged, LOST_TO_LINKS);
}

#[test]
fn clocks_apart_are_borne() {
    let damaged = score(|data, draw| {
        let mut offsets = HashMap::new();
        for span in &mut data.records {
            let offset = *offsets
                .entry(data.emitters[span.emitter as usize].resource)
                .or_insert_with(|| (draw.next() * 400e6) as u64);
            span.start.0 += offset;
            if span.end > Nanos::ZERO {
                span.end.0 += offset;
            }
        }
    });
    fallen("common time", damaged, LOST_TO_SKEW);
}

#[test]
fn the_order_of_lines_and_files_does_not_matter() {
    for folder in labelled() {
        let mut text = String::new();
        let file = fs::File::open(folder.join("traces.jsonl.gz")).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let mut draw = Draw(7);
        for i in (1..lines.len()).rev() {
            lines.swap(i, (draw.next() * (i + 1) as f64) as usize);
        }
        let scratch = tempfile::tempdir().unwrap();
        for (name, half) in ["b.jsonl.gz", "a.jsonl.gz"]
            .iter()
            .zip(lines.chunks(lines.len() / 2 + 1))
        {
            let file = fs::File::create(scratch.path().join(name)).unwrap();
            let mut out = GzEncoder::new(file, Compression::fast());
            for line in half {
                writeln!(out, "{line}").unwrap();
            }
            out.finish().unwrap();
        }
        let logs = folder.join("logs.jsonl.gz");
        if logs.is_file() {
            fs::copy(logs, scratch.path().join("0.jsonl.gz")).unwrap();
        }
        let shuffled = run(Source::find(&[scratch.path().to_path_buf()]), 2);
        let straight = run(Source::find(&[folder]), 2);
        assert_eq!(accounts(&shuffled), accounts(&straight));
    }
}

#[test]
fn a_dump_of_one_trace_cannot_tell_and_says_why() {
    let [_, mixed, _] = &labelled()[..] else {
        panic!("three labelled dumps");
    };
    let whole = read(Source::find(std::slice::from_ref(mixed)), 2);
    // A healthy request without failures or repeats: nothing in it speaks for itself.
    let plain = labels(mixed)
        .into_iter()
        .filter(|(_, cause)| cause.is_none());
    let told: Vec<Run> = plain
        .take(6)
        .map(|(trace, _)| {
            let mut data = read(Source::find(std::slice::from_ref(mixed)), 2);
            let traces = data.traces.clone();
            data.records
                .retain(|s| traces.get(s.trace).to_string() == trace);
            data.logs.clear();
            over(data)
        })
        .collect();
    assert!(!whole.records.is_empty());
    let silent = told
        .iter()
        .filter(|r| r.verdicts.diagnoses.iter().all(|d| d.expected.is_none()));
    assert!(
        silent.count() >= 4,
        "a request on its own was held against something"
    );
    for run in &told {
        assert!(
            run.verdicts.notes.iter().any(|n| n.contains("too few")),
            "{:?}",
            run.verdicts.notes
        );
        for d in run
            .verdicts
            .diagnoses
            .iter()
            .filter(|d| d.expected.is_none())
        {
            assert!(!d.slow && !d.missing.is_empty());
        }
    }
}

#[test]
fn a_dump_without_a_before_and_an_after_says_so() {
    let [_, mixed, _] = &labelled()[..] else {
        panic!("three labelled dumps");
    };
    let mut data = read(Source::find(std::slice::from_ref(mixed)), 2);
    // What was under way at one instant in the middle, and nothing else.
    let first = data.records.iter().map(|s| s.start).min().unwrap();
    let last = data.records.iter().map(|s| s.end).max().unwrap();
    let middle = Nanos(first.0.midpoint(last.0));
    let under_way = |s: &&agentdiag::model::Record| s.start <= middle && middle <= s.end;
    let traces: Vec<_> = data
        .records
        .iter()
        .filter(under_way)
        .map(|s| s.trace)
        .collect();
    data.records.retain(|s| traces.contains(&s.trace));
    let run = over(data);
    assert!(run.verdicts.diagnoses.len() >= 4);
    assert!(
        run.verdicts
            .notes
            .iter()
            .any(|n| n.contains("no before and no after")),
        "{:?}",
        run.verdicts.notes
    );
}

/// The dump that shows all signals, with the traces that `keeps` allows by their label.
fn some(keeps: impl Fn(&str, Option<Cause>) -> bool) -> Run {
    let [_, mixed, _] = &labelled()[..] else {
        panic!("three labelled dumps");
    };
    let labels = labels(mixed);
    let mut data = read(Source::find(std::slice::from_ref(mixed)), 2);
    let traces = data.traces.clone();
    data.records.retain(|s| {
        let trace = traces.get(s.trace).to_string();
        labels
            .get(&trace)
            .is_some_and(|cause| keeps(&trace, *cause))
    });
    over(data)
}

fn says(run: &Run, what: &str) -> bool {
    run.verdicts.notes.iter().any(|n| n.contains(what))
}

#[test]
fn a_dump_that_is_slow_throughout_says_what_it_cannot_tell() {
    let slow = some(|_, cause| cause.is_some());
    assert!(slow.verdicts.diagnoses.len() > 100);
    let notes = &slow.verdicts.notes;
    assert!(says(&slow, "baseline of a healthy period"), "{notes:?}");
    assert!(
        says(&slow, "of this dump is slow") || says(&slow, "of the requests are slow"),
        "{notes:?}"
    );
    let healthy = some(|_, cause| cause.is_none());
    assert!(
        !says(&healthy, "slow"),
        "a healthy dump was called slow: {:?}",
        healthy.verdicts.notes
    );
}

#[test]
fn a_dump_of_one_kind_of_task_says_what_it_cannot_tell() {
    let whole = some(|_, _| true);
    assert!(!says(&whole, "one kind of task"));
    let mut kinds: HashMap<_, Vec<String>> = HashMap::new();
    for request in &whole.forest.requests {
        let kind = kinds.entry(request.kind).or_default();
        kind.push(request.trace.to_string());
    }
    let most = kinds.values().map(Vec::len).max().unwrap();
    let kept = kinds.into_values().find(|k| k.len() == most).unwrap();
    let one = some(|trace, _| kept.iter().any(|k| k == trace));
    let notes = &one.verdicts.notes;
    assert!(
        says(&one, "one kind of task") && says(&one, "cannot be told"),
        "{notes:?}"
    );
}

/// Macro-F1 of intact and of damaged dumps.
fn score(damage: impl Fn(&mut Dataset, &mut Draw)) -> (f64, f64) {
    let (mut before, mut after): (Vec<Pair>, Vec<Pair>) = Default::default();
    for folder in labelled() {
        let labels = labels(&folder);
        let load = || read(Source::find(std::slice::from_ref(&folder)), 2);
        before.extend(pairs(&labels, &verdicts(&over(load()))));
        let mut data = load();
        damaged(&mut data, &damage);
        after.extend(pairs(&labels, &verdicts(&over(data))));
    }
    (macro_f1(&before), macro_f1(&after))
}

fn damaged(data: &mut Dataset, damage: impl Fn(&mut Dataset, &mut Draw)) {
    // Threads read spans in any order; what is damaged shall not depend on it.
    let traces = data.traces.clone();
    data.records
        .sort_by_key(|s| (traces.get(s.trace), s.id, s.place));
    damage(data, &mut Draw(1));
}

fn fallen(what: &str, (before, after): (f64, f64), most: f64) {
    println!("without {what}: macro-F1 {after:.3}, intact {before:.3}");
    assert!(
        after >= before - most,
        "without {what}: macro-F1 {after:.3}, intact {before:.3}"
    );
}

/// Every account, by trace and root.
fn accounts(run: &Run) -> Vec<String> {
    let mut lines: Vec<String> = run
        .verdicts
        .diagnoses
        .iter()
        .map(|d| {
            let r = &run.forest.requests[d.request as usize];
            let entries: Vec<_> = d.claims.iter().map(|c| (c.cause, c.explains)).collect();
            format!(
                "{} {} {:?} {:?}",
                r.trace, r.wall.start.0, d.primary, entries
            )
        })
        .collect();
    lines.sort();
    lines
}

/// Shares between nought and one (`splitmix64`: Steele, Lea & Flood 2014).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
