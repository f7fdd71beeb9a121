//! Programs started from outside: agentdiag itself, and what people reach for instead.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Peer;

/// The whole diagnosis: the report for people, which is the default, and every request as JSON.
pub fn agentdiag(binary: &Path) -> [Peer; 2] {
    [("agentdiag analyze", "text"), ("agentdiag analyze --format json", "json")].map(|(name, format)| {
        let binary = binary.to_owned();
        Peer {
            name: name.into(),
            run: Box::new(move |dump, threads| {
                let mut command = Command::new(&binary);
                command.args(["analyze", "--format", format, "--threads"]);
                run(command.arg(threads.to_string()).arg(dump))
            }),
        }
    })
}

/// Sums of calls and tokens by model, as far as each program is installed.
pub fn others() -> Vec<Peer> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let script = |name: &str, interpreter: &'static str, file: &str| {
        let file = here.join(file);
        Peer {
            name: name.to_owned(),
            run: Box::new(move |dump, threads| {
                let mut command = Command::new(interpreter);
                run(command.arg(&file).arg(dump).arg(threads.to_string()))
            }),
        }
    };
    let python = |module: &str| version("python3", &["-c", &format!("import {module}; print({module}.__version__)")]);
    let mut peers = Vec::new();
    if let Some(version) = python("orjson") {
        peers.push(script(&format!("Python, orjson {version} (1 thread)"), "python3", "orjson_sums.py"));
    }
    if let Some(version) = python("duckdb") {
        peers.push(script(&format!("DuckDB {version}, read_json"), "python3", "duckdb_sums.py"));
    }
    if let Some(version) = version("jq", &["--version"]) {
        peers.push(script(&format!("{version} (1 thread)"), "sh", "jq_sums.sh"));
    }
    peers
}

fn version(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program to its end. The answer is its peak resident memory, where the system tells (`VmHWM`, Linux).
fn run(command: &mut Command) -> Option<u64> {
    let mut child = command.stdout(Stdio::null()).spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    let exit = loop {
        if let Some(exit) = child.try_wait().expect("the program can be waited for") {
            break exit;
        }
        peak = peak.max(high_water(&status));
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(exit.success(), "{command:?} failed");
    peak
}

fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
