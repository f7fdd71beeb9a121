//! How far the calls of a healthy period are slowed together when nothing is wrong: natural swings of
//! load, which no dump can tell from neighbours by itself.

use rayon::prelude::*;

use super::Options;
use super::ground::sites;
use super::volume::{Seen, see};
use super::windows::{Site, Windows};
use super::witnesses::Witnesses;
use crate::baseline::{Call, Calls, Healthy, Map};
use crate::stats::quantile;
use crate::units::Nanos;

/// Fewer calls with company than this tell nothing of its natural range.
const LEAST: usize = 50;
/// Share of healthy calls whose company is taken for natural: one in fifty may be touched by something.
const NATURAL: f64 = 0.98;
/// Company slowed by less than this is nobody's fault, however calm the healthy period was.
const LEAST_LIMIT: f64 = 1.2;

/// The natural range of company in a healthy period.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Swing {
    /// The company's slowdown, as a multiple of the expectation, from which on it is not natural.
    pub(super) limit: f64,
}

impl Swing {
    /// Measures what [`Windows`] says of each call of the healthy period.
    pub(super) fn of(healthy: &Healthy, options: &Options, reach: Nanos) -> Option<Self> {
        let judged = see(
            &healthy.calls,
            &healthy.base,
            options,
            &Witnesses::default(),
        );
        let kept = healthy.kept.iter();
        let seen: Vec<Seen> = kept
            .filter_map(|&i| judged.get(i as usize).cloned())
            .collect();
        let all: Vec<Call> = healthy
            .kept
            .iter()
            .map(|&i| *healthy.calls.get(i))
            .collect();
        let calls = Calls {
            all,
            of_op: Vec::new(),
        };
        let sites = sites(&calls);
        let windows = Windows::fold(&calls, &sites, &seen, reach, LEAST_LIMIT);
        let mut requests: Map<u32, Vec<usize>> = Map::default();
        for (index, call) in calls.all.iter().enumerate() {
            requests.entry(call.request).or_default().push(index);
        }
        let requests: Vec<Vec<usize>> = requests.into_values().collect();
        let mut company: Vec<f64> = requests
            .par_iter()
            .flat_map_iter(|own| {
                let of = |&i: &usize| (sites[i], &calls.all[i], seen[i].log_ratio);
                let together: Vec<(Site, &Call, f64)> = own.iter().map(of).collect();
                let each = own.iter().filter_map(|&i| {
                    let (shared, _) = windows.company(&calls.all[i], sites[i], &together)?;
                    Some(shared.ln())
                });
                each.collect::<Vec<f64>>()
            })
            .collect();
        company.sort_unstable_by(f64::total_cmp);
        // Medians of ln(observed / expected) over the company of each call.
        let natural = quantile(&company, NATURAL).unwrap_or(0.0);
        let limit = natural.exp().max(LEAST_LIMIT);
        (company.len() >= LEAST).then_some(Self { limit })
    }
}
