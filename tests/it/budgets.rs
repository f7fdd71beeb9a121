//! Budgets do not cry wolf, and do not sleep: a healthy dump is drawn again many times, as it is and slowed down.

use std::path::Path;

use agentdiag::aggregate::Profile;
use agentdiag::baseline::{Norms, Work, work};
use agentdiag::budget::{self, Budgets, Check, Reference, Verdict};
use agentdiag::diagnose::{self, Verdicts};
use agentdiag::ingest::Source as Input;
use agentdiag::model::Dataset;
use agentdiag::quantity::{Source, keep};
use agentdiag::stats::SplitMix;
use agentdiag::units::Nanos;
use rayon::prelude::*;

use crate::pipeline::{Run, over, read};

/// Runs drawn from a dump.
const RUNS: u64 = 100;

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

pub(crate) fn healthy() -> Dataset {
    let folder = fixtures().join("labelled/healthy-client-genai");
    read(Input::find(&[folder]), 2)
}

/// Every span takes 15 % longer: times are stretched from the start of their trace on.
pub(crate) fn slower(mut data: Dataset) -> Dataset {
    let mut starts = std::collections::HashMap::new();
    for span in &data.records {
        let start = starts.entry(span.trace).or_insert(span.start);
        *start = (*start).min(span.start);
    }
    for span in &mut data.records {
        let origin = starts[&span.trace];
        let later = |time: Nanos| origin + Nanos(time.since(origin).0 * 115 / 100);
        span.start = later(span.start);
        if span.end > Nanos::ZERO {
            span.end = later(span.end);
        }
    }
    data
}

/// A run judged by what the healthy one has as normal.
pub(crate) struct Judged {
    run: Run,
    verdicts: Verdicts,
    work: Vec<Option<Work>>,
}

impl Judged {
    pub(crate) fn by(norms: &Norms, data: Dataset) -> Self {
        let run = over(data);
        let rule = diagnose::Options::default();
        let verdicts = diagnose::diagnose_against(&run.data, &run.forest, &rule, Some(norms));
        let work = work(&run.data, &run.forest, norms);
        Self {
            run,
            verdicts,
            work,
        }
    }

    pub(crate) fn source(&self) -> Source<'_> {
        let run = &self.run;
        let costs = &run.sums.per_request;
        Source::new(
            (&run.data, &run.forest),
            &self.verdicts.diagnoses,
            costs,
            &self.work,
        )
    }
}

/// What a healthy period knows.
pub(crate) struct Healthy {
    pub(crate) norms: Norms,
    pub(crate) profile: Profile,
    pub(crate) judged: Judged,
}

impl Healthy {
    pub(crate) fn learn() -> Self {
        let run = over(healthy());
        let norms = Norms::learn(&run.data, &run.forest);
        let mut profile = Profile::learn(&run.data, &run.forest, &run.sums.per_request);
        let judged = Judged::by(&norms, healthy());
        keep(&mut profile, &judged.source());
        Self {
            judged,
            norms,
            profile,
        }
    }

    fn reference(&self, dump: bool) -> Reference<'_> {
        Reference {
            profile: &self.profile,
            dump: dump.then(|| self.judged.source()),
        }
    }
}

fn shipped(name: &str) -> Budgets {
    let text = std::fs::read_to_string(fixtures().join("budgets").join(name)).expect("budgets");
    budget::read(name, &text).expect("understood")
}

/// How many of the runs of `n` requests drawn from `source` meet `bad`.
fn share_of_runs(
    budgets: &Budgets,
    source: &Source<'_>,
    reference: &Reference<'_>,
    n: usize,
    bad: impl Fn(&Check) -> bool + Sync,
) -> f64 {
    share_of(RUNS, budgets, source, reference, n, bad)
}

/// The same of so many runs.
fn share_of(
    runs: u64,
    budgets: &Budgets,
    source: &Source<'_>,
    reference: &Reference<'_>,
    n: usize,
    bad: impl Fn(&Check) -> bool + Sync,
) -> f64 {
    let references = vec![Some(reference); budgets.budgets.len()];
    let failed = (0..runs).into_par_iter().filter(|seed| {
        let mut random = SplitMix::new(*seed);
        let picked = (0..n).map(|_| random.below(source.len()) as u32).collect();
        bad(&budget::check(budgets, &source.with(picked), &references))
    });
    failed.count() as f64 / runs as f64
}

fn fails(check: &Check) -> bool {
    check.count(Verdict::Broken) > 0
}

/// Budgets at the very edge: the healthy set itself is the limit.
const EDGE: &str = r#"
[[budget]]
expect = "mean(latency) <= baseline"
[[budget]]
expect = "p50(latency) <= baseline"
[[budget]]
expect = "p90(latency) <= baseline"
[[budget]]
expect = "mean(cost_per_task) <= baseline"
[[budget]]
expect = "mean(output_tokens) <= baseline"
[[budget]]
expect = "p90(ttft) <= baseline"
[[budget]]
expect = "rate(tool_error) <= baseline"
[[budget]]
expect = "rate(slow) <= baseline"
[[budget]]
expect = "rate(cached) >= baseline"
"#;

