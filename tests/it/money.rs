//! What was paid, what changed, what tables say, and metrics for other programs: the built program over
//! recorded dumps.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let output = command
        .env_clear()
        .current_dir(root())
        .args(args)
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it exits");
    (code, text(output.stdout), text(output.stderr))
}

fn done(args: &[&str]) -> String {
    let (code, out, err) = run(args);
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    out
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&done(args)).expect("JSON")
}

/// The price of the model that the labelled dumps call.
const LLAMA: &str = "llama-3.3-70b-instruct=0.88/0.22/0.88";

const QUICKSTART: [&str; 3] = [
    "--prices",
    "fixtures/quickstart/prices.json",
    "fixtures/quickstart",
];

fn quickstart(command: &str, more: &[&str]) -> Vec<String> {
    let all = [&[command], more, &QUICKSTART].concat();
    all.into_iter().map(str::to_owned).collect()
}

fn refs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

#[test]
fn cost_as_text() {
    insta::assert_snapshot!(done(&refs(&quickstart("cost", &[]))));
}

#[test]
fn drift_as_text() {
    insta::assert_snapshot!(done(&["drift", "fixtures/drift/traces.jsonl.gz"]));
}

#[test]
fn every_list_of_costs_adds_up_to_the_total() {
    for dump in [
        "mixed-full-mixed",
        "healthy-client-genai",
        "mixed2-tokens-genai",
    ] {
        let dump = format!("fixtures/labelled/{dump}");
        let cost = json(&["cost", "--json", "--price", LLAMA, &dump]);
        let of = |value: &Value| (value.as_f64().unwrap_or(0.0) * 1e9).round();
        let total = of(&cost["total"]["cost_usd"]);
        for by in ["model", "task", "agent", "tenant", "day"] {
            let rows = cost["by"][by].as_array().expect("a list");
            let sum: f64 = rows.iter().map(|row| of(&row["cost_usd"])).sum();
            assert!(
                (sum - total).abs() < 1.0,
                "{dump} by {by}: {sum} of {total}"
            );
            let wasted: f64 = rows.iter().map(|row| of(&row["wasted_usd"])).sum();
            assert!(
                (wasted - of(&cost["waste"]["cost_usd"])).abs() < 1.0,
                "{dump} by {by}"
            );
        }
        let tools = cost["by"]["tool"].as_array().expect("a list");
        let tools: f64 = tools.iter().map(|row| of(&row["cost_usd"])).sum();
        assert!(
            tools > 0.0 && tools < total,
            "{dump}: tools {tools} of {total}"
        );
        let analyzed = json(&["analyze", "--json", "--price", LLAMA, &dump]);
        assert_eq!(of(&analyzed["cost"]["total_usd"]), total, "{dump}");
        assert_eq!(
            analyzed["cost"]["wasted_usd"], cost["waste"]["cost_usd"],
            "{dump}"
        );
    }
}

#[test]
fn only_what_is_asked_for_is_listed() {
    let cost = json(&refs(&quickstart("cost", &["--json", "--by", "tool,day"])));
    let by: Vec<&String> = cost["by"].as_object().expect("an object").keys().collect();
    assert_eq!(by, ["day", "tool"]);
    assert_eq!(cost["schema"], "agentdiag.cost.v1");
}

#[test]
fn the_command_line_goes_before_the_file_and_the_configuration_behind_it() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let config = folder.path().join("agentdiag.toml");
    std::fs::write(
        &config,
        "[prices.models.\"my-model\"]\ninput = 1\noutput = 1\n",
    )
    .expect("written");
    let config = config.to_string_lossy().into_owned();
    let source = |more: &[&str]| {
        let args = [
            &["cost", "--json", "--config", &config, "tests/it/cli.jsonl"],
            more,
        ]
        .concat();
        let tables = json(&args)["price_tables"].clone();
        let used = tables
            .as_array()
            .expect("a list")
            .iter()
            .find(|t| t["calls"].as_u64() > Some(0));
        used.map(|t| t["source"].as_str().expect("a text").to_owned())
    };
    let model = json(&["cost", "--json", "--by", "model", "tests/it/cli.jsonl"]);
    let model = model["by"]["model"][0]["name"]
        .as_str()
        .expect("a model")
        .to_owned();
    assert_eq!(
        source(&["--price", &format!("{model}=1/2")]).as_deref(),
        Some("--price")
    );
    let text = format!("[prices.models.{model:?}]\ninput = 1\noutput = 1\n");
    std::fs::write(&config, text).expect("written");
    assert_eq!(source(&[]).as_deref(), Some("configuration"));
    std::fs::write(&config, "[prices]\nfiel = 1\n").expect("written");
    let (code, _, err) = run(&["cost", "--config", &config, "tests/it/cli.jsonl"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("agentdiag.toml:2:") && err.contains("fiel"),
        "{err}"
    );
}

