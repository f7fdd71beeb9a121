//! Requests that an earlier pass found slowed by others: where most requests of a place are, at a time, a
//! slowdown there needs no proof of its own.

use rayon::prelude::*;

use super::ground::Ground;
use super::stays::Stays;
use super::windows::Site;
use crate::baseline::Map;
use crate::units::{Nanos, Window};

/// Of the other requests around each at each place: how many were slowed, and all.
#[derive(Default)]
pub(super) struct Proven(pub(super) Map<(u32, Site), (u32, u32)>);

#[derive(Default)]
struct Place {
    all: Stays,
    slowed: Stays,
}

impl Proven {
    /// Counts by the requests that a pass found `slowed`, as far around each as company is sought.
    pub(super) fn of(ground: &Ground<'_>, slowed: &[bool], reach: Nanos) -> Self {
        if !slowed.contains(&true) {
            return Self::default();
        }
        let is_slowed = |request: u32| slowed.get(request as usize).copied().unwrap_or(false);
        let stays = stays(ground);
        let mut places: Map<Site, Place> = Map::default();
        for (request, site, window) in &stays {
            let place = places.entry(*site).or_default();
            place.all.push(*window);
            if is_slowed(*request) {
                place.slowed.push(*window);
            }
        }
        let all = places.values_mut();
        let all = all.flat_map(|place| [&mut place.all, &mut place.slowed]);
        let all: Vec<&mut Stays> = all.collect();
        all.into_par_iter().for_each(Stays::sort);
        let around = |&(request, site, own): &(u32, Site, Window)| {
            let place = places.get(&site).filter(|place| !place.slowed.is_empty())?;
            let window = Window {
                start: own.start - reach,
                end: own.end + reach,
            };
            let victims = place.slowed.touching(window) - usize::from(is_slowed(request));
            let others = place.all.touching(window) - 1;
            (victims > 0).then_some(((request, site), (victims as u32, others as u32)))
        };
        let found: Vec<_> = stays.par_iter().filter_map(around).collect();
        Self(found.into_iter().collect())
    }

    /// Of the other requests at `site` around `request`: those slowed, and all; `None` where none was slowed.
    pub(super) fn around(&self, request: u32, site: Site) -> Option<(u32, u32)> {
        self.0.get(&(request, site)).copied()
    }
}

/// Where each request was served, from the start of its first call there to the end of its last.
fn stays(ground: &Ground<'_>) -> Vec<(u32, Site, Window)> {
    let calls = ground.measured.calls.all.par_iter().zip(&ground.sites);
    let mut stays: Vec<(u32, Site, Window)> = calls
        .map(|(call, &site)| (call.request, site, call.window))
        .collect();
    let requests = stays.par_chunk_by_mut(|a, b| a.0 == b.0);
    requests.for_each(|own| own.sort_unstable_by_key(|stay| (stay.1, stay.2.start)));
    stays.dedup_by(|next, stay| {
        let same = (next.0, next.1) == (stay.0, stay.1);
        if same {
            stay.2.end = stay.2.end.max(next.2.end);
        }
        same
    });
    stays
}
