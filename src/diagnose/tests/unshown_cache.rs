//! Lost cache where no cache is shown.

use super::super::causes::LOOKS;
use super::causes::{UNSHOWN, beside, first, second};
use super::*;
use crate::diagnose::Cause::ColdCache;

/// A second call of 2,400 tokens, of which 400 are new, that shows no cache; whole, they cost 400 ms more.
fn taking(first: f64) -> Call {
    Call {
        cached: None,
        ..second().late(first - 180.0, 0.0)
    }
}

fn found(call: Call) -> Vec<(Cause, f64, &'static str)> {
    beside(&[first(), Step::Model(call)], |scene, request| {
        charges(scene, request, LOOKS[UNSHOWN])
    })
}

#[test]
fn a_call_that_took_what_its_whole_prompt_costs_lost_its_cache() {
    let lost = found(taking(580.0));
    assert_eq!(
        (lost.len(), lost[0].0, lost[0].2),
        (1, ColdCache, "whole_prompt_time")
    );
    assert!((lost[0].1 - 400.0).abs() < 10.0, "{lost:?}");
    let by_total = Call {
        first: None,
        ..taking(590.0)
    };
    assert_eq!(found(by_total).len(), 1);
}

#[test]
fn any_other_time_tells_of_something_else() {
    for first in [180.0, 400.0, 500.0, 680.0, 2_000.0] {
        assert_eq!(found(taking(first)), [], "{first} ms");
    }
    let shown = Call {
        cached: Some(2_000),
        ..taking(580.0)
    };
    assert_eq!(found(shown), []);
}

#[test]
fn where_calls_scatter_or_others_were_slowed_time_tells_nothing() {
    let with = |spread, late| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.request(1e7, &[first(), Step::Model(taking(580.0))]);
        (1..6).for_each(|n| {
            fleet.request(1e7 + f64::from(n), &[Step::Model(CALL.late(late, late))]);
        });
        fleet.seen(
            |_, base| base.prices.spread = spread,
            |_| {},
            |scene| charges(scene, 20, LOOKS[UNSHOWN]).len(),
        )
    };
    assert_eq!(with(0.05, 0.0), 1);
    assert_eq!(with(0.16, 0.0), 0);
    assert_eq!(with(0.05, 3_000.0), 0);
}

#[test]
fn calls_that_fit_neither_price_speak_for_another_cause() {
    let with = |odd: usize| {
        let mut steps = vec![first(), Step::Model(taking(580.0))];
        let later = |n: usize| Call {
            input: Some(2_400 + 400 * n as u32),
            ..taking(2_000.0)
        };
        steps.extend((1..=odd).map(|n| Step::Model(later(n))));
        beside(&steps, |scene, request| {
            charges(scene, request, LOOKS[UNSHOWN]).len()
        })
    };
    assert_eq!((with(0), with(1)), (1, 0));
}
