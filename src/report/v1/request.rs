//! One element of `requests`, and one line of the ndjson output.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Millis;
use crate::diagnose::{self, Cause, Outcome};
use crate::report::{Contributions, Row};
use crate::units::human::rfc3339;
use crate::units::{Nanos, Usd};

/// One request with its verdict.
#[derive(Serialize)]
pub struct Request<'a> {
    trace_id: String,
    root_span_id: String,
    name: &'a str,
    task: &'a str,
    root: &'static str,
    start: String,
    duration_ms: f64,
    slow: bool,
    expected_ms: Option<f64>,
    excess_ms: f64,
    cause: Option<&'static str>,
    confidence: f64,
    parts_ms: Millis<10>,
    contributions_ms: ByCause,
    evidence: Vec<Evidence<'a>>,
    missing_signals: &'a [&'static str],
    next_checks: &'static [&'static str],
    rivals: Vec<Rival<'a>>,
    cost_usd: Option<f64>,
    cost_priced_share: Option<f64>,
    input_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    output_tokens: Option<u64>,
    tokens_via: Option<&'static str>,
    llm_calls: u32,
    llm_calls_failed: u32,
    tool_calls: u32,
    retries: u32,
    spans: u32,
    errors: u32,
    repairs: Vec<&'static str>,
}

impl<'a> From<&Row<'a>> for Request<'a> {
    fn from(row: &Row<'a>) -> Self {
        let request = row.request;
        Self {
            trace_id: request.trace.to_string(),
            root_span_id: row.root_span().to_string(),
            name: row.name(),
            task: row.kind(),
            root: row.root_state(),
            start: rfc3339(request.wall.start),
            duration_ms: request.duration().as_millis(),
            slow: row.slow(),
            expected_ms: row.expected().map(Nanos::as_millis),
            excess_ms: row.excess().as_millis(),
            cause: row.cause().map(Cause::label),
            confidence: row.confidence(),
            parts_ms: Millis(request.parts.named()),
            contributions_ms: ByCause(row.contributions()),
            evidence: evidence(row),
            missing_signals: row.missing(),
            next_checks: row.next_checks(),
            rivals: row.considered().iter().map(|o| rival(row, o)).collect(),
            cost_usd: row.cost.cost.map(Usd::as_dollars),
            cost_priced_share: row.cost.priced.share(),
            input_tokens: request.input_tokens,
            cached_tokens: request.cached_tokens,
            output_tokens: request.output_tokens,
            tokens_via: match (
                request.rolled_up,
                request.input_tokens,
                request.output_tokens,
            ) {
                (true, ..) => Some("rollup"),
                (false, None, None) => None,
                _ => Some("calls"),
            },
            llm_calls: row.model_calls(),
            llm_calls_failed: row.failed_calls(),
            tool_calls: request.tool_calls,
            retries: request.retries,
            spans: request.spans,
            errors: request.errors,
            repairs: request.repairs.names().collect(),
        }
    }
}

/// Milliseconds by cause; causes that took nothing are left out.
struct ByCause(Contributions);

impl Serialize for ByCause {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (cause, time) in Cause::ALL.into_iter().zip(self.0) {
            if time > Nanos::ZERO {
                map.serialize_entry(cause.label(), &time.as_millis())?;
            }
        }
        map.end()
    }
}

/// One observation.
#[derive(Serialize)]
struct Fact<'a> {
    span_id: Option<String>,
    fact: &'static str,
    observed: f64,
    expected: Option<f64>,
    unit: &'static str,
    via: &'static str,
    note: &'a str,
}

/// One observation and the cause it speaks for.
#[derive(Serialize)]
struct Evidence<'a> {
    cause: &'static str,
    #[serde(flatten)]
    fact: Fact<'a>,
}

/// A cause that was considered, and what became of it.
#[derive(Serialize)]
struct Rival<'a> {
    cause: &'static str,
    outcome: &'static str,
    explains_ms: Option<f64>,
    reason: Option<Fact<'a>>,
    missing_signals: &'a [&'static str],
}

fn evidence<'a>(row: &Row<'a>) -> Vec<Evidence<'a>> {
    let facts = row.evidence();
    facts
        .map(|(cause, seen)| Evidence {
            cause: cause.label(),
            fact: fact(row, seen),
        })
        .collect()
}

fn fact<'a>(row: &Row<'a>, fact: &'a diagnose::Fact) -> Fact<'a> {
    Fact {
        span_id: row.span_of(fact).map(|(id, _)| id.to_string()),
        fact: fact.fact,
        observed: fact.observed,
        expected: fact.expected,
        unit: fact.unit,
        via: fact.via,
        note: &fact.note,
    }
}

fn rival<'a>(row: &Row<'a>, outcome: &'a Outcome) -> Rival<'a> {
    let (cause, word, explains, reason, missing): (_, _, _, _, &[_]) = match outcome {
        Outcome::Holds(claim) => {
            let first = Some(&claim.evidence.first);
            (claim.cause, "holds", Some(claim.explains), first, &[])
        }
        Outcome::Refuted(cause, reason) => (*cause, "refuted", None, Some(reason), &[]),
        Outcome::CannotTell(cause, missing) => (*cause, "cannot_tell", None, None, missing),
    };
    Rival {
        cause: cause.label(),
        outcome: word,
        explains_ms: explains.map(Nanos::as_millis),
        reason: reason.map(|seen| fact(row, seen)),
        missing_signals: missing,
    }
}
