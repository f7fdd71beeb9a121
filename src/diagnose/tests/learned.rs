//! What is learned over all requests before any is judged.

use super::super::shared::share;
use super::super::{Judged, faults, judge_part};
use super::*;
use crate::diagnose::Cause::ToolBottleneck;
use crate::diagnose::faults::Faults;
use crate::model::{LogRecord, Point, Series, SeriesKind};

const FAR: f64 = 1e7;

#[test]
fn calls_go_to_one_place_each_address_and_without_one_each_region_and_model() {
    let to = |address, model| {
        Step::Model(Call {
            address,
            model,
            ..CALL
        })
    };
    let mut fleet = Fleet::default();
    fleet.request(
        0.0,
        &[
            to("eu", "a"),
            to("eu", "b"),
            to("us", "a"),
            to("", "a"),
            to("", "b"),
        ],
    );
    fleet.region = "north";
    fleet.request(1e5, &[to("", "a"), to("eu", "a")]);
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| {
            assert_eq!(scene.sites, [0, 0, 1, 2, 3, 4, 0]);
            let place = |name| scene.places[&scene.dataset.names.find(name).unwrap()];
            assert_eq!((place("eu"), place("us"), scene.places.len()), (0, 1, 2));
        },
    );
}

#[test]
fn warnings_are_logs_of_http_failures_under_a_span() {
    let mut fleet = Fleet::healthy(1, 60_000.0);
    let (trace, span) = (TraceId(1), fleet.data.records[1].id);
    for (severity, status, span) in [
        (13, Some(429), span),
        (17, Some(400), span),
        (12, Some(429), span),
        (13, Some(399), span),
        (13, None, span),
        (13, Some(503), SpanId::NONE),
    ] {
        fleet.data.logs.push(LogRecord {
            time: at(1.0),
            trace,
            span,
            severity,
            http_status: status,
            event: Sym::NONE,
            resource: 0,
            body_bytes: 0,
        });
    }
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| {
            let ops = &scene.forest.ops;
            assert_eq!(
                (scene.warnings(ops[0].span), scene.warnings(ops[1].span)),
                (2, 0)
            );
        },
    );
}

#[test]
fn failed_attempts_are_listed_by_time_with_their_request_and_length() {
    let mut fleet = Fleet::default();
    fleet.request(
        0.0,
        &[Step::Pause(9_000.0), Step::Failed(70.0), Step::Model(CALL)],
    );
    fleet.request(
        1.0,
        &[Step::Model(CALL), Step::Failed(30.0), Step::Model(CALL)],
    );
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| {
            let millis = |n: u64| Nanos(n * 1_000_000);
            let expected = [(at(1_401.0), 1, millis(30)), (at(9_000.0), 0, millis(70))];
            assert_eq!(scene.failures, expected);
            assert!(scene.shows_clients);
            assert_eq!(scene.comparable, 2);
        },
    );
}

/// A call of a client to a server, which took so much of it.
fn served(fleet: &mut Fleet, start: f64, takes: f64) {
    fleet.request(start, &[Step::Model(Call { takes, ..CALL })]);
    fleet.service = "server";
    fleet.span(Op::Engine, 2, start, start + takes, "generate");
    fleet.service = "";
}

/// The same of a client that is not in the dump.
fn stranger(fleet: &mut Fleet, start: f64, takes: f64) {
    fleet.service = "server";
    let root = fleet.root(Op::Engine, start, "generate");
    fleet.called(CALL);
    fleet.data.records[root].end = at(start + takes);
    fleet.service = "";
}

#[test]
fn a_servers_crowd_is_the_calls_of_strangers_in_flight() {
    let mut fleet = Fleet::default();
    served(&mut fleet, 0.0, 2_000.0);
    served(&mut fleet, 100.0, 1_000.0);
    stranger(&mut fleet, -1_000.0, 4_000.0);
    stranger(&mut fleet, 1_000.0, 2_000.0);
    (0..8).for_each(|n| served(&mut fleet, 1e6 + 1e5 * f64::from(n), 1_000.0));
    let of = |fleet: Fleet| {
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| {
                let numbers = 0..scene.calls.all.len() as u32;
                let counts: Vec<_> = numbers.map(|n| scene.crowd.others(n)).collect();
                (counts, scene.crowd.usual, scene.crowd.certainty(0))
            },
        )
    };
    let mut few = Fleet::default();
    (0..11).for_each(|n| served(&mut few, 1e6 + 1e5 * f64::from(n), 1_000.0));
    assert!(
        of(few).0.iter().all(Option::is_none),
        "eleven calls have no usual crowd"
    );
    let (counts, usual, certainty) = of(fleet);
    let known: Vec<f64> = counts.into_iter().map(Option::unwrap).collect();
    // By start: the first stranger, beside whom another ran half of the time; the calls, beside one or both of them.
    assert_eq!(known[..4], [0.5, 1.5, 1.1, 1.0]);
    assert!(known[4..].iter().all(|n| *n == 0.0));
    assert_eq!((usual, certainty), (0.0, 0.0));
}

