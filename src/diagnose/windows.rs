//! Company: was everybody slow at that place at that time, or only this request?
//!
//! A fold over calls into histograms of ln(observed / expected) per place and time bin, with integer
//! counts, so that order and threads do not matter. Prefix sums over the bins make any window cheap.

use std::collections::BTreeMap;

use super::volume::Seen;
use crate::baseline::{Call, Calls};
use crate::units::Nanos;

/// Histogram of log ratios: from −2 in steps of 0.05.
const BUCKETS: usize = 130;
const LOW: f64 = -2.0;
const STEP: f64 = 0.05;
/// Fewer neighbours than this say nothing.
const LEAST: u32 = 4;

/// Where a call was served, as far as the dump tells.
pub(super) type Site = u32;

/// Slowdowns shared by the calls of a place.
pub(super) struct Windows {
    /// How far before and after a call its company is sought.
    reach: Nanos,
    bin: u64,
    start: u64,
    sites: Vec<SiteBins>,
}

/// Cumulative histograms over the bins that hold anything: entry `i` sums the first `i` of `bins`.
#[derive(Default)]
struct SiteBins {
    bins: Vec<u32>,
    sums: Vec<Histogram>,
}

type Histogram = [u32; BUCKETS];

impl Windows {
    pub(super) fn fold(calls: &Calls, sites: &[Site], seen: &[Seen], reach: Nanos) -> Self {
        let start = calls
            .all
            .iter()
            .map(|c| c.window.start.0)
            .min()
            .unwrap_or(0);
        let end = calls
            .all
            .iter()
            .map(|c| c.window.end.0)
            .max()
            .unwrap_or(start);
        // At most 20,000 bins, whatever the clocks say.
        let bin = (reach.0 / 6).max((end - start) / 20_000).max(1);
        let places = sites.iter().map(|s| *s as usize + 1).max().unwrap_or(0);
        let mut bins: Vec<BTreeMap<u32, Box<Histogram>>> =
            (0..places).map(|_| BTreeMap::new()).collect();
        for ((call, &site), seen) in calls.all.iter().zip(sites).zip(seen) {
            if seen.expected.is_some() {
                let b = ((middle(call) - start) / bin) as u32;
                bins[site as usize]
                    .entry(b)
                    .or_insert_with(|| Box::new([0; BUCKETS]))[bucket(seen.log_ratio(call))] += 1;
            }
        }
        let sites = bins.into_iter().map(SiteBins::accumulate).collect();
        Self {
            reach,
            bin,
            start,
            sites,
        }
    }

    /// Median of observed / expected over the calls of *other* requests at the same place around
    /// `call`, and how many there were. `own` are the request's calls.
    pub(super) fn company(
        &self,
        call: &Call,
        site: Site,
        own: &[(Site, &Call, f64)],
    ) -> Option<(f64, u32)> {
        let (from, to) = (
            self.index(call.window.start.0.saturating_sub(self.reach.0)),
            self.index(call.window.end.0.saturating_add(self.reach.0)) + 1,
        );
        let mut counts = self.sites.get(site as usize)?.between(from, to)?;
        for (s, mine, log_ratio) in own {
            if *s == site && (from..to).contains(&self.index(middle(mine))) {
                let slot = &mut counts[bucket(*log_ratio)];
                *slot = slot.saturating_sub(1);
            }
        }
        let n: u32 = counts.iter().sum();
        (n >= LEAST).then(|| (median(&counts, n).exp(), n))
    }

    fn index(&self, time: u64) -> usize {
        (time.saturating_sub(self.start) / self.bin) as usize
    }
}

impl SiteBins {
    fn accumulate(bins: BTreeMap<u32, Box<Histogram>>) -> Self {
        let mut total = [0; BUCKETS];
        let mut site = Self {
            bins: Vec::with_capacity(bins.len()),
            sums: vec![total],
        };
        for (bin, counts) in bins {
            total
                .iter_mut()
                .zip(counts.iter())
                .for_each(|(t, c)| *t += c);
            site.bins.push(bin);
            site.sums.push(total);
        }
        site
    }

    fn between(&self, from: usize, to: usize) -> Option<Histogram> {
        let before = |limit: usize| {
            self.sums
                .get(self.bins.partition_point(|b| (*b as usize) < limit))
        };
        let (low, high) = (before(from)?, before(to)?);
        let mut counts = [0; BUCKETS];
        counts
            .iter_mut()
            .zip(high.iter().zip(low.iter()))
            .for_each(|(c, (h, l))| *c = h - l);
        Some(counts)
    }
}

fn middle(call: &Call) -> u64 {
    call.window.start.0 + call.window.len().0 / 2
}

fn bucket(log_ratio: f64) -> usize {
    (((log_ratio - LOW) / STEP).max(0.0) as usize).min(BUCKETS - 1)
}

fn median(counts: &[u32; BUCKETS], n: u32) -> f64 {
    let half = f64::from(n) / 2.0;
    let mut below = 0.0;
    for (i, &count) in counts.iter().enumerate() {
        let count = f64::from(count);
        if count > 0.0 && below + count >= half {
            return LOW + STEP * (i as f64 + (half - below) / count);
        }
        below += count;
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_found_within_a_bucket() {
        let mut counts = [0; BUCKETS];
        counts[bucket(0.0)] = 3;
        counts[bucket(0.7)] = 5;
        assert!((median(&counts, 8) - 0.71).abs() < 0.03);
    }
}
