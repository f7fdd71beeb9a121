//! Throughput and memory of reading each format that can hold gigabytes. See README.md.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit
)]

mod shapes;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use agentdiag::ingest::{
    self, RawAttr, RawClusterEvent, RawExemplar, RawLog, RawMetric, RawSpan, Sink, Source,
};
use agentdiag::model::Ledger;
use shapes::{SHAPES, Shape};

const USAGE: &str =
    "cargo bench --bench formats -- [--size 128MB] [--threads 1] [--rounds 3] [--only NAME]";

struct Args {
    size: u64,
    threads: usize,
    rounds: usize,
    only: String,
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    if let [flag, path, threads] = words.as_slice()
        && flag == "--one"
    {
        return one(Path::new(path), threads.parse().expect("a number"));
    }
    let Some(args) = parse(&words) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    println!(
        "{} thread(s), median of {}\n{:<26} {:>9} {:>9} {:>12} {:>9}",
        args.threads, args.rounds, "format", "MB", "MB/s", "records/s", "peak MB"
    );
    for shape in SHAPES.iter().filter(|s| s.name.contains(&args.only)) {
        measure(shape, &args);
    }
}

fn parse(words: &[String]) -> Option<Args> {
    let mut args = Args {
        size: 128_000_000,
        threads: 1,
        rounds: 3,
        only: String::new(),
    };
    for pair in words.chunks(2) {
        let [flag, value] = pair else { return None };
        match flag.as_str() {
            "--size" => {
                let (digits, unit) = value.split_at(value.find(char::is_alphabetic)?);
                let unit = match unit {
                    "MB" => 1_000_000,
                    "GB" => 1_000_000_000,
                    _ => return None,
                };
                args.size = digits.parse::<u64>().ok()? * unit;
            }
            "--threads" => args.threads = value.parse().ok()?,
            "--rounds" => args.rounds = value.parse().ok().filter(|n| *n > 0)?,
            "--only" => args.only.clone_from(value),
            _ => return None,
        }
    }
    Some(args)
}

fn measure(shape: &Shape, args: &Args) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("dump");
    let written = write(shape, &path, args.size);
    let bytes = std::fs::metadata(&path).expect("written").len() as f64;
    let mut seconds = Vec::new();
    let mut peak = None;
    for round in 0..=args.rounds {
        let (time, memory, read) = child(&path, args.threads);
        assert_eq!(read, written, "{}: records were lost", shape.name);
        if round > 0 {
            seconds.push(time);
        }
        peak = peak.max(memory);
    }
    seconds.sort_by(f64::total_cmp);
    let middle = seconds[seconds.len() / 2];
    println!(
        "{:<26} {:>9.0} {:>9.0} {:>12.0} {:>9}",
        shape.name,
        bytes / 1e6,
        bytes / 1e6 / middle,
        written as f64 / middle,
        peak.map_or("-".into(), |p| format!("{:.0}", p as f64 / 1e6)),
    );
}

/// Writes records until `size` bytes are reached; how many.
fn write(shape: &Shape, path: &Path, size: u64) -> u64 {
    let file = File::create(path).expect("the path can be written");
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let (mut written, mut count, mut text) = (0, 0, Vec::new());
    out.write_all(shape.open).expect("written");
    while written < size {
        text.clear();
        if count > 0 {
            text.extend(shape.between);
        }
        (shape.each)(count, &mut text);
        out.write_all(&text).expect("written");
        written += text.len() as u64;
        count += 1;
    }
    out.write_all(shape.close).expect("written");
    out.flush().expect("written");
    count * shape.records
}

/// One reading in a process of its own: seconds, peak memory in bytes, records.
fn child(path: &Path, threads: usize) -> (f64, Option<u64>, u64) {
    let own = std::env::current_exe().expect("a path");
    let run = Command::new(own)
        .args(["--one", &path.to_string_lossy(), &threads.to_string()])
        .output()
        .expect("it can be started");
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let mut words = text.split_whitespace();
    let mut next = || words.next().unwrap_or_default().to_owned();
    let (time, peak, records) = (next(), next(), next());
    (
        time.parse().expect("seconds"),
        peak.parse().ok(),
        records.parse().expect("a count"),
    )
}

fn one(path: &Path, threads: usize) {
    let options = ingest::Options {
        threads: Some(threads),
        ..ingest::Options::default()
    };
    let begin = Instant::now();
    let reading = ingest::read_all(Source::find(&[path]), &options, Counter::default, &());
    let time = begin.elapsed().as_secs_f64();
    let input = &reading.inputs[0];
    let peak = peak().map_or("-".into(), |bytes| bytes.to_string());
    println!("{time} {peak} {}", input.spans + input.points + input.logs);
}

/// Peak resident memory of this process (Linux).
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// A sink that drops everything.
#[derive(Default)]
struct Counter {
    ledger: Ledger,
}

impl Sink for Counter {
    fn resource(&mut self, _: &[RawAttr<'_>]) -> u32 {
        0
    }
    fn scope(&mut self, _: &str, _: &str) -> u32 {
        0
    }
    fn span(&mut self, _: &RawSpan<'_>, _: u32, _: u32) {}
    fn metric(&mut self, _: &RawMetric<'_>, _: u32) {}
    fn exemplar(&mut self, _: &str, _: &RawExemplar) {}
    fn log(&mut self, _: &RawLog<'_>, _: u32) {}
    fn cluster_event(&mut self, _: &RawClusterEvent<'_>) {}
    fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
