//! Calls that waited long for their first token while others, begun after them at the same place, had theirs at
//! once. A server admits calls in the order they come (first come, first served is the default of continuous
//! batching: Kwon et al., "Efficient Memory Management for Large Language Model Serving with PagedAttention",
//! SOSP 2023), so a queue there is no reason for the wait; what the client did before the attempt that was
//! answered is.

use rayon::prelude::*;

use super::Options;
use super::ground::Ground;
use super::volume::Seen;
use super::windows::Site;
use crate::baseline::{Call, CallIx, Map};
use crate::units::Millis;

/// Least wait beyond the expectation, in slow floors.
const LEAST_WAIT: f64 = 2.0;
/// Others had their first token at once that were late by less than this many slow floors.
const AT_ONCE: f64 = 1.0;
/// After the wait the call ran at its usual rate: it took this much of its expectation longer at most, or hardly any time
/// beside the wait.
const USUAL_RATE: f64 = 0.25;
const BESIDE_WAIT: f64 = 0.1;
/// Calls that must have overtaken it, and their least share among those that could have.
const LEAST: usize = 2;
const SHARE: f64 = 0.6;
/// Calls looked at behind one that waited.
const MOST: usize = 64;

/// Per call: how many calls of other requests overtook it.
#[derive(Default)]
pub(super) struct Overtaken(pub(super) Map<CallIx, u32>);

/// A call that shows its first token.
#[derive(Clone, Copy)]
struct Start {
    site: Site,
    at: u64,
    first_token: u64,
    request: u32,
    at_once: bool,
}

impl Overtaken {
    pub(super) fn find(ground: &Ground<'_>, seen: &[Seen], options: &Options) -> Self {
        let calls = &ground.measured.calls.all;
        let floor = options.floor();
        let waited = |(index, call): (usize, &Call)| {
            let seen = &seen[index];
            let (first, rest) = seen.residual_split(call)?;
            let usual = rest <= (USUAL_RATE * seen.expected?.rest.get()).max(BESIDE_WAIT * first);
            (first >= LEAST_WAIT * floor && usual && !call.server_side_only)
                .then_some(index as CallIx)
        };
        let waited: Vec<CallIx> = calls.par_iter().enumerate().filter_map(waited).collect();
        if waited.is_empty() {
            return Self::default();
        }
        let start = |index: CallIx| {
            let call = &calls[index as usize];
            let late = seen[index as usize].residual_split(call);
            let at_once = late.is_some_and(|(first, _)| first < AT_ONCE * floor);
            Start::of(call, ground.sites[index as usize], at_once)
        };
        let waits = Waits::of(waited.iter().map(|index| start(*index)).collect());
        let shown = calls
            .par_iter()
            .zip(&ground.sites)
            .zip(0..calls.len() as CallIx);
        let mut behind: Vec<Start> = shown
            .filter(|((call, site), _)| {
                call.first_token.is_some() && waits.cover(**site, call.window.start.0)
            })
            .map(|(_, index)| start(index))
            .collect();
        behind.par_sort_by_key(Start::order);
        let overtaken = waited.into_par_iter().filter_map(|index| {
            let own = start(index);
            let after = behind.partition_point(|other| other.order() <= own.order());
            Some((index, own.overtaken_by(behind[after..].iter().copied())?))
        });
        Self(overtaken.collect::<Vec<_>>().into_iter().collect())
    }

    /// How many others overtook a call, where that tells.
    pub(super) fn by(&self, index: CallIx) -> Option<u32> {
        self.0.get(&index).copied()
    }
}

/// When and where calls waited for their first token.
struct Waits {
    /// By place and start.
    all: Vec<Start>,
    /// Until when the waits up to each one last, at its place.
    until: Vec<u64>,
}

impl Waits {
    fn of(mut all: Vec<Start>) -> Self {
        all.par_sort_by_key(Start::order);
        let mut until: Vec<u64> = Vec::with_capacity(all.len());
        for wait in all.chunk_by(|a, b| a.site == b.site) {
            until.extend(wait.iter().scan(0, |last, wait| {
                *last = wait.first_token.max(*last);
                Some(*last)
            }));
        }
        Self { all, until }
    }

    /// True where a call that began then began while another waited there.
    fn cover(&self, site: Site, at: u64) -> bool {
        let before = self.all.partition_point(|wait| wait.order() < (site, at));
        before > 0 && self.all[before - 1].site == site && at < self.until[before - 1]
    }
}

impl Start {
    /// By place, then by time.
    fn order(&self) -> (Site, u64) {
        (self.site, self.at)
    }

    fn of(call: &Call, site: Site, at_once: bool) -> Self {
        let at = call.window.start.0;
        let wait = call.first_token.map_or(0.0, Millis::get).max(0.0);
        Self {
            site,
            at,
            first_token: at.saturating_add((wait * 1e6) as u64),
            request: call.request,
            at_once,
        }
    }

    /// How many of the calls begun after this one, in order, overtook it, if enough did and few waited too.
    fn overtaken_by(&self, behind: impl Iterator<Item = Self>) -> Option<u32> {
        let behind = behind
            .take_while(|s| s.site == self.site && s.at < self.first_token)
            .filter(|s| s.request != self.request)
            .take(MOST);
        let (mut overtook, mut waited) = (0, 0);
        for start in behind {
            overtook += usize::from(start.at_once && start.first_token < self.first_token);
            waited += usize::from(!start.at_once);
        }
        let share = overtook as f64 / (overtook + waited).max(1) as f64;
        (overtook >= LEAST && share >= SHARE).then_some(overtook as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(at: u64, first_token: u64, request: u32) -> Start {
        Start {
            site: 0,
            at,
            first_token,
            request,
            at_once: first_token - at < 10,
        }
    }

    #[test]
    fn those_behind_that_were_served_first_are_counted() {
        let own = start(100, 200, 0);
        let quick = [start(110, 112, 1), start(120, 125, 1), start(130, 132, 2)];
        let by = |behind: &[Start]| own.overtaken_by(behind.iter().copied());
        assert_eq!(by(&quick), Some(3));
        assert_eq!(by(&quick[..1]), None, "one call");
        let queue = [start(110, 190, 1), start(120, 195, 3), quick[1], quick[2]];
        assert_eq!(by(&queue), None, "others waited too");
        let elsewhere = quick.map(|s| Start { site: 1, ..s });
        assert_eq!(by(&elsewhere), None);
        let own_calls = quick.map(|s| Start { request: 0, ..s });
        assert_eq!(by(&own_calls), None);
    }

    #[test]
    fn calls_begun_during_a_wait_at_its_place_are_looked_at() {
        let mut waits = vec![start(100, 200, 0), start(120, 130, 1), start(300, 310, 2)];
        waits.push(Start {
            site: 1,
            ..start(50, 400, 3)
        });
        let waits = Waits::of(waits);
        let covered = |at, site| waits.cover(site, at);
        assert!(!covered(100, 0), "begun with it, not after");
        assert!(covered(101, 0) && covered(199, 0), "the longer wait counts");
        assert!(!covered(200, 0) && !covered(299, 0) && covered(301, 0));
        assert!(covered(299, 1) && !covered(299, 2));
    }
}
