//! What is charged, and how it is settled.

use super::super::account::{Account, LONE_SLOWDOWN, Target};
use super::*;
use crate::diagnose::Cause::{ColdCache, NoisyNeighbour, OrchestrationGap, ToolBottleneck};

fn account(charges: &[(Cause, Target, f64)]) -> Account {
    let mut account = Account::default();
    for (cause, target, millis) in charges {
        account.charge(*cause, *target, *millis, proof("seen"));
    }
    account
}

#[test]
fn nothing_below_a_nanosecond_is_charged() {
    let charged = |millis| account(&[(ColdCache, Target::Op(0), millis)]).has(ColdCache);
    assert!(!charged(1e-6) && charged(1.1e-6));
    assert!(!charged(0.0) && !charged(-5.0) && !charged(f64::INFINITY) && !charged(f64::NAN));
}

#[test]
fn charges_are_summed_by_place_and_by_cause() {
    let mut account = account(&[
        (ColdCache, Target::Op(1), 30.0),
        (ToolBottleneck, Target::Op(1), 4.0),
        (ColdCache, Target::Gap(1), 500.0),
    ]);
    assert_eq!(account.charged(Target::Op(1)), 34.0);
    assert_eq!(account.charged(Target::Tail(1)), 0.0);
    assert_eq!(account.total(ColdCache), 530.0);
    assert!(account.has(ToolBottleneck) && !account.has(NoisyNeighbour));
    account.scale(ColdCache, 0.5);
    assert_eq!(
        (account.total(ColdCache), account.total(ToolBottleneck)),
        (265.0, 4.0)
    );
    account.reassign(ColdCache, NoisyNeighbour);
    assert_eq!(
        (account.total(ColdCache), account.total(NoisyNeighbour)),
        (0.0, 265.0)
    );
    assert_eq!(account.total(ToolBottleneck), 4.0);
}

#[test]
fn contention_is_as_certain_as_its_parts_by_length() {
    let mut account = Account::default();
    assert_eq!(account.certainty(), 0.0);
    account.vouch(300.0, 1.0);
    account.vouch(100.0, 0.0);
    assert_eq!(account.certainty(), 0.75);
}

#[test]
fn pauses_are_doubted_by_their_share_that_losses_may_have_left() {
    let mut account = account(&[
        (OrchestrationGap, Target::Gap(0), 150.0),
        (OrchestrationGap, Target::Tail(0), 50.0),
        (ColdCache, Target::Op(0), 1000.0),
    ]);
    assert_eq!(account.doubt_of_pauses(), 0.0);
    account.doubt(30.0);
    account.doubt(50.0);
    assert_eq!(account.doubt_of_pauses(), 0.4);
}

#[test]
fn contention_rests_on_what_more_than_half_of_it_does() {
    let lonely = |alone, other| {
        let mut account = account(&[(NoisyNeighbour, Target::Op(0), other)]);
        account.charge(ColdCache, Target::Op(0), 900.0, proof("seen"));
        account.charge(ColdCache, Target::Op(0), 900.0, proof(LONE_SLOWDOWN));
        account.charge(NoisyNeighbour, Target::Op(1), alone, proof(LONE_SLOWDOWN));
        account.rests_on(NoisyNeighbour, &[LONE_SLOWDOWN])
    };
    assert!(lonely(51.0, 50.0) && !lonely(50.0, 50.0) && !lonely(10.0, 50.0));
    assert!(!Account::default().rests_on(NoisyNeighbour, &[LONE_SLOWDOWN]));
}

/// One request: a call of 1400 milliseconds, a tool of 400 and a call of 1380, pauses of 5 before each.
fn settle(charges: &[(Cause, Target, f64)]) -> (u64, u64, Vec<(Cause, u64)>) {
    let mut fleet = Fleet::default();
    fleet.request(0.0, &usual(0));
    let (_, forest) = fleet.build();
    let settlement = account(charges).settle(&forest, &forest.requests[0]);
    let entries = settlement.entries.iter();
    let micros = |time: Nanos| time.0 / 1000;
    let entries = entries.map(|(cause, time)| (*cause, micros(*time)));
    (
        micros(settlement.expected),
        micros(settlement.excess),
        entries.collect(),
    )
}

#[test]
fn causes_are_worth_what_the_request_would_have_saved() {
    assert_eq!(settle(&[]), (3_195_000, 0, vec![]));
    let (expected, excess, entries) = settle(&[
        (ColdCache, Target::Op(0), 200.0),
        (ToolBottleneck, Target::Op(1), 300.0),
    ]);
    assert_eq!((expected, excess), (2_695_000, 500_000));
    assert_eq!(entries, [(ToolBottleneck, 300_000), (ColdCache, 200_000)]);
    let (expected, _, entries) = settle(&[(OrchestrationGap, Target::Gap(2), 3.0)]);
    assert_eq!(
        (expected, entries),
        (3_192_000, vec![(OrchestrationGap, 3_000)])
    );
}

#[test]
fn causes_that_overlap_share_what_there_was() {
    let (expected, excess, entries) = settle(&[
        (NoisyNeighbour, Target::Op(0), 1_200.0),
        (ColdCache, Target::Op(0), 400.0),
    ]);
    assert_eq!((expected, excess), (1_795_000, 1_400_000));
    assert_eq!(entries, [(NoisyNeighbour, 1_050_000), (ColdCache, 350_000)]);
}

#[test]
fn a_charge_against_what_is_not_there_changes_nothing() {
    let (expected, excess, entries) = settle(&[(ColdCache, Target::Op(7), 200.0)]);
    assert_eq!((expected, excess, entries), (3_195_000, 0, vec![]));
}
