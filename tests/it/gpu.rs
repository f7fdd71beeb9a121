//! `agentdiag gpu` over recorded sessions: what is in the recording, how it ends, and what `analyze` makes
//! of it. One is written by hand, one recorded from a device; a machine with a device runs the same code behind
//! the driver.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use serde_json::Value;

const SESSION: &str = "fixtures/gpu/session.jsonl";
const ROUNDS: usize = 44;
/// Recorded from a device, and what `nvidia-smi` said of it.
const H200: &str = "fixtures/gpu/h200.jsonl";
const H200_SMI: &str = include_str!("../../fixtures/gpu/h200.nvidia-smi.csv");
/// The dump whose hours the session shares.
const DUMP: &str = "fixtures/quickstart/traces.jsonl.gz";

fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command.args(args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it exits");
    (code, text(output.stdout), text(output.stderr))
}

fn recorded(session: &str) -> Vec<ExportMetricsServiceRequest> {
    let (code, out, _) = run(&["gpu", "--session", session, "--json"]);
    assert_eq!(code, 0);
    requests(&out)
}

/// Decoded by OpenTelemetry's own types.
fn requests(text: &str) -> Vec<ExportMetricsServiceRequest> {
    let lines = text.lines();
    let decoded = lines.map(|line| serde_json::from_str(line).expect("OTLP/JSON"));
    decoded.collect()
}

/// Name, device and point of everything in a request.
fn points(request: &ExportMetricsServiceRequest) -> Vec<(&str, &str, &NumberDataPoint)> {
    let metrics = request
        .resource_metrics
        .iter()
        .flat_map(|r| &r.scope_metrics);
    let metrics = metrics.flat_map(|scope| &scope.metrics);
    let points = metrics.flat_map(|metric| {
        let points = match metric.data.as_ref().expect("data") {
            Data::Gauge(gauge) => &gauge.data_points,
            Data::Sum(sum) => &sum.data_points,
            other => panic!("{other:?}"),
        };
        assert!(
            !metric.unit.is_empty() && metric.description.len() > 10,
            "{}",
            metric.name
        );
        points
            .iter()
            .map(|p| (metric.name.as_str(), label(p, "hw.name"), p))
    });
    points.collect()
}

fn label<'a>(point: &'a NumberDataPoint, key: &str) -> &'a str {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let found = point.attributes.iter().find(|a| a.key == key);
    match found.and_then(|a| a.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}

fn value(point: &NumberDataPoint) -> f64 {
    match point.value.expect("a value") {
        Number::AsDouble(value) => value,
        Number::AsInt(value) => value as f64,
    }
}

#[test]
fn every_round_is_one_request_with_names_of_the_conventions() {
    let rounds = recorded(SESSION);
    assert_eq!(rounds.len(), ROUNDS);
    let names: BTreeSet<&str> = points(&rounds[1]).into_iter().map(|p| p.0).collect();
    for name in [
        "hw.status",
        "hw.gpu.utilization",
        "hw.gpu.memory.utilization",
        "hw.gpu.memory.usage",
        "hw.gpu.memory.limit",
        "hw.power",
        "hw.energy",
        "hw.temperature",
        "hw.errors",
        "gpu.clock.frequency",
        "gpu.throttle.active",
        "gpu.pcie.throughput",
        "gpu.nvlink.throughput",
        "gpu.process.memory.usage",
    ] {
        assert!(names.contains(name), "{name}");
    }
    for (_, _, point) in points(&rounds[0]) {
        assert!(!label(point, "hw.id").is_empty() && label(point, "hw.type") == "gpu");
    }
}

#[test]
fn what_a_device_does_not_support_is_absent() {
    let rounds = recorded(SESSION);
    for round in &rounds {
        for (name, device, _) in points(round) {
            // A divided device tells no utilisation, its instance no power, an old one no memory errors.
            assert!((name, device) != ("hw.gpu.utilization", "GPU 1"));
            assert!((name, device) != ("hw.power", "GPU 1 MIG 0"));
            assert!((name, device) != ("hw.errors", "GPU 2"));
            assert!((name, device) != ("hw.energy", "GPU 2"));
        }
    }
    let instance = points(&rounds[0]);
    let instance = instance
        .iter()
        .find(|p| p.1 == "GPU 1 MIG 0")
        .expect("an instance");
    assert!(label(instance.2, "hw.parent").starts_with("GPU-1111"));
}

