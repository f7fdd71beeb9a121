//! Peers of agentdiag on the same dump, in one run, in turn: JSON libraries that only read the file, and
//! programs with an aggregation of the same kind. See ../README.md.

mod fields;
mod programs;
mod startup;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::TracesData;
use rayon::prelude::*;

const USAGE: &str = "peers --dump DUMP.jsonl --agentdiag PATH [--threads 1,2] [--rounds 3] [--programs]";

struct Args {
    dump: PathBuf,
    agentdiag: PathBuf,
    threads: Vec<usize>,
    rounds: usize,
    programs: bool,
}

/// Something that goes through the dump once.
struct Peer {
    name: String,
    run: Box<dyn Fn(&Path, usize) -> Option<u64>>,
}

fn main() {
    let Some(args) = parse() else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let mut peers = libraries();
    peers.extend(programs::agentdiag(&args.agentdiag));
    if args.programs {
        peers.extend(programs::others());
    }
    startup::table(&args.agentdiag, &args.dump);
    for &threads in &args.threads {
        table(&args, &peers, threads);
    }
}

/// All peers in turn, after a round that is not counted; medians.
fn table(args: &Args, peers: &[Peer], threads: usize) {
    let bytes = std::fs::metadata(&args.dump).expect("the dump exists").len();
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); peers.len()];
    let mut peaks: Vec<Option<u64>> = vec![None; peers.len()];
    for round in 0..=args.rounds {
        for ((peer, times), most) in peers.iter().zip(&mut times).zip(&mut peaks) {
            let begin = Instant::now();
            let peak = (peer.run)(&args.dump, threads);
            if round > 0 {
                times.push(begin.elapsed());
                *most = (*most).max(peak);
            }
        }
    }
    println!("\n{threads} thread(s), median of {}, {:.0} MB", args.rounds, bytes as f64 / 1e6);
    println!("{:<44} {:>9} {:>9} {:>12} {:>14}", "peer", "seconds", "MB/s", "x agentdiag", "peak / input");
    let middle = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    };
    let seconds: Vec<f64> = times.iter_mut().map(middle).collect();
    let own = peers.iter().position(|peer| peer.name == "agentdiag analyze");
    let own = own.map_or(f64::NAN, |at| seconds[at]);
    for ((peer, seconds), peak) in peers.iter().zip(seconds).zip(peaks) {
        let peak = peak.map_or("-".into(), |peak| {
            format!("{:.0} MB {:.2}", peak as f64 / 1e6, peak as f64 / bytes as f64)
        });
        println!(
            "{:<44} {seconds:>9.3} {:>9.1} {:>12.2} {peak:>14}",
            peer.name,
            bytes as f64 / 1e6 / seconds,
            own / seconds,
        );
    }
}

fn libraries() -> Vec<Peer> {
    let library = |name: &str, read: fn(&[u8]) -> usize| Peer {
        name: name.to_owned(),
        run: Box::new(move |dump, threads| {
            std::hint::black_box(lines(dump, threads, read));
            None
        }),
    };
    vec![
        library("serde_json -> opentelemetry-proto", |line| {
            let data: TracesData = serde_json::from_slice(line).expect("OTLP/JSON");
            data.resource_spans.len()
        }),
        library("serde_json, needed fields, borrowed", |line| {
            let request: fields::Request = serde_json::from_slice(line).expect("OTLP/JSON");
            request.weight()
        }),
        library("sonic-rs, needed fields, borrowed", |line| {
            let request: fields::Request = sonic_rs::from_slice(line).expect("OTLP/JSON");
            request.weight()
        }),
        library("sonic-rs, whole document", |line| {
            let value: sonic_rs::Value = sonic_rs::from_slice(line).expect("JSON");
            usize::from(sonic_rs::JsonValueTrait::is_object(&value))
        }),
    ]
}

/// Reads the file into memory and its lines on `threads` threads.
fn lines(dump: &Path, threads: usize, read: fn(&[u8]) -> usize) -> usize {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let bytes = std::fs::read(dump).expect("the dump can be read");
        let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
        lines.into_par_iter().map(read).sum()
    })
}

fn parse() -> Option<Args> {
    let mut args = Args {
        dump: PathBuf::new(),
        agentdiag: PathBuf::new(),
        threads: vec![1],
        rounds: 3,
        programs: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--dump" => args.dump = words.next()?.into(),
            "--agentdiag" => args.agentdiag = words.next()?.into(),
            "--rounds" => args.rounds = words.next()?.parse().ok().filter(|n| *n > 0)?,
            "--threads" => {
                let counts = words.next()?;
                let counts = counts.split(',').map(|n| n.parse().ok());
                args.threads = counts.collect::<Option<_>>()?;
            }
            "--programs" => args.programs = true,
            _ => return None,
        }
    }
    (args.dump.is_file() && args.agentdiag.is_file()).then_some(args)
}
