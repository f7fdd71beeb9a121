//! A rule file with thresholds that fit a dump, each with how it was chosen.

use std::fmt::Write;

use super::calibrate::{Threshold, calibrate};
use super::choice;
use super::duration;
use super::measure::{DRIFT, Kind, MEASURES, Measure, Side};
use super::replay::Schedule;
use super::store::Store;
use crate::units::{Nanos, Window, human};

/// What a rule file is written from.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// From when to when, and how often values are looked at.
    pub schedule: Schedule,
    /// When incidents were under way: what is seen then is not normal.
    pub trouble: &'a [Window],
    /// When agents chose other tools than before.
    pub drifted: &'a [Window],
    /// True where a saved baseline told the trouble.
    pub saved: bool,
    /// Tools whose selection is watched; without any, all that have a threshold.
    pub high_stakes: &'a [String],
}

/// Series and when they are looked at.
pub struct Looked {
    /// The series.
    pub store: Store,
    /// From when to when, and how often.
    pub schedule: Schedule,
}

/// A rule file, and how many rules are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The YAML.
    pub text: String,
    /// Rules in it.
    pub rules: usize,
}

/// Writes rules for every measure of which `store` has series, and names what only `others` have. `calm` has the
/// series of requests that were not slow, where others were.
///
/// # Errors
/// Says which measure cannot be evaluated over these series.
pub fn write(
    store: &mut Store,
    basis: Basis<'_>,
    mut calm: Option<&mut Store>,
    mut others: Option<&mut Looked>,
) -> Result<Written, String> {
    let mut general = Vec::new();
    let mut causes = Vec::new();
    for measure in MEASURES {
        let into = match measure.cause {
            "" => &mut general,
            _ => &mut causes,
        };
        let stores = (&mut *store, calm.as_deref_mut());
        rules_of(&measure, stores, basis, others.as_deref_mut(), into)?;
    }
    let mut drift = Vec::new();
    rules_of(&DRIFT, (store, None), basis, others, &mut drift)?;
    let mut text = head(basis);
    let mut rules = 0;
    text += "groups:\n";
    for (name, part) in [
        ("agent-alerts", general),
        ("agent-drift", drift),
        ("agent-causes", causes),
    ] {
        let written = part.iter().filter(|entry| entry.contains("- alert:"));
        let count = written.count();
        rules += count;
        if part.is_empty() {
            continue;
        }
        let list = if count == 0 {
            "    rules: []\n"
        } else {
            "    rules:\n"
        };
        text += &format!("  - name: {name}\n{list}{}", part.concat());
    }
    if rules == 0 {
        text = text.replace("groups:\n", "groups: []\n");
        let end = text
            .find("groups: []\n")
            .map_or(text.len(), |at| at + "groups: []\n".len());
        text.truncate(end);
    }
    Ok(Written { text, rules })
}

fn head(basis: Basis<'_>) -> String {
    let Schedule { from, to, .. } = basis.schedule;
    let time = |millis: i64| Nanos(u64::try_from(millis).unwrap_or(0).saturating_mul(1_000_000));
    let mut text = format!(
        "# Prometheus alert rules, written by agentdiag {} from {}.\n\
         #\n\
         # Each threshold lies a quarter beyond the largest value that held as long as the rule waits; for a\n\
         # share it is at least what one event and a half would make of a usual window. {} of trouble\n\
         # (incidents, and slow requests of none): where a value grew by half under them, those times are left\n\
         # out. Thresholds know the traffic they come from and no other: write them anew when it changes.\n",
        env!("CARGO_PKG_VERSION"),
        human::span_of_time(time(from), time(to)),
        human::counted(basis.trouble.len() as u64, "period"),
    );
    if let Some(since) = basis.drifted.first() {
        let _ = writeln!(
            text,
            "# Tools were chosen otherwise from {} on, by more than chance explains: of tool choice only\n# what was before is normal.",
            human::instant(since.start)
        );
    }
    if basis.saved {
        text += "# The saved baseline says what is slow and keeps no series: thresholds come from this dump all the same.\n";
    }
    text
}

fn rules_of(
    measure: &Measure,
    stores: (&mut Store, Option<&mut Store>),
    basis: Basis<'_>,
    others: Option<&mut Looked>,
    out: &mut Vec<String>,
) -> Result<(), String> {
    let wanted = |threshold: &Threshold| {
        let mut labels = threshold.labels.iter();
        let tool = labels.find(|(name, _)| name == "tool_name").map(|(_, v)| v);
        measure.alert != DRIFT.alert
            || basis.high_stakes.is_empty()
            || tool.is_some_and(|tool| basis.high_stakes.contains(tool))
    };
    let thresholds = thresholds(measure, stores, basis)?;
    if let Some(others) = others {
        let theirs = calibrate(measure, &mut others.store, others.schedule, &[], None)?;
        let known = |one: &Threshold| thresholds.iter().any(|(_, own)| own.labels == one.labels);
        let lacking = theirs.iter().filter(|one| wanted(one) && !known(one));
        out.extend(lacking.map(|one| {
            let whose = whose(one);
            format!(
                "      # no {} for {whose}: the baseline has no such series\n",
                measure.alert
            )
        }));
    }
    for (measure, threshold) in thresholds.iter().filter(|(_, one)| wanted(one)) {
        out.push(match threshold.value {
            Some(value) => rule(measure, threshold, value),
            None => skipped(measure, threshold),
        });
    }
    Ok(())
}

