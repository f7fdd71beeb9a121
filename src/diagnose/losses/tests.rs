//! Lost caches told by many calls.

use super::*;
use crate::diagnose::tests::{CALL, Call, Fleet, Step};
use crate::diagnose::{Cause, Diagnosis, Options, judge_part, share};

/// Requests of two tenants in turn, so many milliseconds from one start to the next.
const REQUESTS: u32 = 200;
const APART: f64 = 2_000.0;
/// Milliseconds per token of prompt and of output.
const PROMPT: f64 = 0.2;
const OUTPUT: f64 = 20.0;

/// One of some numbers that do not repeat soon, nought to one.
fn draw(seed: u32) -> f64 {
    let mixed = u64::from(seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    f64::from((mixed >> 40) as u32) / f64::from(1_u32 << 24)
}

/// What a call does and finds: its work without and with its cache, milliseconds.
#[derive(Clone, Copy)]
struct Work {
    request: u32,
    cached: f64,
    whole: f64,
}

impl Work {
    fn of_first_tenant(self) -> bool {
        self.request.is_multiple_of(2)
    }

    fn among(self, requests: std::ops::Range<u32>) -> bool {
        requests.contains(&self.request)
    }
}

/// Three calls a request, of prompts of all sizes, on busy servers; `takes` says which work each was, and all scatter by a third.
fn fleet(scatter: f64, takes: impl Fn(Work) -> f64) -> Fleet {
    let mut fleet = Fleet::default();
    for request in 0..REQUESTS {
        let mut input = (3_000.0 + 25_000.0 * draw(request + 30_000)).round();
        let calls = (0..3).map(|round| {
            let seed = 3 * request + round;
            let new = if round == 0 {
                (0.05 * input).round()
            } else {
                (100.0 + 3_900.0 * draw(seed)).round()
            };
            if round > 0 {
                input += new;
            }
            let output = (20.0 + 60.0 * draw(seed + 10_000)).round();
            let rest = 60.0 + OUTPUT * output;
            let work = Work {
                request,
                cached: rest + PROMPT * new,
                whole: rest + PROMPT * input,
            };
            let shared = (scatter * (draw(seed + 20_000) - 0.5)).exp();
            Step::Model(Call {
                input: Some(input as u32),
                cached: None,
                output: Some(output as u32),
                first: None,
                takes: takes(work) * shared,
                ..CALL
            })
        });
        let calls: Vec<Step> = calls.collect();
        fleet.request(f64::from(request) * APART, &calls);
        let tenant = fleet
            .data
            .names
            .intern(["acme", "globex"][request as usize % 2]);
        fleet.data.tasks.last_mut().unwrap().tenant = tenant;
    }
    fleet
}

/// The requests that lost their cache with others: of a tenant, and at a place.
fn found(fleet: Fleet) -> [Vec<u32>; 2] {
    fleet.seen(
        |_, _| {},
        |_| {},
        |scene| {
            let mut found = [Vec::new(), Vec::new()];
            for request in 0..REQUESTS {
                let mut calls = scene.calls_of(request);
                let whose = calls.find_map(|(_, index, _)| scene.lost_together(request, index));
                match whose {
                    Some(Whose::Tenant(_)) => found[0].push(request),
                    Some(Whose::Place(_)) => found[1].push(request),
                    None => {}
                }
            }
            found
        },
    )
}

const NONE: [Vec<u32>; 2] = [Vec::new(), Vec::new()];

#[test]
fn a_tenant_that_lost_its_cache_is_told_from_others_beside_it() {
    let lost = |work: Work| work.of_first_tenant() && work.among(50..70);
    let fleet = fleet(
        0.7,
        |work| if lost(work) { work.whole } else { work.cached },
    );
    let [of_tenant, at_place] = found(fleet);
    let expected: Vec<u32> = (50..70).step_by(2).collect();
    assert!(of_tenant.iter().all(|r| r % 2 == 0), "{of_tenant:?}");
    let hit = expected.iter().filter(|r| of_tenant.contains(r)).count();
    assert!(hit >= 8 && of_tenant.len() <= 12, "{of_tenant:?}");
    assert!(at_place.is_empty(), "{at_place:?}");
}

#[test]
fn a_place_whose_caches_were_lost_is_told_by_all_calls_there() {
    let fleet = fleet(0.7, |work| {
        if work.among(50..70) {
            work.whole
        } else {
            work.cached
        }
    });
    let [_, at_place] = found(fleet);
    let hit = (50..70).filter(|r| at_place.contains(r)).count();
    assert!(hit >= 16 && at_place.len() <= 24, "{at_place:?}");
}

#[test]
fn slowdowns_that_know_nothing_of_prompts_are_no_lost_cache() {
    let slower = |who: fn(Work) -> bool, slow: fn(f64) -> f64| {
        found(fleet(0.7, |work| {
            if who(work) {
                slow(work.cached)
            } else {
                work.cached
            }
        }))
    };
    let tenant = |work: Work| work.of_first_tenant() && work.among(50..70);
    assert_eq!(slower(|_| false, |time| time), NONE);
    assert_eq!(slower(|work| work.among(50..70), |time| 3.0 * time), NONE);
    assert_eq!(slower(tenant, |time| 3.0 * time), NONE);
    assert_eq!(slower(tenant, |time| time + 9_000.0), NONE);
}

#[test]
fn beside_slowed_company_a_tenant_tells_nothing() {
    let [of_tenant, _] = found(fleet(0.7, |work| match work.among(50..70) {
        true if work.of_first_tenant() => work.whole,
        true => 2.0 * work.cached,
        false => work.cached,
    }));
    assert!(of_tenant.is_empty(), "{of_tenant:?}");
}

#[test]
fn a_single_request_and_servers_that_run_evenly_are_left_to_single_calls() {
    let one = fleet(0.7, |work| {
        if work.request == 60 {
            work.whole
        } else {
            work.cached
        }
    });
    assert_eq!(found(one), NONE);
    let even = fleet(0.02, |work| {
        let lost = work.of_first_tenant() && work.among(50..70);
        if lost { work.whole } else { work.cached }
    });
    assert_eq!(found(even), NONE);
}

#[test]
fn requests_that_lost_their_cache_together_are_slow_for_it_and_their_neighbours_are_not() {
    let lost = |work: Work| work.of_first_tenant() && work.among(50..70);
    let (data, forest, verdicts) = fleet(
        0.7,
        |work| if lost(work) { work.whole } else { work.cached },
    )
    .diagnose();
    let slow = verdicts.diagnoses.iter().filter(|d| d.slow);
    let slow: Vec<(u32, Option<Cause>)> = slow.map(|d| (d.request, d.primary)).collect();
    let cold = slow.iter().filter(|(request, cause)| {
        *cause == Some(Cause::ColdCache) && request % 2 == 0 && (50..70).contains(request)
    });
    assert!(cold.count() >= 8, "{slow:?}");
    assert!(slow.len() <= 11, "{slow:?}");

    let part_of = [0; REQUESTS as usize];
    let (shared, mut own) = share(&data, &forest, &Options::default(), None, &part_of);
    assert!(shared.names.iter().any(|name| name == "globex"));
    let judged = judge_part(&data, &forest, shared, own.remove(0));
    let text = |list: &[Diagnosis]| serde_json::to_string(list).unwrap();
    assert_eq!(text(&judged.diagnoses), text(&verdicts.diagnoses));
}
