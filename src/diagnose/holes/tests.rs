//! Holes that lost spans would leave, counted over requests built by hand.

use super::*;
use crate::diagnose::tests::{CALL, Call, Fleet, Step};

/// Requests of a call, tools and a further call; some without tools; and one with a pause instead of them.
fn fleet(tools: u32, cached: u32, pause: f64) -> Fleet {
    let second = |cached| {
        Step::Model(Call {
            input: Some(2_400),
            cached: Some(cached),
            ..CALL
        })
    };
    let steps = |tools: u32, pause, cached| {
        let mut steps = vec![Step::Pause(5.0), Step::Model(CALL), Step::Pause(pause)];
        for n in 0..tools {
            steps.extend([Step::Tool("search", n, 400.0), Step::Pause(5.0)]);
        }
        steps.push(second(cached));
        steps
    };
    let mut fleet = Fleet::default();
    for n in 0..20 {
        fleet.request(60_000.0 * f64::from(n), &steps(tools, 5.0, 2_000));
    }
    for n in 20..26 {
        fleet.request(60_000.0 * f64::from(n), &steps(0, 5.0, 2_000));
    }
    fleet.request(1e7, &steps(0, pause, cached));
    fleet
}

/// The share of holes like the pause that lost spans leave, where so many are lost for each that is not.
fn share(fleet: Fleet, odds: f64) -> (f64, bool) {
    fleet.seen(
        |_, base| {
            let mut gaps = serde_json::to_value(&base.gaps).unwrap();
            gaps["odds_of_loss"] = odds.into();
            base.gaps = serde_json::from_value(gaps).unwrap();
        },
        |_| {},
        |scene| {
            let pauses: Vec<_> = scene.measured.pauses.of(scene.forest, 26).collect();
            assert_eq!(pauses.len(), 3);
            let share = scene.holes.share(scene, &pauses[1]);
            (share, scene.holes.hides_a_span(scene, &pauses[1]))
        },
    )
}

fn close((share, _): (f64, bool), expected: f64) -> bool {
    (share - expected).abs() < 1e-9
}

#[test]
fn a_hole_is_as_likely_left_by_a_lost_tool_as_tools_are_lost() {
    // Twenty tools of 400 milliseconds between two calls, and one pause of as long.
    assert!(close(share(fleet(1, 2_000, 410.0), 0.02), 0.4));
    assert!(close(share(fleet(1, 2_000, 410.0), 0.04), 0.8));
    assert!(share(fleet(1, 2_000, 410.0), 0.041).1);
    assert!(!share(fleet(1, 2_000, 410.0), 0.039).1);
    assert!(close(share(fleet(1, 2_000, 410.0), 0.5), 1.0));
    assert!(close(share(fleet(1, 2_000, 410.0), 0.0), 0.0));
}

#[test]
fn a_longer_hole_than_any_tool_would_leave_is_none_of_theirs() {
    assert!(close(share(fleet(1, 2_000, 1_500.0), 0.02), 0.0));
    assert!(
        close(share(fleet(1, 2_000, 300.0), 0.02), 0.4),
        "of the same power of two"
    );
    assert!(
        close(share(fleet(1, 2_000, 250.0), 0.02), 0.4),
        "longer ones count, too"
    );
    assert!(close(share(fleet(1, 2_000, 100.0), 0.02), 0.0), "no hole");
}

#[test]
fn two_tools_in_a_row_are_lost_together_more_seldom() {
    assert!(close(share(fleet(2, 2_000, 815.0), 0.1), 0.2));
    assert!(
        close(share(fleet(3, 2_000, 1_220.0), 0.1), 0.0),
        "three are not looked for"
    );
}

#[test]
fn where_the_cache_shows_that_a_call_is_missing_it_is_no_such_hole() {
    assert!(close(share(fleet(1, 2_061, 410.0), 0.02), 0.0));
    assert!(
        close(share(fleet(1, 1_000, 410.0), 0.02), 0.0),
        "of another kind: nothing is known of the calls"
    );
}

#[test]
fn a_pause_is_long_from_four_deviations_and_three_tenths_of_the_floor_above_the_usual_on() {
    let gaps = serde_json::json!({"norms": [{"centre": 5.0, "spread": 10.0}, null], "rare": [], "odds_of_loss": 0.0});
    let base = Baselines {
        gaps: serde_json::from_value(gaps).unwrap(),
        ..Baselines::default()
    };
    let long = |key, millis| is_long(&base, &Options::default(), key, millis);
    assert!(!long(0, 195.0) && long(0, 195.1));
    assert!(!long(1, 9e9), "nothing is usual");
}

#[test]
fn a_wait_for_a_person_or_after_a_failure_explains_itself() {
    let gaps = serde_json::json!({"norms": [], "rare": [false, true], "odds_of_loss": 0.0});
    let base = Baselines {
        gaps: serde_json::from_value(gaps).unwrap(),
        ..Baselines::default()
    };
    let explained =
        |before, after| is_explained(&base, 0, (crate::units::Sym::NONE, before, after));
    use StepName::{End, Failed, Human, Open, Start, Tool};
    assert!(explained(Failed, Tool) && explained(Human, Tool) && explained(Open, Tool));
    assert!(explained(Tool, Human) && explained(Tool, Open));
    assert!(!explained(Tool, Tool) && !explained(Tool, End) && !explained(Start, Failed));
    assert!(
        is_explained(&base, 1, (crate::units::Sym::NONE, Tool, Tool)),
        "they never follow each other"
    );
}

#[test]
fn a_stall_is_doubted_by_the_share_that_losses_leave() {
    let doubt = |odds: f64| {
        fleet(1, 2_000, 410.0).seen(
            |_, base| {
                let mut gaps = serde_json::to_value(&base.gaps).unwrap();
                gaps["odds_of_loss"] = odds.into();
                base.gaps = serde_json::from_value(gaps).unwrap();
            },
            |_| {},
            |scene| {
                let mut account = crate::diagnose::account::Account::default();
                crate::diagnose::causes::LOOKS[3](scene, 26, &mut account);
                (account.charges.len(), account.doubt_of_pauses())
            },
        )
    };
    assert_eq!(doubt(0.0), (1, 0.0));
    let (charges, share) = doubt(0.02);
    assert!(charges == 1 && (share - 0.4).abs() < 1e-6, "{share}");
    assert_eq!(doubt(0.05).0, 0, "most likely a span was lost");
}
