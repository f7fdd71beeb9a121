//! Alert rules over dumps: when they fire against computed labels, what wrong rule files are told, and
//! whether written rules are quiet where they should be.

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use agentdiag::alerts::{self, Store};

use crate::otlp::Span;

const SPIKE: &str = "fixtures/alerts/spike/traces.jsonl.gz";
const HEALTHY: &str = "fixtures/labelled/healthy-client-genai/traces.jsonl.gz";
const FAULTY: [&str; 2] = [
    "fixtures/labelled/mixed-full-mixed/traces.jsonl.gz",
    "fixtures/labelled/mixed2-tokens-genai/traces.jsonl.gz",
];

fn agentdiag(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .args(args);
    command
}

fn output(args: &[&str]) -> (i32, String, String) {
    let output = agentdiag(args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it exits");
    (code, text(output.stdout), text(output.stderr))
}

fn replay(args: &[&str]) -> Value {
    let (code, json, said) = output(&[&["replay", "--json"], args].concat());
    assert_eq!(code, 0, "{said}");
    serde_json::from_str(&json).expect("JSON")
}

fn seconds(time: &Value) -> i64 {
    let text = time.as_str().expect("a time");
    let time: jiff::Timestamp = text.parse().expect("RFC 3339");
    time.as_second()
}

/// Name, labels, and pending, fired and resolved in seconds of one alert.
type Told = (String, Value, [i64; 3]);

fn told(alert: &Value, name: &str, keys: [&str; 3]) -> Told {
    let mut labels = alert["labels"].clone();
    labels.as_object_mut().expect("labels").remove("severity");
    let name = alert[name].as_str().expect("a name").to_owned();
    (name, labels, keys.map(|key| seconds(&alert[key])))
}

#[test]
fn alerts_fire_when_the_labels_say() {
    let said = replay(&[SPIKE]);
    let watched = ["AgentErrorRateSpike", "AgentToolCallFailureSpike"];
    let all = said["alerts"].as_array().expect("alerts").iter();
    let fired: Vec<Told> = all
        .filter(|a| watched.iter().any(|name| a["name"] == *name))
        .map(|a| told(a, "name", ["pending_since", "fired_at", "resolved_at"]))
        .collect();
    let labels = std::fs::read_to_string("fixtures/alerts/spike/alerts.json").expect("labels");
    let labels: Vec<Value> = serde_json::from_str(&labels).expect("JSON");
    assert_eq!(fired.len(), labels.len(), "{fired:?}");
    for label in &labels {
        let (name, of, times) = told(label, "alert", ["pending", "fired", "resolved"]);
        let near = |other: &Told| {
            let mut pairs = other.2.iter().zip(times);
            other.0 == name && other.1 == of && pairs.all(|(a, b)| (a - b).abs() <= 30)
        };
        assert!(fired.iter().any(near), "{name} {of} {times:?} in {fired:?}");
    }
}

#[test]
fn a_fired_alert_fails_the_run_when_asked_to() {
    assert_eq!(output(&["replay", SPIKE]).0, 0);
    assert_eq!(output(&["replay", SPIKE, "--fail-on-fire"]).0, 1);
    let folder = rule_file("groups: [{name: g, rules: [{alert: A, expr: vector(0) > 1}]}]");
    let path = folder.path().join("rules.yml");
    let path = path.to_str().expect("UTF-8");
    assert_eq!(
        output(&["replay", SPIKE, "--fail-on-fire", "--rules", path]).0,
        0
    );
}

/// The built-in rule about tool choice may be narrowed to the tools that matter.
#[test]
fn tool_choice_is_watched_for_high_stakes_only() {
    let drift = "fixtures/drift/traces.jsonl.gz";
    let tools = |more: &[&str]| -> Vec<String> {
        let args = [&["replay", "--json", drift], more].concat();
        let (_, json, _) = output(&args);
        let found: Value = serde_json::from_str(&json).expect("JSON");
        let alerts = found["alerts"].as_array().expect("alerts").iter();
        let drifts = alerts.filter(|alert| alert["name"] == "ToolSelectionDrift");
        let mut tools: Vec<String> = drifts
            .map(|alert| alert["labels"]["tool_name"].to_string())
            .collect();
        tools.sort();
        tools.dedup();
        tools
    };
    let all = tools(&[]);
    assert!(!all.is_empty());
    let one = all[0].trim_matches('"');
    assert_eq!(tools(&["--high-stakes", one]), [all[0].clone()]);
    assert!(tools(&["--high-stakes", "no such tool"]).is_empty());
    let all = replay(&[drift]);
    let notes = all["notes"].as_array().expect("notes").iter();
    let notes: Vec<&str> = notes.filter_map(Value::as_str).collect();
    let told = |note: &&str| {
        note.starts_with("ToolSelectionDrift fired") && note.contains("process_refund")
    };
    assert!(notes.iter().any(told), "{notes:?}");
    let (code, ..) = output(&["replay", "--high-stakes", one, "--rules", "x.yml", drift]);
    assert_eq!(code, 2);
}

#[test]
fn threads_do_not_change_the_answer() {
    let with = |threads| output(&["replay", SPIKE, "--json", "--threads", threads]).1;
    assert_eq!(with("1"), with("4"));
    let with = |threads| output(&["rules", SPIKE, "--threads", threads]).1;
    assert_eq!(with("1"), with("4"));
}

#[test]
fn the_page_reads_as_it_should() {
    let (_, page, _) = output(&["replay", SPIKE, "--width", "80", "--top", "6"]);
    insta::assert_snapshot!(page);
    assert!(page.lines().all(|line| line.chars().count() <= 80));
}

fn rule_file(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(folder.path().join("rules.yml"), text).expect("written");
    folder
}

#[test]
fn a_wrong_rule_file_is_told_where_and_why() {
    let cases: &[(&str, &str)] = &[
        ("groups: [", "rules.yml:1:"),
        (
            "",
            "rules.yml:1:1: no rules: expected a list under `groups:`",
        ),
        ("rules: []\n", "rules.yml:1:1: "),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    exrp: up\n",
            "rules.yml:5:5: ",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n",
            "rules.yml:4:12: the rule `A` has no `expr`",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - expr: up\n",
            "rules.yml:4:5: expected `alert` or `record` in a rule",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    for: soon\n",
            "rules.yml:6:10: `soon` is not a duration",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: rate(up[5m]) / / 2\n",
            "rules.yml:5:26: in the expression of `A`: expected an operand before `/`",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      up\n        > sin(up)\n",
            "rules.yml:7:11: in the expression of `A`: the function `sin` is not supported",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up offset 5 > 1\n",
            "rules.yml:5:21: in the expression of `A`: expected a duration such as 5m after `offset`",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: \"sum(up\"\n",
            "rules.yml:5:15: in the expression of `A`: `(` is never closed",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - record: a b\n    expr: up\n",
            "rules.yml:4:13: `a b` is not a name for a rule",
        ),
        (
            "groups:\n- name: g\n- name: g\n",
            "rules.yml:3:9: a second group named `g`",
        ),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    annotations:\n      s: \"x {{ range }}\"\n",
            "rules.yml:7:13: the template action `range` is not supported",
        ),
    ];
    for (text, expected) in cases {
        let mut store = Store::default();
        let fault = alerts::read("rules.yml", text, &mut store).expect_err(text);
        let said = fault.to_string();
        assert!(said.starts_with(expected), "{text}\n{said}\n{expected}");
        assert!(fault.why.len() > 10, "{said}");
    }
    let folder = rule_file(cases[7].0);
    let path = folder.path().join("rules.yml");
    let (code, out, said) = output(&["replay", SPIKE, "--rules", path.to_str().expect("UTF-8")]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(said.contains("rules.yml:5:26: "), "{said}");
}

