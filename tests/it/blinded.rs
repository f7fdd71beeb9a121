//! What the analysis does when the signal that decides about a cause is taken out of the dump: it stops
//! naming the cause, and says what is missing.

use agentdiag::diagnose::Cause;
use agentdiag::ingest::Source;
use agentdiag::model::{Dataset, LlmCall, Op};
use agentdiag::units::Sym;

use crate::pipeline::{Run, over, read};
use crate::yardsticks::labelled;

/// The labelled dump in which every cause occurs and every signal is shown.
fn full() -> Dataset {
    let folder = labelled()
        .into_iter()
        .find(|f| f.ends_with("mixed-full-mixed"));
    read(Source::find(&[folder.expect("a full dump")]), 2)
}

fn count(run: &Run, cause: Cause) -> usize {
    let named = |d: &&agentdiag::diagnose::Diagnosis| d.primary == Some(cause);
    run.verdicts.diagnoses.iter().filter(named).count()
}

/// Slow requests whose verdict names this missing signal, of all slow ones with model calls.
fn share_missing(run: &Run, signal: &str) -> f64 {
    let slow: Vec<_> = run
        .verdicts
        .diagnoses
        .iter()
        .filter(|d| d.slow && run.forest.requests[d.request as usize].llm_calls > 0)
        .collect();
    let says = slow
        .iter()
        .filter(|d| d.missing.iter().any(|m| m.contains(signal)));
    says.count() as f64 / slow.len().max(1) as f64
}

fn without(take: impl Fn(&mut LlmCall)) -> Run {
    let mut data = full();
    for index in 0..data.llm.len() {
        data.llm.change(index, &take);
    }
    over(data)
}

#[test]
fn every_cause_is_found_where_it_shows() {
    let run = over(full());
    for cause in Cause::ALL.into_iter().filter(|c| *c != Cause::Unexplained) {
        assert!(count(&run, cause) > 0, "{} is never named", cause.label());
    }
    assert!(share_missing(&run, "token usage") < 0.1);
}

#[test]
fn no_cold_cache_without_cached_tokens() {
    let run = without(|call| call.cached = None);
    assert_eq!(count(&run, Cause::ColdCache), 0);
    let priced = |d: &&agentdiag::diagnose::Diagnosis| d.primary == Some(Cause::NoisyNeighbour);
    let slow: Vec<_> = run.verdicts.diagnoses.iter().filter(priced).collect();
    assert!(!slow.is_empty());
    assert!(
        slow.iter()
            .all(|d| d.missing.contains(&"cached prompt tokens"))
    );
}

#[test]
fn no_long_generation_without_output_tokens() {
    let run = without(|call| call.output = None);
    assert_eq!(count(&run, Cause::LongGeneration), 0);
    assert!(share_missing(&run, "token usage") > 0.9);
}

#[test]
fn no_prefill_surge_without_input_tokens() {
    let run = without(|call| call.input = None);
    assert_eq!(count(&run, Cause::PrefillSurge), 0);
    assert!(share_missing(&run, "token usage") > 0.9);
}

#[test]
fn no_routing_change_without_addresses() {
    let run = without(|call| call.endpoint = Sym::NONE);
    assert_eq!(count(&run, Cause::RoutingChange), 0);
    let contended = |d: &&agentdiag::diagnose::Diagnosis| d.primary == Some(Cause::NoisyNeighbour);
    let mut slow = run.verdicts.diagnoses.iter().filter(contended).peekable();
    assert!(slow.peek().is_some());
    assert!(slow.all(|d| d.missing.iter().any(|m| m.contains("server.address"))));
}

#[test]
fn a_missing_first_token_is_named() {
    let run = without(|call| call.first_token = None);
    assert!(share_missing(&run, "time to first token") > 0.9);
}

#[test]
fn no_tool_bottleneck_without_tool_spans() {
    let mut data = full();
    data.records
        .retain(|s| !matches!(s.op, Op::Tool | Op::Mcp | Op::Retrieval));
    assert_eq!(count(&over(data), Cause::ToolBottleneck), 0);
}

#[test]
fn no_provider_error_without_the_failed_attempts() {
    let mut data = full();
    let failed: Vec<bool> = data
        .records
        .iter()
        .map(|s| s.failed() && data.llm_of(s).is_some())
        .collect();
    let mut failed = failed.into_iter();
    data.records.retain(|_| !failed.next().unwrap_or(false));
    assert_eq!(count(&over(data), Cause::ProviderError), 0);
}