#[test]
fn means_say_over_which_time() {
    let rounds = recorded(SESSION);
    let of = |name: &str| {
        let all = points(&rounds[1]);
        let found = all.into_iter().find(|p| p.0 == name).expect("a point").2;
        (found.time_unix_nano - found.start_time_unix_nano) as f64 / 1e9
    };
    assert_eq!(of("hw.gpu.utilization"), 4.0);
    assert_eq!(of("gpu.pcie.throughput"), 0.02);
    assert_eq!(of("gpu.nvlink.throughput"), 5.0);
}

#[test]
fn a_device_that_drops_out_is_failed_and_comes_back() {
    let state = |round: &ExportMetricsServiceRequest| {
        let mut states = points(round);
        states.retain(|p| p.0 == "hw.status" && p.1 == "GPU 2" && value(p.2) == 1.0);
        label(states[0].2, "hw.state").to_owned()
    };
    let rounds = recorded(SESSION);
    let states: Vec<String> = rounds.iter().map(state).collect();
    let failed: Vec<usize> = (0..ROUNDS).filter(|&n| states[n] == "failed").collect();
    assert_eq!(failed, [20, 21, 22, 30]);
    // Round 30: the driver itself was away, and with it every device.
    let away = points(&rounds[30]);
    assert!(away.iter().all(|p| p.0 == "hw.status"), "{away:?}");
    assert_eq!(away.len(), 8);
}

/// Values of one metric of the recorded device with their times, one per round.
fn of_device(requests: &[ExportMetricsServiceRequest], name: &str, with: &str) -> Vec<(u64, f64)> {
    let found = |request| {
        let has =
            |p: &NumberDataPoint| with.is_empty() || format!("{:?}", p.attributes).contains(with);
        let all = points(request).into_iter();
        let mut all = all.filter(|(n, _, p)| *n == name && has(p));
        all.next().map(|(.., p)| (p.time_unix_nano, value(p)))
    };
    requests.iter().filter_map(found).collect()
}

#[test]
fn a_device_reads_as_nvidia_smi_reads_it() {
    let requests = recorded(H200);
    for line in H200_SMI.lines().skip(1) {
        let (time, said) = line.split_once(", ").expect("a time");
        let time = time.parse::<u64>().expect("milliseconds") * 1_000_000;
        let said: Vec<f64> = said
            .split(", ")
            .map(|n| n.parse().expect("a number"))
            .collect();
        let near = |name, with| {
            let all = of_device(&requests, name, with);
            let (at, value) = all
                .into_iter()
                .min_by_key(|(at, _)| at.abs_diff(time))
                .expect(name);
            assert!(at.abs_diff(time) < 230_000_000, "{name}");
            value
        };
        let ours = [
            100.0 * near("hw.gpu.utilization", "general"),
            near("hw.gpu.memory.usage", "") / f64::from(1 << 20),
            near("hw.power", ""),
            near("hw.temperature", "\"gpu\""),
            near("gpu.clock.frequency", "\"sm\"") / 1e6,
        ];
        for (ours, said) in ours.iter().zip(&said) {
            assert!(
                (ours - said).abs() <= 0.01 * said + 1.0,
                "{line}: {ours} for {said}"
            );
        }
    }
}

#[test]
fn a_full_counter_of_bytes_counts_on() {
    let bytes = of_device(&recorded(H200), "hw.gpu.io", "receive");
    assert!(bytes.is_sorted_by(|(_, a), (_, b)| a < b), "{bytes:?}");
    let (first, last) = (bytes[0].1, bytes[bytes.len() - 1].1);
    assert!(first < f64::from(u32::MAX) && last > f64::from(u32::MAX));
}

#[test]
fn the_table_reads_as_it_should() {
    let table = |width| run(&["gpu", "--session", SESSION, "--once", "--width", width]).1;
    insta::assert_snapshot!("a_round_at_80_columns", table("80"));
    insta::assert_snapshot!("a_round_at_120_columns", table("120"));
    let (_, out, err) = run(&["gpu", "--session", SESSION]);
    let from = out
        .find("2026-11-20 10:28:35")
        .expect("the round of the drop-out");
    let to = out[from..].find("\n\n2026").expect("its end");
    insta::assert_snapshot!("a_round_with_a_device_missing", &out[from..from + to]);
    // How long it took is all that differs from run to run.
    let timed = err.split(" in ").next().expect("a summary");
    insta::assert_snapshot!("what_happened_to_devices", timed);
}

