//! Prompt tokens that are usually read from a cache and were paid in full.
//!
//! A cache has to be filled before it can be read, and its entries expire: of first calls, one now and then misses
//! on any healthy day, and nothing was lost by it. So a call lost its cache only where calls like it had been read
//! from one before, and a first call only where those around it missed as well. Later calls repeat what their own
//! conversation sent a moment ago; each of them counts by itself.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use super::pricer::{Calls, usage_of};
use crate::aggregate::prices::Usage;
use crate::units::{Nanos, growing};

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

/// Calls whose caching is compared, by number: those of one price list, kind of task and position in the conversation.
type Alike = u32;

/// Where a call stands in its conversation, and how much of its prompt was sent before.
#[derive(Clone, Copy)]
struct Place {
    alike: Alike,
    is_first: bool,
    /// Prompt tokens that the call before sent as well; of the first call nothing is known, so that
    /// its cache is counted in tokens and not as a share.
    before: Option<u32>,
}

/// A first call, or one whose cache did not hold what it usually does.
struct Look {
    row: usize,
    start: Nanos,
    endpoint: u32,
    place: Place,
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
type Held = HashMap<(u32, Alike), (Nanos, usize), FixedState>;

/// What the cache usually holds of calls alike, by their number, where enough of them tell.
type Usual = Vec<Option<u64>>;

/// The rows that lost part of their prompt from the cache, and how many tokens; in order of rows.
pub(super) fn tokens(calls: &Calls<'_>) -> Vec<(usize, u64)> {
    let places = places(calls);
    let usual = usual_shares(calls, &places);
    let (mut held, mut looks) = (Held::default(), growing());
    for (row, place) in places.iter().enumerate() {
        let Some(look) = look(calls, row, *place, &usual) else {
            continue;
        };
        if look.missing == 0 {
            let first = held.entry((look.endpoint, look.place.alike));
            let first = first.or_insert(look.order());
            *first = look.order().min(*first);
        }
        if look.missing > 0 || look.place.is_first {
            looks.push(look);
        }
    }
    looks.sort_unstable_by_key(|look| (look.endpoint, look.start, look.row));
    let endpoints = looks.chunk_by(|a, b| a.endpoint == b.endpoint);
    let lost = endpoints.flat_map(|looks| of_endpoint(looks, &held));
    let mut lost: Vec<(usize, u64)> = lost.map(|look| (look.row, look.missing)).collect();
    lost.sort_unstable();
    lost
}

fn look(calls: &Calls<'_>, row: usize, place: Place, usual: &Usual) -> Option<Look> {
    let (origin, line) = (calls.origins[row], &calls.rows[row]);
    let usual = usual.get(place.alike as usize).copied().flatten();
    let usual = place.usual(usual.filter(|_| origin.shows_cache)?);
    let missing = match is_lost(line.cached.into(), usual) {
        true => missing(usage_of(&calls.get(row)?.1), usual),
        false => 0,
    };
    Some(Look {
        row,
        start: calls.op(row)?.window.start,
        endpoint: origin.endpoint,
        place,
        missing,
    })
}

/// The calls of one endpoint, by start, that lost their cache.
fn of_endpoint<'a>(looks: &'a [Look], held: &Held) -> Vec<&'a Look> {
    let firsts: Vec<usize> = (0..looks.len())
        .filter(|at| looks[*at].place.is_first)
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
        let known = held.get(&(look.endpoint, look.place.alike));
        let held_before = known.is_some_and(|first| *first < look.order());
        look.missing > 0 && held_before && (!look.place.is_first || in_company.contains(at))
    });
    lost.map(|(_, look)| look).collect()
}

/// The place of each row's call in its lane.
fn places(calls: &Calls<'_>) -> Vec<Place> {
    let mut places = Vec::with_capacity(calls.rows.len());
    let (mut lane, mut next, mut sent) = (u32::MAX, 0, None);
    let mut groups: HashMap<(u32, u32), u32, FixedState> = HashMap::default();
    // Calls of one conversation are mostly of one group.
    let mut last = ((u32::MAX, u32::MAX), 0);
    for (row, line) in calls.rows.iter().enumerate() {
        let of = calls.op(row).map_or(u32::MAX, |op| op.lane);
        if of != lane {
            (lane, next, sent) = (of, 0, None);
        }
        let group = (calls.origins[row].tariff, line.keys[1]);
        if group != last.0 {
            let new = groups.len() as u32;
            last = (group, *groups.entry(group).or_insert(new));
        }
        places.push(Place {
            alike: last.1 * (POSITIONS + 1) + next.min(POSITIONS),
            is_first: next == 0,
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
        scaled(self.base(), share, MILLION)
    }
}

/// How much the cache holds in the median of calls alike: of the first call in tokens, of later ones in
/// millionths of what was sent before.
fn usual_shares(calls: &Calls<'_>, places: &[Place]) -> Usual {
    let groups = places.iter().map(|place| place.alike + 1).max();
    let mut shares = vec![Vec::new(); groups.unwrap_or(0) as usize];
    for (row, place) in places.iter().enumerate() {
        let line = &calls.rows[row];
        if calls.origins[row].shows_cache && line.input > 0 && place.base() > 0 {
            let cached = u64::from(line.cached.min(line.input));
            shares[place.alike as usize].push(scaled(cached, MILLION, place.base()));
        }
    }
    let median = |mut all: Vec<u64>| {
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable(middle);
        *median
    };
    let enough = shares
        .into_iter()
        .map(|all| (all.len() >= LEAST_ALIKE).then_some(all));
    enough.map(|all| all.map(median)).collect()
}

/// `a * b / c`, rounded down, of a `c` that is not zero. Nearly always 64 bits hold the product, and dividing 128 takes
/// several times as long.
fn scaled(a: u64, b: u64, c: u64) -> u64 {
    match a.checked_mul(b) {
        Some(product) => product / c,
        None => (u128::from(a) * u128::from(b) / u128::from(c)) as u64,
    }
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
            place: Place {
                alike: *position,
                is_first: *position == 0,
                before: None,
            },
            missing: *missing,
        };
        let looks: Vec<Look> = calls.iter().enumerate().map(look).collect();
        let mut held = Held::default();
        for look in looks.iter().filter(|look| look.missing == 0) {
            held.entry((0, look.place.alike)).or_insert(look.order());
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
