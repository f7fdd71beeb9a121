//! Which signals would have decided, and what spoke against the causes that lost.

use super::account::Account;
use super::holes;
use super::scene::Scene;
use super::{Cause, Fact, Outcome};
use crate::baseline::Call;

/// What a pause hides that is more likely left by lost spans than by a stall.
const LOST_SPANS: &str = "spans that are not in the dump";

/// What a verdict lacks that no other request around bears out.
const WITNESSES: &str = "other requests slow for the same cause at that time";

/// What the calls of one request show.
struct Shown {
    calls: usize,
    first_token: usize,
    cached: usize,
    endpoint: usize,
    engine: usize,
    usage: usize,
}

impl Shown {
    fn of(scene: &Scene<'_>, request: u32) -> Self {
        let calls: Vec<&Call> = scene.calls_of(request).map(|(_, _, c)| c).collect();
        let count = |f: fn(&&&Call) -> bool| calls.iter().filter(f).count();
        Self {
            calls: calls.len(),
            first_token: count(|c| c.first_token.is_some()),
            cached: count(|c| c.cached.is_some()),
            endpoint: count(|c| !c.endpoint.is_none()),
            engine: count(|c| c.engine.is_some()),
            usage: count(|c| c.input.is_some() && c.output.is_some()),
        }
    }
}

/// Signals whose absence weakens this verdict, the most telling first.
pub(super) fn signals(
    scene: &Scene<'_>,
    request: u32,
    primary: Option<Cause>,
) -> Vec<&'static str> {
    let shown = Shown::of(scene, request);
    let alone = primary.is_some_and(|cause| scene.stands_alone(request, cause));
    let mut list = Vec::from_iter(alone.then_some(WITNESSES));
    if shown.calls == 0 {
        return list;
    }
    let about_price = matches!(
        primary,
        Some(
            Cause::NoisyNeighbour
                | Cause::ColdCache
                | Cause::RoutingChange
                | Cause::PrefillSurge
                | Cause::Unexplained
        )
    );
    for (present, signal, matters) in [
        (shown.usage, "token usage of model calls", true),
        (shown.first_token, "time to first token", true),
        (shown.cached, "cached prompt tokens", about_price),
        (
            shown.endpoint,
            "address of the model endpoint (server.address)",
            about_price,
        ),
        (
            shown.engine,
            "server-side spans or metrics (queue, prefill, decode)",
            about_price,
        ),
    ] {
        if matters && present < shown.calls {
            list.push(signal);
        }
    }
    list
}

/// What became of a cause without a claim.
pub(super) fn outcome(
    scene: &Scene<'_>,
    request: u32,
    account: &Account,
    cause: Cause,
) -> Option<Outcome> {
    let shown = Shown::of(scene, request);
    let calls: Vec<_> = scene.calls_of(request).collect();
    let refuted = |fact: &'static str,
                   observed: f64,
                   expected: Option<f64>,
                   unit: &'static str,
                   note: &str| {
        Some(Outcome::Refuted(
            cause,
            Fact {
                span: None,
                fact,
                observed,
                expected,
                unit,
                via: "derived",
                note: note.to_owned(),
            },
        ))
    };
    match cause {
        Cause::ColdCache if shown.calls > 0 && shown.cached == 0 => {
            Some(Outcome::CannotTell(cause, vec!["cached prompt tokens"]))
        }
        Cause::ColdCache if shown.cached > 0 => {
            let cached: f64 = calls
                .iter()
                .filter_map(|(_, _, c)| c.cached.map(f64::from))
                .sum();
            refuted(
                "cached_tokens",
                cached,
                None,
                "tokens",
                "the prompt was found in the cache as far as it usually is",
            )
        }
        Cause::PrefillSurge if shown.usage > 0 => {
            let input: f64 = calls
                .iter()
                .filter_map(|(_, _, c)| c.input.map(f64::from))
                .sum();
            refuted(
                "input_tokens",
                input,
                None,
                "tokens",
                "no prompt grew beyond what its step usually adds",
            )
        }
        Cause::LongGeneration if shown.usage > 0 => {
            let output: f64 = calls
                .iter()
                .filter_map(|(_, _, c)| c.output.map(f64::from))
                .sum();
            refuted(
                "output_tokens",
                output,
                None,
                "tokens",
                "no answer was longer than its step's usually are",
            )
        }
        Cause::RoutingChange if shown.calls > 0 && shown.endpoint == 0 => {
            Some(Outcome::CannotTell(
                cause,
                vec!["address of the model endpoint (server.address)"],
            ))
        }
        Cause::RoutingChange if shown.endpoint > 0 => refuted(
            "away_calls",
            0.0,
            None,
            "calls",
            "every call went to its client's usual address",
        ),
        Cause::NoisyNeighbour if shown.calls > 0 => {
            let own: Vec<_> = calls
                .iter()
                .map(|(_, i, c)| (scene.sites[*i as usize], *c, scene.seen(*i).log_ratio))
                .collect();
            let worst = calls
                .iter()
                .filter_map(|(_, i, c)| scene.windows.company(c, scene.sites[*i as usize], &own))
                .map(|(w, _)| w)
                .max_by(f64::total_cmp);
            match worst {
                Some(shared) => refuted(
                    "shared_slowdown",
                    shared,
                    Some(1.0),
                    "x normal",
                    "calls of other requests at the same place and time ran about as usual, or this request's own price did",
                ),
                None => Some(Outcome::CannotTell(
                    cause,
                    vec!["calls of other requests at the same place and time"],
                )),
            }
        }
        Cause::ToolBottleneck => {
            let tools = scene.forest.requests[request as usize].tool_calls;
            refuted(
                "slow_tools",
                0.0,
                None,
                "calls",
                if tools > 0 {
                    "every tool took about as long as it usually does"
                } else {
                    "no tool was called"
                },
            )
        }
        Cause::RetryCascade | Cause::ProviderError => {
            let failed = account
                .charges
                .iter()
                .filter(|c| c.proof.fact == "failed_attempt")
                .count();
            refuted(
                "failed_attempts",
                failed as f64,
                None,
                "calls",
                "no failed attempts or repeated identical calls of this kind",
            )
        }
        Cause::OrchestrationGap if has_lost_spans(scene, request) => {
            Some(Outcome::CannotTell(cause, vec![LOST_SPANS]))
        }
        Cause::OrchestrationGap => refuted(
            "pauses",
            0.0,
            None,
            "ms",
            "the agent's pauses were as usual",
        ),
        _ => None,
    }
}

/// True where a pause is so long that spans must be missing, or most likely are.
fn has_lost_spans(scene: &Scene<'_>, request: u32) -> bool {
    let mut pauses = scene.measured.pauses.of(scene.forest, request);
    pauses.any(|pause| {
        holes::is_long(scene.base, scene.options, pause.key, pause.length())
            && (scene.base.gaps.lacks_a_span(pause.key)
                || holes::is_whole(scene, &pause) == Some(false)
                || scene.holes.hides_a_span(scene, &pause))
    })
}
