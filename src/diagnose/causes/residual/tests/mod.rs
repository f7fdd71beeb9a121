//! What a call that took longer than its work should is charged with, and from where on.

mod attempts;

use super::super::LOOKS;
use super::{Account, Cause, Scene, Target, contention, look};
use crate::baseline::Baselines;
use crate::diagnose::Cause::{
    ColdCache, LongGeneration, NoisyNeighbour, OrchestrationGap, PrefillSurge, RetryCascade,
    RoutingChange, ToolBottleneck,
};
use crate::diagnose::ground::Ground;
use crate::diagnose::tests::{CALL, Call, Fleet, Step, at, charges, expect, proof};
use crate::diagnose::windows::Windows;
use crate::model::{Op, Point, Series, SeriesKind};
use crate::units::{Nanos, Small};

type Found = Vec<(Cause, f64, &'static str)>;

/// Where the request that is looked at begins: far from all others.
const FAR: f64 = 1e7;
/// Its number, and the numbers of its calls.
const OWN: u32 = 20;
const FIRST: u32 = 40;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.05 + 1e-4 * b.abs()
}

fn one(found: &Found) -> f64 {
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].1
}

fn step(takes: f64) -> Step {
    Step::Model(Call {
        first: Some(takes - 500.0),
        takes,
        ..CALL
    })
}

/// A further call, which finds the prompt before it cached.
fn further(takes: f64) -> Step {
    Step::Model(Call {
        input: Some(2_400),
        cached: Some(2_000),
        first: Some(takes - 500.0),
        takes,
        ..CALL
    })
}

fn quiet(base: &mut Baselines, spread: f64) {
    base.prices.spread = spread;
    base.prices.together = None;
}

