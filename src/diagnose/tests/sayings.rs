//! From an account to what is said: how much must be shown, how sure it is, what lost and what is missing.

use super::super::account::{LONE_SLOWDOWN, Proof, Settlement, Target};
use super::super::verdict::{is_slow, keep_slowest, slow_limit, threshold};
use super::super::witnesses::Witnesses;
use super::super::{Outcome, arbiter, confidence, margin, missing};
use super::*;
use crate::diagnose::Cause::{
    ColdCache, LongGeneration, NoisyNeighbour, OrchestrationGap, PrefillSurge, ProviderError,
    RetryCascade, RoutingChange, ToolBottleneck, Unexplained,
};

fn proof(fact: &'static str) -> Proof {
    Proof {
        span: None,
        fact,
        observed: 0.0,
        expected: None,
        unit: "ms",
        via: "derived",
        note: "",
    }
}

/// Healthy requests; what is looked at is the first.
fn looking<T>(spread: f64, look: impl FnOnce(&mut Scene<'_>) -> T) -> T {
    let mut found = None;
    Fleet::healthy(20, 60_000.0).seen(
        |_, base| base.prices.spread = spread,
        |scene| found = Some(look(scene)),
        |_| {},
    );
    found.unwrap()
}

fn charged(cause: Cause, op: usize, fact: &'static str) -> Account {
    let mut account = Account::default();
    account.charge(cause, Target::Op(op), 100.0, proof(fact));
    account
}

#[test]
fn what_looks_like_natural_variation_must_show_more() {
    let margin = |spread, cause, fact, certainty, alone| {
        looking(spread, |scene| {
            if alone {
                scene.found.witnesses = Witnesses(vec![0; 20]);
            }
            let mut account = charged(cause, 0, fact);
            account.vouch(100.0, certainty);
            let margin = margin::of(scene, 0, &account, cause);
            (margin * 1e6).round() / 1e6
        })
    };
    let wide = |cause| margin(0.3, cause, "f", 0.0, false);
    for (cause, full) in [
        (NoisyNeighbour, 2.0),
        (ColdCache, 1.5),
        (OrchestrationGap, 1.4),
        (LongGeneration, 1.0),
        (RetryCascade, 1.0),
        (ProviderError, 1.0),
        (RoutingChange, 1.15),
        (PrefillSurge, 1.15),
    ] {
        assert_eq!(wide(cause), full, "{cause:?}");
        // Where calls vary half as widely, half as much more.
        let half = margin(0.15, cause, "f", 0.0, false);
        assert!((half - 1.0 - (full - 1.0) / 2.0).abs() < 1e-6, "{cause:?}");
        assert_eq!(margin(0.6, cause, "f", 0.0, false), full, "{cause:?}");
    }
    assert_eq!(margin(0.3, NoisyNeighbour, "f", 0.75, false), 1.25);
    assert_eq!(margin(0.3, NoisyNeighbour, LONE_SLOWDOWN, 0.75, false), 3.0);
    // Alone, twice as much, except where failures are on record.
    assert_eq!(margin(0.3, ColdCache, "f", 0.0, true), 3.0);
    assert_eq!(margin(0.3, LongGeneration, "f", 0.0, true), 2.0);
    assert_eq!(margin(0.3, RetryCascade, "f", 0.0, true), 1.0);
    assert_eq!(margin(0.3, ProviderError, "f", 0.0, true), 1.0);
}

#[test]
fn a_slow_tool_must_show_more_the_more_widely_that_tool_varies() {
    // A tool that always takes as long varies by a fifth as far as anybody knows.
    let tool = looking(0.0, |scene| {
        margin::of(scene, 0, &charged(ToolBottleneck, 1, "f"), ToolBottleneck)
    });
    assert!((tool - 1.1).abs() < 1e-9, "{tool}");
    let call = looking(0.0, |scene| {
        margin::of(scene, 0, &charged(ToolBottleneck, 0, "f"), ToolBottleneck)
    });
    assert_eq!(call, 1.0);
    let other = looking(0.0, |scene| {
        margin::of(scene, 0, &charged(RoutingChange, 1, "f"), RoutingChange)
    });
    assert_eq!(other, 1.0, "not a tool's slowness");
}

fn settled(expected: u64, entries: &[(Cause, u64)]) -> Settlement {
    let millis = |n| Nanos(n * 1_000_000);
    Settlement {
        expected: millis(expected),
        excess: millis(entries.iter().map(|e| e.1).sum()),
        entries: entries
            .iter()
            .map(|(cause, n)| (*cause, millis(*n)))
            .collect(),
    }
}

#[test]
fn slow_is_three_tenths_of_the_expectation_more_and_half_a_second_at_least() {
    let rule = Options::default();
    assert_eq!(threshold(&rule, &settled(1_000, &[])), 500.0);
    assert!((threshold(&rule, &settled(2_000, &[])) - 600.0).abs() < 1e-6);
    let slow = |excess| {
        looking(0.3, |scene| {
            let settled = settled(1_000, &[(LongGeneration, excess)]);
            is_slow(scene, 0, &charged(LongGeneration, 0, "f"), &settled)
        })
    };
    assert!(slow(500) && !slow(499));
    let cold = |excess| {
        looking(0.3, |scene| {
            is_slow(
                scene,
                0,
                &charged(ColdCache, 0, "f"),
                &settled(1_000, &[(ColdCache, excess)]),
            )
        })
    };
    assert!(cold(751) && !cold(749), "half as much more");
    assert!(!looking(0.3, |scene| is_slow(
        scene,
        0,
        &Account::default(),
        &settled(9_000, &[])
    )));
}

#[test]
fn a_duration_can_be_slow_by_itself() {
    let slow = |over: f64| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.rule.slow_over = Some(Nanos((over * 1e6) as u64));
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| is_slow(scene, 0, &Account::default(), &settled(1, &[])),
        )
    };
    assert!(slow(3_195.0) && !slow(3_195.1));
}

