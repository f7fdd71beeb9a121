//! What ends at the same instant.

use super::*;
use crate::diagnose::tests::{CALL, Fleet, Step};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const FAR: f64 = 1e7;

fn end(at: u64, request: u32) -> End {
    End {
        at,
        request,
        op: request,
        gap: false,
    }
}

fn groups(ends: &[End]) -> Vec<Vec<u32>> {
    let groups = together(ends).into_iter();
    groups
        .map(|group| group.iter().map(|e| e.request).collect())
        .collect()
}

#[test]
fn ends_within_six_milliseconds_of_the_first_are_one_release() {
    let three = [end(0, 1), end(3 * MS, 2), end(6 * MS, 3)];
    assert_eq!(groups(&three), [[1, 2, 3]]);
    let apart = [end(0, 1), end(3 * MS, 2), end(6 * MS + 1, 3)];
    assert_eq!(groups(&apart), [[1, 2]]);
    let then = [end(0, 1), end(10 * MS, 1), end(20 * MS, 1), end(21 * MS, 2)];
    assert_eq!(groups(&then), [[1, 2]]);
    assert_eq!(
        groups(&[end(0, 1), end(MS, 1), end(2 * MS, 1)]),
        [[0; 0]; 0],
        "one request"
    );
    assert_eq!(groups(&[]), [[0; 0]; 0]);
}

#[test]
fn a_pair_counts_where_chance_would_seldom_give_one() {
    // Among a hundred others within half a minute, chance gives one in fifty.
    let among = |others: u64, apart: u64| {
        let at = 40 * SECOND;
        let mut ends = vec![end(at, 1), end(at + MS, 2)];
        ends.extend((1..=others).map(|n| end(at + 10 * SECOND + n * apart, 9)));
        groups(&ends)
    };
    assert_eq!(among(100, 10 * MS), [[1, 2]]);
    assert_eq!(among(101, 10 * MS), [[0; 0]; 0]);
    assert_eq!(among(300, SECOND), [[1, 2]], "most are far off");
    let before = |others: u64, since: u64| {
        let at = 40 * SECOND;
        let early = (0..others).map(|n| end(at - since + n * 7 * MS, 9));
        let mut ends: Vec<End> = early.collect();
        ends.extend([end(at, 1), end(at + MS, 2)]);
        unlikely(&ends, at)
    };
    assert!(before(100, 30 * SECOND) && !before(101, 30 * SECOND));
    assert!(before(101, 30 * SECOND + 1));
}

/// Silence before the releases that ended each tool, of two requests whose tools took so long and ended so far apart.
fn released(second: f64, apart: f64) -> [Option<f64>; 2] {
    let mut fleet = Fleet::healthy(20, 60_000.0);
    fleet.request(FAR, &[Step::Model(CALL), Step::Tool("search", 1, 5_000.0)]);
    let start = FAR + 6_400.0 + apart - second - 1_400.0;
    fleet.request(start, &[Step::Model(CALL), Step::Tool("search", 2, second)]);
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| {
            [20, 21].map(|n| {
                let silence = scene.releases.of_op(scene.forest.requests[n].ops.start + 1);
                silence.map(|s| (s * 10.0).round() / 10.0)
            })
        },
    )
}

#[test]
fn tools_that_end_together_were_held_since_the_last_sign_of_the_service() {
    assert_eq!(released(4_000.0, 0.0), [Some(4_000.0); 2]);
    assert_eq!(released(4_000.0, 5.0), [Some(3_995.0); 2]);
    assert_eq!(released(4_000.0, 7.0), [None; 2]);
    // Nothing usual for a tool of 402 milliseconds: by seven tenths of a second and more.
    assert_eq!(released(1_102.0, 0.0), [None; 2]);
    assert_eq!(released(1_103.0, 0.0), [Some(1_103.0); 2]);
}

#[test]
fn what_happens_within_the_last_millisecond_is_part_of_the_release() {
    let with = |before: f64| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.request(FAR, &[Step::Model(CALL), Step::Tool("search", 1, 5_000.0)]);
        fleet.request(FAR, &[Step::Model(CALL), Step::Tool("search", 2, 5_000.0)]);
        fleet.request(
            FAR + 6_400.0 - before - 400.0,
            &[Step::Tool("search", 3, 400.0)],
        );
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| {
                scene
                    .releases
                    .of_op(scene.forest.requests[20].ops.start + 1)
            },
        )
    };
    assert_eq!(with(0.5), Some(400.5), "since that one began");
    assert_eq!(with(2.0), Some(2.0));
}

#[test]
fn pauses_that_end_together_are_stalls() {
    let paused = |pause: f64| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        for (start, argument) in [(FAR, 1), (FAR, 2)] {
            let steps = [
                Step::Model(CALL),
                Step::Pause(pause),
                Step::Tool("search", argument, 400.0),
            ];
            fleet.request(start, &steps);
        }
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| {
                let op = scene.forest.requests[20].ops.start + 1;
                (scene.releases.of_gap(op), scene.releases.of_op(op))
            },
        )
    };
    assert_eq!(paused(900.0), (Some(900.0), None));
    assert_eq!(
        paused(704.0),
        (None, None),
        "seven tenths of a second more than the usual 5 milliseconds"
    );
}

#[test]
fn calls_that_end_together_are_held_as_well() {
    let late = |late: f64| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.request(FAR, &[Step::Model(CALL.late(0.0, late))]);
        fleet.request(FAR + 200.0, &[Step::Model(CALL.late(0.0, late - 200.0))]);
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| {
                let op = scene.forest.requests[20].ops.start;
                scene.releases.of_op(op).map(f64::round)
            },
        )
    };
    assert_eq!(late(1_000.0), Some(2_200.0));
    assert_eq!(
        late(850.0),
        None,
        "the second by less than seven tenths of a second"
    );
}
