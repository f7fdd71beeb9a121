//! Company: was everybody slow at that place at that time, or only this request?
//!
//! A fold over calls into histograms of ln(observed / expected) per place and time bin, with integer
//! counts, so that order and threads do not matter. Only bins with calls take memory: the calls are
//! sorted by place and bin, and histograms of all calls before every 128th make any window cheap.

use std::ops::Range;

use rayon::prelude::*;

use super::volume::Seen;
use crate::baseline::{Call, Calls};
use crate::units::Nanos;

/// Histogram of log ratios: from −2 in steps of 0.05.
const BUCKETS: usize = 130;
const LOW: f64 = -2.0;
const STEP: f64 = 0.05;
/// Fewer neighbours than this say nothing.
const LEAST: u32 = 4;

/// Company counts from this multiple of the natural spread on, at least from a third above normal.
const COMPANY: f64 = 2.7;
const LEAST_COMPANY: f64 = 0.3;
/// The spread of single calls also holds what the fit does not know, which a median over many calls
/// averages out: beyond this, company counts whatever the spread.
const MOST_COMPANY: f64 = 0.7;

/// The multiple of normal from which company counts as slowed, by how widely healthy calls scatter.
pub(super) fn limit(spread: f64) -> f64 {
    (COMPANY * spread).clamp(LEAST_COMPANY, MOST_COMPANY).exp()
}

/// Where a call was served, as far as the dump tells.
pub(super) type Site = u32;

/// Calls between two cumulative histograms.
const BLOCK: usize = 128;
/// Calls between two counts of those that were slowed, which take one number each.
const SLOWED_BLOCK: usize = 16;
/// So many bins of places are told apart by number, however few calls there are.
const STARTS: usize = 1 << 12;

/// Slowdowns shared by the calls of a place.
pub(super) struct Windows {
    /// How far before and after a call its company is sought.
    reach: Nanos,
    bin: u64,
    start: u64,
    /// Place, time bin and bucket of each call with an expectation, ascending.
    entries: Vec<u64>,
    /// Cumulative histograms: number `b` counts the entries before `b * BLOCK`.
    sums: Vec<[u32; BUCKETS]>,
    /// The bucket that company must reach in the median to be slowed.
    limit: usize,
    /// Entries of that bucket and above before `b * SLOWED_BLOCK`.
    slowed: Vec<u32>,
    starts: Starts,
}

/// Where the entries of each bin of each place begin, one bin after the other. Empty where these are far more than
/// entries, which are then searched.
#[derive(Default)]
struct Starts {
    bins: usize,
    first: Vec<u32>,
}

impl Starts {
    fn of(entries: &[u64]) -> Self {
        let bins = entries
            .iter()
            .map(|e| bin_of(*e))
            .max()
            .map_or(0, |b| b + 1);
        let sites = entries.last().map_or(0, |last| (last >> 40) as usize + 1);
        let all = sites.saturating_mul(bins);
        if all > entries.len().max(STARTS) || u32::try_from(entries.len()).is_err() {
            return Self::default();
        }
        let mut first = vec![0; all + 1];
        for entry in entries {
            first[(entry >> 40) as usize * bins + bin_of(*entry) + 1] += 1;
        }
        let mut before = 0;
        for count in &mut first {
            before += *count;
            *count = before;
        }
        Self { bins, first }
    }

    /// How many entries come before those of a bin.
    fn before(&self, entries: &[u64], site: Site, bin: usize) -> usize {
        match self.first.last() {
            Some(all) => {
                let at = site as usize * self.bins + bin.min(self.bins);
                *self.first.get(at).unwrap_or(all) as usize
            }
            None => entries.partition_point(|e| *e < key(site, bin)),
        }
    }
}

impl Windows {
    /// From what [`Windows::parts`] gave; `limit` as in [`Windows::fold`].
    pub(super) fn of((reach, bin, start): (Nanos, u64, u64), steps: &[u64], limit: f64) -> Self {
        let entries = steps.iter().scan(0u64, |at, step| {
            *at = at.saturating_add(*step);
            Some(*at)
        });
        Self::over((reach, bin.max(1), start), entries.collect(), limit)
    }

    /// What all of it follows from: the measures, and the entries as steps from one to the next.
    pub(super) fn parts(&self) -> ((Nanos, u64, u64), Vec<u64>) {
        let entries = self.entries.iter();
        let steps = entries.scan(0, |before, entry| {
            Some(entry - std::mem::replace(before, *entry))
        });
        ((self.reach, self.bin, self.start), steps.collect())
    }

    fn over((reach, bin, start): (Nanos, u64, u64), entries: Vec<u64>, limit: f64) -> Self {
        let sums = accumulate(&entries);
        let limit = bucket(limit.ln());
        let blocks = entries.chunks(SLOWED_BLOCK);
        let slowed = std::iter::once(0).chain(blocks.scan(0, |before, block| {
            *before += slowed(block, limit);
            Some(*before)
        }));
        Self {
            reach,
            bin,
            start,
            sums,
            limit,
            slowed: slowed.collect(),
            starts: Starts::of(&entries),
            entries,
        }
    }

