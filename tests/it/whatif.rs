//! What would have been without an incident.

use std::path::Path;

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
