//! One measurement: every stage in turn, round after round, and the medians.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use agentdiag::aggregate::{self, Prices};
use agentdiag::dialect::{self, Normalizer};
use agentdiag::ingest::{
    self, RawAttr, RawClusterEvent, RawExemplar, RawLog, RawMetric, RawSpan, Sink, Source,
};
use agentdiag::model::{Dataset, Ledger};
use agentdiag::trace::{self, Forest};
use agentdiag::{diagnose, units};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use rayon::prelude::*;

/// What is measured, in the order it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// serde_json into the protocol's own structures: the yardstick.
    Reference,
    /// Ingest with a sink that counts.
    Ingest,
    /// Ingest and dialects: a whole dataset.
    Read,
    /// Everything: traces, diagnosis, sums.
    Analyze,
    /// The built program, from start to exit.
    Process,
}

impl Stage {
    pub(crate) const ALL: [Self; 5] = [
        Self::Reference,
        Self::Ingest,
        Self::Read,
        Self::Analyze,
        Self::Process,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reference => "serde_json -> TracesData",
            Self::Ingest => "ingest, null sink",
            Self::Read => "ingest + dialect",
            Self::Analyze => "analyze, in process",
            Self::Process => "agentdiag analyze",
        }
    }
}

/// One run of one stage.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    pub(crate) time: Duration,
    pub(crate) spans: u64,
    /// Peak memory of the process, where it was one of its own.
    pub(crate) peak: Option<u64>,
}

/// Runs a stage once on `threads` threads; `None` when the program cannot do it yet.
pub(crate) fn run(stage: Stage, dump: &Path, threads: usize) -> Option<Run> {
    if stage == Stage::Process {
        return process(dump, threads);
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads can be started");
    let begin = Instant::now();
    let spans = pool.install(|| match stage {
        Stage::Reference => reference(dump),
        Stage::Ingest => null_sink(dump, threads),
        Stage::Read => read(dump, threads).records.len() as u64,
        Stage::Analyze => analyze(dump, threads),
        Stage::Process => 0,
    });
    Some(Run {
        time: begin.elapsed(),
        spans,
        peak: None,
    })
}

/// Every line into the generated structures with their own serde reader, on all threads at once.
fn reference(dump: &Path) -> u64 {
    let bytes = std::fs::read(dump).expect("the dump can be read");
    let lines: Vec<&[u8]> = bytes
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .into_par_iter()
        .map(|line| {
            let data: TracesData = serde_json::from_slice(line).expect("well-formed OTLP/JSON");
            let scopes = data.resource_spans.iter().flat_map(|r| &r.scope_spans);
            scopes.map(|scope| scope.spans.len() as u64).sum::<u64>()
        })
        .sum()
}

/// Counts spans and keeps nothing; asks for every attribute.
#[derive(Default)]
struct Counter {
    spans: u64,
    ledger: Ledger,
}

impl Sink for Counter {
    fn resource(&mut self, _: &[RawAttr<'_>]) -> u32 {
        0
    }
    fn scope(&mut self, _: &str, _: &str) -> u32 {
        0
    }
    fn span(&mut self, _: &RawSpan<'_>, _: u32, _: u32) {
        self.spans += 1;
    }
    fn metric(&mut self, _: &RawMetric<'_>, _: u32) {}
    fn exemplar(&mut self, _: &str, _: &RawExemplar) {}

    fn log(&mut self, _: &RawLog<'_>, _: u32) {}
    fn cluster_event(&mut self, _: &RawClusterEvent<'_>) {}
    fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

fn options(threads: usize) -> ingest::Options {
    ingest::Options {
        threads: Some(threads),
        ..ingest::Options::default()
    }
}

fn null_sink(dump: &Path, threads: usize) -> u64 {
    let sources = Source::find(&[dump]);
    let reading = ingest::read_all(sources, &options(threads), Counter::default, &());
    reading.sinks.iter().map(|sink| sink.spans).sum()
}

fn read(dump: &Path, threads: usize) -> Dataset {
    let sources = Source::find(&[dump]);
    let reading = ingest::read_all(sources, &options(threads), Normalizer::new, &());
    let mut dataset = Dataset::default();
    for sink in reading.sinks {
        dataset.absorb(sink.finish());
    }
    dialect::merge_series(&mut dataset);
    dataset
}

fn analyze(dump: &Path, threads: usize) -> u64 {
    let mut dataset = read(dump, threads);
    let spans = dataset.records.len() as u64;
    let forest = Forest::build(&mut dataset, &trace::Options::default());
    let verdicts = diagnose::diagnose(&dataset, &forest, &diagnose::Options::default());
    let sums = aggregate::summarise(&dataset, &forest, &Prices::builtin());
    let cost: units::Usd = sums.per_request.iter().filter_map(|r| r.cost).sum();
    std::hint::black_box((verdicts.diagnoses.len(), cost));
    spans
}

/// The program as a user runs it. Linux keeps the highest resident size under `VmHWM`.
fn process(dump: &Path, threads: usize) -> Option<Run> {
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentdiag"))
        .args(["analyze", "--format", "json", "--threads"])
        .arg(threads.to_string())
        .arg(dump)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    let exit = loop {
        if let Ok(Some(exit)) = child.try_wait() {
            break exit;
        }
        peak = peak.max(high_water(&status));
        std::thread::sleep(Duration::from_millis(2));
    };
    exit.success().then(|| Run {
        time: begin.elapsed(),
        spans: 0,
        peak,
    })
}

fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The middle of several runs by time.
pub(crate) fn middle(mut runs: Vec<Run>) -> Option<Run> {
    runs.sort_by_key(|run| run.time);
    let peak = runs.iter().filter_map(|run| run.peak).max();
    let run = runs.get(runs.len() / 2)?;
    Some(Run { peak, ..*run })
}