#[test]
fn a_machine_is_paid_for_the_time_it_was_busy() {
    let model = json(&refs(&quickstart("cost", &["--json"])));
    let model = model["by"]["model"][0]["name"]
        .as_str()
        .expect("a model")
        .to_owned();
    let price = format!("{model}=3.60/gpu-hour*2");
    let cost = json(&[
        "cost",
        "--json",
        "--price",
        &price,
        "fixtures/quickstart/traces.jsonl.gz",
    ]);
    let machine = &cost["self_hosted"][0];
    let number = |key: &str| machine[key].as_f64().expect("a number");
    // 7.20 dollars an hour are 0.2 cents a second.
    assert!(
        (number("cost_usd") - 0.002 * number("busy_s")).abs() < 1e-6,
        "{machine}"
    );
    let paid = number("cost_usd") + number("idle_cost_usd");
    assert!(
        (paid - 0.002 * number("window_s")).abs() < 1e-6,
        "{machine}"
    );
    let of_model = cost["by"]["model"].as_array().expect("a list").iter();
    let of_model = of_model.filter(|row| row["name"] == model.as_str());
    let sum: f64 = of_model
        .map(|row| row["cost_usd"].as_f64().expect("a number"))
        .sum();
    assert!(
        (sum - number("cost_usd")).abs() < 1e-6,
        "{sum} of {machine}"
    );
}

#[test]
fn the_tool_that_collapsed_is_named_with_its_hour() {
    let expect =
        std::fs::read_to_string(root().join("fixtures/drift/expect.json")).expect("expectations");
    let expect: Value = serde_json::from_str(&expect).expect("JSON");
    let drift = json(&["drift", "--json", "fixtures/drift/traces.jsonl.gz"]);
    assert_eq!(drift["tools"]["drifted"], true);
    let collapsed = drift["collapsed_tools"].as_array().expect("a list");
    let named: Vec<&Value> = collapsed
        .iter()
        .filter(|t| t["beyond_chance"] == true)
        .collect();
    assert_eq!(named.len(), 1, "{collapsed:?}");
    assert_eq!(named[0]["tool"], expect["decreased"]);
    let changed = drift["tools"]["tools"].as_array().expect("a list").iter();
    let changed: Vec<&Value> = changed
        .filter(|t| t["drifted"] == true)
        .map(|t| &t["tool"])
        .collect();
    assert!(
        changed.contains(&&expect["decreased"]) && changed.contains(&&expect["increased"]),
        "{changed:?}"
    );
    let at: jiff::Timestamp = drift["onset"]["at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("RFC 3339");
    let truth = i128::from(expect["onset_unix_nano"].as_i64().expect("a number"));
    let off = (at.as_nanosecond() - truth).abs();
    assert!(
        off <= 30 * 60 * 1_000_000_000,
        "{} s off",
        off / 1_000_000_000
    );
}

#[test]
fn a_dump_does_not_differ_from_itself_nor_a_healthy_one_from_its_halves() {
    let healthy = "fixtures/labelled/healthy-client-genai/traces.jsonl.gz";
    let same = json(&["drift", "--json", "--baseline", healthy, healthy]);
    assert_eq!(
        (&same["changed"], &same["onset"]),
        (&Value::Bool(false), &Value::Null)
    );
    let halves = json(&["drift", "--json", healthy]);
    assert_eq!(halves["changed"], false, "{halves}");
    let drifted = "fixtures/drift/traces.jsonl.gz";
    let same = json(&["drift", "--json", "--baseline", drifted, drifted]);
    assert_eq!(same["changed"], false, "{same}");
}

/// Most of the day is like the healthy one: what collapsed near its end is found all the same, and tools whose tasks
/// did not come that day are not taken for collapsed.
#[test]
fn the_tool_that_collapsed_is_named_against_another_day() {
    let healthy = "fixtures/labelled/healthy-client-genai/traces.jsonl.gz";
    let drifted = "fixtures/drift/traces.jsonl.gz";
    let (alone, drift) = (
        json(&["drift", "--json", drifted]),
        json(&["drift", "--json", "--baseline", healthy, drifted]),
    );
    assert_eq!(drift["tools"]["drifted"], true);
    let collapsed = drift["collapsed_tools"].as_array().expect("a list");
    let named: Vec<&Value> = collapsed.iter().map(|one| &one["tool"]).collect();
    assert_eq!(named, ["process_refund"]);
    assert_eq!(drift["onset"]["at"], alone["onset"]["at"]);
    let gate = "[[budget]]\nexpect = \"drift(tools) p > 0.01\"\n";
    let folder = tempfile::tempdir().expect("a scratch folder");
    let budget = folder.path().join("gate.toml");
    std::fs::write(&budget, gate).expect("written");
    let budget = budget.display().to_string();
    let args = ["check", "--budget", &budget, "--baseline", healthy, drifted];
    let (code, said, _) = run(&args);
    assert!(code == 1 && said.contains("broken=1"), "{said}");
}

#[test]
fn a_saved_period_serves_as_well_as_its_dump() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let base = folder.path().join("base.json");
    let base = base.to_string_lossy().into_owned();
    let (healthy, drifted) = (
        "fixtures/labelled/healthy-client-genai/traces.jsonl.gz",
        "fixtures/drift/traces.jsonl.gz",
    );
    done(&["baseline", healthy, "-q", "-o", &base]);
    let same = json(&["drift", "--json", "--baseline", &base, healthy]);
    assert_eq!(
        (&same["changed"], &same["tools"]["divergence_bits"]),
        (&Value::Bool(false), &Value::from(0.0))
    );
    let saved = json(&["drift", "--json", "--baseline", &base, drifted]);
    let dump = json(&["drift", "--json", "--baseline", healthy, drifted]);
    assert_eq!(saved["tools"], dump["tools"]);
}

