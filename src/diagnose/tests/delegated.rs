//! What causes charge where a sub-agent did the work, and what one cause leaves to another.

use super::super::account::Target;
use super::super::causes::LOOKS;
use super::causes::{FAILED, GAP, LONG, PROMPT, REPEATED, TOOL, beside, first, second};
use super::*;
use crate::diagnose::Cause::RetryCascade;

/// Where a cause charges a request whose sub-agent takes all but a first call.
fn delegated(look: usize, inner: &[Step]) -> Vec<(Target, f64)> {
    let mut fleet = Fleet::healthy(20, 60_000.0);
    for n in 0..6 {
        fleet.delegated(2e6 + 60_000.0 * f64::from(n), &[first()], &usual(n));
    }
    fleet.delegated(1e7, &[first()], inner);
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| {
            let mut account = Account::default();
            LOOKS[look](scene, 26, &mut account);
            let charges = account.charges.iter();
            charges.map(|c| (c.target, c.millis.round())).collect()
        },
    )
}

#[test]
fn charges_stand_against_the_operations_of_the_lane_they_happened_in() {
    use Target::{Gap, Op, Tail};
    // The first call, the sub-agent, and what that did: operations two and on.
    let failed = [
        first(),
        Step::Pause(50.0),
        Step::Failed(100.0),
        Step::Pause(900.0),
        first(),
    ];
    assert_eq!(
        delegated(FAILED, &failed),
        [(Op(3), 100.0), (Gap(4), 900.0)]
    );
    let tool = Step::Tool("search", 1, 400.0);
    let again = [
        first(),
        tool,
        Step::Pause(70.0),
        first(),
        Step::Pause(30.0),
        tool,
        first(),
    ];
    let expected = [
        (Op(4), 1_400.0),
        (Gap(4), 70.0),
        (Op(5), 400.0),
        (Gap(5), 30.0),
    ];
    assert_eq!(delegated(REPEATED, &again), expected);
    let slow = [first(), Step::Tool("search", 1, 5_402.4), first()];
    assert_eq!(delegated(TOOL, &slow), [(Op(3), 5_000.0)]);
    let paused = [
        Step::Pause(5.0),
        first(),
        Step::Pause(905.0),
        tool,
        Step::Pause(5.0),
        Step::Model(second()),
    ];
    assert_eq!(delegated(GAP, &paused), [(Gap(3), 900.0)]);
    let late = [
        Step::Pause(5.0),
        first(),
        Step::Pause(5.0),
        tool,
        Step::Pause(5.0),
        Step::Model(second()),
        Step::Pause(900.0),
    ];
    assert_eq!(delegated(GAP, &late), [(Tail(1), 900.0)]);
}

#[test]
fn what_another_cause_was_charged_for_is_no_pause_and_no_prompt() {
    let left = |look: usize, target, steps: &[Step]| {
        beside(steps, |scene, request| {
            let mut account = Account::default();
            account.charge(RetryCascade, target, 1.0, proof("f"));
            LOOKS[look](scene, request, &mut account);
            account.charges.len() - 1
        })
    };
    let paused = [
        Step::Pause(5.0),
        first(),
        Step::Pause(905.0),
        Step::Tool("search", 1, 400.0),
    ];
    assert_eq!(
        (
            left(GAP, Target::Gap(1), &paused),
            left(GAP, Target::Gap(0), &paused)
        ),
        (0, 1)
    );
    let cold = [
        first(),
        Step::Model(Call {
            cached: Some(0),
            ..second()
        }),
    ];
    assert_eq!(
        (
            left(PROMPT, Target::Op(1), &cold),
            left(PROMPT, Target::Op(0), &cold)
        ),
        (0, 1)
    );
    let long = [Step::Model(Call {
        output: Some(420),
        takes: 8_600.0,
        ..CALL
    })];
    assert_eq!(
        (
            left(LONG, Target::Op(0), &long),
            left(LONG, Target::Gap(0), &long)
        ),
        (0, 1)
    );
}