#[test]
fn rules_of_a_kubernetes_object_are_read() {
    let text = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\nspec:\n  groups:\n  - name: g\n    rules:\n    - alert: A\n      expr: up == 0\n";
    let groups = alerts::read("rules.yml", text, &mut Store::default()).expect("rules");
    assert_eq!(groups[0].rules[0].name, "A");
}

/// Alerts that fire when the rules written from a dump are replayed over it.
fn firings_of_own_rules(dump: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("rules.yml");
    let path = path.to_str().expect("UTF-8");
    assert_eq!(output(&["rules", dump, "-o", path]).0, 0);
    let said = replay(&[dump, "--rules", path]);
    let fired = said["alerts"].as_array().expect("alerts").iter();
    fired
        .map(|a| format!("{} {}", a["name"], a["labels"]))
        .collect()
}

#[test]
fn written_rules_are_quiet_on_a_healthy_day_and_fire_on_a_bad_one() {
    assert_eq!(firings_of_own_rules(HEALTHY), Vec::<String>::new());
    for dump in FAULTY.into_iter().chain([SPIKE]) {
        assert!(!firings_of_own_rules(dump).is_empty(), "{dump}");
    }
}

/// Tools chosen otherwise slow nothing down; what was before is normal all the same.
#[test]
fn written_rules_see_a_drift_of_the_dump_they_are_written_from() {
    let fired = firings_of_own_rules("fixtures/drift/traces.jsonl.gz");
    let drift = |alert: &String| {
        alert.starts_with("\"ToolSelectionDrift\"") && alert.contains("process_refund")
    };
    assert!(fired.iter().any(drift), "{fired:?}");
}

