//! What each cause charges, and from where on.

use super::super::causes::LOOKS;
use super::*;
use crate::diagnose::Cause::{
    ColdCache, LongGeneration, OrchestrationGap, PrefillSurge, ProviderError, RetryCascade,
    ToolBottleneck, Unexplained,
};
use crate::trace::Forest;

pub(super) const FAILED: usize = 0;
pub(super) const REPEATED: usize = 1;
pub(super) const TOOL: usize = 2;
pub(super) const GAP: usize = 3;
pub(super) const PROMPT: usize = 4;
pub(super) const LONG: usize = 5;
pub(super) const UNSHOWN: usize = 6;
const UNEXPLAINED: usize = 8;

/// What one cause charges a request beside twenty healthy ones.
fn charged(look: usize, steps: &[Step]) -> Vec<(Cause, f64, &'static str)> {
    beside(steps, |scene, request| charges(scene, request, LOOKS[look]))
}

pub(super) fn beside<T>(steps: &[Step], look: impl FnOnce(&Scene<'_>, u32) -> T) -> T {
    let mut fleet = Fleet::healthy(20, 60_000.0);
    fleet.request(1e7, steps);
    fleet.seen(|_, _| {}, |_| {}, |scene| look(scene, 20))
}

pub(super) fn first() -> Step {
    Step::Model(CALL)
}

pub(super) fn second() -> Call {
    Call {
        input: Some(2_400),
        cached: Some(2_000),
        first: Some(180.0),
        takes: 1_380.0,
        ..CALL
    }
}

#[test]
fn failures_and_the_waits_after_them_are_a_cascade() {
    let found = charged(
        FAILED,
        &[
            first(),
            Step::Failed(100.0),
            Step::Pause(900.0),
            Step::Failed(60.0),
            Step::Pause(40.0),
            first(),
        ],
    );
    assert_eq!(
        found,
        [
            (RetryCascade, 100.0, "failed_attempt"),
            (RetryCascade, 60.0, "failed_attempt"),
            (RetryCascade, 900.0, "retry_wait"),
            (RetryCascade, 40.0, "retry_wait"),
        ]
    );
    let no_wait = charged(
        FAILED,
        &[
            Step::Failed(100.0),
            Step::Pause(900.0),
            Step::Tool("search", 1, 400.0),
            first(),
        ],
    );
    assert_eq!(no_wait, [(RetryCascade, 100.0, "failed_attempt")]);
    assert_eq!(charged(FAILED, &usual(0)), []);
}

#[test]
fn attempts_that_hang_longer_than_they_make_wait_are_the_providers() {
    let cause =
        |hang, wait| charged(FAILED, &[Step::Failed(hang), Step::Pause(wait), first()])[0].0;
    assert_eq!(cause(2_001.0, 10.0), ProviderError);
    assert_eq!(cause(2_000.0, 10.0), RetryCascade);
    assert_eq!(cause(3_000.0, 3_000.0), ProviderError);
    assert_eq!(cause(3_000.0, 3_001.0), RetryCascade);
    let two = |second| {
        let steps = [
            Step::Failed(3_000.0),
            Step::Pause(30.0),
            Step::Failed(second),
            Step::Pause(30.0),
            first(),
        ];
        charged(FAILED, &steps)[0].0
    };
    assert_eq!((two(1_000.0), two(1_001.0)), (RetryCascade, ProviderError));
}

#[test]
fn what_a_request_that_failed_did_not_do_is_held_against_its_loss() {
    // It had worked for 1405 of the usual 3214 milliseconds.
    let lost = |hang| {
        let steps = [Step::Pause(5.0), first(), Step::Failed(hang)];
        charged(FAILED, &steps).iter().map(|c| c.1).sum::<f64>()
    };
    assert!((lost(5_000.0) - 3_190.8).abs() < 1.0, "{}", lost(5_000.0));
    assert_eq!(lost(1_000.0), 0.0);
    let went_on = charged(FAILED, &[first(), Step::Failed(1_000.0), first()]);
    assert_eq!(went_on, [(RetryCascade, 1_000.0, "failed_attempt")]);
}

#[test]
fn the_same_tool_with_the_same_arguments_is_charged_with_the_round_that_asked_for_it() {
    let tool = |argument| Step::Tool("search", argument, 400.0);
    let found = charged(
        REPEATED,
        &[
            first(),
            tool(1),
            Step::Pause(70.0),
            first(),
            Step::Pause(30.0),
            tool(1),
            first(),
        ],
    );
    assert_eq!(
        found,
        [
            (RetryCascade, 1_400.0, "repeated_round"),
            (RetryCascade, 70.0, "repeated_round"),
            (RetryCascade, 400.0, "repeated_tool_call"),
            (RetryCascade, 30.0, "repeated_tool_call"),
        ]
    );
    assert_eq!(
        charged(REPEATED, &[first(), tool(1), first(), tool(2), first()]),
        []
    );
    let two_at_once = [
        first(),
        tool(1),
        tool(2),
        first(),
        tool(1),
        tool(2),
        first(),
    ];
    let rounds = charged(REPEATED, &two_at_once);
    assert_eq!(rounds.iter().filter(|c| c.2 == "repeated_round").count(), 1);
    assert_eq!(rounds.len(), 3);
}

#[test]
fn a_tool_is_slow_from_three_and_a_half_of_its_spreads_on() {
    let tool = |length| charged(TOOL, &[first(), Step::Tool("search", 7, length), first()]);
    // Its spread is a fifth at least: e to the .7 times its usual 402 milliseconds.
    assert_eq!(tool(810.0), []);
    assert_eq!(tool(811.0), [(ToolBottleneck, 408.593, "tool_time")]);
    assert_eq!(tool(300.0), []);
}

#[test]
fn a_tool_that_is_slow_by_less_than_half_a_floor_or_hardly_known_is_left_alone() {
    let with = |times: usize, length| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        for n in 0..times {
            fleet.request(
                2e6 + n as f64 * 60_000.0,
                &[first(), Step::Tool("quick", 7, 10.0), first()],
            );
        }
        fleet.request(1e7, &[first(), Step::Tool("quick", 8, length), first()]);
        let last = 20 + times as u32;
        fleet.seen(|_, _| {}, |_| {}, |scene| charges(scene, last, LOOKS[TOOL]))
    };
    assert_eq!(with(8, 260.0), []);
    assert_eq!(with(8, 260.1), [(ToolBottleneck, 250.04, "tool_time")]);
    assert_eq!(with(2, 5_000.0), [], "three calls in all");
    assert_eq!(with(3, 5_000.0).len(), 1, "four calls in all");
}

