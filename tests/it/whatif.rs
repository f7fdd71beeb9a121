//! What would have been without an incident.

use std::path::Path;

use agentdiag::diagnose::{Fact, SparedTokens};
use agentdiag::ingest::Source;

use crate::pipeline::{Run, run};

fn mixed() -> Run {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled/mixed-full-mixed");
    let files = ["traces.jsonl.gz", "logs.jsonl.gz"].map(|name| root.join(name));
    run(Source::find(&files), 2)
}

#[test]
fn an_incident_is_replayed_with_only_its_own_cause_taken_out() {
    let run = mixed();
    let (mut requests, mut sole) = (0, 0);
    for incident in &run.verdicts.incidents {
        let without = incident.without.as_ref().expect("worked out");
        assert_eq!(without.durations.len(), incident.requests.len());
        for (&index, &duration) in incident.requests.iter().zip(&without.durations) {
            let diagnosis = &run.verdicts.diagnoses[index as usize];
            let wall = run.forest.requests[index as usize].duration();
            let expected = diagnosis.expected.expect("judged");
            requests += 1;
            assert!(duration < wall, "its cause took no time: {incident:?}");
            match &diagnosis.claims[..] {
                // Nothing else was wrong: what remains is what was expected.
                [only] => {
                    sole += 1;
                    assert_eq!((only.cause, duration), (incident.cause, expected));
                }
                _ => assert!(duration >= expected, "{duration:?} < {expected:?}"),
            }
        }
    }
    assert!(
        requests > 20 && sole > 10,
        "{requests} requests, {sole} with one cause"
    );
}

#[test]
fn quantiles_without_an_incident_are_not_above_those_with_it() {
    let run = mixed();
    let report = run.report();
    assert!(report.incidents().count() > 0);
    for incident in report.incidents() {
        let what = incident.what_if().expect("worked out");
        assert!(what.requests > 0);
        assert!(what.p50.without <= what.p50.observed);
        assert!(what.p95.without <= what.p95.observed);
    }
}

/// The tokens that an incident cost are those by which the calls named in the evidence differ from what is usual.
#[test]
fn tokens_spared_are_those_that_the_evidence_counts() {
    let run = mixed();
    let mut compared = 0;
    for incident in &run.verdicts.incidents {
        let without = incident.without.as_ref().expect("worked out");
        let verdicts = incident.requests.iter();
        let verdicts = verdicts.map(|request| &run.verdicts.diagnoses[*request as usize]);
        let claims = verdicts.flat_map(|verdict| &verdict.claims);
        let facts: Vec<&Fact> = claims
            .filter(|claim| claim.cause == incident.cause)
            .flat_map(|claim| claim.evidence.iter())
            .filter(|fact| fact.unit == "tokens")
            .collect();
        for spared in &without.spared {
            let (SparedTokens::Input(tokens)
            | SparedTokens::Output(tokens)
            | SparedTokens::Cached(tokens)) = spared.tokens
            else {
                continue;
            };
            for fact in facts.iter().filter(|fact| fact.span == Some(spared.span)) {
                let Some(usual) = fact.expected else { continue };
                let off = (fact.observed - usual).abs().round() as u64;
                assert_eq!(tokens, off, "{:?}: {fact:?}", incident.cause);
                compared += 1;
            }
        }
    }
    assert!(compared > 5, "{compared} calls compared");
}
