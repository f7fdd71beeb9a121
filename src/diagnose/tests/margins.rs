//! How much a verdict must show, and how sure it is.

use super::super::account::{
    LONE_SLOWDOWN, LOST_TOGETHER, REQUEST_SLOWDOWN, SHARED_SLOWDOWN, Settlement, Target,
};
use super::super::verdict::{is_slow, keep_slowest, slow_limit, threshold, would_be_slow};
use super::super::witnesses::{Around, Witnesses};
use super::super::{arbiter, confidence, margin};
use super::*;
use crate::diagnose::Cause::{
    ColdCache, LongGeneration, NoisyNeighbour, OrchestrationGap, PrefillSurge, ProviderError,
    RetryCascade, RoutingChange, ToolBottleneck, Unexplained,
};

/// Healthy requests; what is looked at is the first.
pub(super) fn looking<T>(spread: f64, look: impl FnOnce(&mut Scene<'_>) -> T) -> T {
    let mut found = None;
    Fleet::healthy(20, 60_000.0).seen(
        |_, base| base.prices.spread = spread,
        |scene| found = Some(look(scene)),
        |_| {},
    );
    found.unwrap()
}

pub(super) fn charged(cause: Cause, op: usize, fact: &'static str) -> Account {
    let mut account = Account::default();
    account.charge(cause, Target::Op(op), 100.0, proof(fact));
    account
}

#[test]
fn what_looks_like_natural_variation_must_show_more() {
    let margin = |spread, cause, fact, certainty, alone| {
        looking(spread, |scene| {
            if alone {
                scene.found.witnesses = Witnesses(vec![Around::default(); 20]);
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
    // Alone, twice as much, except where failures are on record; where only what is usual speaks for it, far more.
    assert_eq!(margin(0.3, RoutingChange, "f", 0.0, true), 2.3);
    assert_eq!(margin(0.3, ColdCache, "f", 0.0, true), 24.0);
    assert_eq!(margin(0.3, PrefillSurge, "f", 0.0, true), 18.4);
    assert_eq!(margin(0.3, LongGeneration, "f", 0.0, true), 2.0);
    assert_eq!(margin(0.3, RetryCascade, "f", 0.0, true), 1.0);
    assert_eq!(margin(0.3, ProviderError, "f", 0.0, true), 1.0);
    // Caches lost together with others' are witnesses to each other.
    assert_eq!(margin(0.3, ColdCache, LOST_TOGETHER, 0.0, true), 1.15);
}

#[test]
fn a_prompt_far_beyond_all_others_needs_no_witness() {
    let margin = |prompt: u32| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        let call = Call {
            input: Some(prompt),
            ..CALL.late(f64::from(prompt) / 5.0, 0.0)
        };
        fleet.request(1e7, &[Step::Model(call)]);
        fleet.seen(
            |_, base| base.prices.spread = 0.3,
            |scene| scene.found.witnesses = Witnesses(vec![Around::default(); 21]),
            |scene| margin::of(scene, 20, &charged(PrefillSurge, 0, "f"), PrefillSurge),
        )
    };
    // Of 2,000 tokens usually, more than 3,200 are a surge.
    assert!((margin(9_500) - 18.4).abs() < 1e-6, "{}", margin(9_500));
    assert!((margin(9_700) - 1.15).abs() < 1e-6, "{}", margin(9_700));
}

#[test]
fn what_slows_a_place_slows_many_there() {
    let around = |slowed: usize, fact| {
        looking(0.3, |scene| {
            let wall = scene.forest.requests[0].wall;
            let mut requests = vec![(wall, None); 20];
            requests[1..=slowed].fill((wall, Some(NoisyNeighbour)));
            scene.found.witnesses = Witnesses::of(&requests);
            margin::of(scene, 0, &charged(NoisyNeighbour, 0, fact), NoisyNeighbour)
        })
    };
    for (fact, of_many, of_few) in [
        (SHARED_SLOWDOWN, 2.0, 8.0),
        (LONE_SLOWDOWN, 3.0, 6.0),
        (REQUEST_SLOWDOWN, 2.0, 4.0),
    ] {
        assert_eq!(
            (around(2, fact), around(1, fact)),
            (of_many, of_few),
            "{fact}"
        );
    }
    // A neighbour seen at work needs no other victim than this.
    assert_eq!(around(1, "neighbour_prefill"), 2.0);
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

pub(super) fn settled(expected: u64, entries: &[(Cause, u64)]) -> Settlement {
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
                scene.found.witnesses = Witnesses(vec![Around::default(); 20]);
            }
            let confidence = confidence::of(scene, 0, &Account::default(), settled, missing);
            (confidence * 1e3).round() / 1e3
        })
    };
    // At e times the threshold of half a second, with no runner-up.
    let tool = settled(1_000, &[(ToolBottleneck, 1_359)]);
    assert_eq!(of(&tool, false, &[]), 0.933);
    assert_eq!(of(&tool, false, &["a", "b"]), 0.914);
    assert_eq!(of(&tool, true, &[]), 0.515);
    for contention in [NoisyNeighbour, RoutingChange, ColdCache] {
        assert_eq!(
            of(&settled(1_000, &[(contention, 1_359)]), false, &[]),
            0.865
        );
    }
    let close = settled(1_000, &[(ToolBottleneck, 800), (LongGeneration, 559)]);
    assert_eq!(of(&close, false, &[]), 0.716);
    assert_eq!(
        of(&settled(1_000, &[(ToolBottleneck, 500)]), false, &[]),
        0.788
    );
    assert_eq!(
        of(&settled(1_000, &[(ToolBottleneck, 99_000)]), false, &[]),
        0.97
    );
    assert_eq!(
        of(&settled(1_000, &[(NoisyNeighbour, 10)]), true, &[]),
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

#[test]
fn requests_do_not_wait_for_each_others_word() {
    let (slow, would_be) = looking(0.3, |scene| {
        scene.found.witnesses = Witnesses(vec![Around::default(); 20]);
        let account = charged(ColdCache, 0, "f");
        let settled = settled(1_000, &[(ColdCache, 900)]);
        (
            is_slow(scene, 0, &account, &settled),
            would_be_slow(scene, 0, &account, &settled),
        )
    });
    assert!(!slow && would_be);
}
