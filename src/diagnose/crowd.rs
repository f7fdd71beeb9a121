//! How many strangers a server was working for, reconstructed from the dump itself: server spans of other
//! tenants are requests of their own here. The dump's own requests do not count: their number swings with
//! the day, and what they do to each other shows in their shared slowdown.

use crate::baseline::{Calls, Map};
use crate::model::{Dataset, Op};
use crate::stats::median;
use crate::units::Window;

/// A server is crowded from this multiple of its usual number of strangers' calls in flight, and this many
/// more, on.
const CROWD: f64 = 3.0;
const LEAST_CROWD: f64 = 0.5;
/// A server with fewer calls than this has no usual crowd.
const LEAST: usize = 12;

/// Requests in flight per server over time.
#[derive(Default)]
pub(super) struct Crowd {
    /// Per call: mean number of strangers' calls in flight at its server; absent without server spans.
    pub(super) others: Map<u32, f64>,
    /// The median of that over all calls.
    pub(super) usual: f64,
}

impl Crowd {
    pub(super) fn count(dataset: &Dataset, calls: &Calls) -> Self {
        let mut by_server: Map<u32, Vec<(u32, Window)>> = Map::default();
        for (index, call) in calls.all.iter().enumerate() {
            let own = &dataset.spans[call.span as usize];
            let engine = if own.op == Op::Engine {
                Some(own)
            } else {
                call.engine
                    .and_then(|e| dataset.spans.get(e.get() as usize))
            };
            if let Some(span) = engine.filter(|s| !s.window().is_empty()) {
                by_server
                    .entry(dataset.emitter_of(span).resource)
                    .or_default()
                    .push((index as u32, span.window()));
            }
        }
        let mut crowd = Self::default();
        for list in by_server.into_values().filter(|l| l.len() >= LEAST) {
            let outside = |(index, _): &&(u32, Window)| calls.get(*index).server_side_only;
            let busy = Busy::of(&list.iter().filter(outside).copied().collect::<Vec<_>>());
            for (index, window) in list {
                let mean =
                    (busy.until(window.end.0) - busy.until(window.start.0)) / window.len().0 as f64;
                let itself = f64::from(u8::from(calls.get(index).server_side_only));
                crowd.others.insert(index, mean - itself);
            }
        }
        let mut all: Vec<f64> = crowd.others.values().copied().collect();
        crowd.usual = median(&mut all).unwrap_or(0.0);
        crowd
    }

    /// To what degree the server of call `index` was crowded, nought to one.
    pub(super) fn weight(&self, index: u32) -> f64 {
        let others = self.others(index).unwrap_or(0.0);
        (others - CROWD * self.usual - LEAST_CROWD).clamp(0.0, 1.0)
    }

    /// To what degree a crowd at the server of call `index` is beyond doubt, nought to one: fully from twice what
    /// counts as a crowd on.
    pub(super) fn certainty(&self, index: u32) -> f64 {
        let full = CROWD * self.usual + LEAST_CROWD + 1.0;
        (self.others(index).unwrap_or(0.0) / full - 1.0).clamp(0.0, 1.0)
    }

    /// Mean number of strangers' calls in flight at the server of call `index` while it ran.
    pub(super) fn others(&self, index: u32) -> Option<f64> {
        self.others.get(&index).copied()
    }
}

/// Cumulative busy time of one server: (instant, calls in flight from then on, busy time until then).
struct Busy(Vec<(u64, f64, f64)>);

impl Busy {
    fn of(list: &[(u32, Window)]) -> Self {
        let mut edges: Vec<(u64, f64)> = list
            .iter()
            .flat_map(|(_, w)| [(w.start.0, 1.0), (w.end.0, -1.0)])
            .collect();
        edges.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (mut active, mut total, mut last) = (0.0, 0.0, edges.first().map_or(0, |e| e.0));
        let steps = edges
            .into_iter()
            .map(|(at, change)| {
                total += active * (at - last) as f64;
                active += change;
                last = at;
                (at, active, total)
            })
            .collect();
        Self(steps)
    }

    fn until(&self, at: u64) -> f64 {
        let next = self.0.partition_point(|s| s.0 <= at);
        next.checked_sub(1)
            .and_then(|i| self.0.get(i))
            .map_or(0.0, |(t, active, total)| total + active * (at - t) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    #[test]
    fn busy_time_counts_every_call_in_flight() {
        let w = |a, b| Window {
            start: Nanos(a),
            end: Nanos(b),
        };
        let busy = Busy::of(&[(0, w(0, 10)), (1, w(5, 15)), (2, w(20, 30))]);
        assert!((busy.until(10) - busy.until(0) - 15.0).abs() < 1e-9);
        assert!((busy.until(40) - 30.0).abs() < 1e-9);
    }
}
