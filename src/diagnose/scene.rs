//! Everything a cause may look at: one request's neighbours, the normal, and what was seen of each call.

use super::giants::Giants;
use super::ground::Ground;
use super::holes::Holes;
use super::losses::{Losses, Whose};
use super::overtaken::Overtaken;
use super::proven::Proven;
use super::releases::Releases;
use super::routes::Routes;
use super::volume::{self, Seen};
use super::windows::{self, Site, Windows};
use super::witnesses::Witnesses;
use super::{Cause, Options};
use crate::baseline::{Baselines, Call, CallIx, Calls, Map};
use crate::units::{Nanos, Sym, Window};

/// Company is sought this far before and after a call at most; on quick dumps, one and a half tasks.
const REACH: Nanos = Nanos(30_000_000_000);

/// The whole dump as one request's diagnosis sees it in one pass. What does not change between passes
/// is the [`Ground`].
pub(super) struct Scene<'a> {
    ground: &'a Ground<'a>,
    pub(super) calls: &'a Calls,
    pub(super) base: &'a Baselines,
    pub(super) options: &'a Options,
    /// Per call.
    pub(super) seen: Vec<Seen>,
    pub(super) windows: Windows,
    /// The multiple of normal from which company counts as slowed.
    pub(super) company_limit: f64,
    /// How far before and after a call its company is sought.
    pub(super) reach: Nanos,
    pub(super) routes: Routes<'a>,
    pub(super) releases: Releases,
    pub(super) giants: Giants,
    pub(super) holes: Holes,
    pub(super) overtaken: Overtaken,
    pub(super) losses: Losses,
    pub(super) found: Found,
}

/// What the pass before found in the requests around each.
#[derive(Default)]
pub(super) struct Found {
    /// Who was slowed by others.
    pub(super) proven: Proven,
    /// What others were slow for.
    pub(super) witnesses: Witnesses,
}

impl<'a> std::ops::Deref for Scene<'a> {
    type Target = Ground<'a>;

    fn deref(&self) -> &Ground<'a> {
        self.ground
    }
}

/// What a scene knows of requests beyond its own.
pub(super) struct Known<'a> {
    pub(super) windows: Windows,
    pub(super) routes: Routes<'a>,
    pub(super) releases: Releases,
    pub(super) giants: Giants,
    pub(super) holes: Holes,
    pub(super) overtaken: Overtaken,
    pub(super) losses: Losses,
    pub(super) found: Found,
}

