//! Attempts that left no span, stalls, and calls that went elsewhere.

use super::*;

#[test]
fn what_ended_together_with_others_is_a_stall_as_far_as_the_silence_goes() {
    let silent = |silence| {
        of(
            &[2_236.7],
            |_, base| quiet(base, 0.1),
            |scene| {
                let op = scene.forest.requests[OWN as usize].ops.start;
                scene.releases.of_op.insert(op, silence);
            },
        )
    };
    // Three quarters of the silence; the rest is left to others, unless this is half of it.
    let found = silent(400.0);
    assert_eq!(found[0], (OrchestrationGap, 300.0, "released_together"));
    assert!(
        close(found[1].1, 343.35) && found[1].0 == NoisyNeighbour,
        "{found:?}"
    );
    assert_eq!(
        silent(1_000.0),
        [(OrchestrationGap, 750.0, "released_together")]
    );
    assert!(close(one(&silent(5_000.0)), 1_236.7));
    assert_eq!(
        silent(199.0)[0].0,
        NoisyNeighbour,
        "below three tenths of the floor"
    );
    assert_eq!(silent(200.0)[0].0, OrchestrationGap);
}

/// A call of which so many milliseconds passed before the first token, of 2,000 in all.
fn waited(
    first: Option<f64>,
    takes: f64,
    measured: impl FnOnce(&mut Ground<'_>),
    learned: impl FnOnce(&mut Scene<'_>),
    resends: u16,
) -> Found {
    let mut fleet = Fleet::healthy(OWN, 60_000.0);
    let call = Call {
        first,
        takes,
        resends,
        ..CALL
    };
    fleet.request(FAR, &[Step::Model(call)]);
    fleet.seen(
        |ground, base| {
            quiet(base, 0.0);
            measured(ground);
        },
        |scene| {
            expect(scene, FIRST, 500.0, 500.0);
            learned(scene);
        },
        |scene| charges(scene, OWN, look),
    )
}

#[test]
fn attempts_inside_a_call_cost_what_passed_before_its_first_token() {
    let resent = |first| waited(first, 2_000.0, |_| {}, |_| {}, 2);
    assert_eq!(
        resent(Some(1_200.0)),
        [(RetryCascade, 700.0, "hidden_attempts")]
    );
    // Where hardly anything did, the first token was timed from the last attempt on.
    assert_eq!(one(&resent(Some(650.0))), 1_000.0);
    assert_eq!(one(&resent(Some(651.0))), 151.0);
    assert_eq!(one(&resent(None)), 1_000.0);
    assert_eq!(waited(Some(1_200.0), 2_000.0, |_| {}, |_| {}, 0), []);
    let warned = |ground: &mut Ground<'_>| {
        let span = ground.measured.calls.get(FIRST).span;
        ground.warned.insert(span, 3);
    };
    assert_eq!(
        one(&waited(Some(1_200.0), 2_000.0, warned, |_| {}, 0)),
        700.0
    );
}

#[test]
fn attempts_inside_a_call_take_no_time_in_which_the_server_was_at_work_on_it() {
    let resent = |served: f64| {
        let mut fleet = Fleet::healthy(OWN, 60_000.0);
        let call = Call {
            first: Some(1_200.0),
            takes: 2_000.0,
            resends: 2,
            ..CALL
        };
        fleet.request(FAR, &[Step::Model(call)]);
        fleet.span(
            Op::Engine,
            2,
            FAR + 2_000.0 - served,
            FAR + 2_000.0,
            "server",
        );
        fleet.seen(
            |_, base| quiet(base, 0.0),
            |scene| expect(scene, FIRST, 500.0, 500.0),
            |scene| charges(scene, OWN, look),
        )
    };
    assert_eq!(
        one(&resent(1_000.0)),
        700.0,
        "the wait before the first token"
    );
    assert_eq!(one(&resent(1_400.0)), 600.0, "what the server did not see");
}

#[test]
fn what_the_server_did_not_see_lay_before_or_behind_it() {
    let served = |late: f64, length: f64| {
        let mut fleet = Fleet::healthy(OWN, 60_000.0);
        fleet.request(FAR, &[step(2_000.0)]);
        let start = FAR + late;
        let server = fleet.span(Op::Engine, 2, start, start + length, "server");
        fleet.seen(
            |ground, base| {
                quiet(base, 0.0);
                let engine = ground.measured.calls.all[FIRST as usize].engine;
                assert_eq!(engine.map(Small::get), Some(server as u32));
            },
            |scene| expect(scene, FIRST, 500.0, 500.0),
            |scene| charges(scene, OWN, look),
        )
    };
    assert_eq!(
        served(700.0, 1_000.0),
        [(RetryCascade, 1_000.0, "outside_server")]
    );
    assert_eq!(served(500.0, 1_000.0)[0].0, RetryCascade);
    assert_eq!(served(499.0, 1_000.0)[0].0, OrchestrationGap);
    assert_eq!(
        served(300.0, 1_400.0),
        [(RetryCascade, 600.0, "outside_server")]
    );
    assert_eq!(
        served(300.0, 1_401.0),
        [],
        "less than six tenths of the delay"
    );
}

#[test]
fn a_wait_while_others_were_failing_is_a_retry_that_left_no_span() {
    let failing = |times: &[(f64, u32, f64)], first: Option<f64>, takes| {
        let failures = |ground: &mut Ground<'_>| {
            let list = times.iter();
            let list = list
                .map(|&(time, request, length)| (at(time), request, Nanos((length * 1e6) as u64)));
            ground.failures = list.collect();
        };
        waited(first, takes, failures, |_| {}, 0)
    };
    let three = |at: f64| [(at, 1, 100.0), (at, 2, 100.0), (at, 3, 100.0)];
    let found = failing(&three(FAR), Some(2_000.0), 2_500.0);
    assert_eq!(found, [(RetryCascade, 1_500.0, "others_failing")]);
    assert_eq!(failing(&three(FAR)[..2], Some(2_000.0), 2_500.0), []);
    // Within one and a half tasks of 3,195 milliseconds on a quick dump.
    assert_eq!(
        failing(&three(FAR - 4_700.0), Some(2_000.0), 2_500.0).len(),
        1
    );
    assert_eq!(failing(&three(FAR - 4_900.0), Some(2_000.0), 2_500.0), []);
    assert_eq!(
        failing(&three(FAR + 2_500.0 + 4_700.0), Some(2_000.0), 2_500.0).len(),
        1
    );
    assert_eq!(
        failing(&three(FAR + 2_500.0 + 4_900.0), Some(2_000.0), 2_500.0),
        []
    );
    // Two floors before the first token, and most of the delay.
    assert_eq!(failing(&three(FAR), Some(1_500.0), 2_000.0), []);
    assert_eq!(failing(&three(FAR), Some(1_501.0), 2_001.0).len(), 1);
    assert_eq!(failing(&three(FAR), Some(2_000.0), 3_501.0), []);
    assert_eq!(failing(&three(FAR), Some(2_000.0), 3_499.0).len(), 1);
    let mut hang = three(FAR);
    hang[0].2 = 2_000.0;
    assert_eq!(failing(&hang, Some(2_000.0), 2_500.0), [], "one hung");
    let mut own = three(FAR);
    own[0].1 = OWN;
    assert_eq!(failing(&own, Some(2_000.0), 2_500.0), [], "one is its own");
    let mut twice = three(FAR);
    twice[0].1 = 2;
    assert_eq!(failing(&twice, Some(2_000.0), 2_500.0), [], "two requests");
    // Where no first token is shown, more of everything is needed.
    let five: Vec<_> = (1..6).map(|n| (FAR, n, 100.0)).collect();
    assert_eq!(
        failing(&five, None, 2_501.0),
        [(RetryCascade, 1_501.0, "others_failing")]
    );
    assert_eq!(failing(&five, None, 2_500.0), []);
    assert_eq!(failing(&five[..4], None, 2_501.0), []);
}