#[test]
fn a_crowd_is_beyond_doubt_at_twice_what_counts_as_one() {
    Fleet::healthy(4, 60_000.0).seen(
        |ground, _| {
            ground.crowd.usual = 2.0;
            ground
                .crowd
                .others
                .extend([(0, 7.5), (1, 11.25), (2, 15.0), (3, 7.0)]);
        },
        |_| {},
        |scene| {
            let of = |n| (scene.crowd.weight(n), scene.crowd.certainty(n));
            assert_eq!(
                [of(0), of(1), of(2), of(3)],
                [(1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (0.5, 0.0)]
            );
            assert_eq!(of(4), (0.0, 0.0), "nothing is known");
            let known = faults::known(scene.ground()).crowded;
            assert_eq!(known[..5], [true, true, true, true, false]);
        },
    );
}

#[test]
fn servers_without_a_region_serve_the_only_one_there_is() {
    let at_home = |regions: &[&'static str]| {
        let mut fleet = Fleet::default();
        let name = fleet
            .data
            .names
            .intern("vllm:time_per_output_token_seconds");
        for kind in [SeriesKind::HistogramSum, SeriesKind::HistogramCount] {
            let points = (0..20).map(|n: u32| {
                let (time, count) = (at(10_000.0 * f64::from(n)), f64::from(n));
                let value = if kind == SeriesKind::HistogramSum {
                    2.0 * count
                } else {
                    100.0 * count
                };
                Point { time, value }
            });
            let labels = Vec::new();
            let points = points.collect();
            fleet.data.series.push(Series {
                name,
                kind,
                labels,
                points,
            });
        }
        for (n, region) in (1..).zip(regions) {
            fleet.region = region;
            fleet.request(11_000.0 * f64::from(n), &[Step::Model(CALL)]);
        }
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| scene.serving.at_home(scene.calls.get(0)),
        )
    };
    assert!((at_home(&["eu", "eu"]).unwrap() - 1.0).abs() < 1e-6);
    assert_eq!(at_home(&["eu", "us"]), None);
}

#[test]
fn a_home_is_where_most_calls_of_a_client_go() {
    let away = |home: u32, elsewhere: u32| {
        let mut fleet = Fleet::default();
        for n in 0..home + elsewhere {
            let address = if n < home { "home" } else { "away" };
            fleet.request(
                60_000.0 * f64::from(n),
                &[Step::Model(Call { address, ..CALL })],
            );
        }
        let numbers = 0..home + elsewhere;
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| numbers.filter(|n| scene.routes.is_away(*n)).count(),
        )
    };
    assert_eq!(away(6, 4), 4);
    assert_eq!(away(4, 6), 4, "the home is the other");
    assert_eq!(away(5, 5), 0, "there is none");
}

#[test]
fn elsewhere_costs_what_three_calls_there_took_longer_than_at_home() {
    let extra = |elsewhere: u32, output| {
        let call = |late: f64| {
            Call {
                address: if late > 0.0 { "away" } else { "home" },
                ..CALL
            }
            .late(late, late)
        };
        let mut fleet = Fleet::default();
        (0..20).for_each(|n| {
            fleet.request(60_000.0 * f64::from(n), &[Step::Model(call(0.0))]);
        });
        (0..elsewhere).for_each(|n| {
            fleet.request(FAR + 60_000.0 * f64::from(n), &[Step::Model(call(600.0))]);
        });
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| {
                let mut call = *scene.calls.get(20);
                call.output = Some(crate::units::Small::new(output));
                scene.routes.typical_extra(&call)
            },
        )
    };
    assert_eq!(extra(2, 60), None);
    // 600 milliseconds, and 10 for each of sixty tokens.
    assert!((extra(3, 60).unwrap() - 1_200.0).abs() < 1.0);
    assert!((extra(3, 120).unwrap() - 1_800.0).abs() < 1.0);
}