/// A saved period keeps what else may have changed, not only the tools: each measure is tested with the same result as
/// against the dump it was learned from.
#[test]
fn a_saved_period_shows_what_else_changed() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let base = folder.path().join("base.json").display().to_string();
    let (healthy, faulty) = (
        "fixtures/labelled/healthy-client-genai/traces.jsonl.gz",
        "fixtures/labelled/mixed-full-mixed/traces.jsonl.gz",
    );
    done(&["baseline", healthy, "-o", &base]);
    let measures = |baseline: &str| {
        let found = json(&["drift", "--json", "--baseline", baseline, faulty]);
        found["measures"].as_array().expect("measures").clone()
    };
    let (saved, dump) = (measures(&base), measures(healthy));
    assert_eq!(saved.len(), dump.len());
    for measure in &saved {
        let name = &measure["name"];
        let other = dump.iter().find(|other| other["name"] == *name);
        let other = other.expect("the same measure");
        for key in ["n_before", "n_after", "divergence_bits"] {
            assert_eq!(measure[key], other[key], "{name} {key}");
        }
        // Medians and ranks of numbers are kept within 1.6 %.
        for key in ["median_before", "median_after", "superiority"] {
            let (a, b) = (measure[key].as_f64(), other[key].as_f64());
            let near = a.unwrap_or(0.0) - b.unwrap_or(0.0);
            assert!(
                near.abs() <= 0.03 * b.unwrap_or(0.0).abs(),
                "{name} {key}: {a:?} {b:?}"
            );
        }
    }
}

#[test]
fn a_split_compares_what_lies_before_it_with_the_rest() {
    let split = [
        "drift",
        "--json",
        "--split",
        "2026-05-13T03:14:00Z",
        "fixtures/drift/traces.jsonl.gz",
    ];
    let drift = json(&split);
    assert_eq!(drift["tools"]["drifted"], true);
    let end = drift["before"]["end"].as_str().expect("a time");
    assert!(
        end < "2026-05-13T03:14:00Z"
            && drift["after"]["start"].as_str() >= Some("2026-05-13T03:14:00")
    );
    let (code, _, err) = run(&["drift", "--split", "soon", "x"]);
    assert!(code == 2 && err.contains("2026-05-12T03:14:00Z"), "{err}");
}

