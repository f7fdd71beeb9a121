//! Confidence rises with what speaks for a verdict: with how far the excess lies beyond the threshold, and with the
//! lead over the runner-up.

use std::path::Path;

use agentdiag::diagnose::{Cause, Diagnosis, Options};
use agentdiag::ingest::Source;

use crate::calibration::stands_alone;
use crate::pipeline::run;

/// How far beyond the threshold, and the lead; `None` where no verdict was given.
fn grounds(verdict: &Diagnosis) -> Option<(f64, f64)> {
    let first = verdict.claims.first().filter(|_| verdict.slow)?;
    if first.cause == Cause::Unexplained {
        return None;
    }
    let rule = Options::default();
    let usual = verdict.expected?.as_millis();
    let threshold = ((rule.slow_factor - 1.0) * usual).max(rule.slow_floor.as_millis());
    let second = verdict.claims.get(1);
    let second = second.map_or(0.0, |claim| claim.explains.as_millis());
    let lead = 1.0 - second / first.explains.as_millis();
    Some((verdict.excess.as_millis() / threshold, lead))
}

fn is_contention(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::NoisyNeighbour | Cause::RoutingChange | Cause::ColdCache
    )
}

#[test]
fn more_excess_and_a_larger_lead_make_a_verdict_surer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled");
    let files = ["traces.jsonl.gz", "logs.jsonl.gz"];
    let files = files.map(|name| root.join("mixed-full-mixed").join(name));
    let run = run(Source::find(&files), 2);
    let verdicts = run.verdicts.diagnoses.iter();
    let judged: Vec<(&Diagnosis, (f64, f64))> = verdicts
        .filter_map(|verdict| Some((verdict, grounds(verdict)?)))
        .collect();
    let mut compared = 0;
    for (a, (far, lead)) in &judged {
        for (b, (farther, larger)) in &judged {
            let alike = a.missing.len() == b.missing.len()
                && is_contention(a.claims[0].cause) == is_contention(b.claims[0].cause)
                && stands_alone(&run, a, a.claims[0].cause)
                    == stands_alone(&run, b, b.claims[0].cause);
            if alike && farther > far && larger > lead {
                assert!(b.confidence >= a.confidence, "{a:?}\n{b:?}");
                compared += usize::from(b.confidence > a.confidence);
            }
        }
    }
    assert!(compared > 50, "{compared} pairs");
}
