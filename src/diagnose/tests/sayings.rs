//! What is said of a request: evidence, what lost and why, and what is missing to tell.

use super::super::account::{Proof, Target};
use super::super::witnesses::{Around, Witnesses};
use super::super::{Outcome, arbiter, missing};
use super::margins::{charged, looking, settled};
use super::*;
use crate::diagnose::Cause::{
    ColdCache, LongGeneration, NoisyNeighbour, OrchestrationGap, PrefillSurge, ProviderError,
    RetryCascade, RoutingChange, ToolBottleneck, Unexplained,
};
use crate::model::{Point, Series, SeriesKind};

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
        scene.found.witnesses = Witnesses(vec![Around::default(); 20]);
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
        .records
        .iter()
        .rposition(|s| s.parent.0 == 0)
        .unwrap();
    fleet.data.records[open].flags.set(SpanFlags::NO_END);
    fleet.data.records[open].end = Nanos(0);
    let stranger = fleet.root(Op::Engine, 7e6, "server");
    fleet.called(CALL);
    fleet.data.records[stranger].end = at(7e6 + 1_400.0);
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

#[test]
fn devices_stand_beside_the_evidence_of_contention_in_slow_requests() {
    let facts = |cause, slow| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        let name = fleet.data.names.intern("DCGM_FI_DEV_GPU_UTIL");
        let points = (0..40).map(|n: u32| Point {
            time: at(f64::from(n) * 1_000.0),
            value: if n < 3 { 99.0 } else { 40.0 },
        });
        fleet.data.series.push(Series {
            name,
            kind: SeriesKind::Gauge,
            labels: Vec::new(),
            points: points.collect(),
        });
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| {
                let span = Some(scene.forest.ops[0].span);
                let mut account = Account::default();
                account.charge(cause, Target::Op(0), 9.0, Proof { span, ..proof("f") });
                let verdict =
                    arbiter::diagnosis(scene, 0, &account, settled(1, &[(cause, 9)]), slow);
                let facts = verdict.claims[0].evidence.iter().map(|f| f.fact);
                facts.collect::<Vec<_>>()
            },
        )
    };
    assert_eq!(facts(NoisyNeighbour, true), ["f", "gpu_busy"]);
    assert_eq!(facts(NoisyNeighbour, false), ["f"]);
    assert_eq!(facts(ColdCache, true), ["f"]);
}

#[test]
fn of_the_causes_that_lost_those_with_a_claim_keep_it() {
    looking(0.0, |scene| {
        let mut account = charged(ColdCache, 0, "cold");
        account.charge(ToolBottleneck, Target::Op(1), 9.0, proof("tool"));
        let settled = settled(1_000, &[(ColdCache, 18), (ToolBottleneck, 9)]);
        let verdict = arbiter::diagnosis(scene, 0, &account, settled, true);
        let held: Vec<Cause> = verdict
            .considered
            .iter()
            .filter_map(|o| match o {
                Outcome::Holds(claim) => Some(claim.cause),
                _ => None,
            })
            .collect();
        assert_eq!(held, [ToolBottleneck]);
    });
}

#[test]
fn without_tools_the_note_says_so() {
    let note = |tools: bool| {
        let mut fleet = Fleet::default();
        for n in 0..20 {
            let all = [Step::Model(CALL), Step::Tool("t", n, 50.0)];
            fleet.request(
                60_000.0 * f64::from(n),
                if tools { &all } else { &all[..1] },
            );
        }
        let account = Account::default();
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| match missing::outcome(scene, 0, &account, ToolBottleneck) {
                Some(Outcome::Refuted(_, fact)) => fact.note,
                other => panic!("{other:?}"),
            },
        )
    };
    assert_eq!(note(false), "no tool was called");
    assert!(note(true).starts_with("every tool took"));
}
