//! Requests by start and duration, with the incidents they belong to.

use super::thin;
use crate::diagnose::Cause;
use crate::report::Report;
use crate::units::{Nanos, Window};

/// Slow requests drawn at most, those that lost most.
const SLOW: usize = 2_000;
/// Other requests drawn at most, evenly spread over time.
const NORMAL: usize = 1_500;
/// Incidents drawn at most, the costliest.
const BANDS: usize = 24;

/// One request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its number, as in [`Report::row`].
    pub request: u32,
    /// When it started.
    pub start: Nanos,
    /// How long it took.
    pub duration: Nanos,
    /// Why it was slow; absent when it was not.
    pub cause: Option<Cause>,
}

/// One incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Band {
    /// From the first to the last request touched.
    pub window: Window,
    /// Its cause.
    pub cause: Cause,
    /// What it concerned.
    pub scope: String,
}

/// Requests by start and duration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeline {
    /// From the first start to the last start.
    pub window: Window,
    /// Requests that were not slow, by start.
    pub normal: Vec<Mark>,
    /// Slow requests, by start.
    pub slow: Vec<Mark>,
    /// All requests that were not slow.
    pub normal_of: u64,
    /// All slow requests.
    pub slow_of: u64,
    /// Incidents, the costliest first.
    pub bands: Vec<Band>,
    /// Duration from which on a request is slow, where the rule is the same for all.
    pub limit: Option<Nanos>,
}

impl Timeline {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let mut slow: Vec<Mark> = report
            .slowest
            .iter()
            .take(SLOW)
            .filter_map(|&request| mark(report, request))
            .collect();
        slow.sort_unstable_by_key(|mark| mark.request);
        let rest = (0..report.len() as u32).filter(|&r| !report.row(r).is_some_and(|w| w.slow()));
        let rest: Vec<u32> = rest.collect();
        let bands = report.incidents().take(BANDS).map(|row| Band {
            window: row.window(),
            cause: row.incident.cause,
            scope: row.scope(),
        });
        let starts = || report.rows().map(|row| row.request.wall.start);
        Self {
            window: Window {
                start: starts().min().unwrap_or_default(),
                end: starts().max().unwrap_or_default(),
            },
            normal_of: rest.len() as u64,
            slow_of: report.slowest.len() as u64,
            normal: thin(rest, NORMAL)
                .into_iter()
                .filter_map(|request| mark(report, request))
                .collect(),
            slow,
            bands: bands.collect(),
            limit: report.rule().slow_over,
        }
    }

    /// True when some requests are not drawn.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.normal_of + self.slow_of > (self.normal.len() + self.slow.len()) as u64
    }
}

fn mark(report: &Report<'_>, request: u32) -> Option<Mark> {
    let row = report.row(request)?;
    Some(Mark {
        request,
        start: row.request.wall.start,
        duration: row.request.duration(),
        cause: row.cause(),
    })
}
