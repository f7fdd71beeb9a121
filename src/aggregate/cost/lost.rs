//! Prompt tokens that are usually read from a cache and were paid in full.
//!
//! A cache has to be filled before it can be read, and its entries expire: of first calls, one now and then misses
//! on any healthy day, and nothing was lost by it. So a call lost its cache only where calls like it had been read
//! from one before, and a first call only where those around it missed as well. Later calls repeat what their own
//! conversation sent a moment ago; each of them counts by itself.

use hashbrown::{HashMap, HashSet};

use super::pricer::{Calls, usage_of};
use crate::aggregate::prices::Usage;
use crate::units::Nanos;

/// Calls alike that it takes to know what share of their prompts the cache usually holds.
const LEAST_ALIKE: usize = 8;
/// A cache is lost when it holds less than this part of the usual.
const LOST: u64 = 2;
/// Positions in a conversation that are told apart; later ones are alike.
const POSITIONS: u32 = 3;
/// First calls at the same endpoint that are looked at on either side of one that missed.
const AROUND: usize = 2;
/// How many of them must have missed too.
const TOO: usize = 2;

const MILLION: u64 = 1_000_000;

/// Calls whose caching is compared: price list, kind of task, position in the conversation.
type Alike = (u32, u32, u32);

/// Where a call stands in its conversation, and how much of its prompt was sent before.
#[derive(Clone, Copy)]
struct Place {
    position: u32,
    /// Prompt tokens that the call before sent as well; of the first call nothing is known, so that
    /// its cache is counted in tokens and not as a share.
    before: Option<u32>,
}

/// A first call, or one whose cache did not hold what it usually does.
struct Look {
    row: usize,
    start: Nanos,
    endpoint: u32,
    alike: Alike,
    /// Tokens that the cache usually holds and did not; 0 where it held them.
    missing: u64,
}

impl Look {
    /// Where the call stands among those of its endpoint.
    fn order(&self) -> (Nanos, usize) {
        (self.start, self.row)
    }
}

/// By endpoint and calls alike: the first that found what they usually find.
type Held = HashMap<(u32, Alike), (Nanos, usize)>;

/// The rows that lost part of their prompt from the cache, and how many tokens.
pub(super) fn tokens(calls: &Calls<'_>) -> HashMap<usize, u64> {
    let places = places(calls);
    let usual = usual_shares(calls, &places);
    let (mut held, mut looks) = (Held::new(), Vec::new());
    for (row, place) in places.iter().enumerate() {
        let Some(look) = look(calls, row, *place, &usual) else {
            continue;
        };
        if look.missing == 0 {
            let first = held.entry((look.endpoint, look.alike));
            let first = first.or_insert(look.order());
            *first = look.order().min(*first);
        }
        if look.missing > 0 || look.alike.2 == 0 {
            looks.push(look);
        }
    }
    looks.sort_by_key(|look| (look.endpoint, look.start, look.row));
    let endpoints = looks.chunk_by(|a, b| a.endpoint == b.endpoint);
    let lost = endpoints.flat_map(|looks| of_endpoint(looks, &held));
    lost.map(|look| (look.row, look.missing)).collect()
}

fn look(calls: &Calls<'_>, row: usize, place: Place, usual: &HashMap<Alike, u64>) -> Option<Look> {
    let (origin, line) = (calls.origins[row], &calls.rows[row]);
    let alike = alike(calls, row, place);
    let usual = place.usual(*usual.get(&alike).filter(|_| origin.shows_cache)?);
    let missing = match is_lost(line.cached.into(), usual) {
        true => missing(usage_of(&calls.get(row)?.1), usual),
        false => 0,
    };
    Some(Look {
        row,
        start: calls.op(row)?.window.start,
        endpoint: origin.endpoint,
        alike,
        missing,
    })
}

/// The calls of one endpoint, by start, that lost their cache.
fn of_endpoint<'a>(looks: &'a [Look], held: &Held) -> Vec<&'a Look> {
    let firsts: Vec<usize> = (0..looks.len())
        .filter(|at| looks[*at].alike.2 == 0)
        .collect();
    let missed = |at: &&usize| looks[**at].missing > 0;
    let mut in_company: HashSet<usize> = HashSet::new();
    for (place, at) in firsts.iter().enumerate() {
        let before = firsts[..place].iter().rev().take(AROUND);
        let after = firsts[place + 1..].iter().take(AROUND);
        if before.chain(after).filter(missed).count() >= TOO {
            in_company.insert(*at);
        }
    }
    let lost = looks.iter().enumerate().filter(|(at, look)| {
        let known = held.get(&(look.endpoint, look.alike));
        let held_before = known.is_some_and(|first| *first < look.order());
        let first = look.alike.2 == 0;
        look.missing > 0 && held_before && (!first || in_company.contains(at))
    });
    lost.map(|(_, look)| look).collect()
}