    /// `limit` is the multiple of normal from which company counts as slowed.
    pub(super) fn fold(
        calls: &Calls,
        sites: &[Site],
        seen: &[Seen],
        reach: Nanos,
        limit: f64,
    ) -> Self {
        let ratio = |index: usize| seen[index].expected.map(|_| seen[index].log_ratio);
        let (measures, entries) = entries(calls, sites, reach, ratio);
        Self::over(measures, entries, limit)
    }

    /// The same of ln(observed / expected) as `ratio` tells it of each call, where nobody asks who was slowed.
    pub(super) fn fold_ratios(
        calls: &Calls,
        sites: &[Site],
        reach: Nanos,
        ratio: impl Fn(usize) -> Option<f64> + Sync,
    ) -> Self {
        let (measures, entries) = entries(calls, sites, reach, ratio);
        Self::over(measures, entries, f64::MAX)
    }

    /// True where the company of `call`, a call of a request with `own` calls, cannot be slowed: fewer than
    /// half of all calls around it are, whichever of them are the request's own. Most company is calm, and
    /// this costs far less than its median.
    pub(super) fn is_calm(&self, call: &Call, site: Site, own: usize) -> bool {
        let (from, to) = self.around(call);
        let (low, high) = self.entries_between(site, from..to);
        let before = |at: usize| {
            let block = at / SLOWED_BLOCK;
            let rest = &self.entries[block * SLOWED_BLOCK..at];
            self.slowed[block] + slowed(rest, self.limit)
        };
        2 * (before(high) - before(low)) as usize + own <= high - low
    }

    /// Median of observed / expected over the calls of *other* requests at the same place around
    /// `call`, and how many there were. `own` are the request's calls.
    pub(super) fn company(
        &self,
        call: &Call,
        site: Site,
        own: &[(Site, &Call, f64)],
    ) -> Option<(f64, u32)> {
        let (from, to) = self.around(call);
        let mut counts = self.between(site, from..to);
        for (s, mine, log_ratio) in own {
            if *s == site && (from..to).contains(&self.index(middle(mine))) {
                let slot = &mut counts[bucket(*log_ratio)];
                *slot = slot.saturating_sub(1);
            }
        }
        let n: u32 = counts.iter().sum();
        (n >= LEAST).then(|| (median(&counts, n).exp(), n))
    }

    /// Median of ln(observed / expected) over the calls around `call` at its place but those of its owner, who has a
    /// place of their own in `own`, a fold over the same calls.
    pub(super) fn company_without(
        &self,
        (call, site): (&Call, Site),
        (own, owner): (&Self, Site),
    ) -> Option<f64> {
        let (from, to) = self.around(call);
        let mut counts = self.between(site, from..to);
        for (count, own) in counts.iter_mut().zip(own.between(owner, from..to)) {
            *count = count.saturating_sub(own);
        }
        let n: u32 = counts.iter().sum();
        (n >= LEAST).then(|| median(&counts, n))
    }

    /// The bins from which the company of `call` comes.
    fn around(&self, call: &Call) -> (usize, usize) {
        let reach = self.reach.0;
        let from = self.index(call.window.start.0.saturating_sub(reach));
        let to = self.index(call.window.end.0.saturating_add(reach));
        (from, to + 1)
    }

    fn index(&self, time: u64) -> usize {
        (time.saturating_sub(self.start) / self.bin) as usize
    }

    /// Where the entries of some bins of a place lie.
    fn entries_between(&self, site: Site, bins: Range<usize>) -> (usize, usize) {
        let before = |bin| self.starts.before(&self.entries, site, bin);
        (before(bins.start), before(bins.end))
    }

    /// Histogram of the entries of some bins of a place.
    fn between(&self, site: Site, bins: Range<usize>) -> [u32; BUCKETS] {
        let (low, high) = self.entries_between(site, bins);
        let mut counts = [0; BUCKETS];
        if high - low <= 2 * BLOCK {
            for &entry in &self.entries[low..high] {
                counts[bucket_of(entry)] += 1;
            }
            return counts;
        }
        let (first, last) = (low / BLOCK, high / BLOCK);
        let (before, until) = (&self.sums[first], &self.sums[last]);
        for (count, (until, before)) in counts.iter_mut().zip(until.iter().zip(before)) {
            *count = until - before;
        }
        for &entry in &self.entries[first * BLOCK..low] {
            counts[bucket_of(entry)] -= 1;
        }
        for &entry in &self.entries[last * BLOCK..high] {
            counts[bucket_of(entry)] += 1;
        }
        counts
    }
}

