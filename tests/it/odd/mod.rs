//! Odd inputs, odd outputs, interruptions: each with the outcome that the manual promises, through the built
//! program.

mod files;
mod inputs;
mod limits;
mod network;
mod outputs;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A dump of one request. One line.
const GOOD: &str = include_str!("../cli.jsonl");
/// Its trace id.
const TRACE: &str = "5b8efff798038103d269b633813fc60c";
/// Under `--strict`, a dump without losses that holds too few requests to judge any.
const TOO_LITTLE: i32 = 3;

/// What a run gave.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn json(&self) -> Value {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""));
        serde_json::from_str(&self.out).expect("JSON")
    }
}

/// The program, to be run in `folder`.
fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentdiag"));
    command.env_clear().current_dir(folder).args(args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The same with no signal ignored: a program that is started in the background may have inherited that.
fn signalled(folder: &Path, args: &[&str]) -> Command {
    const ENV: &str = "/usr/bin/env";
    const DEFAULT: &str = "--default-signal=INT,TERM,HUP";
    let plain = program(folder, args);
    let tried = Command::new(ENV).args([DEFAULT, "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        return plain;
    }
    let mut command = Command::new(ENV);
    command
        .env_clear()
        .current_dir(folder)
        .arg(DEFAULT)
        .arg(plain.get_program())
        .args(plain.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(folder: &Path, args: &[&str]) -> Said {
    Said::of(program(folder, args).output().expect("it runs"))
}

fn analyze(folder: &Path, args: &[&str]) -> Said {
    run(folder, &[&["analyze", "--json"], args].concat())
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

/// The good dump many times, each time as another trace.
fn many(requests: u32) -> String {
    (1..=requests)
        .map(|number| GOOD.replace(TRACE, &format!("{number:032x}")))
        .collect()
}

fn requests(report: &Value) -> usize {
    report["requests"].as_array().expect("a list").len()
}

/// The entry of the ledger for `issue`.
fn entry<'r>(report: &'r Value, issue: &str) -> &'r Value {
    let issues = report["integrity"]["issues"].as_array().expect("a list");
    let found = issues.iter().find(|entry| entry["id"] == issue);
    found.unwrap_or_else(|| panic!("no {issue} in {issues:?}"))
}

fn has_entry(report: &Value, issue: &str) -> bool {
    let issues = report["integrity"]["issues"].as_array().expect("a list");
    issues.iter().any(|entry| entry["id"] == issue)
}

/// Sends `signal` to a process.
fn signal(child: &Child, signal: &str) {
    let mut kill = Command::new("kill");
    let status = kill.args([signal, &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// Waits a moment, short enough not to miss what happens while a program runs.
fn moment() {
    std::thread::sleep(Duration::from_micros(200));
}
