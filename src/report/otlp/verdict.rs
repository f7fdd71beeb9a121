//! Verdicts as attributes: on the root span of each request, and on the spans that its evidence names.

use hashbrown::HashMap;

use super::attributes::Attributes;
use crate::diagnose::Cause;
use crate::model::SpanIx;
use crate::report::{Report, Row};
use crate::units::human::measured;
use crate::units::{Nanos, Usd};

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// What is to be written on which span.
pub(super) struct Verdicts {
    /// Requests by root.
    roots: Map<SpanIx, u32>,
    /// Evidence by the span that shows it: cause and sentence.
    evidence: Map<SpanIx, Vec<(&'static str, String)>>,
}

impl Verdicts {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let mut verdicts = Self {
            roots: Map::default(),
            evidence: Map::default(),
        };
        for (row, index) in report.rows().zip(0..) {
            verdicts.roots.insert(row.request.root, index);
            for (cause, fact) in row.evidence().filter(|_| row.slow()) {
                let Some(span) = fact.span else { continue };
                let mut said = format!("{}: {}", fact.note, measured(fact.observed, fact.unit));
                if let Some(normal) = fact.expected {
                    said = format!("{said}, normally {}", measured(normal, fact.unit));
                }
                let list = verdicts.evidence.entry(span).or_default();
                list.push((cause.label(), said));
            }
        }
        verdicts
    }

    pub(super) fn write(&self, report: &Report<'_>, span: SpanIx, to: &mut Attributes) {
        if let Some(row) = self.roots.get(&span).and_then(|&index| report.row(index)) {
            request(&row, to);
        }
        if let Some(facts) = self.evidence.get(&span) {
            let said = facts.iter().map(|(cause, said)| format!("{cause}: {said}"));
            to.texts("agentdiag.evidence", said);
        }
    }
}

fn request(row: &Row<'_>, to: &mut Attributes) {
    to.truth("agentdiag.slow", Some(row.slow()));
    to.number(
        "agentdiag.expected_ms",
        row.expected().map(Nanos::as_millis),
    );
    if let Some(reason) = row.not_judged() {
        to.text("agentdiag.not_judged", reason);
    } else {
        to.number("agentdiag.excess_ms", Some(row.excess().as_millis()));
    }
    for (part, time) in row.request.parts.named() {
        if time > Nanos::ZERO {
            to.number(&format!("agentdiag.part_ms.{part}"), Some(time.as_millis()));
        }
    }
    to.number("agentdiag.cost_usd", row.cost.cost.map(Usd::as_dollars));
    let Some(cause) = row.cause() else { return };
    to.text("agentdiag.cause", cause.label());
    to.number("agentdiag.confidence", Some(row.confidence()));
    for (cause, time) in Cause::ALL.into_iter().zip(row.contributions()) {
        if time > Nanos::ZERO {
            let key = format!("agentdiag.contribution_ms.{}", cause.label());
            to.number(&key, Some(time.as_millis()));
        }
    }
    let missing = row.missing().iter().map(|signal| (*signal).to_owned());
    to.texts("agentdiag.missing_signals", missing);
}