/// Reach, bin and start, and the entries of all calls with a ratio.
fn entries(
    calls: &Calls,
    sites: &[Site],
    reach: Nanos,
    ratio: impl Fn(usize) -> Option<f64> + Sync,
) -> ((Nanos, u64, u64), Vec<u64>) {
    let none = || (u64::MAX, 0);
    let (start, end) = calls
        .all
        .par_iter()
        .map(|call| (call.window.start.0, call.window.end.0))
        .reduce(none, |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let start = if calls.all.is_empty() { 0 } else { start };
    // At most 100,000 bins, whatever the clocks say.
    let bin = (reach.0 / 6)
        .max(end.saturating_sub(start) / 100_000)
        .max(1);
    let placed = calls.all.par_iter().zip(sites).enumerate();
    let mut entries: Vec<u64> = placed
        .filter_map(|(index, (call, &site))| {
            let bin_of_call = ((middle(call) - start) / bin) as usize;
            Some(key(site, bin_of_call) | bucket(ratio(index)?) as u64)
        })
        .collect();
    entries.par_sort_unstable();
    ((reach, bin, start), entries)
}

/// Where the calls of a place from a bin on stand among the entries; 32 bits for the bin.
fn key(site: Site, bin: usize) -> u64 {
    let bin = u32::try_from(bin).unwrap_or(u32::MAX);
    u64::from(site) << 40 | u64::from(bin) << 8
}

/// The time bin of an entry.
fn bin_of(entry: u64) -> usize {
    (entry >> 8) as usize & u32::MAX as usize
}

/// The bucket of an entry.
fn bucket_of(entry: u64) -> usize {
    ((entry & 0xff) as usize).min(BUCKETS - 1)
}

/// How many entries are of the bucket `limit` or above.
fn slowed(entries: &[u64], limit: usize) -> u32 {
    let slowed = entries.iter().filter(|e| bucket_of(**e) >= limit);
    slowed.count() as u32
}

fn accumulate(entries: &[u64]) -> Vec<[u32; BUCKETS]> {
    let mut total = [0; BUCKETS];
    let mut sums = Vec::with_capacity(entries.len() / BLOCK + 1);
    sums.push(total);
    for block in entries.chunks_exact(BLOCK) {
        for &entry in block {
            total[bucket_of(entry)] += 1;
        }
        sums.push(total);
    }
    sums
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

    /// Entries of three places over 40 bins, at all heights.
    fn entries(count: u64) -> Vec<u64> {
        let mut entries: Vec<u64> = (0..count)
            .map(|n| {
                let draw = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                key((draw % 3) as Site, (draw / 3 % 40) as usize) | (draw / 120 % BUCKETS as u64)
            })
            .collect();
        entries.sort_unstable();
        entries
    }

    fn windows(entries: Vec<u64>) -> Windows {
        Windows::over((Nanos(60), 10, 1_000), entries, 1.5)
    }

    #[test]
    fn histograms_between_two_times_are_as_counted_one_by_one() {
        for count in [0, 5, 127, 128, 129, 700, 3_000] {
            let all = entries(count);
            let windows = windows(all.clone());
            for (from, to) in [
                (0, 40),
                (0, 1),
                (3, 9),
                (0, 39),
                (17, 40),
                (39, 40),
                (20, 20),
            ] {
                let keys = key(1, from)..key(1, to);
                let mut counted = [0; BUCKETS];
                for entry in all.iter().filter(|e| keys.contains(*e)) {
                    counted[(entry & 0xff) as usize] += 1;
                }
                assert_eq!(windows.between(1, from..to), counted, "{count} entries");
            }
        }
    }

    #[test]
    fn bins_are_found_by_number_and_by_search_alike() {
        for count in [0, 1, 700] {
            let entries = entries(count);
            let (numbered, searched) = (Starts::of(&entries), Starts::default());
            for (site, bin) in [(0, 0), (0, 41), (1, 7), (2, 39), (2, 40), (3, 0), (9, 9)] {
                let [a, b] = [&numbered, &searched].map(|s| s.before(&entries, site, bin));
                assert_eq!(a, b, "{count} entries, place {site}, bin {bin}");
            }
        }
    }

    #[test]
    fn windows_are_made_again_from_their_parts() {
        let whole = windows(entries(700));
        let (measures, steps) = whole.parts();
        assert_eq!(measures, (Nanos(60), 10, 1_000));
        let again = Windows::of(measures, &steps, 1.5);
        assert_eq!(again.entries, whole.entries);
        assert_eq!(
            (again.sums, again.slowed, again.limit),
            (whole.sums, whole.slowed, whole.limit)
        );
        assert_eq!(Windows::of((Nanos(60), 0, 0), &[], 1.5).bin, 1);
    }

    #[test]
    fn company_is_slowed_from_the_spread_of_healthy_calls_on() {
        let millis = |spread| (limit(spread) * 1e3).round() as u64;
        assert_eq!(millis(0.05), 1_350, "a third above normal at least");
        assert_eq!(millis(0.2), 1_716);
        assert_eq!(millis(0.5), 2_014, "twice normal at most");
    }

    #[test]
    fn ratios_beyond_the_scale_count_at_its_ends() {
        assert_eq!((bucket(-9.0), bucket(-2.0), bucket(-1.94)), (0, 0, 1));
        assert_eq!((bucket(4.46), bucket(99.0)), (129, 129));
        assert_eq!(bucket_of(0xff), 129);
        assert_eq!(key(2, 3), (2 << 40) | (3 << 8));
        assert_eq!(key(2, usize::MAX), (2 << 40) | (u64::from(u32::MAX) << 8));
    }
}