#[test]
fn a_full_file_begins_anew_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("gpu.jsonl");
    let name = path.to_str().expect("UTF-8");
    let args = [
        "gpu",
        "--session",
        SESSION,
        "-o",
        name,
        "--max-size",
        "300KB",
    ];
    let (code, out, err) = run(&args);
    assert_eq!((code, out.as_str()), (0, ""));
    let mut rounds = 0;
    let mut files = 0;
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let file = entry.expect("an entry").path();
        let text = fs::read_to_string(&file).expect("text");
        assert!(
            text.len() <= 300_000 && text.ends_with('\n'),
            "{}",
            file.display()
        );
        rounds += requests(&text).len();
        files += 1;
    }
    assert_eq!(rounds, ROUNDS);
    assert!(
        files > 2 && err.contains(&format!("in {files} files")),
        "{err}"
    );
    // Together they are read as the one recording they are.
    let (_, whole, _) = run(&["gpu", "--session", SESSION, "--json"]);
    let single = folder.path().join("single");
    fs::write(&single, whole).expect("written");
    let glob = format!("{name}*");
    let readings = |path: &str| {
        let (_, out, _) = run(&["analyze", "--json", path, DUMP]);
        let report: Value = serde_json::from_str(&out).expect("JSON");
        report["readings"].clone()
    };
    assert_eq!(readings(&glob), readings(single.to_str().expect("UTF-8")));
}

fn recording(folder: &Path, more: &[&str]) -> Child {
    Process::new(assert_cmd::cargo::cargo_bin("agentdiag"))
        .args(["gpu", "--session", SESSION, "-o"])
        .arg(folder.join("gpu.jsonl"))
        .arg("--save-session")
        .arg(folder.join("session.jsonl"))
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Signals are sent by the system's `kill`: there is none in the standard library. Gives what was said, and the
/// recording: every file of it holds whole lines, and nothing else lies beside it.
fn interrupted(signal: &str, more: &[&str], until: impl Fn(&Path) -> bool) -> (String, String) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let child = recording(folder.path(), more);
    let begun = Instant::now();
    while !until(folder.path()) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing is recorded"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    let sent = Process::new("kill")
        .args([signal, &pid])
        .status()
        .expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{signal}: {said}");
    let mut all = String::new();
    let read = fs::read_dir(folder.path()).expect("the folder");
    for entry in read {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("text");
        let name = path.file_name().expect("a name").to_string_lossy();
        assert!(text.ends_with('\n'), "{signal}: {name} is cut off");
        match name.strip_prefix("gpu.jsonl") {
            Some(number) if number.is_empty() || number.starts_with('.') => all += &text,
            _ => assert_eq!(name, "session.jsonl", "{signal}: left behind"),
        }
    }
    (said, all)
}

#[test]
fn a_signal_ends_it_with_a_whole_file() {
    for signal in ["-INT", "-TERM"] {
        let some = |folder: &Path| {
            fs::metadata(folder.join("gpu.jsonl")).is_ok_and(|there| there.len() > 0)
        };
        let (said, text) = interrupted(signal, &["--interval", "60s"], some);
        assert_eq!(requests(&text).len(), 1, "{signal}");
        assert!(said.contains("1 round of 4 devices"), "{said}");
    }
}

/// Between one file and the next nothing is half written, lost or left behind either.
#[test]
fn a_signal_between_two_files_leaves_whole_ones() {
    for signal in ["-INT", "-TERM"] {
        let begun_anew = |folder: &Path| folder.join("gpu.jsonl.2").exists();
        let more = ["--interval", "300ms", "--max-size", "20KB"];
        let (said, text) = interrupted(signal, &more, begun_anew);
        let rounds = requests(&text).len();
        let told = format!("{rounds} rounds of 4 devices");
        assert!(rounds >= 3 && said.contains(&told), "{told}: {said}");
    }
}

