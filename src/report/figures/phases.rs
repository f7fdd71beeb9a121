//! Where the time of slow and of other requests went, and where it should have gone.

use crate::diagnose::Cause;
use crate::report::{Report, Row};
use crate::units::Nanos;

/// Time per part, in the order of [`Parts::named`](crate::trace::Parts::named).
pub type PartTimes = [(&'static str, Nanos); 10];

const QUEUE: usize = 0;
const PREFILL: usize = 1;
const DECODE: usize = 2;
const UNSPLIT: usize = 3;
const TOOL: usize = 4;
const RETRIEVAL: usize = 5;
const FAILED: usize = 6;
const WAIT: usize = 7;
const GAP: usize = 8;
const OTHER: usize = 9;

/// Means over one group of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// How many requests.
    pub requests: u64,
    /// As they were.
    pub observed: PartTimes,
    /// As they should have been.
    pub expected: PartTimes,
}

/// Means per request; absent where there is no such request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Phases {
    /// Slow requests.
    pub slow: Option<Pair>,
    /// Judged requests that were not slow.
    pub normal: Option<Pair>,
}

#[derive(Default)]
struct Sum {
    requests: u64,
    observed: [u64; 10],
    expected: [u64; 10],
}

impl Phases {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let (mut slow, mut normal) = (Sum::default(), Sum::default());
        for row in report.rows() {
            let Some(expected) = row.expected_parts() else {
                continue;
            };
            let sum = if row.slow() { &mut slow } else { &mut normal };
            sum.requests += 1;
            let parts = row.request.parts.named();
            for (index, ((_, seen), (_, due))) in parts.into_iter().zip(expected).enumerate() {
                sum.observed[index] = sum.observed[index].saturating_add(seen.0);
                sum.expected[index] = sum.expected[index].saturating_add(due.0);
            }
        }
        Self {
            slow: slow.means(),
            normal: normal.means(),
        }
    }
}

impl Sum {
    fn means(&self) -> Option<Pair> {
        let names = crate::trace::Parts::default().named();
        let mean = |sums: &[u64; 10]| {
            let mut times = names;
            let each = times.iter_mut().zip(sums);
            each.for_each(|(slot, sum)| slot.1 = Nanos(sum / self.requests));
            times
        };
        (self.requests > 0).then(|| Pair {
            requests: self.requests,
            observed: mean(&self.observed),
            expected: mean(&self.expected),
        })
    }
}

impl Row<'_> {
    /// The parts as they should have been: what each cause took is taken out of the parts it acts on,
    /// so that they sum to the expected time. `None` where nothing was expected.
    #[must_use]
    pub fn expected_parts(&self) -> Option<PartTimes> {
        self.expected()?;
        let mut parts = self.request.parts.named();
        for (cause, taken) in Cause::ALL.into_iter().zip(self.contributions()) {
            let mut left = taken;
            for group in acts_on(cause) {
                left = take(&mut parts, group, left);
            }
            take(&mut parts, &EVERYWHERE, left);
        }
        Some(parts)
    }
}

const EVERYWHERE: [usize; 10] = [
    QUEUE, PREFILL, DECODE, UNSPLIT, TOOL, RETRIEVAL, FAILED, WAIT, GAP, OTHER,
];

/// The parts a cause makes longer: the first group as far as it reaches, then the next.
fn acts_on(cause: Cause) -> &'static [&'static [usize]] {
    match cause {
        Cause::PrefillSurge | Cause::ColdCache => &[&[PREFILL], &[UNSPLIT], &[QUEUE]],
        Cause::NoisyNeighbour => &[&[QUEUE], &[PREFILL, DECODE, UNSPLIT]],
        Cause::RoutingChange => &[&[QUEUE, PREFILL, DECODE, UNSPLIT]],
        Cause::ToolBottleneck => &[&[TOOL, RETRIEVAL]],
        Cause::RetryCascade => &[&[FAILED, WAIT], &[TOOL, UNSPLIT, PREFILL, DECODE]],
        Cause::ProviderError => &[&[FAILED, WAIT]],
        Cause::LongGeneration => &[&[DECODE], &[UNSPLIT]],
        Cause::OrchestrationGap => &[&[GAP, OTHER]],
        Cause::Unexplained => &[],
    }
}

/// Takes `amount` out of a group of parts in proportion to their length; returns what was not there.
fn take(parts: &mut PartTimes, group: &[usize], amount: Nanos) -> Nanos {
    let there: u128 = group.iter().map(|&i| u128::from(parts[i].1.0)).sum();
    let taken = u128::from(amount.0).min(there);
    let mut left = taken;
    for &index in group {
        let part = &mut parts[index].1;
        let share = (u128::from(part.0) * taken).checked_div(there).unwrap_or(0);
        *part = *part - Nanos(share as u64);
        left -= share;
    }
    // What rounding left: less than a nanosecond per part.
    for &index in group {
        let part = &mut parts[index].1;
        let more = left.min(u128::from(part.0));
        *part = *part - Nanos(more as u64);
        left -= more;
    }
    Nanos((u128::from(amount.0) - taken) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_taken_is_missing_exactly(parts in prop::array::uniform10(0_u64..1_000_000), amount in 0_u64..5_000_000, group in prop::sample::subsequence(EVERYWHERE.to_vec(), 0..10)) {
            let mut times: PartTimes = parts.map(|ns| ("", Nanos(ns)));
            let left = take(&mut times, &group, Nanos(amount));
            let after: u64 = times.iter().map(|(_, t)| t.0).sum();
            let before: u64 = parts.iter().sum();
            prop_assert_eq!(before - after, amount - left.0);
        }
    }
}