/// Of calls that took so long each where half a second to the first token and as much after was expected.
fn of(
    takes: &[f64],
    measured: impl FnOnce(&mut Ground<'_>, &mut Baselines),
    learned: impl FnOnce(&mut Scene<'_>),
) -> Found {
    let mut fleet = Fleet::healthy(OWN, 60_000.0);
    let steps = takes.iter().zip(0..);
    let steps = steps.map(|(takes, n)| {
        if n == 0 {
            step(*takes)
        } else {
            further(*takes)
        }
    });
    fleet.request(FAR, &steps.collect::<Vec<_>>());
    let ready = |scene: &mut Scene<'_>| {
        (0..takes.len() as u32).for_each(|n| expect(scene, FIRST + n, 500.0, 500.0));
        learned(scene);
    };
    fleet.seen(measured, ready, |scene| charges(scene, OWN, look))
}

/// Nothing but how slow it was speaks for contention.
fn alone(log_ratio: f64, spread: f64) -> Found {
    of(
        &[1_000.0 * log_ratio.exp()],
        |_, base| quiet(base, spread),
        |_| {},
    )
}

#[test]
fn alone_a_call_counts_from_seven_spreads_on_and_fully_from_a_third_more() {
    // Half of what is beyond the natural quarter of the expectation.
    assert!(close(one(&alone(0.805, 0.1)), 493.35));
    assert!(close(one(&alone(1.61, 0.2)), 1_876.4));
    assert_eq!(alone(0.69, 0.1), [], "not below a factor of two");
    assert_eq!(alone(0.69, 0.05), []);
    assert_eq!(alone(1.39, 0.2), []);
    // Where healthy calls scatter widely, by one spread.
    assert!(close(one(&alone(2.415, 0.3)), 4_919.97));
    // Whatever the spread, from a factor of twelve on.
    assert!(close(one(&alone(2.875, 0.5)), 8_038.3));
    assert!(close(
        one(&alone(0.92, 0.1)),
        1_000.0 * 0.92_f64.exp() - 1_250.0
    ));
    assert!(close(
        one(&alone(1.5, 0.1)),
        1_000.0 * 1.5_f64.exp() - 1_250.0
    ));
    assert_eq!(alone(5.0, 0.0), [], "nothing is known of the spread");
    assert_eq!(alone(0.805, 0.1)[0].2, "slowdown");
}

fn together(takes: &[f64], spread: f64) -> Found {
    of(
        takes,
        |_, base| {
            quiet(base, 0.0);
            base.prices.together = Some(spread);
        },
        |_| {},
    )
}

#[test]
fn the_calls_of_a_request_count_together_from_eight_spreads_of_requests_on() {
    let half = 1_000.0 * 0.46_f64.exp();
    let found = together(&[half, half], 0.05);
    assert_eq!(found.len(), 2);
    assert!(
        close(found[0].1, 167.04) && close(found[1].1, 167.04),
        "{found:?}"
    );
    assert_eq!(found[0].2, "slowdown_of_request");
    assert_eq!(together(&[half], 0.05), [], "of one call all is said");
    // Not below 1.4 times the expectation, and whatever the spread from a factor of twelve on.
    let least = 1_000.0 * 0.402_5_f64.exp();
    assert!(close(together(&[least, least], 0.01)[0].1, 122.78));
    assert_eq!(together(&[1_410.0, 1_410.0], 0.01), []);
    let most = 1_000.0 * 2.875_f64.exp();
    assert!(close(together(&[most, most], 0.4)[0].1, 8_237.7));
    // A call that was faster than expected speaks against it.
    assert_eq!(together(&[half, 900.0], 0.05), []);
    let slow = together(&[4_000.0, 900.0], 0.05);
    let weight = ((4.9_f64 / 2.0).ln() / 0.4 - 1.0) / 0.3;
    assert!(weight > 1.0 && close(one(&slow), 2_750.0), "{slow:?}");
}

/// A call of twice its expectation beside `others` calls that took this much of theirs.
fn in_company(others: u32, log_ratio: f64, limit: f64) -> Found {
    let mut fleet = Fleet::healthy(OWN, 60_000.0);
    fleet.request(FAR, &[step(2_000.0)]);
    (0..others).for_each(|n| {
        fleet.request(FAR + 1.0 + f64::from(n), &[step(2_000.0)]);
    });
    fleet.seen(
        |_, base| quiet(base, 0.0),
        |scene| {
            expect(scene, FIRST, 500.0, 500.0);
            let half = 1_000.0 / log_ratio.exp();
            (1..=others).for_each(|n| expect(scene, FIRST + n, half, half));
            scene.company_limit = limit.exp();
            let (calls, sites) = (scene.calls, &scene.ground().sites);
            scene.windows = Windows::fold(calls, sites, &scene.seen, scene.reach, limit.exp());
        },
        |scene| charges(scene, OWN, look),
    )
}

#[test]
fn slowed_company_counts_by_how_far_it_is_beyond_its_limit() {
    let found = in_company(5, 1.025, 0.9);
    assert!(close(one(&found), 332.87), "{found:?}");
    assert_eq!(found[0].2, "shared_slowdown");
    // Fully from 1.3 times the limit on; from there to twice, the natural share of one's own fades.
    assert!(close(one(&in_company(5, 1.025, 0.6)), 832.0));
    assert!(close(one(&in_company(5, 1.025, 0.3)), 1_000.0));
    assert_eq!(in_company(5, 1.025, 1.05), []);
    assert_eq!(in_company(3, 1.025, 0.3), [], "three are no company");
    assert_eq!(in_company(4, 1.025, 0.3).len(), 1);
}

#[test]
fn a_crowd_at_the_server_counts_by_its_size() {
    let crowd = |others: f64| {
        of(
            &[2_000.0],
            |ground, base| {
                quiet(base, 0.0);
                ground.crowd.usual = 1.0;
                ground.crowd.others.insert(FIRST, others);
            },
            |_| {},
        )
    };
    // From three times the usual and half a call more on, fully with a whole one more; beyond doubt at twice that.
    assert_eq!(crowd(3.5), []);
    assert!(close(one(&crowd(4.0)), 375.0));
    assert!(close(one(&crowd(4.5)), 750.0));
    assert!(close(one(&crowd(6.75)), 875.0));
    assert_eq!(crowd(4.0)[0].2, "others_in_flight");
}

#[test]
fn where_most_around_were_slowed_by_others_so_was_this_one() {
    let proven = |victims, others| {
        of(
            &[2_000.0],
            |_, base| quiet(base, 0.0),
            |scene| {
                let site = scene.sites[FIRST as usize];
                let around = (victims, others);
                scene.found.proven.0.insert((OWN, site), around);
            },
        )
    };
    assert_eq!(proven(4, 10), []);
    assert!(close(one(&proven(5, 10)), 375.0));
    assert!(close(one(&proven(3, 5)), 750.0));
    assert!(close(one(&proven(9, 9)), 750.0));
    assert_eq!(proven(2, 3), [], "two are too few");
    assert_eq!(proven(5, 10)[0].2, "victims_around");
    let observed = Fleet::healthy(OWN, 60_000.0).seen(
        |_, base| quiet(base, 0.0),
        |scene| {
            expect(scene, 0, 100.0, 100.0);
            let site = scene.sites[0];
            scene.found.proven.0.insert((0, site), (5, 10));
        },
        |scene| {
            let mut account = Account::default();
            look(scene, 0, &mut account);
            account.charges[0].proof.observed
        },
    );
    assert_eq!(observed, 50.0, "percent");
}

/// Scrapes every ten seconds of a region's inter-token times: so many milliseconds, and others from 9,990 to 10,020
/// seconds.
fn scraped(fleet: &mut Fleet, region: &str, usual: f64, then: f64) {
    let data = &mut fleet.data;
    let name = data.names.intern("vllm:time_per_output_token_seconds");
    let label = (data.names.intern("region"), data.names.intern(region));
    for kind in [SeriesKind::HistogramSum, SeriesKind::HistogramCount] {
        let mut total = 0.0;
        let points = (980..1_020).map(|n: u32| {
            let level = if (999..1_002).contains(&n) {
                then
            } else {
                usual
            };
            let value = total;
            total += match kind {
                SeriesKind::HistogramSum => level / 10.0,
                _ => 100.0,
            };
            let time = at(f64::from(n) * 10_000.0);
            Point { time, value }
        });
        data.series.push(Series {
            name,
            kind,
            labels: vec![label],
            points: points.collect(),
        });
    }
}

/// Usual requests of one region, whose servers, and those of another, become slower by such factors.
fn between(home: f64, elsewhere: f64) -> Fleet {
    let mut fleet = Fleet {
        region: "eu",
        ..Fleet::default()
    };
    scraped(&mut fleet, "eu", 20.0, home * 20.0);
    scraped(&mut fleet, "us", 30.0, elsewhere * 30.0);
    (0..OWN).for_each(|n| {
        fleet.request(f64::from(n) * 60_000.0, &crate::diagnose::tests::usual(n));
    });
    fleet
}

/// A call of twice its expectation in a region whose servers, and those of another, were slower by such factors.
fn in_region(home: f64, elsewhere: f64, limit: f64) -> Found {
    let mut fleet = between(home, elsewhere);
    fleet.request(FAR, &[step(2_000.0)]);
    fleet.seen(
        |_, base| quiet(base, 0.0),
        |scene| {
            expect(scene, FIRST, 500.0, 500.0);
            scene.company_limit = limit;
        },
        |scene| charges(scene, OWN, look),
    )
}

#[test]
fn servers_under_pressure_say_so_themselves() {
    assert_eq!(in_region(2.9, 1.0, 1.3), []);
    // Three times their normal pace, or what counts as slowed company; beyond doubt at twice that.
    let found = in_region(4.5, 1.0, 1.3);
    assert_eq!(found[0].2, "inter_token_time");
    assert!(close(one(&found), 875.0), "{found:?}");
    assert!(close(one(&in_region(7.0, 1.0, 1.3)), 1_000.0));
    assert_eq!(in_region(4.5, 1.0, 5.0), []);
    assert_eq!(found[0].0, NoisyNeighbour);
}

/// Five requests whose calls took twice their expectation, while their own region's servers and another's were slower
/// by such factors.
fn moved(home: f64, elsewhere: f64, own: f64) -> Found {
    let mut fleet = between(home, elsewhere);
    fleet.request(FAR, &[step(own * 1_000.0)]);
    (1..6).for_each(|n| {
        fleet.request(FAR + f64::from(n), &[step(2_000.0)]);
    });
    fleet.seen(
        |_, base| quiet(base, 0.0),
        |scene| {
            (0..6).for_each(|n| expect(scene, FIRST + n, 500.0, 500.0));
            let (calls, sites) = (scene.calls, &scene.ground().sites);
            scene.windows = Windows::fold(calls, sites, &scene.seen, scene.reach, 10.0);
            scene.company_limit = 10.0;
        },
        |scene| charges(scene, OWN, look),
    )
}

#[test]
fn all_that_is_slow_like_another_regions_servers_went_there() {
    let found = moved(1.0, 3.0, 2.0);
    assert_eq!(found, [(RoutingChange, 1_000.0, "inter_token_time")]);
    assert_eq!(moved(1.4, 3.0, 2.0), [], "at home they were slow, too");
    assert_eq!(moved(1.0, 1.25, 2.0), [], "elsewhere they were not");
    assert_eq!(moved(1.0, 1.9, 2.0), [], "slower than there");
    // The request itself by two fifths of what the servers there show, in logarithms, and 1.3 at least.
    assert_eq!(moved(1.0, 3.0, 1.5), []);
    assert_eq!(moved(1.0, 3.0, 1.6).len(), 1);
    assert_eq!(moved(1.3, 3.0, 2.0).len(), 1);
    // By all of its calls together.
    let mut fleet = Fleet {
        region: "eu",
        ..Fleet::default()
    };
    scraped(&mut fleet, "eu", 20.0, 20.0);
    scraped(&mut fleet, "us", 30.0, 90.0);
    (0..OWN).for_each(|n| {
        fleet.request(f64::from(n) * 60_000.0, &crate::diagnose::tests::usual(n));
    });
    fleet.request(FAR, &[step(2_000.0), further(1_100.0)]);
    (1..6).for_each(|n| {
        fleet.request(FAR + f64::from(n), &[step(2_000.0)]);
    });
    let found = fleet.seen(
        |_, base| quiet(base, 0.0),
        |scene| {
            (0..7).for_each(|n| expect(scene, FIRST + n, 500.0, 500.0));
            let (calls, sites) = (scene.calls, &scene.ground().sites);
            scene.windows = Windows::fold(calls, sites, &scene.seen, scene.reach, 10.0);
            scene.company_limit = 10.0;
        },
        |scene| charges(scene, OWN, look),
    );
    assert_eq!(
        found,
        [],
        "the mean of 2 and 1.1, in logarithms, is less than 1.55"
    );
}

#[test]
fn a_neighbours_giant_prompt_counts_where_it_is_most_of_the_delay() {
    let beside = |late: f64, servers: Option<[u32; 2]>| {
        let giant = Call {
            input: Some(20_000),
            first: Some(3_800.0),
            takes: 5_000.0,
            ..CALL
        };
        let mut fleet = Fleet::healthy(OWN, 60_000.0);
        fleet.request(FAR, &[step(1_000.0 + late)]);
        fleet.request(FAR + 1.0, &[Step::Model(giant)]);
        fleet.seen(
            |ground, base| {
                quiet(base, 0.0);
                for (call, server) in (FIRST..).zip(servers.into_iter().flatten()) {
                    ground.servers.insert(call, server);
                }
            },
            |scene| expect(scene, FIRST, 500.0, 500.0),
            |scene| charges(scene, OWN, look),
        )
    };
    // It took 3,600 milliseconds more than a usual one: four fifths of 4,500.
    let found = beside(4_300.0, None);
    assert!(close(one(&found), 4_050.0), "{found:?}");
    assert_eq!(found[0].2, "neighbour_prefill");
    assert_eq!(beside(4_700.0, None), []);
    assert_eq!(beside(4_300.0, Some([1, 1])).len(), 1);
    assert_eq!(beside(4_300.0, Some([1, 2])), [], "at another server");
}

#[test]
fn contention_goes_to_a_fault_of_which_it_is_a_fair_share() {
    let after = |cause, pure: f64, contention: f64| {
        let mut account = Account::default();
        account.charge(cause, Target::Op(0), pure, proof("f"));
        account.charge(NoisyNeighbour, Target::Op(1), contention, proof("f"));
        contention::own(&mut account);
        account.total(cause)
    };
    assert_eq!(after(ColdCache, 21.0, 80.0), 101.0);
    assert_eq!(after(ColdCache, 19.0, 80.0), 19.0);
    assert_eq!(after(PrefillSurge, 12.5, 88.0), 100.5);
    assert_eq!(after(PrefillSurge, 11.5, 88.0), 11.5);
    assert_eq!(after(ToolBottleneck, 500.0, 80.0), 500.0);
    let doubted = |certainty| {
        let mut account = Account::default();
        account.charge(ColdCache, Target::Op(0), 50.0, proof("f"));
        account.charge(NoisyNeighbour, Target::Op(1), 80.0, proof("f"));
        account.vouch(80.0, certainty);
        contention::own(&mut account);
        account.total(ColdCache)
    };
    assert_eq!((doubted(0.4), doubted(0.6)), (130.0, 50.0));
}

/// All that looks before contention, and then contention.
fn after_all(steps: &[Step]) -> Found {
    let mut fleet = Fleet::healthy(OWN, 60_000.0);
    fleet.request(FAR, steps);
    fleet.seen(
        |_, base| quiet(base, 0.1),
        |_| {},
        |scene| {
            let mut account = Account::default();
            LOOKS[..8]
                .iter()
                .for_each(|look| look(scene, OWN, &mut account));
            let charges = account.charges.iter();
            charges.map(|c| (c.cause, c.millis, c.proof.fact)).collect()
        },
    )
}

#[test]
fn the_pure_price_of_a_fault_leaves_the_rest_of_the_delay_to_contention() {
    let cold = Call {
        input: Some(2_400),
        cached: Some(0),
        first: Some(180.0),
        takes: 1_380.0,
        ..CALL
    };
    let found = after_all(&[Step::Model(CALL), Step::Model(cold.late(4_400.0, 0.0))]);
    let [(cold, pure, _), (noisy, rest, _)] = found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((cold, noisy), (ColdCache, NoisyNeighbour));
    assert!(
        (pure - 400.0).abs() < 4.0 && (rest - 4_000.0).abs() < 40.0,
        "{found:?}"
    );
}

#[test]
fn of_a_long_answer_the_delay_beyond_its_own_is_contention() {
    let long = Call {
        output: Some(420),
        takes: 200.0 + 420.0 * 20.0 + 30_000.0,
        ..CALL
    };
    let found = after_all(&[Step::Model(long)]);
    let [(first, taken, _), (noisy, rest, _)] = found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((first, noisy), (LongGeneration, NoisyNeighbour));
    let pure = 359.3 * 1_200.0 / 59.0;
    assert!((taken - 1.5 * pure).abs() < 0.02 * taken, "{found:?}");
    assert!(
        (rest - 30_000.0 + 0.5 * pure).abs() < 0.02 * rest,
        "{found:?}"
    );
}

#[test]
fn what_is_charged_for_another_reason_is_not_charged_to_contention() {
    let charged = |cause| {
        let mut fleet = Fleet::healthy(OWN, 60_000.0);
        fleet.request(FAR, &[step(3_000.0)]);
        fleet.seen(
            |_, base| quiet(base, 0.1),
            |scene| expect(scene, FIRST, 500.0, 500.0),
            |scene| {
                let mut account = Account::default();
                account.charge(cause, Target::Op(0), 1.0, proof("f"));
                look(scene, OWN, &mut account);
                account.has(NoisyNeighbour)
            },
        )
    };
    assert!(!charged(RetryCascade) && !charged(ColdCache) && !charged(PrefillSurge));
    assert!(charged(LongGeneration), "which takes its own share alone");
}

#[test]
fn contention_is_vouched_for_by_what_it_is_charged() {
    let mut fleet = Fleet::healthy(OWN, 60_000.0);
    fleet.request(FAR, &[step(2_000.0), further(2_000.0)]);
    let certainty = fleet.seen(
        |ground, base| {
            quiet(base, 0.0);
            ground.crowd.usual = 1.0;
            ground
                .crowd
                .others
                .extend([(FIRST, 6.75), (FIRST + 1, 4.0)]);
        },
        |scene| (0..2).for_each(|n| expect(scene, FIRST + n, 500.0, 500.0)),
        |scene| {
            let mut account = Account::default();
            look(scene, OWN, &mut account);
            account.certainty()
        },
    );
    // 875 milliseconds half beyond doubt, and 375 in doubt.
    assert!((certainty - 0.35).abs() < 1e-3, "{certainty}");
}

#[test]
fn what_a_fault_costs_by_itself_leaves_the_rest_open() {
    let noisy = |cause, more: f64| {
        let call = Call {
            input: Some(6_000),
            cached: Some(0),
            ..CALL
        };
        let mut fleet = Fleet::healthy(OWN, 60_000.0);
        fleet.request(
            FAR,
            &[step(1_400.0), Step::Model(call.late(9_000.0, 9_000.0))],
        );
        fleet.seen(
            |_, base| quiet(base, 0.1),
            |_| {},
            |scene| {
                let mut account = Account::default();
                let seen = scene.seen(FIRST + 1);
                let pure = if cause == ColdCache {
                    seen.cold()
                } else {
                    seen.surge()
                };
                account.charge(
                    cause,
                    Target::Op(1),
                    pure.unwrap().millis + more,
                    proof("f"),
                );
                look(scene, OWN, &mut account);
                account.charges.len() > 1
            },
        )
    };
    for cause in [ColdCache, PrefillSurge] {
        assert!(noisy(cause, 0.0) && !noisy(cause, 1.0), "{cause:?}");
    }
}
