//! Throughput and memory of each stage, against serde_json on the same bytes. See README.md.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit
)]

mod data;
mod measure;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use data::{Profile, Written};
use measure::Stage;

const USAGE: &str = "cargo bench --bench pipeline -- [--size 256MB] [--profile lean|content|mixed] \
                     [--threads 1,2] [--rounds 5] [--seed 1] [--dump PATH]\n\
                     cargo bench --bench pipeline -- --write PATH [--size 1GB] [--profile lean] [--seed 1]";

struct Args {
    size: u64,
    profile: Profile,
    threads: Vec<usize>,
    rounds: usize,
    seed: u64,
    write: Option<PathBuf>,
    dump: Option<PathBuf>,
}

fn main() {
    let Some(args) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    if let Some(path) = &args.write {
        println!("{}", describe(&make(path, &args)));
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let dump = args.dump.clone().unwrap_or_else(|| {
        let path = folder.path().join("dump.jsonl");
        println!("{}", describe(&make(&path, &args)));
        path
    });
    for &threads in &args.threads {
        table(&dump, threads, args.rounds);
    }
}

fn make(path: &Path, args: &Args) -> Written {
    let file = File::create(path).expect("the path can be written");
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let written = data::write(&mut out, args.profile, args.size, args.seed).expect("written");
    out.flush().expect("written");
    written
}

fn describe(written: &Written) -> String {
    let per = |whole: u64, of: u64| whole as f64 / of.max(1) as f64;
    format!(
        "{:.1} MB, {} spans ({:.0} bytes each), {} requests, {} lines ({:.0} spans each)",
        written.bytes as f64 / 1e6,
        written.spans,
        per(written.bytes, written.spans),
        written.requests,
        written.lines,
        per(written.spans, written.lines),
    )
}

/// All stages in turn, `rounds` times after one that is not counted; medians.
fn table(dump: &Path, threads: usize, rounds: usize) {
    let bytes = std::fs::metadata(dump).expect("the dump exists").len() as f64;
    let mut runs = Stage::ALL.map(|_| Vec::new());
    for round in 0..=rounds {
        for (stage, runs) in Stage::ALL.into_iter().zip(&mut runs) {
            let run = measure::run(stage, dump, threads);
            runs.extend(run.filter(|_| round > 0));
        }
    }
    let medians = runs.map(measure::middle);
    let yardstick = medians[0].map_or(f64::NAN, |run| run.time.as_secs_f64());
    let spans = medians[0].map_or(0, |run| run.spans) as f64;
    println!("\n{threads} thread(s), median of {rounds}");
    println!(
        "{:<26} {:>9} {:>9} {:>12} {:>8} {:>14}",
        "stage", "seconds", "MB/s", "spans/s", "x serde", "peak / input"
    );
    for (stage, run) in Stage::ALL.into_iter().zip(medians) {
        let Some(run) = run else {
            println!("{:<26} not available", stage.name());
            continue;
        };
        let seconds = run.time.as_secs_f64();
        let peak = run.peak.map_or("-".into(), |peak| {
            format!("{:.0} MB {:.2}", peak as f64 / 1e6, peak as f64 / bytes)
        });
        println!(
            "{:<26} {seconds:>9.3} {:>9.1} {:>12.0} {:>8.2} {peak:>14}",
            stage.name(),
            bytes / 1e6 / seconds,
            spans / seconds,
            yardstick / seconds,
        );
    }
}

fn parse(words: impl Iterator<Item = String>) -> Option<Args> {
    let mut args = Args {
        size: 256_000_000,
        profile: Profile::Lean,
        threads: vec![
            1,
            std::thread::available_parallelism().map_or(1, usize::from),
        ],
        rounds: 5,
        seed: 1,
        write: None,
        dump: None,
    };
    args.threads.dedup();
    let words: Vec<String> = words.collect();
    // `cargo bench` adds --bench; `cargo test --benches` does not and wants a quick look only.
    if !words.iter().any(|word| word == "--bench") {
        (args.size, args.rounds, args.threads) = (1_000_000, 1, vec![1]);
    }
    let mut words = words.into_iter().filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--size" => args.size = size(&value)?,
            "--profile" => args.profile = Profile::parse(&value)?,
            "--threads" => {
                let counts = value.split(',').map(|n| n.parse().ok().filter(|n| *n > 0));
                args.threads = counts.collect::<Option<_>>()?;
            }
            "--rounds" => args.rounds = value.parse().ok().filter(|n| *n > 0)?,
            "--seed" => args.seed = value.parse().ok()?,
            "--write" => args.write = Some(value.into()),
            "--dump" => args.dump = Some(value.into()),
            _ => return None,
        }
    }
    Some(args)
}

/// `256MB`, `1GB`, `4000000`: decimal units.
fn size(text: &str) -> Option<u64> {
    let units = [
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KB", 1000),
        ("", 1),
    ];
    units.into_iter().find_map(|(unit, factor)| {
        let count: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        (count > 0.0).then_some((count * factor as f64) as u64)
    })
}