#[test]
fn a_pause_counts_from_a_third_of_the_floor_above_its_kind_on() {
    let before = |pause| {
        charged(
            GAP,
            &[
                Step::Pause(5.0),
                first(),
                Step::Pause(pause),
                Step::Tool("search", 1, 400.0),
            ],
        )
    };
    // What pauses usually are, 5 milliseconds, and three tenths of the floor.
    assert_eq!(before(155.0), []);
    assert_eq!(before(156.0), [(OrchestrationGap, 151.0, "pause")]);
    let after = |pause| {
        charged(
            GAP,
            &[
                Step::Pause(5.0),
                first(),
                Step::Pause(5.0),
                Step::Tool("search", 1, 400.0),
                Step::Pause(5.0),
                Step::Model(second()),
                Step::Pause(pause),
            ],
        )
    };
    assert_eq!(after(150.0), []);
    assert_eq!(after(151.0), [(OrchestrationGap, 151.0, "pause")]);
}

#[test]
fn a_pause_from_which_a_call_is_missing_is_no_stall() {
    let cached = |cached| {
        let call = Call {
            cached: Some(cached),
            ..second()
        };
        charged(
            GAP,
            &[
                Step::Pause(5.0),
                first(),
                Step::Pause(5.0),
                Step::Tool("search", 1, 400.0),
                Step::Pause(900.0),
                Step::Model(call),
            ],
        )
        .len()
    };
    assert_eq!(
        (cached(2_060), cached(2_061)),
        (1, 0),
        "more than was sent and written before"
    );
}

#[test]
fn a_stall_that_ended_several_things_at_once_counts_at_any_length() {
    let steps = [
        Step::Pause(5.0),
        first(),
        Step::Pause(25.0),
        Step::Tool("search", 1, 400.0),
    ];
    let mut fleet = Fleet::healthy(20, 60_000.0);
    fleet.request(1e7, &steps);
    let op = |scene: &Scene<'_>| scene.forest.requests[20].ops.start + 1;
    let found = fleet.seen(
        |_, _| {},
        |scene| {
            let op = op(scene);
            scene.releases.of_gap.insert(op, 20.0);
        },
        |scene| charges(scene, 20, LOOKS[GAP]),
    );
    assert_eq!(found, [(OrchestrationGap, 20.0, "pause")]);
}

#[test]
fn without_model_calls_on_record_a_pause_is_unexplained() {
    let mut fleet = Fleet::default();
    let tools = |pause| {
        [
            Step::Tool("search", 1, 400.0),
            Step::Pause(pause),
            Step::Tool("read", 1, 300.0),
        ]
    };
    (0..12).for_each(|n| {
        fleet.request(f64::from(n) * 60_000.0, &tools(50.0));
    });
    fleet.request(1e7, &tools(5_050.0));
    let found = fleet.seen(|_, _| {}, |_| {}, |scene| charges(scene, 12, LOOKS[GAP]));
    assert_eq!(found, [(Unexplained, 5_000.0, "unrecorded_time")]);
    // Where the service's model calls are on record, elsewhere, it is not known what the request lacks.
    let mixed = charged(GAP, &tools(5_050.0));
    assert_eq!(mixed, []);
}