fn alike(calls: &Calls<'_>, row: usize, place: Place) -> Alike {
    let tariff = calls.origins[row].tariff;
    (tariff, calls.rows[row].keys[1], place.position)
}

/// The place of each row's call in its lane.
fn places(calls: &Calls<'_>) -> Vec<Place> {
    let mut places = Vec::with_capacity(calls.rows.len());
    let (mut lane, mut next, mut sent) = (u32::MAX, 0, None);
    for (row, line) in calls.rows.iter().enumerate() {
        let of = calls.op(row).map_or(u32::MAX, |op| op.lane);
        if of != lane {
            (lane, next, sent) = (of, 0, None);
        }
        places.push(Place {
            position: next.min(POSITIONS),
            before: sent.map(|sent: u32| sent.min(line.input)),
        });
        next += 1;
        sent = Some(line.input);
    }
    places
}

impl Place {
    /// What shares of the cache are taken of.
    fn base(self) -> u64 {
        self.before.map_or(MILLION, u64::from)
    }

    /// Tokens that the cache usually holds here.
    fn usual(self, share: u64) -> u64 {
        (u128::from(self.base()) * u128::from(share) / u128::from(MILLION)) as u64
    }
}

/// How much the cache holds in the median of calls alike: of the first call in tokens, of later ones in
/// millionths of what was sent before.
fn usual_shares(calls: &Calls<'_>, places: &[Place]) -> HashMap<Alike, u64> {
    let mut shares: HashMap<Alike, Vec<u64>> = HashMap::new();
    for (row, place) in places.iter().enumerate() {
        let line = &calls.rows[row];
        if calls.origins[row].shows_cache && line.input > 0 && place.base() > 0 {
            let cached = u128::from(line.cached.min(line.input));
            let share = cached * u128::from(MILLION) / u128::from(place.base());
            let alike = alike(calls, row, *place);
            shares.entry(alike).or_default().push(share as u64);
        }
    }
    let median = |(alike, mut all): (Alike, Vec<u64>)| {
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        (alike, *median)
    };
    let enough = shares
        .into_iter()
        .filter(|(_, all)| all.len() >= LEAST_ALIKE);
    enough.map(median).collect()
}

fn is_lost(cached: u64, usual: u64) -> bool {
    cached.saturating_mul(LOST) < usual
}

/// Tokens that the cache usually holds and did not.
fn missing(usage: Usage, usual: u64) -> u64 {
    let room = usage
        .input
        .saturating_sub(usage.cached)
        .saturating_sub(usage.cache_write);
    if is_lost(usage.cached, usual) {
        (usual - usage.cached).min(room)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_lost_when_it_holds_less_than_half_of_the_usual() {
        let usage = |input, cached| Usage {
            input,
            cached,
            ..Usage::default()
        };
        assert_eq!(missing(usage(1000, 0), 800), 800);
        assert_eq!(missing(usage(1000, 300), 800), 500);
        assert_eq!(missing(usage(1000, 400), 800), 0);
        assert_eq!(missing(usage(1000, 0), 0), 0);
        // A prompt that grew is not a cache that was lost.
        assert_eq!(missing(usage(9000, 800), 800), 0);
        let written = Usage {
            cache_write: 900,
            ..usage(1000, 0)
        };
        assert_eq!(missing(written, 800), 100);
    }

    /// Rows of `(position, missing)` that count as lost.
    fn lost(calls: &[(u32, u64)]) -> Vec<usize> {
        let look = |(row, (position, missing)): (usize, &(u32, u64))| Look {
            row,
            start: Nanos(row as u64),
            endpoint: 0,
            alike: (0, 0, *position),
            missing: *missing,
        };
        let looks: Vec<Look> = calls.iter().enumerate().map(look).collect();
        let mut held = Held::new();
        for look in looks.iter().filter(|look| look.missing == 0) {
            held.entry((0, look.alike)).or_insert(look.order());
        }
        let lost = of_endpoint(&looks, &held).into_iter();
        lost.map(|look| look.row).collect()
    }

    #[test]
    fn first_calls_lose_a_cache_together_and_only_one_that_held_before() {
        let (hit, miss) = ((0, 0), (0, 9));
        assert_eq!(lost(&[miss, miss, miss, hit, hit]), [0; 0]);
        assert_eq!(lost(&[hit, hit, miss, hit, hit, miss, hit, hit]), [0; 0]);
        assert_eq!(lost(&[hit, hit, miss, miss, miss, hit]), [2, 3, 4]);
        assert_eq!(lost(&[(1, 0), hit, (1, 9), hit]), [2]);
    }
}
