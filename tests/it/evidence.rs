//! Every number a verdict cites is worked out again from the span it cites.

use std::collections::BTreeSet;

use agentdiag::diagnose::Fact;
use agentdiag::ingest::Source;
use agentdiag::model::Span;

use crate::pipeline::{Run, run};
use crate::yardsticks::labelled;

/// What the cited span itself says about a fact, where it alone decides.
fn rederived(run: &Run, span: &Span, fact: &Fact) -> Option<f64> {
    let call = run.data.llm_of(span);
    let length = span.duration().as_millis();
    let tokens = |known: Option<agentdiag::model::Known<u32>>| known.map(|k| f64::from(k.value));
    match fact.fact {
        "failed_attempt" | "tool_time" => Some(length),
        "cached_tokens" => tokens(call?.cached),
        "output_tokens" => tokens(call?.output),
        // A model span that stays open for its tools is longer than its call.
        "endpoint" | "call_time" => {
            let data = &run.data;
            let id = data.id_of(fact.span?);
            let mut all = data.spans.iter().zip(&data.origins);
            let open = all.any(|(s, origin)| s.trace == span.trace && origin.parent == id);
            (!open).then_some(length)
        }
        _ => None,
    }
}

#[test]
fn numbers_recompute_from_the_spans_they_cite() {
    let mut seen = BTreeSet::new();
    for folder in labelled() {
        let run = run(Source::find(&[folder]), 2);
        for diagnosis in run.verdicts.diagnoses.iter().filter(|d| d.slow) {
            let request = &run.forest.requests[diagnosis.request as usize];
            for claim in &diagnosis.claims {
                for fact in claim.evidence.iter() {
                    let span = &run.data.spans[fact.span.expect("a cited span") as usize];
                    assert_eq!(
                        run.data.trace_of(span),
                        request.trace,
                        "{fact:?} cites another trace"
                    );
                    if let Some(again) = rederived(&run, span, fact) {
                        seen.insert(fact.fact);
                        assert!(
                            (again - fact.observed).abs() < 1e-6,
                            "{fact:?}: the span says {again}"
                        );
                    }
                }
            }
        }
    }
    for fact in [
        "failed_attempt",
        "tool_time",
        "cached_tokens",
        "output_tokens",
    ] {
        assert!(seen.contains(fact), "no verdict cites {fact}");
    }
}

#[test]
fn entries_sum_to_the_excess() {
    for folder in labelled() {
        let run = run(Source::find(&[folder]), 2);
        for d in &run.verdicts.diagnoses {
            let sum: u64 = d.claims.iter().map(|c| c.explains.0).sum();
            assert_eq!(sum, d.excess.0);
            if let Some(expected) = d.expected {
                let wall = run.forest.requests[d.request as usize].duration();
                assert_eq!(expected + d.excess, wall);
            }
        }
    }
}
