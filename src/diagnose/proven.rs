//! Requests that an earlier pass found slowed by others: where most requests of a place are, at a time, a
//! slowdown there needs no proof of its own.

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
        let mut stays: Map<(u32, Site), Window> = Map::default();
        for (call, &site) in ground.measured.calls.all.iter().zip(&ground.sites) {
            let stay = stays.entry((call.request, site)).or_insert(call.window);
            stay.start = stay.start.min(call.window.start);
            stay.end = stay.end.max(call.window.end);
        }
        let is_slowed = |request: u32| slowed.get(request as usize).copied().unwrap_or(false);
        let mut places: Map<Site, Place> = Map::default();
        for ((request, site), window) in &stays {
            let place = places.entry(*site).or_default();
            place.all.push(*window);
            if is_slowed(*request) {
                place.slowed.push(*window);
            }
        }
        for place in places.values_mut() {
            place.all.sort();
            place.slowed.sort();
        }
        let around = |(key, own): (&(u32, Site), &Window)| {
            let place = places.get(&key.1)?;
            let window = Window {
                start: own.start - reach,
                end: own.end + reach,
            };
            let victims = place.slowed.touching(window) - usize::from(is_slowed(key.0));
            let others = place.all.touching(window) - 1;
            (victims > 0).then_some((*key, (victims as u32, others as u32)))
        };
        Self(stays.iter().filter_map(around).collect())
    }

    /// Of the other requests at `site` around `request`: those slowed, and all; `None` where none was slowed.
    pub(super) fn around(&self, request: u32, site: Site) -> Option<(u32, u32)> {
        self.0.get(&(request, site)).copied()
    }
}
