//! What a short run costs: starting, and a dump of one export request.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs that are counted.
const RUNS: usize = 100;

/// Medians and minima, in milliseconds, each program in turn.
pub fn table(agentdiag: &Path, dump: &Path) {
    let hello = std::env::current_exe().expect("this program's path").with_file_name("hello");
    let small = std::env::temp_dir().join(format!("peers-{}.jsonl", std::process::id()));
    let mut line = Vec::new();
    let file = std::fs::File::open(dump).expect("the dump can be read");
    BufReader::new(file).read_until(b'\n', &mut line).expect("a line");
    std::fs::File::create(&small).and_then(|mut f| f.write_all(&line)).expect("written");
    let spans = String::from_utf8_lossy(&line).matches("\"spanId\"").count();
    let runs: [(String, &Path, Vec<&str>); 3] = [
        ("hello world with clap".into(), &hello, vec!["you"]),
        ("agentdiag --version".into(), agentdiag, vec!["--version"]),
        (format!("agentdiag analyze, {spans} spans"), agentdiag, vec!["analyze", small.to_str().expect("UTF-8")]),
    ];
    let mut times = runs.each_ref().map(|_| Vec::with_capacity(RUNS));
    for _ in 0..RUNS {
        for ((_, program, args), times) in runs.iter().zip(&mut times) {
            times.push(once(program, args));
        }
    }
    let _ = std::fs::remove_file(&small);
    println!("\n{:<44} {:>9} {:>9} {:>9}", "start to exit, ms", "median", "least", "x hello");
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let mut hello = None;
    for ((name, ..), mut times) in runs.iter().zip(times) {
        times.sort_unstable();
        let (median, least) = (millis(times[RUNS / 2]), millis(times[0]));
        let first = *hello.get_or_insert(median);
        println!("{name:<44} {median:>9.2} {least:>9.2} {:>9.2}", median / first);
    }
}

fn once(program: &Path, args: &[&str]) -> Duration {
    let begin = Instant::now();
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{} failed", program.display());
    begin.elapsed()
}