#[test]
fn confidence_is_how_often_verdicts_like_it_are_right() {
    let of = |settled: &Settlement, alone: bool, missing: &[&'static str]| {
        looking(0.0, |scene| {
            if alone {
                scene.found.witnesses = Witnesses(vec![0; 20]);
            }
            let confidence = confidence::of(scene, 0, &Account::default(), settled, missing);
            (confidence * 1e3).round() / 1e3
        })
    };
    // At e times the threshold of half a second, with no runner-up.
    let tool = settled(1_000, &[(ToolBottleneck, 1_359)]);
    assert_eq!(of(&tool, false, &[]), 0.926);
    assert_eq!(of(&tool, false, &["a", "b"]), 0.907);
    assert_eq!(of(&tool, true, &[]), 0.334);
    for contention in [NoisyNeighbour, RoutingChange, ColdCache] {
        assert_eq!(
            of(&settled(1_000, &[(contention, 1_359)]), false, &[]),
            0.839
        );
    }
    let close = settled(1_000, &[(ToolBottleneck, 800), (LongGeneration, 559)]);
    assert_eq!(of(&close, false, &[]), 0.712);
    assert_eq!(
        of(&settled(1_000, &[(ToolBottleneck, 500)]), false, &[]),
        0.781
    );
    assert_eq!(
        of(&settled(1_000, &[(ToolBottleneck, 99_000)]), false, &[]),
        0.97
    );
    assert_eq!(
        of(&settled(1_000, &[(ToolBottleneck, 10)]), true, &[]),
        0.05
    );
    assert_eq!(
        of(&settled(1_000, &[(Unexplained, 9_000)]), false, &[]),
        0.0
    );
    assert_eq!(of(&settled(1_000, &[]), false, &[]), 0.0);
}

#[test]
fn a_stall_is_as_sure_as_its_pauses_are_none_that_losses_left() {
    let of = |doubt| {
        looking(0.0, |scene| {
            let mut account = charged(OrchestrationGap, 0, "f");
            account.doubt(doubt);
            confidence::of(
                scene,
                0,
                &account,
                &settled(1_000, &[(OrchestrationGap, 1_359)]),
                &[],
            )
        })
    };
    assert!((of(40.0) / of(0.0) - 0.6).abs() < 1e-9);
    assert_eq!(of(500.0), 0.05);
}

