//! `coverage`: how often each signal is there.

use serde::Serialize;

use crate::report;

/// One signal.
#[derive(Serialize)]
pub(super) struct Coverage {
    signal: &'static str,
    unit: &'static str,
    known: u64,
    of: u64,
    share: Option<f64>,
    without_it: &'static str,
    remedy: &'static str,
}

impl From<&report::Coverage> for Coverage {
    fn from(found: &report::Coverage) -> Self {
        Self {
            signal: found.signal,
            unit: found.unit,
            known: found.known,
            of: found.of,
            share: found.share(),
            without_it: found.costs,
            remedy: found.remedy,
        }
    }
}