#[test]
fn a_saved_session_plays_back_to_the_same_recording() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let saved = folder.path().join("saved.jsonl");
    let saved = saved.to_str().expect("UTF-8");
    let args = [
        "gpu",
        "--json",
        "--session",
        SESSION,
        "--save-session",
        saved,
    ];
    let (code, first, _) = run(&args);
    assert_eq!(code, 0);
    let (_, second, _) = run(&["gpu", "--json", "--session", saved]);
    assert!(first == second);
}

#[test]
fn a_damaged_session_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("bad.jsonl");
    let good = fs::read_to_string(SESSION).expect("the session");
    let first = good.lines().next().expect("a line");
    for second in [
        "{",
        "{\"time\":\"yesterday\"}",
        "{\"time\":\"2026-11-20T10:27:00Z\",\"what\":1}",
    ] {
        fs::write(&path, format!("{first}\n{second}\n")).expect("written");
        let (code, _, err) = run(&["gpu", "--session", path.to_str().expect("UTF-8"), "--json"]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("bad.jsonl: line 2: "), "{err}");
    }
}

#[test]
fn without_a_driver_a_sentence_says_so() {
    let (code, out, err) = run(&["gpu", "--once"]);
    if code == 0 {
        println!("ignored: this machine has an NVIDIA driver");
        return;
    }
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.starts_with("agentdiag: ") && err.matches('\n').count() == 1,
        "{err}"
    );
    assert!(
        err.contains("NVIDIA driver") && !err.contains("panicked"),
        "{err}"
    );
}

/// The recording beside the dump of the same hours: signals, evidence, and a chart.
#[test]
fn the_recording_joins_a_dump() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let recording = folder.path().join("gpu.jsonl");
    let recording = recording.to_str().expect("UTF-8");
    let (code, ..) = run(&["gpu", "--session", SESSION, "-o", recording]);
    assert_eq!(code, 0);
    let (_, out, _) = run(&["analyze", "--json", recording, DUMP]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let reading = |name: &str| {
        let all = report["readings"].as_array().expect("a list");
        let found = all.iter().find(|r| r["name"] == name).expect(name);
        assert_eq!(found["state"], "present", "{found}");
        found["value"].as_f64().expect("a number")
    };
    // Means over the devices that tell it; the instance's memory is part of its device's.
    assert!((0.2..0.5).contains(&reading("gpu_utilisation")));
    let memory = reading("gpu_memory_used") / f64::from(1 << 30);
    assert!((100.0..115.0).contains(&memory), "{memory}");

    let requests = report["requests"].as_array().expect("a list");
    let contended = requests.iter().filter(|r| r["cause"] == "noisy_neighbour");
    let facts = |request: &Value| {
        let evidence = request["evidence"].as_array().expect("a list").clone();
        evidence
            .into_iter()
            .filter(|fact| fact["via"] == "metric")
            .collect::<Vec<Value>>()
    };
    for request in contended.clone() {
        let facts = facts(request);
        let busy = facts
            .iter()
            .find(|f| f["fact"] == "gpu_busy")
            .expect("a fact");
        assert!(busy["observed"].as_f64() > Some(90.0) && busy["expected"].as_f64() < Some(60.0));
        assert!(
            busy["note"]
                .as_str()
                .is_some_and(|note| note.starts_with("GPU 0 "))
        );
    }
    assert!(contended.count() >= 5);

    // Without the recording the verdicts are the same, and nothing speaks of devices.
    let (_, out, _) = run(&["analyze", "--json", DUMP]);
    let bare: Value = serde_json::from_str(&out).expect("JSON");
    let alone = bare["requests"].as_array().expect("a list");
    for (with, without) in requests.iter().zip(alone) {
        for key in ["cause", "confidence", "contributions_ms"] {
            assert_eq!(with[key], without[key], "{key}");
        }
        assert!(!without["evidence"].to_string().contains("gpu_"));
    }

    let page = folder.path().join("page.html");
    let page = page.to_str().expect("UTF-8");
    let (code, ..) = run(&["report", recording, DUMP, "-o", page]);
    assert_eq!(code, 0);
    let html = fs::read_to_string(page).expect("a page");
    assert!(
        html.contains("GPU 1 MIG 0"),
        "instances have a line of their own"
    );
    assert!(html.contains("data-chart=\"gpu\"") && html.contains("GPU utilisation, %"));
}