/// Thresholds of a measure, each with the measure as its rule has it.
fn thresholds(
    measure: &Measure,
    (store, calm): (&mut Store, Option<&mut Store>),
    basis: Basis<'_>,
) -> Result<Vec<(Measure, Threshold)>, String> {
    if measure.alert == DRIFT.alert {
        return choice::thresholds(measure, store, basis.schedule, basis.drifted);
    }
    let all = calibrate(measure, store, basis.schedule, basis.trouble, calm)?;
    Ok(all.into_iter().map(|one| (*measure, one)).collect())
}

fn whose(threshold: &Threshold) -> String {
    let values: Vec<String> = threshold.labels.iter().map(|(_, v)| comment(v)).collect();
    values.join(", ")
}

/// A text from the dump as it may stand in a comment.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn skipped(measure: &Measure, threshold: &Threshold) -> String {
    let why = match threshold.events < 20.0 {
        true => format!(
            "{:.0} events are too few to tell a threshold",
            threshold.events.max(0.0)
        ),
        false if threshold.instants < 10 && threshold.least.is_some() => {
            "hardly ever were five calls of it due in a range".to_owned()
        }
        false if threshold.instants < 10 => {
            "hardly an instant without an incident to tell a threshold from".to_owned()
        }
        false => "it was zero at times while all was well, so no value is too low".to_owned(),
    };
    format!(
        "      # no {} for {}: {why}\n",
        measure.alert,
        whose(threshold)
    )
}

fn rule(measure: &Measure, threshold: &Threshold, value: f64) -> String {
    let sign = match measure.side {
        Side::Above => '>',
        Side::Below => '<',
    };
    let mut text = format!("      # {}\n", how(measure, threshold));
    let matchers: Vec<String> = threshold
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let expr = measure.of(&matchers.join(","));
    let guard = threshold
        .least
        .map(|least| choice::guard(measure, threshold, least));
    let guard = guard.unwrap_or_default();
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let _ = write!(
        text,
        "      - alert: {}\n        expr: {}\n        for: {}\n        labels:\n          severity: {}\n",
        measure.alert,
        quoted(&format!("{expr} {sign} {value}{guard}")),
        duration::show(measure.hold),
        measure.severity,
    );
    if !measure.cause.is_empty() {
        let _ = writeln!(text, "          cause: {}", measure.cause);
    }
    // Those of the series anyway; said here, no two rules are the same to Prometheus' linter.
    let own = threshold.labels.iter().filter(|(_, v)| !v.contains("{{"));
    for (name, value) in own {
        let _ = writeln!(text, "          {name}: {}", quoted(value));
    }
    let _ = write!(
        text,
        "        annotations:\n          summary: {}\n\n",
        quoted(&summary(measure, value)),
    );
    text
}

/// How a threshold was chosen.
fn how(measure: &Measure, threshold: &Threshold) -> String {
    let at = Nanos(
        u64::try_from(threshold.when)
            .unwrap_or(0)
            .saturating_mul(1_000_000),
    );
    let (extreme, waits) = match (measure.side, measure.hold) {
        (Side::Above, 0) => ("at most", String::new()),
        (Side::Below, 0) => ("at least", String::new()),
        (Side::Above, hold) => ("at most", format!(" for {}", duration::show(hold))),
        (Side::Below, hold) => ("at least", format!(" for {}", duration::show(hold))),
    };
    let mut text = format!(
        "{}: {extreme} {}{waits}, from {}; {:.0} events, {} instants",
        whose(threshold),
        shown(threshold.held, measure.kind),
        human::instant(at),
        threshold.events,
        threshold.instants,
    );
    if threshold.left_out > 0 {
        text += &format!(", {} more under incidents", threshold.left_out);
    }
    if let Some(middle) = threshold.middle {
        text += &format!(
            "; incidents nearly all the time, so twice as bad as the middle of all values, {}",
            shown(middle, measure.kind)
        );
    }
    if threshold.calm {
        text += "; incidents nearly all the time, so of requests that were not slow";
    }
    if threshold.by_count {
        text += "; one event alone makes more, the threshold is above that";
    }
    text
}

fn shown(value: f64, kind: Kind) -> String {
    match kind {
        Kind::Share => human::percent(value),
        Kind::Seconds => format!("{} s", human::plain(value)),
        Kind::Number => human::plain(value),
    }
}

fn summary(measure: &Measure, threshold: f64) -> String {
    let names: Vec<String> = measure
        .by
        .iter()
        .map(|name| format!("{{{{ $labels.{name} }}}}"))
        .collect();
    let value = match measure.kind {
        Kind::Share => "{{ $value | humanizePercentage }}",
        Kind::Seconds => "{{ $value | humanizeDuration }}",
        Kind::Number => "{{ $value | humanize }}",
    };
    let (value, normal) = match measure.kind {
        Kind::Share => (
            format!("{value} {}", measure.says),
            human::percent(threshold),
        ),
        _ => (
            format!("{} {value}", measure.says),
            shown(threshold, measure.kind),
        ),
    };
    let beyond = match measure.side {
        Side::Above => "more than",
        Side::Below => "less than",
    };
    format!("{}: {value}, {beyond} {normal}", names.join(" "))
}