#[test]
fn those_slowed_around_a_request_are_counted_place_by_place() {
    let mut fleet = Fleet::default();
    let call = |address| Step::Model(Call { address, ..CALL });
    // One task and a half of 1,400 milliseconds is how far around each is looked.
    for (start, address) in [
        (0.0, "a"),
        (1_000.0, "a"),
        (2_000.0, "b"),
        (3_000.0, "a"),
        (9_000.0, "a"),
    ] {
        fleet.request(start, &[call(address)]);
    }
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| {
            let slowed = [true, true, true, false, true].map(|slow| Faults {
                slow_for: slow.then_some(Cause::NoisyNeighbour),
                ..Faults::default()
            });
            let proven = faults::proven(scene, &slowed);
            let around = |request, site| proven.around(request, site);
            assert_eq!(around(0, 0), Some((1, 2)), "the second of the two others");
            assert_eq!(around(3, 0), Some((2, 2)));
            assert_eq!(around(4, 0), None, "nobody is near");
            assert_eq!(around(2, 1), None, "nobody else is there");
            let other = Faults {
                slow_for: Some(ToolBottleneck),
                ..Faults::default()
            };
            let others = [
                other,
                Faults::default(),
                Faults::default(),
                Faults::default(),
                Faults::default(),
            ];
            assert!(faults::proven(scene, &others).0.is_empty());
        },
    );
}

#[test]
fn calls_overtaken_by_two_that_were_served_at_once_waited_in_no_queue() {
    let overtaken = |late: f64, behind: u32, rest: f64| {
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.request(FAR, &[Step::Model(CALL.late(late, rest))]);
        (0..behind).for_each(|n| {
            fleet.request(FAR + 100.0 + f64::from(n), &[Step::Model(CALL)]);
        });
        fleet.seen(|_, _| {}, |_| {}, |scene| scene.overtaken.by(40))
    };
    // Twice the floor of half a second.
    assert_eq!(overtaken(1_010.0, 3, 0.0), Some(3));
    assert_eq!(overtaken(990.0, 3, 0.0), None);
    assert_eq!(overtaken(1_010.0, 1, 0.0), None);
    // After the wait it ran at its usual rate: a quarter of 1,200 milliseconds longer at most.
    assert_eq!(overtaken(1_010.0, 2, 290.0), Some(2));
    assert_eq!(overtaken(1_010.0, 2, 310.0), None);
}

#[test]
fn a_giant_burdens_its_place_until_its_work_is_done() {
    let found = |input: u32, late: f64| {
        let first = 100.0 + f64::from(input - 1_500) / 5.0 + late;
        let giant = Call {
            input: Some(input),
            first: Some(first),
            takes: first + 1_200.0,
            ..CALL
        };
        let mut fleet = Fleet::healthy(20, 60_000.0);
        fleet.request(FAR, &[Step::Model(giant)]);
        fleet.seen(
            |_, _| {},
            |_| {},
            |scene| {
                let site = scene.sites[40];
                let until = |after: f64| {
                    let window = crate::units::Window {
                        start: at(FAR + after),
                        end: at(FAR + after + 1.0),
                    };
                    scene
                        .giants
                        .around(site, window)
                        .map(|g| g.millis.round())
                        .next()
                };
                let end = (0..60_000)
                    .step_by(50)
                    .take_while(|n| until(f64::from(*n)).is_some());
                (until(0.0), end.last())
            },
        )
    };
    assert_eq!(found(3_000, 0.0), (None, None), "no surge");
    // Extra work of some 600 milliseconds: its own first token, and six floors.
    let (millis, last) = found(5_000, 0.0);
    assert_eq!(millis, Some(598.0));
    assert_eq!(last, Some(3_800));
    // What it waited longer adds to it; beyond three floors, twice its own delay.
    assert_eq!(found(5_000, 1_000.0), (Some(1_598.0), Some(4_950)));
}

#[test]
fn judged_as_one_part_all_is_as_judged_at_once() {
    let fleet = || {
        let mut fleet = Fleet::healthy(30, 20_000.0);
        let tool = |n| {
            [
                Step::Model(CALL),
                Step::Tool("search", n, 9_000.0),
                Step::Model(CALL),
            ]
        };
        (0..4).for_each(|n| {
            fleet.request(5e6 + f64::from(n) * 5_000.0, &tool(n));
        });
        (0..4).for_each(|n| {
            let retry = [
                Step::Model(CALL),
                Step::Failed(300.0),
                Step::Pause(4_000.0),
                Step::Model(CALL),
            ];
            fleet.request(6e6 + f64::from(n) * 5_000.0, &retry);
        });
        (0..5).for_each(|n| {
            fleet.request(
                7e6 + f64::from(n) * 100.0,
                &[Step::Model(CALL.late(4_000.0, 4_000.0))],
            );
        });
        fleet
    };
    let (data, forest, whole) = fleet().diagnose();
    let (shared, own) = share(&data, &forest, &Options::default(), None, &[0; 43]);
    let [own] = <[_; 1]>::try_from(own).ok().unwrap();
    for name in ["m", "agent", "search", "task"] {
        assert!(shared.names.iter().any(|known| known == name), "{name}");
    }
    let judged = judge_part(&data, &forest, shared, own);
    let text = |list: &[super::super::Diagnosis]| serde_json::to_string(list).unwrap();
    assert_eq!(text(&judged.diagnoses), text(&whole.diagnoses));
    let slow: Vec<u32> = whole
        .diagnoses
        .iter()
        .filter(|d| d.slow)
        .map(|d| d.request)
        .collect();
    assert!(slow.len() >= 8, "{slow:?}");
    let without: Vec<u32> = judged.without.iter().map(|w| w.0).collect();
    assert_eq!(without, slow);
}