#[test]
fn the_slowest_share_is_slow_whatever_the_reason() {
    let mut fleet = Fleet::default();
    for n in 0..4 {
        fleet.request(
            1e6 * f64::from(n),
            &[Step::Tool("t", n, 100.0 * f64::from(n + 1))],
        );
    }
    let (_, forest) = fleet.build();
    let limit = |share| {
        let rule = Options {
            slow_top: share,
            ..Options::default()
        };
        slow_limit(&forest, &rule).map(|limit| limit.as_millis())
    };
    assert_eq!(limit(Some(0.25)), Some(400.0));
    assert_eq!(limit(Some(0.26)), Some(300.0));
    assert_eq!(limit(Some(9.0)), Some(100.0));
    assert_eq!((limit(Some(0.0)), limit(None)), (None, None));
    let mut verdicts: Vec<_> = (0..4).map(arbiter::not_comparable).collect();
    keep_slowest(&forest, &mut verdicts, Nanos(300_000_000));
    assert_eq!(
        verdicts.iter().map(|d| d.slow).collect::<Vec<_>>(),
        [false, false, true, true]
    );
    assert_eq!(
        (verdicts[2].primary, verdicts[0].primary),
        (Some(Unexplained), None)
    );
}

const USAGE: &str = "token usage of model calls";
const FIRST_TOKEN: &str = "time to first token";
const CACHED: &str = "cached prompt tokens";
const ADDRESS: &str = "address of the model endpoint (server.address)";
const SERVER: &str = "server-side spans or metrics (queue, prefill, decode)";
const AROUND: &str = "calls of other requests at the same place and time";
const LOST: &str = "spans that are not in the dump";

fn shown(call: Call) -> Fleet {
    let mut fleet = Fleet::default();
    for n in 0..20 {
        fleet.request(
            60_000.0 * f64::from(n),
            &[Step::Model(call), Step::Tool("t", n, 50.0)],
        );
    }
    fleet
}

#[test]
fn what_is_missing_is_what_would_sharpen_this_verdict() {
    let signals = |call, primary| {
        shown(call).seen(
            |_, _| {},
            |_| {},
            |scene| missing::signals(scene, 0, primary),
        )
    };
    let bare = Call {
        output: None,
        cached: None,
        first: None,
        ..CALL
    };
    assert_eq!(signals(CALL, Some(ToolBottleneck)), [""; 0]);
    for about_price in [
        NoisyNeighbour,
        ColdCache,
        RoutingChange,
        PrefillSurge,
        Unexplained,
    ] {
        assert_eq!(signals(CALL, Some(about_price)), [ADDRESS, SERVER]);
        let told = Call {
            address: "eu",
            ..CALL
        };
        assert_eq!(signals(told, Some(about_price)), [SERVER]);
        assert_eq!(
            signals(bare, Some(about_price)),
            [USAGE, FIRST_TOKEN, CACHED, ADDRESS, SERVER]
        );
    }
    assert_eq!(signals(bare, Some(LongGeneration)), [USAGE, FIRST_TOKEN]);
    assert_eq!(signals(bare, None), [USAGE, FIRST_TOKEN]);
}

#[test]
fn a_verdict_that_stands_alone_lacks_witnesses() {
    looking(0.0, |scene| {
        scene.found.witnesses = Witnesses(vec![0; 20]);
        let alone = missing::signals(scene, 0, Some(ToolBottleneck));
        assert_eq!(
            alone,
            ["other requests slow for the same cause at that time"]
        );
        assert!(missing::signals(scene, 0, Some(RetryCascade)).is_empty());
    });
}

/// What becomes of a cause without a claim: what speaks against it, or what is missing to tell.
fn outcome(
    fleet: Fleet,
    request: u32,
    cause: Cause,
    account: &Account,
) -> Option<Result<(&'static str, f64), Vec<&'static str>>> {
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| match missing::outcome(scene, request, account, cause)? {
            Outcome::Refuted(_, fact) => Some(Ok((fact.fact, fact.observed))),
            Outcome::CannotTell(_, signals) => Some(Err(signals)),
            Outcome::Holds(_) => None,
        },
    )
}

