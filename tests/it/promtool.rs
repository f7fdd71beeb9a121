//! What Prometheus itself says about the same rules over the same series: at every instant, which alerts
//! are pending, which fire, and since when. `promtool` comes with Prometheus (Debian: `prometheus`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use agentdiag::alerts::{self, Episode, Schedule, Store, Version};
use agentdiag::export::families;
use agentdiag::ingest::Source;
use agentdiag::units::Nanos;

use crate::pipeline::run;

const SCRAPE: i64 = 15_000;
const INTERVAL: i64 = 30_000;

/// The version that is installed; says so when there is none.
fn installed() -> Option<Version> {
    let Ok(output) = Command::new("promtool").arg("--version").output() else {
        eprintln!("ignored: promtool is not installed (Debian package `prometheus`)");
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let version = said.split("version ").nth(1).expect("a version");
    let parts: Vec<&str> = version.split(['.', '+', ' ']).take(2).collect();
    Some(parts.join(".").parse().expect("a version of two numbers"))
}

/// A series as text, and a value or nothing for each scrape.
struct Input {
    series: String,
    labels: Vec<(String, String)>,
    values: Vec<Option<f64>>,
}

fn input(name: &str, labels: &[(&str, &str)], values: Vec<Option<f64>>) -> Input {
    let inside: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
    let named = [("__name__", name)];
    let labels = labels.iter().chain(&named);
    Input {
        series: format!("{name}{{{}}}", inside.join(",")),
        labels: labels
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        values,
    }
}

fn store(inputs: &[Input], version: Version) -> Store {
    let mut store = Store::new(version);
    for input in inputs {
        let pairs = input.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let labels = store.labels.intern(pairs);
        let known = (0i64..).zip(&input.values);
        let (times, values): (Vec<i64>, Vec<f64>) = known
            .filter_map(|(i, v)| v.map(|v| (i * SCRAPE, v)))
            .unzip();
        store.insert(labels, Arc::new(times), values);
    }
    store
}

/// What an instant shows: state and beginning of each alert by its labels.
type Shown = BTreeMap<String, (bool, i64)>;

fn shown(episodes: &[(String, Episode)], at: i64) -> Shown {
    let active = episodes
        .iter()
        .filter(|(_, e)| e.pending <= at && e.resolved.is_none_or(|resolved| at < resolved));
    active
        .map(|(labels, e)| {
            let fires = e.fired.is_some_and(|fired| fired <= at);
            (labels.clone(), (fires, e.pending / 1000))
        })
        .collect()
}

/// Runs the rules here and writes down as a test for `promtool` what came out: how many cases (rule and
/// set of series) there are, and how many of them ever fired.
fn test_group(rules: &str, inputs: &[Input], version: Version, out: &mut String) -> (usize, usize) {
    let mut store = store(inputs, version);
    let mut groups =
        alerts::read("rules.yml", rules, &mut store).expect("rules that are supported");
    let scrapes = inputs.iter().map(|i| i.values.len()).max().unwrap_or(0) as i64;
    let schedule = Schedule {
        from: 0,
        to: (scrapes - 1) * SCRAPE,
        interval: INTERVAL,
    };
    let runs = alerts::replay(&mut groups, &mut store, schedule);
    writeln!(out, "  - interval: 15s\n    input_series:").expect("text");
    for input in inputs {
        let values: Vec<String> = input
            .values
            .iter()
            .map(|v| v.map_or_else(|| "_".to_owned(), |v| v.to_string()))
            .collect();
        let (series, values) = (&input.series, values.join(" "));
        writeln!(
            out,
            "      - series: '{series}'\n        values: '{values}'"
        )
        .expect("text");
    }
    writeln!(out, "    promql_expr_test:").expect("text");
    let (mut cases, mut fired) = (0, 0);
    for run in &runs {
        let rule = &groups[run.group].rules[run.rule];
        if !matches!(rule.kind, alerts::RuleKind::Alert { .. }) {
            continue;
        }
        assert_eq!(run.failed, None, "{}", rule.name);
        cases += 1;
        fired += usize::from(run.episodes.iter().any(|e| e.fired.is_some()));
        let episodes: Vec<(String, Episode)> = run
            .episodes
            .iter()
            .map(|e| (store.labels.show(e.labels), e.clone()))
            .collect();
        for at in (0..=schedule.to).step_by(INTERVAL as usize) {
            expect(&rule.name, at, &shown(&episodes, at), out);
        }
    }
    (cases, fired)
}

fn expect(alert: &str, at: i64, shown: &Shown, out: &mut String) {
    let seconds = at / 1000;
    let (mut states, mut since) = (String::new(), String::new());
    for (labels, (fires, from)) in shown {
        let inside = labels.trim_start_matches('{').trim_end_matches('}');
        let state = if *fires { "firing" } else { "pending" };
        let line = |name: &str, more: &str, value: i64| {
            format!(
                "          - labels: 'ALERTS{name}{{{inside}{more}}}'\n            value: {value}\n"
            )
        };
        states += &line("", &format!(",alertstate=\"{state}\""), 1);
        since += &line("_FOR_STATE", "", *from);
    }
    for (name, samples) in [("ALERTS", states), ("ALERTS_FOR_STATE", since)] {
        let samples = match samples.is_empty() {
            true => " []\n".to_owned(),
            false => format!("\n{samples}"),
        };
        write!(
            out,
            "      - expr: '{name}{{alertname=\"{alert}\"}}'\n        eval_time: {seconds}s\n        exp_samples:{samples}"
        )
        .expect("text");
    }
}

/// Has `promtool` check rules and expectations.
fn agree(rules: &str, groups: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let test = format!("rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n{groups}");
    std::fs::write(folder.path().join("rules.yml"), rules).expect("written");
    std::fs::write(folder.path().join("test.yml"), test).expect("written");
    let output = Command::new("promtool")
        .args(["test", "rules", "test.yml"])
        .current_dir(folder.path())
        .output()
        .expect("promtool runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines = said.lines().filter(|line| !line.trim().is_empty());
    let first: Vec<&str> = lines.take(60).collect();
    assert!(
        output.status.success(),
        "Prometheus differs:\n{}",
        first.join("\n")
    );
}

/// Numbers that look random and never change.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

/// What happens to a set of series.
#[derive(Clone, Copy, Default)]
struct Story {
    seed: u64,
    /// Failures per scrape outside and inside the minutes of trouble.
    failing: (f64, f64),
    /// Counters start anew in the middle.
    restart: bool,
    /// Scrapes are lost now and then.
    gaps: bool,
    /// One agent's series appear late and end early.
    partial: bool,
}

const SCRAPES: usize = 161;

fn tell(story: Story) -> Vec<Input> {
    let mut dice = Dice(story.seed);
    let mut inputs = Vec::new();
    for agent in ["one", "two"] {
        let partial = story.partial && agent == "two";
        let range = if partial { 30..120 } else { 0..SCRAPES };
        let mut totals = [0.0f64; 2];
        let mut buckets = [0.0f64; 5];
        let mut series: Vec<Vec<Option<f64>>> = vec![vec![None; SCRAPES]; 7];
        for scrape in range {
            let trouble = (60..100).contains(&scrape);
            let failing = if trouble {
                story.failing.1
            } else {
                story.failing.0
            };
            if story.restart && scrape == 80 {
                (totals, buckets) = ([0.0; 2], [0.0; 5]);
            }
            for _ in 0..4 {
                let failed = dice.roll() < failing;
                totals[usize::from(failed)] += 1.0;
                let time = dice.roll() * if trouble { 9.0 } else { 3.0 };
                for (bucket, bound) in buckets.iter_mut().zip([0.5, 1.0, 2.5, 5.0, f64::INFINITY]) {
                    *bucket += f64::from(u8::from(time <= bound));
                }
            }
            if story.gaps && dice.roll() < 0.15 {
                continue;
            }
            for (values, value) in series.iter_mut().zip(totals.into_iter().chain(buckets)) {
                values[scrape] = Some(value);
            }
        }
        let mut series = series.into_iter();
        for status in ["success", "failure"] {
            let labels = [("agent_id", agent), ("status", status)];
            inputs.push(input(
                "agent_requests_total",
                &labels,
                series.next().expect("seven"),
            ));
        }
        for le in ["0.5", "1", "2.5", "5", "+Inf"] {
            let labels = [("agent_id", agent), ("le", le)];
            let values = series.next().expect("seven");
            inputs.push(input(
                "agent_request_duration_seconds_bucket",
                &labels,
                values,
            ));
        }
        for instance in ["a", "b"] {
            let mut depth = 2.0f64;
            let values = (0..SCRAPES).map(|scrape| {
                let drift = if (60..100).contains(&scrape) {
                    0.62
                } else {
                    0.45
                };
                depth = (depth + if dice.roll() < drift { 1.0 } else { -1.0 }).clamp(0.0, 12.0);
                let lost = story.gaps && dice.roll() < 0.2;
                let over = story.partial && agent == "two" && scrape > 90;
                (!lost && !over).then_some(depth)
            });
            let labels = [("agent_id", agent), ("instance", instance)];
            inputs.push(input("agent_queue_depth", &labels, values.collect()));
        }
    }
    let maintenance = (0..SCRAPES).map(|s| Some(f64::from(u8::from((70..80).contains(&s)))));
    let labels = [("agent_id", "one")];
    inputs.push(input("agent_maintenance", &labels, maintenance.collect()));
    inputs
}

#[test]
fn prometheus_agrees_on_every_rule_and_series() {
    let Some(version) = installed() else {
        return;
    };
    let rules = include_str!("../../fixtures/alerts/cases.yml");
    let quiet = Story {
        seed: 1,
        failing: (0.0, 0.0),
        ..Story::default()
    };
    let spike = Story {
        seed: 2,
        failing: (0.01, 0.2),
        ..Story::default()
    };
    let stories = [
        quiet,
        spike,
        Story {
            seed: 3,
            restart: true,
            ..spike
        },
        Story {
            seed: 4,
            gaps: true,
            ..spike
        },
        Story {
            seed: 5,
            partial: true,
            ..spike
        },
        // Near the threshold all the time.
        Story {
            seed: 6,
            failing: (0.05, 0.06),
            gaps: true,
            restart: true,
            partial: true,
        },
    ];
    let mut test = String::new();
    let (mut cases, mut fired) = (0, 0);
    for story in stories {
        let (some, hot) = test_group(rules, &tell(story), version, &mut test);
        (cases, fired) = (cases + some, fired + hot);
    }
    assert!(cases >= 40 && fired >= 40, "{cases} cases, {fired} fired");
    agree(rules, &test);
}

/// The series derived from a dump, from a round instant on, as scraped every fifteen seconds.
fn derived(dump: &str, version: Version) -> Vec<Input> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(dump);
    let run = run(Source::find(&[path]), 1);
    let mut store = Store::new(version);
    let families = families(&run.data, &run.forest, &[]);
    let scrape = Nanos(SCRAPE as u64 * 1_000_000);
    alerts::derive(&families, &mut store, scrape).expect("few samples");
    let (first, _) = alerts::covered(&store).expect("series");
    // A multiple of every step in the rules, so that instants lie as they do in the dump.
    let base = first.div_euclid(300_000) * 300_000;
    store
        .iter()
        .map(|(labels, times, values)| {
            let lead = times.first().map_or(0, |first| (first - base) / SCRAPE) as usize;
            let pairs: Vec<(&str, &str)> = store.labels.pairs(labels).collect();
            let name = store.labels.value(labels, "__name__");
            let others: Vec<(&str, &str)> = pairs
                .into_iter()
                .filter(|(n, _)| *n != "__name__")
                .collect();
            let values = values.iter().copied().map(Some);
            let values = std::iter::repeat_n(None, lead).chain(values).collect();
            input(name, &others, values)
        })
        .collect()
}

#[test]
fn prometheus_agrees_on_the_built_in_rules_over_a_dump() {
    let Some(version) = installed() else {
        return;
    };
    let inputs = derived("fixtures/alerts/spike/traces.jsonl.gz", version);
    let mut test = String::new();
    let (cases, fired) = test_group(alerts::BUILT_IN, &inputs, version, &mut test);
    assert!(cases == 6 && fired >= 2, "{cases} cases, {fired} fired");
    agree(alerts::BUILT_IN, &test);
}

#[test]
fn written_rules_are_rules_to_prometheus() {
    if installed().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    for dump in [
        "fixtures/labelled/healthy-client-genai",
        "fixtures/alerts/spike",
        "tests/it/cli.jsonl",
    ] {
        let path = folder.path().join("rules.yml");
        let mut write = assert_cmd::Command::cargo_bin("agentdiag").expect("the binary is built");
        let write = write
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["rules", dump, "-o"]);
        write.arg(&path).assert().success();
        for rules in [
            path.as_path(),
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/alerts/agent-alerts.yml"),
        ] {
            let check = Command::new("promtool")
                .args(["check", "rules", "--lint-fatal"])
                .arg(rules)
                .output();
            let check = check.expect("promtool runs");
            let said = String::from_utf8_lossy(&check.stderr).into_owned();
            assert!(check.status.success(), "{dump}: {said}");
        }
    }
}
