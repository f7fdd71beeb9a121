//! Bad input through the built program: what is good is used, what is lost is named with its file
//! and byte, and the exit code says what it should.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tempfile::TempDir;

/// A dump of one request: an agent, two model calls, a tool. One line.
const GOOD: &str = include_str!("cli.jsonl");

/// What a run gave.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON")
    }
}

fn agentdiag(folder: &Path, args: &[&str]) -> Said {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    command.env_clear().current_dir(folder).arg("analyze");
    let output = command.args(args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Said {
        code: output.status.code().expect("it exits by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

/// Under `--strict`, a dump without losses that holds too few requests to judge any.
const TOO_LITTLE: i32 = 3;

/// A file of which part can be used: exit code 0, and 2 under `--strict` when something is lost;
/// the issue is counted, and the page names the file and the byte. Returns the report.
fn partly(name: &str, bytes: &[u8], issue: &str, at: Option<u64>) -> Value {
    let folder = folder(&[(name, bytes)]);
    let json = agentdiag(folder.path(), &["--json", name]);
    assert_eq!((json.code, json.err.as_str()), (0, ""), "{name}");
    let report = json.json();
    let issues = report["integrity"]["issues"].as_array().expect("a list");
    let Some(entry) = issues.iter().find(|entry| entry["id"] == issue) else {
        panic!("{name}: no {issue} in {issues:?}");
    };
    assert_eq!(entry["file"], name);
    let page = agentdiag(folder.path(), &["--width", "120", name]).out;
    let place = match at {
        Some(at) => {
            assert_eq!(entry["byte_offset"], at, "{name}");
            format!("{name} from byte {}", thousands(at))
        }
        None => format!("{name}: "),
    };
    assert!(page.contains(issue) && page.contains(&place), "{page}");
    let lost = report["integrity"]["records_lost"].as_u64() > Some(0);
    let strict = agentdiag(folder.path(), &["--strict", name]).code;
    assert_eq!(strict, if lost { 2 } else { TOO_LITTLE }, "{name}");
    report
}

/// As numbers are written on the page.
fn thousands(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1_000), number % 1_000),
    }
}

/// A file of which nothing can be used: exit code 2, nothing on standard output, and the file and
/// the reason on standard error.
fn useless(name: &str, bytes: &[u8], reason: &str) {
    let folder = folder(&[(name, bytes)]);
    let said = agentdiag(folder.path(), &[name]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{name}");
    assert!(said.err.contains(&format!("{name}: ")), "{}", said.err);
    assert!(said.err.contains(reason), "{}", said.err);
}

fn requests(report: &Value) -> &[Value] {
    report["requests"].as_array().expect("a list")
}

/// The good dump with one of its spans (0 to 3) changed.
fn changed(change: impl Fn(&mut [Value])) -> Vec<u8> {
    let mut dump: Value = serde_json::from_str(GOOD).expect("JSON");
    let spans = &mut dump["resourceSpans"][0]["scopeSpans"][0]["spans"];
    change(spans.as_array_mut().expect("a list"));
    format!("{dump}\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

/// Bytes that mean nothing.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn an_empty_file() {
    useless("empty.json", b"", "the file holds nothing");
    useless("blank.json", b" \n\n", "the file holds nothing");
    useless("empty.gz", &gzip(b""), "the file holds nothing");
}

#[test]
fn cut_off_in_a_string_or_a_number() {
    // After the good line another that breaks off.
    for (name, until) in [
        ("string.jsonl", "\"name\":\"chat gp"),
        ("number.jsonl", "\"kind\":"),
        ("escape.jsonl", "\"invoke_agent"),
    ] {
        let end = GOOD.find(until).expect("it is there") + until.len() + 1;
        let bytes = [GOOD, &GOOD[..end]].concat();
        let size = bytes.len() as u64;
        let report = partly(name, bytes.as_bytes(), "truncated_record", Some(size));
        assert_eq!(requests(&report).len(), 1);
        assert_eq!(requests(&report)[0]["llm_calls"], 2);
    }
    // One document, cut in its third span: the first two are used.
    let end = GOOD.find("execute_tool").expect("it is there") + 5;
    let bytes = &GOOD.as_bytes()[..end];
    let report = partly("one.json", bytes, "truncated_record", Some(end as u64));
    assert_eq!(report["inputs"][0]["spans"], 2);
    assert_eq!(requests(&report)[0]["llm_calls"], 1);
}

#[test]
fn compressed_and_cut_off() {
    let mut text = String::new();
    for number in 0..400 {
        let trace = format!("{number:032x}");
        text += &GOOD.replace("5b8efff798038103d269b633813fc60c", &trace);
    }
    let packed = gzip(text.as_bytes());
    let half = &packed[..packed.len() / 2];
    let report = partly("half.jsonl.gz", half, "damaged_compression", None::<u64>);
    assert!(requests(&report).len() > 100);
    let issues = report["integrity"]["issues"].as_array().expect("a list");
    assert!(issues.iter().all(|entry| entry["byte_offset"].is_u64()));
    useless("head.gz", &packed[..12], "head.gz");
}

#[test]
fn noise_and_other_kinds_of_files() {
    useless("noise.bin", &noise(5_000), "it begins with the bytes");
    useless(
        "picture.png",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "picture.png",
    );
    useless("poem.txt", b"so much depends\nupon\n", "plain text");
    // Noise after something good costs the noise.
    let bytes = [GOOD.as_bytes(), &noise(3_000), b"\n", GOOD.as_bytes()].concat();
    let at = Some(GOOD.len() as u64);
    let report = partly("mixed.jsonl", &bytes, "malformed_record", at);
    assert_eq!(requests(&report).len(), 1);
}

#[test]
fn one_line_of_ten_megabytes() {
    let bytes = changed(|spans| {
        let prompt = serde_json::json!({"key": "gen_ai.prompt", "value": {"stringValue": "word ".repeat(2 << 20)}});
        let attributes = spans[1]["attributes"].as_array_mut().expect("a list");
        attributes.push(prompt);
    });
    assert!(bytes.len() > 10_000_000);
    let folder = folder(&[("long.jsonl", &bytes)]);
    let said = agentdiag(folder.path(), &["--json", "--strict", "long.jsonl"]);
    assert_eq!((said.code, said.err.as_str()), (TOO_LITTLE, ""));
    let report = said.json();
    assert_eq!(requests(&report)[0]["input_tokens"], 3_100);
    assert!(said.out.len() < 20_000, "content is in the report");
}

#[test]
fn bytes_that_are_not_utf8() {
    let mut bytes = GOOD.as_bytes().to_vec();
    let at = GOOD.find("search_docs").expect("it is there");
    bytes[at] = 0xff;
    let report = partly("latin.jsonl", &bytes, "invalid_utf8", None);
    assert_eq!(requests(&report)[0]["llm_calls"], 2);
    assert_eq!(requests(&report)[0]["tool_calls"], 1);
}

#[test]
fn numbers_that_are_none() {
    let with = |key: &str, value: Value| {
        changed(|spans| {
            let attributes = spans[3]["attributes"].as_array_mut().expect("a list");
            let usage = attributes
                .iter_mut()
                .find(|a| a["key"] == "gen_ai.usage.input_tokens");
            usage.expect("it is there")["value"] = serde_json::json!({ key: value });
        })
    };
    for (name, bytes) in [
        ("nan.jsonl", with("doubleValue", "NaN".into())),
        ("infinite.jsonl", with("doubleValue", "-Infinity".into())),
        ("negative.jsonl", with("intValue", "-7".into())),
        ("overflow.jsonl", with("intValue", "9".repeat(30).into())),
        ("word.jsonl", with("intValue", "many".into())),
    ] {
        let folder = folder(&[(name, &bytes)]);
        let report = agentdiag(folder.path(), &["--json", name]).json();
        // Absent and not zero: what the other call shows remains.
        assert_eq!(requests(&report)[0]["input_tokens"], 1_200, "{name}");
        assert_eq!(report["integrity"]["worst"], "data_loss", "{name}");
        assert_eq!(agentdiag(folder.path(), &["--strict", name]).code, 2);
    }
    let far = changed(|spans| spans[1]["endTimeUnixNano"] = u64::MAX.to_string().into());
    let report = partly("far.jsonl", &far, "bad_number", Some(512));
    assert_eq!(requests(&report)[0]["duration_ms"], 4_500.0);
}

#[test]
fn ends_before_starts_and_no_starts() {
    let reversed = changed(|spans| spans[2]["endTimeUnixNano"] = "1777795200500000000".into());
    let report = partly("reversed.jsonl", &reversed, "reversed_span", Some(1_024));
    let request = &requests(&report)[0];
    assert_eq!(request["parts_ms"]["tool"], 0.0);
    crate::render::balances(request);

    let startless = changed(|spans| {
        let span = spans[2].as_object_mut().expect("an object");
        span.remove("startTimeUnixNano");
    });
    let report = partly("startless.jsonl", &startless, "no_start", Some(1_024));
    crate::render::balances(&requests(&report)[0]);
}

#[test]
fn ids_of_zeros() {
    let bytes = changed(|spans| {
        spans[1]["traceId"] = "0".repeat(32).into();
        spans[2]["spanId"] = "0".repeat(16).into();
    });
    let report = partly("zeros.jsonl", &bytes, "bad_id", None);
    assert_eq!(report["integrity"]["records_lost"], 2);
    assert_eq!(requests(&report).len(), 1);
    assert_eq!(requests(&report)[0]["llm_calls"], 1);
}

#[test]
fn a_folder_with_one_bad_file_among_good_ones() {
    let other = GOOD.replace("5b8efff798038103d269b633813fc60c", &"1".repeat(32));
    let folder = folder(&[
        ("a.jsonl", GOOD.as_bytes()),
        ("b.bin", &noise(700)),
        ("c.jsonl.gz", &gzip(other.as_bytes())),
        ("notes.md", b"# Notes\n"),
    ]);
    let said = agentdiag(folder.path(), &["--json", "."]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let report = said.json();
    assert_eq!(requests(&report).len(), 2);
    assert_eq!(report["integrity"]["inputs_unreadable"], 1);
    let page = agentdiag(folder.path(), &["."]).out;
    assert!(page.contains("b.bin: it begins with the bytes"), "{page}");
    assert_eq!(agentdiag(folder.path(), &["--strict", "."]).code, 2);
    // Notes beside the exports are no loss.
    fs::remove_file(folder.path().join("b.bin")).expect("removed");
    let said = agentdiag(folder.path(), &["--strict", "."]);
    assert_eq!(said.code, TOO_LITTLE);
}

#[test]
fn paths_that_cannot_be_read() {
    let folder = folder(&[("good.jsonl", GOOD.as_bytes())]);
    fs::create_dir(folder.path().join("nothing")).expect("made");
    for (path, reason) in [
        ("missing.jsonl", "no such file"),
        ("*.parquet", "no file matches"),
        ("[.json", "[.json"),
    ] {
        let alone = agentdiag(folder.path(), &[path]);
        assert_eq!((alone.code, alone.out.as_str()), (2, ""), "{path}");
        assert!(alone.err.contains(reason), "{}", alone.err);
        let among = agentdiag(folder.path(), &["--json", path, "good.jsonl"]);
        assert_eq!(among.code, 0, "{path}");
        assert_eq!(among.json()["integrity"]["inputs_unreadable"], 1, "{path}");
        let strict = agentdiag(folder.path(), &["--strict", path, "good.jsonl"]);
        assert_eq!(strict.code, 2, "{path}");
    }
    let nothing = agentdiag(folder.path(), &["nothing"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (2, ""));
    let reason = "nothing: the folder holds no files";
    assert!(nothing.err.contains(reason), "{}", nothing.err);
}

#[cfg(unix)]
#[test]
fn a_file_one_may_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&[("secret.jsonl", GOOD.as_bytes())]);
    let path = folder.path().join("secret.jsonl");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("allowed");
    if fs::read(&path).is_ok() {
        return; // Nothing is forbidden to root.
    }
    let said = agentdiag(folder.path(), &["secret.jsonl"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("secret.jsonl: permission denied"),
        "{}",
        said.err
    );
}

#[test]
fn standard_input_good_and_bad() {
    let fed = |bytes: &[u8]| {
        let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
        let command = command.env_clear().args(["analyze", "--json", "-"]);
        let output = command.write_stdin(bytes).output().expect("it runs");
        (output.status.code(), output.stdout, output.stderr)
    };
    let (code, out, _) = fed(&gzip(GOOD.as_bytes()));
    let report: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!((code, requests(&report).len()), (Some(0), 1));
    assert_eq!(report["inputs"][0]["path"], "-");
    for bytes in [&b""[..], &noise(100)] {
        let (code, out, err) = fed(bytes);
        assert_eq!((code, out.len()), (Some(2), 0));
        assert!(String::from_utf8_lossy(&err).contains("-: "));
    }
}

#[test]
fn a_reader_that_goes_away_early() {
    // More output than a pipe holds, of which the first bytes are read.
    let mut dump = String::new();
    for number in 1..2_000 {
        let trace = format!("{number:032x}");
        dump += &GOOD.replace("5b8efff798038103d269b633813fc60c", &trace);
    }
    let folder = folder(&[("many.jsonl", dump.as_bytes())]);
    for format in ["json", "ndjson"] {
        let mut child = Process::new(env!("CARGO_BIN_EXE_agentdiag"))
            .args(["analyze", "--format", format, "many.jsonl"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut first = [0; 10];
        let mut out = child.stdout.take().expect("piped");
        std::io::Read::read_exact(&mut out, &mut first).expect("it writes");
        drop(out);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert!(output.stderr.is_empty(), "{format}");
    }
}

/// `N.N MB`, as a refusal says it is needed, with a little more.
fn needed(said: &Said, doing: &str) -> String {
    let start = format!("agentdiag: {doing} takes ");
    let rest = said
        .err
        .strip_prefix(&start)
        .unwrap_or_else(|| panic!("{}", said.err));
    let megabytes: f64 = rest.split(' ').next().unwrap().parse().unwrap();
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    format!("{}kB", (megabytes * 1e3) as u64 + 100)
}

#[test]
fn less_memory_changes_nothing_and_too_little_is_refused() {
    let many = (1..8_000).map(|number| {
        let trace = format!("{number:032x}");
        GOOD.replace("5b8efff798038103d269b633813fc60c", &trace)
    });
    let folder = folder(&[("many.jsonl", many.collect::<String>().as_bytes())]);
    let scratch = folder.path().join("scratch");
    fs::create_dir(&scratch).expect("a folder");
    let run = |most: &str, scratch: &Path| {
        let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
        let command = command
            .env_clear()
            .env("TMPDIR", scratch)
            .current_dir(folder.path());
        let command = command.args(["analyze", "--json", "--max-memory", most, "many.jsonl"]);
        let output = command.output().expect("it runs");
        Said {
            code: output.status.code().expect("it exits by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    };
    // Enough to read all of it.
    let rebuilding = needed(&run("17MB", &scratch), "rebuilding traces");
    let judging = needed(&run(&rebuilding, &scratch), "judging requests");
    let spared = run(&judging, &scratch);
    let whole = run("8GiB", &scratch);
    assert_eq!((whole.code, whole.err.as_str()), (0, ""));
    assert!(spared.out == whole.out, "{}", spared.err);
    let left = fs::read_dir(&scratch).expect("still there").count();
    assert_eq!(left, 0, "the temporary file has no name");
    // It was made use of.
    let nowhere = run(&judging, &scratch.join("no/such"));
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("scratch/no/such"), "{}", nowhere.err);
    assert_eq!(run("8GiB", &scratch.join("no/such")).code, 0);
}