#[test]
fn causes_that_lost_say_why() {
    let of = |call, cause| outcome(shown(call), 0, cause, &Account::default());
    assert_eq!(of(CALL, ColdCache), Some(Ok(("cached_tokens", 1_500.0))));
    assert_eq!(of(CALL, PrefillSurge), Some(Ok(("input_tokens", 2_000.0))));
    assert_eq!(of(CALL, LongGeneration), Some(Ok(("output_tokens", 60.0))));
    assert_eq!(of(CALL, RoutingChange), Some(Err(vec![ADDRESS])));
    assert_eq!(
        of(
            Call {
                address: "eu",
                ..CALL
            },
            RoutingChange
        ),
        Some(Ok(("away_calls", 0.0)))
    );
    assert_eq!(of(CALL, NoisyNeighbour), Some(Err(vec![AROUND])));
    assert_eq!(of(CALL, ToolBottleneck), Some(Ok(("slow_tools", 0.0))));
    assert_eq!(of(CALL, OrchestrationGap), Some(Ok(("pauses", 0.0))));
    assert_eq!(of(CALL, Unexplained), None);
    let bare = Call {
        input: None,
        cached: None,
        output: None,
        ..CALL
    };
    assert_eq!(of(bare, ColdCache), Some(Err(vec![CACHED])));
    assert_eq!(
        (of(bare, PrefillSurge), of(bare, LongGeneration)),
        (None, None)
    );
    let failed = charged(RetryCascade, 0, "failed_attempt");
    assert_eq!(
        outcome(shown(CALL), 0, ProviderError, &failed),
        Some(Ok(("failed_attempts", 1.0)))
    );
    assert_eq!(of(CALL, RetryCascade), Some(Ok(("failed_attempts", 0.0))));
}

#[test]
fn a_request_without_model_calls_is_refuted_by_none() {
    let tools = || {
        let mut fleet = Fleet::default();
        for n in 0..20 {
            fleet.request(60_000.0 * f64::from(n), &[Step::Tool("t", n, 50.0)]);
        }
        fleet
    };
    for cause in [
        ColdCache,
        PrefillSurge,
        LongGeneration,
        RoutingChange,
        NoisyNeighbour,
    ] {
        assert_eq!(
            outcome(tools(), 0, cause, &Account::default()),
            None,
            "{cause:?}"
        );
    }
}

#[test]
fn the_worst_company_of_its_calls_speaks_against_contention() {
    let mut fleet = Fleet::default();
    for n in 0..6 {
        fleet.request(f64::from(n), &[Step::Model(CALL)]);
    }
    let Some(Ok((fact, level))) = outcome(fleet, 0, NoisyNeighbour, &Account::default()) else {
        panic!("no company")
    };
    assert_eq!(fact, "shared_slowdown");
    assert!((level - 1.0).abs() < 0.06, "{level}");
}

#[test]
fn a_long_pause_with_a_call_missing_cannot_be_told_from_a_stall() {
    let paused = |cached, pause| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        let call = Call {
            input: Some(2_400),
            cached: Some(cached),
            ..CALL
        };
        let steps = [
            Step::Pause(5.0),
            Step::Model(CALL),
            Step::Pause(5.0),
            Step::Tool("search", 99, 400.0),
            Step::Pause(pause),
            Step::Model(call),
        ];
        fleet.request(1e7, &steps);
        outcome(fleet, 20, OrchestrationGap, &Account::default())
    };
    assert_eq!(paused(2_100, 900.0), Some(Err(vec![LOST])));
    assert_eq!(
        paused(2_100, 100.0),
        Some(Ok(("pauses", 0.0))),
        "no long one"
    );
    assert_eq!(
        paused(2_000, 900.0),
        Some(Ok(("pauses", 0.0))),
        "none is missing"
    );
}

