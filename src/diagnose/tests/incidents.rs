//! Requests slow for one cause, as one disturbance.

use super::super::diagnosis::{Diagnosis, Incident};
use super::super::{Claim, Evidence, Fact, SparedTokens, incident};
use super::*;
use crate::diagnose::Cause::{
    ColdCache, NoisyNeighbour, PrefillSurge, RetryCascade, ToolBottleneck, Unexplained,
};

const SECOND: f64 = 1e3;

/// The verdict that `request` was slow because of what its operation number `op` shows.
fn verdict(forest: &Forest, request: u32, cause: Cause, op: u32, millis: u64) -> Diagnosis {
    let span = forest.ops[(forest.requests[request as usize].ops.start + op) as usize].span;
    let fact = Fact {
        span: Some(span),
        fact: "f",
        observed: 0.0,
        expected: None,
        unit: "ms",
        via: "derived",
        note: String::new(),
    };
    let excess = Nanos(millis * 1_000_000);
    Diagnosis {
        request,
        expected: None,
        excess,
        slow: true,
        primary: Some(cause),
        confidence: 0.5,
        claims: vec![Claim {
            cause,
            explains: excess,
            evidence: Evidence::new(fact),
        }],
        considered: Vec::new(),
        missing: Vec::new(),
    }
}

fn group(
    starts: &[f64],
    steps: &[Step],
    of: impl Fn(u32) -> (Cause, u32),
    change: impl Fn(&mut [Diagnosis]),
) -> (Dataset, Forest, Vec<Incident>) {
    let mut fleet = Fleet::default();
    starts.iter().for_each(|start| {
        fleet.request(*start, steps);
    });
    let (data, forest) = fleet.build();
    let numbers = 0..starts.len() as u32;
    let verdicts = numbers.map(|n| {
        let (cause, op) = of(n);
        verdict(&forest, n, cause, op, 1_000 + u64::from(n))
    });
    let mut verdicts: Vec<Diagnosis> = verdicts.collect();
    change(&mut verdicts);
    let incidents = incident::group(&data, &forest, &verdicts);
    (data, forest, incidents)
}

#[test]
fn two_minutes_of_silence_end_an_incident() {
    // A request takes 3,195 milliseconds.
    let of = |second: f64, third: f64| {
        let starts = [0.0, 1.0 * SECOND, second, third];
        let (_, _, found) = group(&starts, &usual(0), |_| (ColdCache, 0), |_| {});
        found.iter().map(|i| i.requests.clone()).collect::<Vec<_>>()
    };
    let last = 1.0 * SECOND + 3_195.0;
    assert_eq!(
        of(last + 120.0 * SECOND, last + 121.0 * SECOND),
        [[0, 1, 2, 3]]
    );
    assert_eq!(
        of(last + 120.1 * SECOND, last + 121.0 * SECOND),
        [[2, 3], [0, 1]],
        "the costlier first"
    );
    let apart = of(500.0 * SECOND, 900.0 * SECOND);
    assert_eq!(apart, [[0, 1]], "one alone is none");
}

#[test]
fn an_incident_lasts_from_the_first_fault_to_the_last_end_and_sums_its_excess() {
    let starts = [0.0, 10.0 * SECOND];
    let (_, _, found) = group(&starts, &usual(0), |_| (ColdCache, 2), |_| {});
    let [incident] = &found[..] else {
        panic!("{found:?}")
    };
    // The third operation begins after a call of 1,400, a tool of 400 and three pauses of 5 milliseconds.
    assert_eq!(incident.window.start, at(1_815.0));
    assert_eq!(incident.window.end, at(10.0 * SECOND + 3_195.0));
    assert_eq!(incident.excess, Nanos(2_001_000_000));
    assert_eq!(
        (incident.cause, incident.scope_kind),
        (ColdCache, "service")
    );
}

#[test]
fn only_slow_requests_of_a_known_cause_count() {
    let of = |change: fn(&mut Diagnosis)| {
        let starts = [0.0, 10.0 * SECOND];
        let (_, _, found) = group(
            &starts,
            &usual(0),
            |_| (ColdCache, 0),
            |v| change(&mut v[0]),
        );
        found.len()
    };
    assert_eq!(of(|_| {}), 1);
    assert_eq!(of(|d| d.slow = false), 0);
    assert_eq!(of(|d| d.primary = Some(Unexplained)), 0);
    assert_eq!(of(|d| d.primary = None), 0);
    assert_eq!(of(|d| d.primary = Some(PrefillSurge)), 0, "another cause");
}