#[test]
fn a_call_that_others_overtook_waited_in_no_queue() {
    let overtaken = |by| {
        let by = move |scene: &mut Scene<'_>| scene.overtaken.0.extend(by);
        waited(Some(1_200.0), 2_000.0, |_| {}, by, 0)
    };
    assert_eq!(
        overtaken(Some((FIRST, 3))),
        [(RetryCascade, 700.0, "overtaken_by")]
    );
    assert_eq!(overtaken(Some((FIRST - 1, 3))), []);
}

/// A call to another address than all others' whose delay is told; `others` more went there as late as `late`.
fn away(own: f64, others: u32, late: f64) -> Found {
    away_among(0.0, own, others, late)
}

/// The same among so many calls of strangers.
fn away_among(strangers: f64, own: f64, others: u32, late: f64) -> Found {
    let to = |address, late| Step::Model(Call { address, ..CALL }.late(late, 0.0));
    let mut fleet = Fleet::default();
    (0..OWN).for_each(|n| {
        fleet.request(f64::from(n) * 60_000.0, &[to("home", 0.0), to("home", 0.0)]);
    });
    fleet.request(FAR, &[to("away", own)]);
    (0..others).for_each(|n| {
        fleet.request(FAR + 1e5 * f64::from(n + 1), &[to("away", late)]);
    });
    fleet.seen(
        |ground, base| {
            quiet(base, 0.0);
            ground.crowd.others.insert(2 * OWN, strangers);
        },
        |_| {},
        |scene| charges(scene, OWN, look),
    )
}

