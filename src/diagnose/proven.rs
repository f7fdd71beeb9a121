//! Requests that an earlier pass found slowed by others: where most requests of a place are, at a time, a
//! slowdown there needs no proof of its own.

use super::ground::Ground;
use super::windows::Site;
use crate::baseline::Map;
use crate::units::{Nanos, Window};

/// Requests by place.
#[derive(Default)]
pub(super) struct Proven {
    places: Map<Site, Place>,
    /// When each request was at each place, and whether it was found slowed there.
    stays: Map<(u32, Site), (Window, bool)>,
}

#[derive(Default)]
struct Place {
    all: Stays,
    slowed: Stays,
}

/// Starts and ends, each ascending.
#[derive(Default)]
struct Stays {
    starts: Vec<Nanos>,
    ends: Vec<Nanos>,
}

impl Stays {
    fn push(&mut self, window: Window) {
        self.starts.push(window.start);
        self.ends.push(window.end);
    }

    fn sort(&mut self) {
        self.starts.sort_unstable();
        self.ends.sort_unstable();
    }

    /// How many touch `window`.
    fn touching(&self, window: Window) -> usize {
        let begun = self.starts.partition_point(|s| *s <= window.end);
        let over = self.ends.partition_point(|e| *e < window.start);
        begun.saturating_sub(over)
    }
}

impl Proven {
    /// Of an earlier pass, by request.
    pub(super) fn of(ground: &Ground<'_>, slowed: &[bool]) -> Self {
        let mut stays: Map<(u32, Site), (Window, bool)> = Map::default();
        for (call, &site) in ground.measured.calls.all.iter().zip(&ground.sites) {
            let slowed = slowed.get(call.request as usize).copied().unwrap_or(false);
            let stay = stays
                .entry((call.request, site))
                .or_insert((call.window, slowed));
            stay.0.start = stay.0.start.min(call.window.start);
            stay.0.end = stay.0.end.max(call.window.end);
        }
        let mut places: Map<Site, Place> = Map::default();
        for ((_, site), (window, slowed)) in &stays {
            let place = places.entry(*site).or_default();
            place.all.push(*window);
            if *slowed {
                place.slowed.push(*window);
            }
        }
        for place in places.values_mut() {
            place.all.sort();
            place.slowed.sort();
        }
        Self { places, stays }
    }

    /// Of the other requests at `site` around `request`: those slowed, and all.
    pub(super) fn around(&self, request: u32, site: Site, reach: Nanos) -> Option<(u32, u32)> {
        let (own, slowed) = self.stays.get(&(request, site))?;
        let place = self.places.get(&site)?;
        let window = Window {
            start: own.start - reach,
            end: own.end + reach,
        };
        let all = place.all.touching(window).saturating_sub(1);
        let victims = place.slowed.touching(window) - usize::from(*slowed);
        (all > 0).then_some((victims as u32, all as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_only_touch_a_window_count() {
        let mut stays = Stays::default();
        for (start, end) in [(0, 10), (5, 20), (30, 40), (12, 14)] {
            stays.push(Window {
                start: Nanos(start),
                end: Nanos(end),
            });
        }
        stays.sort();
        let touching = |start, end| {
            stays.touching(Window {
                start: Nanos(start),
                end: Nanos(end),
            })
        };
        assert_eq!(touching(10, 12), 3);
        assert_eq!(touching(21, 29), 0);
        assert_eq!(touching(0, 100), 4);
    }
}