/// What one pass leaves to a later one with the same prices: all that it saw hangs on them alone, but for the bar of long
/// answers, of which none of the rest takes notice.
pub(super) struct Kept {
    seen: Vec<Seen>,
    windows: Windows,
    extra: Map<(Sym, Sym), (f64, f64)>,
    releases: Releases,
    giants: Giants,
    holes: Holes,
    overtaken: Overtaken,
    losses: Losses,
    /// Those that bar went by.
    witnesses: Witnesses,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        ground: &'a Ground<'a>,
        base: &'a Baselines,
        options: &'a Options,
        found: Found,
    ) -> Self {
        let calls = &ground.measured.calls;
        let seen = volume::see(calls, base, options, &found.witnesses);
        let reach = reach(base.median_task);
        let company_limit = company_limit(ground, base);
        let ((windows, overtaken), ((routes, releases), (giants, holes))) = rayon::join(
            || {
                rayon::join(
                    || Windows::fold(calls, &ground.sites, &seen, reach, company_limit),
                    || Overtaken::find(ground, &seen, options),
                )
            },
            || {
                rayon::join(
                    || {
                        rayon::join(
                            || Routes::learn(&ground.homes, calls, &seen),
                            || Releases::find(ground, base, &seen, options),
                        )
                    },
                    || {
                        rayon::join(
                            || Giants::find(ground, &seen, options),
                            || Holes::find(ground, base, options),
                        )
                    },
                )
            },
        );
        Self {
            giants,
            holes,
            overtaken,
            losses: Losses::default(),
            found,
            ground,
            calls,
            base,
            options,
            seen,
            windows,
            company_limit,
            reach,
            routes,
            releases,
        }
    }

    /// Looks for lost caches that many calls tell of, which takes longer than all the rest where no cache is shown.
    pub(super) fn find_losses(&mut self) {
        self.losses = Losses::find(self.ground, self.base, &self.seen, self.reach);
    }

    /// A scene by what an earlier pass `kept`, where it left anything, and by what it found.
    pub(super) fn after(
        ground: &'a Ground<'a>,
        base: &'a Baselines,
        options: &'a Options,
        kept: Option<Kept>,
        found: Found,
    ) -> Self {
        let Some(kept) = kept else {
            let mut scene = Self::new(ground, base, options, found);
            scene.find_losses();
            return scene;
        };
        let (calls, mut seen) = (&ground.measured.calls, kept.seen);
        let witnesses = [&kept.witnesses, &found.witnesses];
        volume::see_again(&mut seen, calls, base, options, witnesses);
        let known = Known {
            windows: kept.windows,
            routes: Routes {
                homes: &ground.homes,
                extra: kept.extra,
            },
            releases: kept.releases,
            giants: kept.giants,
            holes: kept.holes,
            overtaken: kept.overtaken,
            losses: kept.losses,
            found,
        };
        Self::of(ground, base, options, seen, known)
    }

    /// What a later pass with the same prices may go on with, and who was slowed by others.
    pub(super) fn keep(self) -> (Kept, Proven) {
        let Found { proven, witnesses } = self.found;
        let kept = Kept {
            seen: self.seen,
            windows: self.windows,
            extra: self.routes.extra,
            releases: self.releases,
            giants: self.giants,
            holes: self.holes,
            overtaken: self.overtaken,
            losses: self.losses,
            witnesses,
        };
        (kept, proven)
    }

    /// A scene over one part of the requests, with what was learned over all of them.
    pub(super) fn apart(
        ground: &'a Ground<'a>,
        base: &'a Baselines,
        options: &'a Options,
        known: Known<'a>,
    ) -> Self {
        let calls = &ground.measured.calls;
        let seen = volume::see(calls, base, options, &known.found.witnesses);
        Self::of(ground, base, options, seen, known)
    }

    fn of(
        ground: &'a Ground<'a>,
        base: &'a Baselines,
        options: &'a Options,
        seen: Vec<Seen>,
        known: Known<'a>,
    ) -> Self {
        Self {
            ground,
            calls: &ground.measured.calls,
            base,
            options,
            seen,
            windows: known.windows,
            company_limit: company_limit(ground, base),
            reach: reach(base.median_task),
            routes: known.routes,
            releases: known.releases,
            giants: known.giants,
            holes: known.holes,
            overtaken: known.overtaken,
            losses: known.losses,
            found: known.found,
        }
    }

    /// What does not change between passes.
    pub(super) fn ground(&self) -> &'a Ground<'a> {
        self.ground
    }

    /// True for a call that only a server recorded, in a dump that shows agents: another tenant's load.
    /// It is company to the others and not itself judged.
    pub(super) fn is_stranger(&self, request: u32) -> bool {
        let mut calls = self.calls_of(request).peekable();
        self.shows_clients && calls.peek().is_some() && calls.all(|(_, _, c)| c.server_side_only)
    }

    /// True where no other request around was slow for a cause that leaves no failures in the dump.
    pub(super) fn stands_alone(&self, request: u32, cause: Cause) -> bool {
        let is_recorded = matches!(cause, Cause::RetryCascade | Cause::ProviderError);
        !is_recorded && self.found.witnesses.none(request, cause)
    }

    /// The calls of a request: its operations' position, index and call.
    pub(super) fn calls_of(
        &self,
        request: u32,
    ) -> impl Iterator<Item = (usize, CallIx, &'a Call)> + '_ {
        let ops = self.forest.requests[request as usize].ops.clone();
        let first = ops.start;
        ops.filter_map(move |op| {
            self.calls
                .of(op)
                .map(|(i, c)| ((op - first) as usize, i, c))
        })
    }

    /// All calls of a request: where each was served, and ln(observed / expected).
    fn own(&self, request: u32) -> Vec<(Site, &'a Call, f64)> {
        self.calls_of(request)
            .map(|(_, i, c)| (self.sites[i as usize], c, self.seen(i).log_ratio))
            .collect()
    }

    /// Median of observed / expected over the calls of other requests around a call of `request`, and how
    /// many there were.
    pub(super) fn company(&self, request: u32, index: CallIx) -> Option<(f64, u32)> {
        let (call, site) = (self.calls.get(index), self.sites[index as usize]);
        self.windows.company(call, site, &self.own(request))
    }

    /// The same around a call of `request` that would have been served as `call` was, in `window`.
    pub(super) fn company_within(
        &self,
        request: u32,
        index: CallIx,
        window: Window,
    ) -> Option<f64> {
        let call = Call {
            window,
            ..*self.calls.get(index)
        };
        let site = self.sites[index as usize];
        let (shared, _) = self.windows.company(&call, site, &self.own(request))?;
        Some(shared)
    }

    /// How much slower than normal the company of a call of `request` was, where it counts as slowed; `company` looks, if
    /// it must.
    pub(super) fn slowed(
        &self,
        request: u32,
        index: CallIx,
        company: impl FnOnce() -> Option<(f64, u32)>,
    ) -> Option<f64> {
        if self.is_calm(request, index) {
            return None;
        }
        let (shared, _) = company()?;
        (shared > self.company_limit).then_some(shared)
    }

    /// True where the company of a call of `request` is certainly not slowed.
    fn is_calm(&self, request: u32, index: CallIx) -> bool {
        let (call, site) = (self.calls.get(index), self.sites[index as usize]);
        let own = self.forest.requests[request as usize].ops.len();
        self.windows.is_calm(call, site, own)
    }

    /// Median of observed / expected at home around a call that went elsewhere.
    pub(super) fn level_at_home(&self, request: u32, index: CallIx) -> Option<f64> {
        let call = self.calls.get(index);
        let site = *self.places.get(&self.homes.home(call)?)?;
        Some(self.windows.company(call, site, &self.own(request))?.0)
    }

    /// Whose cache a call of `request` lost with those of others, where no cached tokens are shown.
    pub(super) fn lost_together(&self, request: u32, index: CallIx) -> Option<Whose> {
        let start = self.forest.requests[request as usize].wall.start;
        let site = self.sites[index as usize];
        self.losses.of(self.calls.get(index), site, start)
    }

    /// What was seen of a call.
    pub(super) fn seen(&self, index: CallIx) -> &Seen {
        &self.seen[index as usize]
    }
}

/// The multiple of normal from which company counts as slowed.
pub(super) fn company_limit(ground: &Ground<'_>, base: &Baselines) -> f64 {
    let own = windows::limit(base.prices.spread);
    let swing = ground.swing.as_ref();
    swing.map_or(own, |swing| swing.limit.max(own))
}

/// How far company is sought where requests usually take so many milliseconds.
pub(super) fn reach(median_task: f64) -> Nanos {
    let tasks = Nanos((median_task * 1.5e6) as u64);
    REACH.min(tasks).max(Nanos::SECOND)
}