#[test]
fn a_call_that_went_elsewhere_is_charged_between_its_own_delay_and_what_is_usual_there() {
    let found = away(1_000.0, 0, 0.0);
    assert_eq!((found[0].0, found[0].2), (RoutingChange, "endpoint"));
    assert!((one(&found) - 1_000.0).abs() < 10.0, "{found:?}");
    assert!((one(&away(1_000.0, 3, 600.0)) - 800.0).abs() < 10.0);
    assert!((one(&away(-100.0, 3, 600.0)) - 250.0).abs() < 10.0);
    // What a crowd of strangers there adds is theirs.
    let crowded = away_among(5.0, 2_000.0, 3, 600.0);
    let causes: Vec<Cause> = crowded.iter().map(|c| c.0).collect();
    assert_eq!(causes, [RoutingChange, NoisyNeighbour]);
    assert!((crowded[0].1 - 600.0).abs() < 10.0, "{crowded:?}");
    assert_eq!(away(0.0, 0, 0.0).iter().filter(|c| c.1 > 1.0).count(), 0);
}

#[test]
fn what_all_met_at_home_is_not_charged_to_the_way() {
    let to = |address, late| Step::Model(Call { address, ..CALL }.late(late, 0.0));
    let mut fleet = Fleet::default();
    (0..OWN).for_each(|n| {
        fleet.request(f64::from(n) * 60_000.0, &[to("home", 0.0), to("home", 0.0)]);
    });
    fleet.request(FAR, &[to("away", 6_000.0)]);
    (1..6).for_each(|n| {
        fleet.request(FAR + f64::from(n), &[to("home", 0.0)]);
    });
    let found = fleet.seen(
        |_, base| quiet(base, 0.0),
        |scene| {
            let half = 700.0 / 1.025_f64.exp();
            (1..6).for_each(|n| expect(scene, FIRST + n, half, half));
            let (calls, sites) = (scene.calls, &scene.ground().sites);
            scene.windows = Windows::fold(calls, sites, &scene.seen, scene.reach, 1.2);
        },
        |scene| charges(scene, OWN, look),
    );
    // At home it would have taken 1.787 times its 1,400 milliseconds longer.
    assert!((one(&found) - 4_749.0).abs() < 15.0, "{found:?}");
}

#[test]
fn a_release_is_that_of_the_call_itself() {
    let mut fleet = Fleet::healthy(OWN, 60_000.0);
    fleet.request(FAR, &[step(1_000.0), further(3_000.0)]);
    let found = fleet.seen(
        |_, base| quiet(base, 0.0),
        |scene| {
            (0..2).for_each(|n| expect(scene, FIRST + n, 500.0, 500.0));
            let op = scene.forest.requests[OWN as usize].ops.start + 1;
            scene.releases.of_op.insert(op, 9_000.0);
        },
        |scene| charges(scene, OWN, look),
    );
    assert_eq!(found, [(OrchestrationGap, 2_000.0, "released_together")]);
}