#[test]
fn numbers_of_requests_and_spans_are_exchanged_everywhere() {
    let mut fleet = Fleet::healthy(20, 60_000.0);
    (0..2).for_each(|n| {
        let retry = [
            Step::Model(CALL),
            Step::Failed(300.0),
            Step::Pause(4_000.0),
            Step::Model(CALL),
            Step::Tool("search", n, 9_000.0),
        ];
        fleet.request(5e6 + f64::from(n) * 5_000.0, &retry);
    });
    let (data, forest, _) = fleet.diagnose();
    let (shared, mut own) = share(&data, &forest, &Options::default(), None, &[0; 22]);
    let mut judged = judge_part(&data, &forest, shared, own.remove(0));
    let cited = |judged: &Judged| {
        let mut all = Vec::new();
        for d in &judged.diagnoses {
            all.push((d.request, u32::MAX));
            let held = d.considered.iter().filter_map(|o| match o {
                super::super::Outcome::Holds(claim) => Some(claim),
                _ => None,
            });
            for claim in d.claims.iter().chain(held) {
                all.extend(
                    claim
                        .evidence
                        .iter()
                        .filter_map(|f| Some((d.request, f.span?))),
                );
            }
        }
        for (request, (_, spared)) in &judged.without {
            all.extend(spared.iter().map(|s| (*request, s.span)));
        }
        all
    };
    let before = cited(&judged);
    judged.renumber(|request| request + 1_000, |span| span + 5_000_000);
    let moved = before
        .iter()
        .map(|(r, s)| (r + 1_000, if *s == u32::MAX { *s } else { s + 5_000_000 }));
    assert_eq!(cited(&judged), moved.collect::<Vec<_>>());
    assert!(before.iter().filter(|c| c.1 != u32::MAX).count() > 8);
    let count = (judged.diagnoses.len(), judged.without.len());
    let mut twice = judged.clone();
    twice.absorb(judged);
    assert_eq!(
        (twice.diagnoses.len(), twice.without.len()),
        (2 * count.0, 2 * count.1)
    );
}

#[test]
fn a_pass_leaves_out_what_it_faulted_unless_hardly_anything_were_left() {
    let excluded = |slow: u32| {
        Fleet::healthy(20, 60_000.0).seen(
            |_, _| {},
            |_| {},
            |scene| {
                let of = |n| Faults {
                    slow_for: (n < slow).then_some(ToolBottleneck),
                    ..Faults::default()
                };
                let mut notes = Vec::new();
                let found: Vec<Faults> = (0..20).map(of).collect();
                let next =
                    faults::exclude(scene.ground(), &found, &Excluded::default(), &mut notes);
                let ops = next.ops.iter().filter(|out| **out).count();
                let left = faults::healthy(scene.forest, &next);
                (ops, left, notes.len())
            },
        )
    };
    assert_eq!(excluded(0), (0, 20, 0));
    assert_eq!(excluded(5), (15, 15, 0));
    // Fifteen in a hundred calls must be left.
    assert_eq!(excluded(17), (51, 3, 0));
    assert_eq!(excluded(18), (0, 20, 1));
}

#[test]
fn what_a_part_cannot_know_counts_from_its_own_beginning() {
    let mut fleet = Fleet::healthy(20, 60_000.0);
    fleet.request(FAR, &[Step::Model(CALL.late(1_500.0, 0.0))]);
    (0..3).for_each(|n| {
        fleet.request(FAR + 100.0 + f64::from(n), &[Step::Model(CALL)]);
    });
    let (data, forest) = fleet.build();
    // Every other request lies in the second part.
    let part_of: Vec<u32> = (0..24).map(|n| n % 2).collect();
    let (_, own) = share(&data, &forest, &Options::default(), None, &part_of);
    assert_eq!(
        own[0].requests,
        (0..12).map(|n| 2 * n).collect::<Vec<u32>>()
    );
    // Ten requests of two calls come before it there.
    assert_eq!(
        (own[0].overtaken.as_slice(), own[1].overtaken.len()),
        (&[(20, 3)][..], 0)
    );
    assert_eq!(own[0].witnesses.len(), 12);
}
