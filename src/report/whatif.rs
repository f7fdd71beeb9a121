//! What an incident did to its time, and what would have been without it.

use super::IncidentRow;
use crate::stats::quantile;
use crate::trace::RootState;
use crate::units::{Nanos, Usd};

/// A figure as it was, and as it would have been without the incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<T> {
    /// As it was.
    pub observed: T,
    /// As it would have been.
    pub without: T,
}

/// Requests that started while an incident lasted, as they were and without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhatIf {
    /// How many: those with a complete root, touched by the incident or not.
    pub requests: u64,
    /// Their median duration.
    pub p50: Change<Nanos>,
    /// Their 95th percentile.
    pub p95: Change<Nanos>,
    /// Cost of the requests of the incident, where priced.
    pub cost: Option<Change<Usd>>,
}

impl WhatIf {
    /// `None` where the incident was not worked out, or no request has a complete root.
    pub(super) fn of(row: &IncidentRow<'_>) -> Option<Self> {
        let without = row.incident.without.as_ref()?;
        let touched = row.incident.requests.iter().zip(&without.durations);
        let touched: std::collections::BTreeMap<u32, Nanos> = touched
            .map(|(request, duration)| (*request, *duration))
            .collect();
        let window = row.window();
        // Requests come by start.
        let requests = &row.report.forest().requests;
        let from = requests.partition_point(|r| r.wall.start < window.start);
        let to = requests.partition_point(|r| r.wall.start <= window.end);
        let (mut observed, mut instead) = (Vec::new(), Vec::new());
        for (request, index) in requests[from..to.max(from)].iter().zip(from as u32..) {
            if request.root_state == RootState::Complete {
                let duration = request.duration();
                observed.push(duration.0 as f64);
                instead.push(touched.get(&index).map_or(duration, |spared| *spared).0 as f64);
            }
        }
        observed.sort_unstable_by(f64::total_cmp);
        instead.sort_unstable_by(f64::total_cmp);
        let at = |q| {
            Some(Change {
                observed: Nanos(quantile(&observed, q)?.round() as u64),
                without: Nanos(quantile(&instead, q)?.round() as u64),
            })
        };
        Some(Self {
            requests: observed.len() as u64,
            p50: at(0.50)?,
            p95: at(0.95)?,
            cost: row
                .cost()
                .zip(without.saved)
                .map(|(observed, saved)| Change {
                    observed,
                    without: Usd(observed.0.saturating_sub(saved.0)),
                }),
        })
    }
}