#[test]
fn an_incident_is_about_a_tool_an_address_a_model_or_a_service() {
    let scope = |cause, op, address| {
        let steps = [
            Step::Model(Call { address, ..CALL }),
            Step::Tool("search", 1, 400.0),
            Step::Model(Call { model: "", ..CALL }),
        ];
        let starts = [0.0, 10.0 * SECOND];
        let (data, _, found) = group(&starts, &steps, |_| (cause, op), |_| {});
        (found[0].scope_kind, data.text(found[0].scope).to_owned())
    };
    let is = |kind, name: &str| (kind, name.to_owned());
    assert_eq!(scope(ToolBottleneck, 1, "eu"), is("tool", "search"));
    assert_eq!(scope(NoisyNeighbour, 0, "eu"), is("endpoint", "eu"));
    assert_eq!(scope(NoisyNeighbour, 0, ""), is("model", "m"));
    assert_eq!(scope(NoisyNeighbour, 2, ""), is("service", "agent"));
    assert_eq!(scope(RetryCascade, 1, "eu"), is("service", "agent"));
    assert_eq!(scope(ColdCache, 0, "eu"), is("service", "agent"));
}

/// What the requests of one incident would have been: how long, and tokens spared.
fn without(steps: &[Step]) -> (Vec<f64>, Vec<SparedTokens>) {
    let mut fleet = Fleet::healthy(20, 60_000.0);
    (0..3).for_each(|n| {
        fleet.request(1e7 + 10.0 * SECOND * f64::from(n), steps);
    });
    let (_, _, verdicts) = fleet.diagnose();
    let [incident] = &verdicts.incidents[..] else {
        panic!("{:?}", verdicts.incidents)
    };
    let without = incident.without.as_ref().unwrap();
    let millis = without.durations.iter().map(|d| d.as_millis().round());
    (
        millis.collect(),
        without.spared.iter().map(|s| s.tokens).collect(),
    )
}

#[test]
fn without_its_cause_a_request_takes_less_and_spends_less() {
    let long = Call {
        output: Some(1_200),
        takes: 24_200.0,
        ..CALL
    };
    let (durations, spared) = without(&[Step::Model(long)]);
    let extra = 1_200.0 - 60.7;
    let expected = 24_200.0 - extra * 1_200.0 / 59.0;
    assert!(
        durations.iter().all(|d| (d - expected).abs() < 400.0),
        "{durations:?}"
    );
    assert_eq!(spared, [SparedTokens::Output(1_139); 3]);
}

#[test]
fn without_a_surge_its_tokens_are_spared() {
    let surge = Call {
        input: Some(30_000),
        first: Some(5_800.0),
        takes: 7_000.0,
        ..CALL
    };
    let (durations, spared) = without(&[Step::Model(surge)]);
    assert_eq!(durations.len(), 3);
    assert!(
        durations.iter().all(|d| (d - 1_400.0).abs() < 60.0),
        "{durations:?}"
    );
    let SparedTokens::Input(tokens) = spared[0] else {
        panic!("{spared:?}")
    };
    assert!((27_900..=28_000).contains(&tokens), "{tokens}");
}

#[test]
fn without_failures_and_repeats_their_calls_are_spared() {
    let (durations, spared) = without(&[
        Step::Model(CALL),
        Step::Failed(300.0),
        Step::Pause(3_000.0),
        Step::Failed(300.0),
        Step::Pause(3_000.0),
        Step::Model(CALL),
    ]);
    assert_eq!(spared, [SparedTokens::Call; 6]);
    assert!(
        durations.iter().all(|d| (d - 2_800.0).abs() < 1.0),
        "{durations:?}"
    );
    let tool = Step::Tool("search", 1, 400.0);
    let further = Step::Model(Call {
        input: Some(2_400),
        cached: Some(2_000),
        ..CALL
    });
    let (_, spared) = without(&[
        Step::Model(CALL),
        tool,
        further,
        tool,
        further,
        tool,
        further,
    ]);
    assert_eq!(
        spared,
        [SparedTokens::Call; 6],
        "two rounds of each request"
    );
    let (_, spared) = without(&[Step::Model(CALL), Step::Tool("search", 1, 9_000.0), further]);
    assert_eq!(spared, [], "a slow tool spends no tokens");
}

#[test]
fn without_a_lost_cache_its_tokens_would_have_come_from_there() {
    let cold = Call {
        input: Some(30_400),
        cached: Some(0),
        first: Some(6_180.0),
        takes: 7_380.0,
        ..CALL
    };
    let before = Call {
        input: Some(30_000),
        cached: Some(29_500),
        ..CALL
    };
    let mut fleet = Fleet::healthy(20, 60_000.0);
    let further = Call {
        cached: Some(30_000),
        first: Some(180.0),
        takes: 1_380.0,
        ..cold
    };
    (0..12).for_each(|n| {
        let start = 2e6 + 60_000.0 * f64::from(n);
        fleet.request(start, &[Step::Model(before), Step::Model(further)]);
    });
    (0..3).for_each(|n| {
        let start = 1e7 + 10.0 * SECOND * f64::from(n);
        fleet.request(start, &[Step::Model(before), Step::Model(cold)]);
    });
    let (_, _, verdicts) = fleet.diagnose();
    let cold = verdicts
        .incidents
        .iter()
        .find(|i| i.cause == ColdCache)
        .unwrap();
    let spared = &cold.without.as_ref().unwrap().spared;
    assert_eq!(spared.len(), 3, "{spared:?}");
    assert!(
        spared
            .iter()
            .all(|s| matches!(s.tokens, SparedTokens::Cached(29_000..=30_060))),
        "{spared:?}"
    );
}