#[test]
fn lost_cache_is_charged_at_the_normal_price() {
    let call = |cached, late| {
        Step::Model(
            Call {
                cached: Some(cached),
                ..second()
            }
            .late(late, 0.0),
        )
    };
    let with = |cached, late| charged(PROMPT, &[first(), call(cached, late)]);
    // 2000 tokens are usually cached here, of a prompt of 2400; five are computed in a millisecond.
    assert_eq!(with(2_000, 0.0), []);
    let found = with(0, 400.0);
    assert_eq!(
        (found.len(), found[0].0, found[0].2),
        (1, ColdCache, "cached_tokens")
    );
    assert!((found[0].1 - 400.0).abs() < 4.0, "{found:?}");
    assert_eq!(with(1_801, 0.0), [], "a tenth of the usual");
    assert_eq!(with(1_799, 0.0).len(), 1);
}

#[test]
fn what_was_lost_takes_the_whole_delay_with_it_where_it_is_a_fair_share() {
    let with = |late| {
        let call = Call {
            cached: Some(0),
            ..second()
        }
        .late(400.0 + late, 0.0);
        charged(PROMPT, &[first(), Step::Model(call)])[0].1
    };
    // A fifth of what both come to.
    assert!((with(1_500.0) - 1_900.0).abs() < 20.0);
    assert!((with(1_700.0) - 400.0).abs() < 4.0);
}

#[test]
fn a_first_prompt_is_a_surge_from_one_and_six_tenths_of_the_usual_on() {
    let with = |input| {
        let call = Call {
            input: Some(input),
            cached: Some(1_500),
            ..CALL
        };
        let late = f64::from(input - 2_000) / 5.0;
        charged(PROMPT, &[Step::Model(call.late(late, 0.0))])
    };
    assert_eq!(with(3_200), []);
    let found = with(3_210);
    assert_eq!(
        (found.len(), found[0].0, found[0].2),
        (1, PrefillSurge, "prompt_growth")
    );
    assert!((found[0].1 - 242.0).abs() < 3.0, "{found:?}");
}

#[test]
fn later_prompts_are_judged_by_how_much_they_grew() {
    let with = |grown: u32| {
        let call = Call {
            input: Some(2_060 + grown),
            cached: Some(2_000),
            ..CALL
        };
        let first_token = 100.0 + f64::from(60 + grown) / 5.0;
        let call = Call {
            first: Some(first_token),
            takes: first_token + 1_200.0,
            ..call
        };
        charged(PROMPT, &[first(), Step::Model(call)])
    };
    // Prompts usually grow by 340 tokens; three times as much is a surge, and a fifth of a prompt at least.
    assert_eq!(with(1_020), []);
    let found = with(1_021);
    assert_eq!((found.len(), found[0].0), (1, PrefillSurge));
    assert!((found[0].1 - 136.2).abs() < 2.0, "{found:?}");
}

#[test]
fn a_surge_takes_its_own_delay_with_it_unless_that_is_out_of_all_proportion() {
    let with = |late| {
        let call = Call {
            input: Some(4_000),
            cached: Some(1_500),
            ..CALL
        }
        .late(400.0 + late, 0.0);
        charged(PROMPT, &[Step::Model(call)])[0].1
    };
    assert!((with(1_000.0) - 1_400.0).abs() < 15.0, "{}", with(1_000.0));
    // With nobody around, nobody else can have slowed it.
    assert!((with(9_000.0) - 9_400.0).abs() < 95.0, "{}", with(9_000.0));
}

#[test]
fn an_answer_far_longer_than_usual_is_charged_at_the_normal_rate() {
    let with = |output: u32, late| {
        let call = Call {
            output: Some(output),
            takes: 200.0 + f64::from(output) * 20.0 + late,
            ..CALL
        };
        charged(LONG, &[Step::Model(call)])
    };
    // Spread at least .4: e to the 1.9 times the usual 60.7 tokens.
    assert_eq!(with(405, 0.0), []);
    let found = with(407, 0.0);
    assert_eq!(
        (found.len(), found[0].0, found[0].2),
        (1, LongGeneration, "output_tokens")
    );
    let rate = 1_200.0 / 59.0;
    let pure = 346.3 * rate;
    assert!((found[0].1 - pure).abs() < 0.02 * pure, "{found:?}");
    // Of its own delay, half of its price at most.
    let late = with(407, 1_000.0)[0].1;
    assert!((late - pure - 1_000.0).abs() < 0.03 * pure, "{late}");
    let later = with(407, 9_000.0)[0].1;
    assert!((later - 1.5 * pure).abs() < 0.02 * pure, "{later}");
}

