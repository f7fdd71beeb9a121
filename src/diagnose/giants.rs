//! Calls whose extra prompt work burdens their neighbours.

use rayon::prelude::*;

use super::Options;
use super::ground::Ground;
use super::volume::Seen;
use super::windows::Site;
use crate::baseline::{Call, CallIx};
use crate::units::{Millis, Nanos, Window};

/// Interference lasts at least this many slow floors beyond a giant's own first token …
const LEAST_TAIL: f64 = 6.0;
/// … and this multiple of its own delay. Work that arrives all at once at a server of which a share ρ is
/// busy anyway is worked off in 1 / (1 − ρ) times its own time (the busy period of a queue started by that
/// work: Kleinrock, *Queueing Systems*, vol. 1, 1975, ch. 5.8); two thirds busy leave twice that beyond it.
const TAIL: f64 = 2.0;

/// A call with visible extra prefill.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Giant {
    site: Site,
    start: Nanos,
    /// When the work that piled up behind it is done.
    free: Nanos,
    /// Milliseconds it delayed its own first token: extra prompt and the queue it met or made.
    pub(super) millis: f64,
    /// Its number among those of all parts.
    pub(super) request: u32,
    /// The server that is known to have served it.
    server: Option<u32>,
    /// The latest `free` up to here, by start, of the giants at the site.
    latest: Nanos,
}

impl Giant {
    /// Where it was served by another server than `server`, it is no neighbour.
    pub(super) fn may_burden(&self, server: Option<u32>) -> bool {
        self.server.is_none() || server.is_none() || self.server == server
    }
}

/// By site and start.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Giants(Vec<Giant>);

impl Giants {
    pub(super) fn find(ground: &Ground<'_>, seen: &[Seen], options: &Options) -> Self {
        let calls = ground.measured.calls.all.par_iter();
        let calls = calls.zip(&ground.sites).zip(seen).enumerate();
        let giants = calls.filter_map(|(index, ((call, &site), seen))| {
            let server = ground.servers.get(&(index as CallIx)).copied();
            giant(call, (site, server), seen, options)
        });
        let mut list: Vec<Giant> = giants.collect();
        list.sort_by_key(|g| (g.site, g.start, g.request));
        for site in list.chunk_by_mut(|a, b| a.site == b.site) {
            let mut latest = Nanos::ZERO;
            for giant in site {
                latest = latest.max(giant.free);
                giant.latest = latest;
            }
        }
        Self(list)
    }

    /// Those at `site` that burdened it within `window`.
    pub(super) fn around(&self, site: Site, window: Window) -> impl Iterator<Item = &Giant> {
        let all = &self.0;
        let from = all.partition_point(|g| (g.site, g.latest) < (site, window.start));
        let to = all
            .partition_point(|g| (g.site, g.start) < (site, window.end))
            .max(from);
        all[from..to].iter().filter(move |g| g.free >= window.start)
    }
}

fn giant(
    call: &Call,
    (site, server): (Site, Option<u32>),
    seen: &Seen,
    options: &Options,
) -> Option<Giant> {
    let extra = seen.surge().map_or(0.0, |e| e.millis) + seen.cold().map_or(0.0, |e| e.millis);
    if extra <= 0.0 {
        return None;
    }
    let expected = seen.expected.map_or(0.0, |e| e.first);
    let first = call.first_token.map_or(expected, Millis::get).max(0.0);
    let millis = extra + (first - expected).max(0.0);
    let end = (call.window.start + nanos(first)).min(call.window.end);
    let free = end + nanos((TAIL * millis).max(LEAST_TAIL * options.floor()));
    Some(Giant {
        site,
        start: call.window.start,
        free,
        millis,
        request: call.request,
        server,
        latest: free,
    })
}

fn nanos(millis: f64) -> Nanos {
    Nanos((millis * 1e6) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn giant(start: u64, free: u64, server: Option<u32>) -> Giant {
        Giant {
            site: 0,
            start: Nanos(start),
            free: Nanos(free),
            millis: 1.0,
            request: start as u32,
            server,
            latest: Nanos(free),
        }
    }

    #[test]
    fn one_at_another_server_is_no_neighbour() {
        assert!(giant(0, 1, Some(1)).may_burden(Some(1)));
        assert!(giant(0, 1, Some(1)).may_burden(None));
        assert!(giant(0, 1, None).may_burden(Some(2)));
        assert!(!giant(0, 1, Some(1)).may_burden(Some(2)));
    }

    #[test]
    fn it_burdens_until_its_work_is_done() {
        let mut late = giant(20, 30, None);
        late.latest = Nanos(100);
        let giants = Giants(vec![giant(0, 100, None), late]);
        let around = |start, end| {
            let window = Window {
                start: Nanos(start),
                end: Nanos(end),
            };
            giants
                .around(0, window)
                .map(|g| g.request)
                .collect::<Vec<_>>()
        };
        assert_eq!(around(50, 60), [0]);
        assert_eq!(around(25, 60), [0, 20]);
        assert!(around(101, 110).is_empty());
        assert!(
            giants
                .around(
                    1,
                    Window {
                        start: Nanos(0),
                        end: Nanos(9)
                    }
                )
                .next()
                .is_none()
        );
    }
}