#[test]
fn evidence_is_the_strongest_first_four_for_a_slow_request_and_one_for_others() {
    let facts = |slow| {
        looking(0.0, |scene| {
            let mut account = Account::default();
            for (millis, fact) in [(1.0, "a"), (5.0, "b"), (3.0, "c"), (4.0, "d"), (5.0, "e")] {
                account.charge(ColdCache, Target::Op(0), millis, proof(fact));
            }
            account.charge(ToolBottleneck, Target::Op(1), 9.0, proof("tool"));
            let settled = settled(1_000, &[(ColdCache, 18), (ToolBottleneck, 9)]);
            let verdict = arbiter::diagnosis(scene, 0, &account, settled, slow);
            let facts = verdict.claims[0].evidence.iter().map(|f| f.fact);
            (
                facts.collect::<Vec<_>>(),
                verdict.primary,
                verdict.considered.len(),
            )
        })
    };
    assert_eq!(facts(true), (vec!["b", "e", "d", "c"], Some(ColdCache), 8));
    assert_eq!(facts(false), (vec!["b"], None, 0));
}

#[test]
fn facts_name_the_span_they_are_about() {
    looking(0.0, |scene| {
        let span = scene.forest.ops[1].span;
        let mut account = Account::default();
        let seen = Proof {
            span: Some(span),
            note: "was slow",
            ..proof("f")
        };
        account.charge(ToolBottleneck, Target::Op(1), 9.0, seen);
        let verdict =
            arbiter::diagnosis(scene, 0, &account, settled(1, &[(ToolBottleneck, 9)]), true);
        let fact = &verdict.claims[0].evidence.first;
        assert_eq!(
            (fact.span, fact.note.as_str()),
            (Some(span), "search: was slow")
        );
    });
}

#[test]
fn what_cannot_be_judged_says_what_it_lacks() {
    let mut fleet = Fleet::healthy(6, 60_000.0);
    fleet.request(5e6, &[]);
    fleet.request(6e6, &[Step::Model(CALL)]);
    let open = fleet
        .data
        .spans
        .iter()
        .rposition(|s| s.parent.0 == 0)
        .unwrap();
    fleet.data.spans[open].flags.set(SpanFlags::NO_END);
    fleet.data.spans[open].end = Nanos(0);
    let stranger = fleet.root(Op::Engine, 7e6, "server");
    fleet.called(CALL);
    fleet.data.spans[stranger].end = at(7e6 + 1_400.0);
    let (_, forest, verdicts) = fleet.diagnose();
    let missing: Vec<_> = verdicts.diagnoses[6..]
        .iter()
        .map(|d| d.missing.clone())
        .collect();
    assert_eq!(
        missing,
        [
            ["model and tool calls"],
            ["end of the request's root span"],
            ["client side of the call"]
        ],
    );
    assert_eq!(forest.requests.len(), 9);
    assert!(
        verdicts.diagnoses[6..]
            .iter()
            .all(|d| d.expected.is_none() && !d.slow)
    );
    assert!(verdicts.diagnoses[0].expected.is_some());
}

#[test]
fn of_fewer_than_four_requests_only_failures_can_be_told() {
    let told = |count| {
        let (_, _, verdicts) = Fleet::healthy(count, 60_000.0).diagnose();
        (
            verdicts.diagnoses[0].expected.is_some(),
            verdicts.notes.join(" "),
        )
    };
    let (judged, note) = told(3);
    assert!(
        !judged && note.starts_with("Only 3 finished request(s)"),
        "{note}"
    );
    let (judged, note) = told(4);
    assert!(judged && !note.contains("Only"), "{note}");
    let (_, _, failing) = {
        let mut fleet = Fleet::healthy(2, 60_000.0);
        fleet.request(
            1e6,
            &[
                Step::Model(CALL),
                Step::Failed(100.0),
                Step::Pause(4_000.0),
                Step::Model(CALL),
            ],
        );
        fleet.diagnose()
    };
    assert_eq!(failing.diagnoses[2].primary, Some(RetryCascade));
}

#[test]
fn a_dump_without_contrast_says_so() {
    let notes = |count, apart| Fleet::healthy(count, apart).diagnose().2.notes.join(" ");
    assert!(notes(12, 60_000.0).contains("one kind of task"));
    assert_eq!(notes(11, 60_000.0), "");
    // Five usual requests of 3,195 milliseconds.
    assert!(notes(11, 1_277.0).contains("hardly longer than its requests"));
    assert_eq!(notes(11, 1_279.0), "");
    assert_eq!(Fleet::default().diagnose().2.notes, [""; 0]);
}
