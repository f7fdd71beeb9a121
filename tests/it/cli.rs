//! The built program: arguments, exit codes, streams.

use std::io::Write;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A dump of one request: an agent that calls a model and a tool.
const DUMP: &str = include_str!("cli.jsonl");

fn agentdiag(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    command.env_clear().args(args);
    command
}

fn said(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it exits");
    (code, text(output.stdout), text(output.stderr))
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(folder.path().join("dump.jsonl"), DUMP).expect("written");
    std::fs::write(folder.path().join("poem.txt"), "so much depends\nupon\n").expect("written");
    std::fs::write(folder.path().join("cut.jsonl"), &DUMP[..DUMP.len() - 40]).expect("written");
    folder
}

#[test]
fn help_goes_to_standard_output_and_is_success() {
    for args in [
        &["--help"][..],
        &["analyze", "--help"],
        &["explain", "-h"],
        &["--version"],
    ] {
        let (code, out, err) = said(&mut agentdiag(args));
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        assert!(!out.is_empty());
    }
    let (_, help, _) = said(&mut agentdiag(&["analyze", "--help"]));
    assert!(help.contains("Examples:") && !help.contains("--width"));
}

#[test]
fn usage_errors_are_2_and_say_what_is_wrong() {
    for args in [
        &[][..],
        &["analyze"],
        &["analyse", "x"],
        &["analyze", "--format", "yaml", "x"],
        &["analyze", "--slow-floor", "500", "x"],
        &["analyze", "--slow-factor", "0.5", "x"],
        &["analyze", "--slow-over", "8s", "--slow-top", "5%", "x"],
        &["analyze", "--threads", "0", "x"],
        &["explain", "gremlins"],
    ] {
        let (code, out, err) = said(&mut agentdiag(args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(!err.is_empty(), "{args:?}");
    }
}

#[test]
fn no_readable_input_is_2_and_names_every_input() {
    let folder = folder();
    let args = ["analyze", "missing.jsonl", "poem.txt"];
    let (code, out, err) = said(agentdiag(&args).current_dir(folder.path()));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("missing.jsonl") && err.contains("poem.txt"),
        "{err}"
    );
}

#[test]
fn a_wrong_price_file_fails_before_anything_is_read() {
    let folder = folder();
    let args = ["analyze", "--prices", "poem.txt", "dump.jsonl"];
    let (code, out, err) = said(agentdiag(&args).current_dir(folder.path()));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("poem.txt"), "{err}");
}

#[test]
fn a_damaged_part_is_reported_and_fails_only_when_strict() {
    let folder = folder();
    let analyze = |more: &[&str]| {
        let args = [&["analyze", "--json", "dump.jsonl", "cut.jsonl"], more].concat();
        said(agentdiag(&args).current_dir(folder.path()))
    };
    let (code, out, _) = analyze(&[]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 0);
    assert!(report["integrity"]["records_lost"].as_u64() > Some(0));
    assert_eq!(analyze(&["--strict"]).0, 2);
}

#[test]
fn too_little_to_judge_is_3_only_when_strict() {
    let folder = folder();
    let empty = folder.path().join("empty.json");
    std::fs::write(&empty, "{\"resourceSpans\":[]}\n").expect("written");
    let analyze = |more: &[&str]| {
        let args = [&["analyze", "empty.json"], more].concat();
        said(agentdiag(&args).current_dir(folder.path()))
    };
    assert_eq!(analyze(&[]).0, 0);
    assert_eq!(analyze(&["--strict"]).0, 3);
}

#[test]
fn standard_input_is_read_on_request() {
    let (code, out, _) = said(agentdiag(&["analyze", "--json", "-"]).write_stdin(DUMP));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 0);
    assert_eq!(report["schema"], "agentdiag.analyze.v1");
    assert_eq!(report["requests"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        report["requests"][0]["trace_id"],
        "5b8efff798038103d269b633813fc60c"
    );
}

#[test]
fn no_escape_sequences_into_a_pipe_unless_asked_for() {
    let page = |color| said(agentdiag(&["analyze", "--color", color, "-"]).write_stdin(DUMP)).1;
    assert!(!page("auto").contains('\x1b'));
    assert!(page("always").contains('\x1b'));
    assert!(page("auto").is_ascii());
}

#[test]
fn a_closed_pipe_is_success_and_silent() {
    let mut child = Process::new(env!("CARGO_BIN_EXE_agentdiag"))
        .args(["analyze", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("piped");
    input.write_all(DUMP.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn explain_lists_and_explains() {
    let (code, list, _) = said(&mut agentdiag(&["explain"]));
    assert_eq!(code, 0);
    assert!(list.contains("prefill_surge") && list.contains("unexplained"));
    let (code, page, _) = said(&mut agentdiag(&["explain", "cold-cache"]));
    assert_eq!(code, 0);
    insta::assert_snapshot!(page);
}

#[test]
fn completions_know_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let (code, script, err) = said(&mut agentdiag(&["completions", shell]));
        assert_eq!((code, err.as_str()), (0, ""), "{shell}");
        for name in ["analyze", "trace", "explain", "formats", "completions"] {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
}

#[test]
fn formats_lists_formats_and_vocabularies() {
    let (code, page, _) = said(&mut agentdiag(&["formats"]));
    assert_eq!(code, 0);
    assert!(page.contains("otlp-json") && page.contains("otel-genai"));
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let analyze = |threads, format| {
        let args = [
            "analyze",
            "--threads",
            threads,
            "--format",
            format,
            "fixtures/quickstart",
        ];
        let (code, out, _) = said(agentdiag(&args).current_dir(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(code, 0);
        out
    };
    for format in ["text", "json", "ndjson"] {
        assert!(
            analyze("1", format) == analyze("4", format),
            "{format} differs"
        );
    }
}

#[test]
fn what_the_program_prints_balances() {
    let args = ["analyze", "--json", "fixtures/quickstart"];
    let (_, out, _) = said(agentdiag(&args).current_dir(env!("CARGO_MANIFEST_DIR")));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let requests = report["requests"].as_array().expect("a list");
    assert!(!requests.is_empty());
    requests.iter().for_each(crate::render::balances);
}
