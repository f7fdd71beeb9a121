//! The program opens no socket: what the system is asked for while it runs shows it. Needs `strace`.

use std::fs;
use std::path::Path;
use std::process::Command;

use agentdiag::cli::Cli;
use clap::CommandFactory as _;

use super::{GOOD, folder};

/// How each subcommand is run, so that between them every stage is.
const RUNS: &[&[&str]] = &[
    &["analyze", "d.jsonl"],
    &[
        "analyze",
        "--json",
        "--redact",
        "-o",
        "result.json",
        "d.jsonl",
    ],
    &["trace", "5b8efff7", "d.jsonl"],
    &["cost", "--prices", "prices.json", "d.jsonl"],
    &["drift", "d.jsonl"],
    &["replay", "d.jsonl"],
    &["rules", "d.jsonl"],
    &["baseline", "-o", "base.json", "d.jsonl"],
    &["report", "--charts", "charts", "-o", "page.html", "d.jsonl"],
    &["export", "--to", "parquet", "-o", "tables", "d.jsonl"],
    &["export", "--to", "otlp", "d.jsonl"],
    &["check", "--budget", "budget.toml", "d.jsonl"],
    &["compare", "d.jsonl", "d.jsonl"],
    &["gpu", "--once"],
    &["explain", "cold_cache"],
    &["completions", "bash"],
    &["prices", "show"],
    &["formats"],
    &["stage", "facts", "--parts", "2", "-o", "facts", "d.jsonl"],
    &["stage", "learn", "facts"],
    &["stage", "across", "-o", "across", "facts"],
    &["stage", "windows", "facts"],
    &["stage", "verdict", "--windows", "across", "facts"],
    &["stage", "merge", "facts"],
    &["stage", "spark-driver"],
    &["--version"],
];

/// Names or addresses are looked up, connections made and answers read by these.
const CALLS: &[&str] = &[
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "sendto",
    "sendmsg",
    "recvfrom",
    "recvmsg",
    "getsockopt",
    "setsockopt",
    "io_uring_setup",
];

/// What of the network `program` asks the system for, one call a line.
fn asked(folder: &Path, program: &str, args: &[&str]) -> Vec<String> {
    let log = folder.join("calls");
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=%network,io_uring_setup", "-o"])
        .args([log.as_os_str(), program.as_ref()])
        .args(args)
        .current_dir(folder)
        .output()
        .expect("strace runs");
    let log = fs::read_to_string(&log).expect("strace wrote what it saw");
    let said = String::from_utf8_lossy(&status.stderr);
    assert!(!said.contains("strace:"), "{said}");
    let calls = log.lines().filter(|line| {
        let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        CALLS.iter().any(|name| call.starts_with(name))
    });
    calls.map(str::to_owned).collect()
}

#[test]
fn every_subcommand_is_watched() {
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        let watched = RUNS.iter().any(|run| run[0] == name);
        assert!(watched || name == "help", "`{name}` is not watched");
    }
}

#[test]
#[cfg_attr(not(strace), ignore = "needs strace")]
fn no_subcommand_opens_a_socket() {
    let prices = br#"{"unit": "per 1M tokens", "models": {"m": {"input": 1, "output": 2}}}"#;
    let budget = b"[[budget]]\nname = \"tail\"\nexpect = \"p95(latency) < 90s\"\n";
    let folder = folder(&[
        ("d.jsonl", GOOD.as_bytes()),
        ("prices.json", prices),
        ("budget.toml", budget),
    ]);
    // That a socket would be seen.
    let opened = asked(
        folder.path(),
        "bash",
        &["-c", "exec 3<>/dev/udp/127.0.0.1/9"],
    );
    assert!(
        opened.iter().any(|call| call.contains("socket(")),
        "{opened:?}"
    );
    for args in RUNS {
        let calls = asked(folder.path(), env!("CARGO_BIN_EXE_agentdiag"), args);
        assert!(calls.is_empty(), "{args:?}: {calls:?}");
    }
    assert!(folder.path().join("page.html").is_file());
}