/// Requests of one call every ten seconds; for six minutes the cache is cold and calls take twice as long.
fn cold_for_a_while() -> String {
    let request = |n: u64| {
        let cold = (120..156).contains(&n);
        let start = 1_778_572_800_000_000_000 + n * 10_000_000_000;
        let end = start + if cold { 4_000_000_000 } else { 2_000_000_000 };
        let root = Span {
            trace: u128::from(n) + 1,
            id: (n + 1) << 40,
            name: "invoke_agent helper".into(),
            start,
            end,
            service: "helper".into(),
            attributes: vec![
                ("gen_ai.operation.name", "invoke_agent".into()),
                ("gen_ai.agent.name", "helper".into()),
            ],
            ..Span::default()
        };
        let call = Span {
            id: root.id + 1,
            parent: root.id,
            name: "chat m".into(),
            kind: 3,
            attributes: vec![
                ("gen_ai.operation.name", "chat".into()),
                ("gen_ai.request.model", "m".into()),
                ("gen_ai.usage.input_tokens", (1_000 + n % 7).into()),
                ("gen_ai.usage.output_tokens", (50 + n % 5).into()),
                (
                    "gen_ai.usage.cache_read.input_tokens",
                    (if cold { 0 } else { 900 + n % 3 }).into(),
                ),
            ],
            ..root.clone()
        };
        [root.line(), call.line()].join("\n")
    };
    (0..240).map(request).collect::<Vec<_>>().join("\n")
}

#[test]
fn written_rules_see_a_cold_cache_of_the_dump_they_are_written_from() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("traces.jsonl");
    std::fs::write(&path, cold_for_a_while()).expect("written");
    let fired = firings_of_own_rules(path.to_str().expect("UTF-8"));
    let cold = |alert: &String| alert.starts_with("\"AgentCacheCold\"");
    assert!(fired.iter().any(cold), "{fired:?}");
}

/// A baseline that is a dump gives the thresholds, whatever the inputs show; what only the inputs have is named.
#[test]
fn thresholds_come_from_the_baseline_where_that_is_a_dump() {
    let rules = |args: &[&str]| {
        let (code, text, said) = output(&[&["rules"], args].concat());
        assert_eq!(code, 0, "{said}");
        text
    };
    let thresholds = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| line.trim_start().starts_with("expr:"));
        lines.map(str::to_owned).collect()
    };
    let (own, healthy) = (rules(&[SPIKE]), rules(&[HEALTHY]));
    let held = rules(&["--baseline", HEALTHY, SPIKE]);
    assert_eq!(thresholds(&held), thresholds(&healthy));
    assert_ne!(thresholds(&held), thresholds(&own));
    let same = rules(&["--baseline", HEALTHY, HEALTHY]);
    assert_eq!(same, healthy);
    let lacking = "the baseline has no such series";
    let other = rules(&["--baseline", SPIKE, HEALTHY]);
    assert!(
        other.contains(lacking) && !same.contains(lacking),
        "{other}"
    );
}

#[test]
fn looking_too_often_is_refused_with_what_would_do() {
    for command in ["rules", "replay"] {
        let (code, _, said) = output(&[command, "--interval", "1ms", SPIKE]);
        assert!(
            code == 2 && said.contains("--interval"),
            "{command}: {said}"
        );
        let least = said
            .split("give --interval ")
            .nth(1)
            .expect("what would do");
        let least = least.split(' ').next().expect("a time");
        assert_eq!(
            output(&[command, "--interval", least, SPIKE]).0,
            0,
            "{least}"
        );
    }
}

#[test]
fn a_day_without_series_is_refused() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("log.jsonl");
    let log = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":{"stringValue":"x"}}]}]}]}"#;
    std::fs::write(&path, log).expect("written");
    let (code, _, said) = output(&["replay", path.to_str().expect("UTF-8")]);
    assert!(code == 2 && said.contains("no series"), "{said}");
}