#[test]
fn where_answers_hardly_scatter_a_shorter_one_is_long_already() {
    let with = |usual: fn(u32) -> u32, output: u32| {
        let call = |output: u32| Call {
            output: Some(output),
            takes: 200.0 + f64::from(output) * 20.0,
            ..CALL
        };
        let mut fleet = Fleet::default();
        (0..60).for_each(|n| {
            fleet.request(f64::from(n) * 60_000.0, &[Step::Model(call(usual(n)))]);
        });
        fleet.request(1e7, &[Step::Model(call(output))]);
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| charges(scene, 60, LOOKS[LONG]).len(),
        )
    };
    let even = |n: u32| 58 + n % 5;
    // Three times the usual length is the least.
    assert_eq!((with(even, 175), with(even, 190)), (0, 1));
    let uneven = |n: u32| match n % 20 {
        0 => 180,
        5 | 10 | 15 => 130,
        _ => 60,
    };
    assert_eq!((with(uneven, 190), with(uneven, 420)), (0, 1));
}

#[test]
fn a_call_of_eight_times_its_expectation_is_slow_whatever_the_reason() {
    let with = |expected: f64, spread| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.request(1e7, &[first()]);
        fleet.seen(
            |_, base| base.prices.spread = spread,
            |scene| expect(scene, 40, expected / 2.0, expected / 2.0),
            |scene| charges(scene, 20, LOOKS[UNEXPLAINED]),
        )
    };
    assert_eq!(with(176.0, 0.1), []);
    assert_eq!(with(174.0, 0.1), [(Unexplained, 1_226.0, "call_time")]);
    // Where calls scatter widely, eight spreads; from sixteen times on in any case.
    assert_eq!(with(130.0, 0.3), []);
    assert_eq!(with(126.0, 0.3).len(), 1);
    assert_eq!(with(86.0, 0.5), []);
    assert_eq!(with(85.0, 0.5).len(), 1);
}

#[test]
fn a_surge_among_slowed_neighbours_keeps_its_pure_price_alone() {
    let with = |late: f64| {
        let call = Call {
            input: Some(4_000),
            cached: Some(1_500),
            ..CALL
        }
        .late(400.0 + late, 0.0);
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.request(1e7, &[Step::Model(call)]);
        (1..6).for_each(|n| {
            fleet.request(
                1e7 + f64::from(n),
                &[Step::Model(CALL.late(3_000.0, 3_000.0))],
            );
        });
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| charges(scene, 20, LOOKS[PROMPT])[0].1,
        )
    };
    // Some 398 milliseconds are an eighth of 3,300.
    assert!((with(2_800.0) - 3_200.0).abs() < 20.0, "{}", with(2_800.0));
    assert!((with(3_100.0) - 398.0).abs() < 5.0, "{}", with(3_100.0));
}

#[test]
fn an_answer_that_costs_hardly_any_time_is_not_long() {
    let with = |rate: f64| {
        let call = |output: u32| Call {
            model: "quick",
            output: Some(output),
            takes: 200.0 + f64::from(output) * rate,
            ..CALL
        };
        let mut fleet = Fleet::default();
        (0..20).for_each(|n| {
            fleet.request(f64::from(n) * 60_000.0, &[Step::Model(call(60))]);
        });
        fleet.request(1e7, &[Step::Model(call(420))]);
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| charges(scene, 20, LOOKS[LONG]).len(),
        )
    };
    // Some 359 tokens more: three tenths of the floor are 150 milliseconds.
    assert_eq!((with(0.38), with(0.45)), (0, 1));
}

#[test]
fn what_is_charged_already_is_not_charged_again() {
    let slow_tool = [
        first(),
        Step::Tool("search", 1, 5_000.0),
        first(),
        Step::Tool("search", 1, 5_000.0),
        first(),
    ];
    let (repeated, tools) = beside(&slow_tool, |scene, request| {
        let mut account = Account::default();
        LOOKS[REPEATED](scene, request, &mut account);
        let repeated = account.charges.len();
        LOOKS[TOOL](scene, request, &mut account);
        let tools = account.charges.iter().filter(|c| c.cause == ToolBottleneck);
        (repeated, tools.count())
    });
    assert_eq!(repeated, 2);
    assert_eq!(tools, 1, "the first, and not the one that was repeated");
}

#[test]
fn builds_have_no_errors_to_mend() {
    let (_, forest): (_, Forest) = Fleet::healthy(3, 60_000.0).build();
    assert_eq!(forest.requests.len(), 3);
    assert!(forest.requests.iter().all(|r| r.ops.len() == 3));
}