#[test]
fn a_healthy_set_drawn_again_hardly_ever_fails() {
    let healthy = Healthy::learn();
    let source = healthy.judged.source();
    let (dump, saved) = (healthy.reference(true), healthy.reference(false));
    let against = shipped("against-baseline.toml");
    for (n, reference) in [(60, &dump), (200, &dump), (200, &saved)] {
        let rate = share_of_runs(&against, &source, reference, n, fails);
        println!("healthy, n = {n}: {rate} of runs fail");
        assert!(rate <= 0.01, "n = {n}: {rate}");
    }
    // Many requests leave little to noise: a budget that a healthy set does not keep by itself would break here.
    let whole = share_of(10, &against, &source, &dump, 1500, |check| {
        let bad = [Verdict::Broken, Verdict::Warned, Verdict::WithinNoise];
        bad.into_iter().any(|verdict| check.count(verdict) > 0)
    });
    println!("healthy, n = 1500: not kept in {whole} of runs");
    assert!(whole <= 0.01, "{whole}");
    let plain = shipped("agentdiag.toml");
    let rate = share_of_runs(&plain, &source, &dump, 200, fails);
    assert!(rate <= 0.01, "limits of their own: {rate}");
    let edge = budget::read("edge.toml", EDGE).expect("understood");
    let rate = share_of_runs(&edge, &source, &dump, 100, fails);
    println!("healthy, at the very edge, n = 100: {rate} of runs fail");
    // One run in a hundred is the promise here; three are within two standard errors of it.
    assert!(rate <= 0.03, "edge: {rate}");
}

/// A limit that is exactly the truth: mean and quantile of the set that runs are drawn from.
#[test]
fn a_limit_that_is_the_truth_is_hardly_ever_broken() {
    let healthy = Healthy::learn();
    let source = healthy.judged.source();
    let wide = "[check]\nfalse_alarms = 0.01\n[[budget]]\nname = \"m\"\nexpect = \"mean(latency) <= 1ms\"\ntest = \"point\"\n[[budget]]\nname = \"q\"\nexpect = \"p75(latency) <= 1ms\"\ntest = \"point\"\n";
    let found = budget::check(&budget::read("w", wide).expect("understood"), &source, &[]);
    let value = |index: usize| found.findings[index].value.expect("a value");
    let text = format!(
        "[[budget]]\nname = \"m\"\nexpect = \"mean(latency) <= {}ms\"\n[[budget]]\nname = \"q\"\nexpect = \"p75(latency) <= {}ms\"\n",
        value(0),
        value(1)
    );
    let budgets = budget::read("exact.toml", &text).expect("understood");
    for n in [60, 200] {
        // One run in a hundred is the promise; three are within two standard errors of it.
        let rate = share_of_runs(&budgets, &source, &healthy.reference(true), n, fails);
        assert!(rate <= 0.03, "n = {n}: {rate}");
        let naive = share_of_runs(&budgets, &source, &healthy.reference(true), n, |check| {
            check.findings.iter().any(|f| f.value > f.limit)
        });
        assert!(naive >= 0.4, "comparing values alone would flap: {naive}");
    }
}

#[test]
fn fifteen_percent_slower_is_caught() {
    let healthy = Healthy::learn();
    let slow = Judged::by(&healthy.norms, slower(self::healthy()));
    let source = slow.source();
    let against = shipped("against-baseline.toml");
    for dump in [true, false] {
        let reference = healthy.reference(dump);
        let caught = share_of_runs(&against, &source, &reference, 200, fails);
        println!("15 % slower, n = 200, dump {dump}: {caught} of runs fail");
        assert!(caught >= 0.95, "dump {dump}: {caught}");
    }
    // A mean that varies by half of itself within each kind of task needs more requests for that.
    let mean = "[[budget]]\nexpect = \"mean(latency) <= baseline\"\n";
    let mean = budget::read("mean.toml", mean).expect("understood");
    for (n, least) in [(200, 0.5), (800, 0.95)] {
        let caught = share_of_runs(&mean, &source, &healthy.reference(true), n, fails);
        println!("15 % slower by the mean alone, n = {n}: {caught}");
        assert!(caught >= least, "n = {n}: {caught}");
    }
}

/// What a saved period keeps of rates judges as the dump does that it was learned from.
#[test]
fn a_saved_period_judges_rates_as_its_dump_does() {
    let healthy = Healthy::learn();
    let slow = Judged::by(&healthy.norms, slower(self::healthy()));
    let rates = [
        "slow",
        "incomplete",
        "retried",
        "llm_error",
        "tool_error",
        "cached",
        "wasted",
        "finish=length",
        "cause=noisy_neighbour",
        "cause=unexplained",
        "tool=search_kb",
    ];
    let text: String = rates
        .iter()
        .map(|rate| format!("[[budget]]\nexpect = \"rate({rate}) <= baseline + 1%\"\n"))
        .collect();
    let budgets = budget::read("rates.toml", &text).expect("understood");
    let judge = |dump| {
        let reference = healthy.reference(dump);
        let references = vec![Some(&reference); rates.len()];
        budget::check(&budgets, &slow.source(), &references).findings
    };
    for ((saved, dump), rate) in judge(false).iter().zip(judge(true)).zip(rates) {
        assert_eq!(saved.verdict, dump.verdict, "{rate}: {:?}", saved.why);
        let near = |a: Option<f64>, b: Option<f64>, by: f64| {
            (a.unwrap_or(-1.0) - b.unwrap_or(-1.0)).abs() <= by
        };
        assert!(
            near(saved.baseline, dump.baseline, 1e-3),
            "{rate}: {saved:?} {dump:?}"
        );
        assert!(
            near(saved.at_best, dump.at_best, 2e-3),
            "{rate}: {saved:?} {dump:?}"
        );
    }
}