#[test]
fn price_tables_are_imported_shown_and_compared() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let own = folder.path().join("own.json");
    let own = own.to_string_lossy().into_owned();
    let said = done(&[
        "prices",
        "import",
        "fixtures/prices/litellm.json",
        "-o",
        &own,
    ]);
    assert!(
        said.contains("litellm") && said.contains("left out"),
        "{said}"
    );
    let shown = json(&["prices", "show", "--json", "--prices", &own, "acme/m-1"]);
    assert_eq!(shown["models"]["acme/m-1"]["batch"][0]["input"], 1.5);
    let diff = json(&[
        "prices",
        "diff",
        "--json",
        &own,
        "fixtures/prices/models-dev.json",
    ]);
    assert_eq!(diff["only_right"][0], "other/m-1");
    insta::assert_snapshot!(done(&[
        "prices",
        "diff",
        "fixtures/prices/litellm.json",
        "fixtures/prices/models-dev.json"
    ]));
    let (code, _, err) = run(&["prices", "import", "fixtures/prices/missing.json"]);
    assert!(code == 2 && err.contains("missing.json"), "{err}");
}

#[test]
fn prices_as_text() {
    let args = [
        "prices",
        "show",
        "--prices",
        "fixtures/prices/genai-prices.json",
        "acme",
        "--at",
        "2026-07-01",
    ];
    insta::assert_snapshot!(done(&args));
}

/// The last value of a series.
fn last(text: &str, series: &str) -> Option<f64> {
    let lines = text.lines().filter(|line| line.starts_with(series));
    let value = |line: &str| line.rsplit(' ').nth(1).and_then(|v| v.parse().ok());
    lines.rev().find_map(value)
}

#[test]
fn exported_counters_end_where_the_report_does() {
    let dump = "fixtures/labelled/mixed-full-mixed";
    let text = done(&[
        "export",
        "--to",
        "openmetrics",
        "--step",
        "5m",
        "--price",
        LLAMA,
        dump,
    ]);
    assert!(text.ends_with("# EOF\n"));
    let report = json(&["analyze", "--json", dump]);
    let sum = |name: &str, label: &str| -> f64 {
        let mut series: Vec<&str> = text
            .lines()
            .filter(|l| l.starts_with(&format!("{name}{{")))
            .collect();
        series.retain(|line| line.contains(label));
        let mut names: Vec<&str> = series
            .iter()
            .filter_map(|l| l.split_once("} "))
            .map(|(n, _)| n)
            .collect();
        names.dedup();
        names.iter().filter_map(|name| last(&text, name)).sum()
    };
    let tokens = report["summary"]["output_tokens"]
        .as_f64()
        .expect("a number");
    assert_eq!(
        sum("agent_tokens_consumed_total", "direction=\"output\""),
        tokens
    );
    assert_eq!(
        sum("agent_tool_calls_total", ""),
        report["summary"]["tool_calls"].as_f64().expect("a number")
    );
    for name in [
        "agent_requests",
        "agent_request_duration_seconds",
        "agent_cost_per_task_usd",
        "agent_task_completion_rate",
    ] {
        assert_eq!(
            text.matches(&format!("# TYPE {name} ")).count(),
            1,
            "{name}"
        );
    }
    assert_eq!(
        text,
        done(&[
            "export",
            "--to",
            "openmetrics",
            "--step",
            "5m",
            "--price",
            LLAMA,
            "--threads",
            "1",
            dump
        ])
    );
}

/// What Prometheus itself says of the export; reports itself as passed over where it is not installed.
#[test]
fn prometheus_takes_the_export_in() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("metrics.txt");
    let text = done(&[
        "export",
        "--to",
        "openmetrics",
        "--step",
        "1m",
        "fixtures/labelled/mixed-full-mixed",
    ]);
    std::fs::write(&file, text).expect("written");
    let mut promtool = std::process::Command::new("promtool");
    let promtool = promtool
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&file);
    match promtool.arg(folder.path().join("data")).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("ignored: no promtool")
        }
        outcome => {
            let outcome = outcome.expect("it runs");
            let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
            assert!(outcome.status.success(), "{said}");
        }
    }
}

#[test]
fn fixtures_are_where_they_are_said_to_be() {
    for file in [
        "prices/litellm.json",
        "prices/openrouter.json",
        "drift/expect.json",
    ] {
        assert!(
            Path::new(&root().join("fixtures").join(file)).is_file(),
            "{file}"
        );
    }
}
