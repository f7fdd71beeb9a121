//! The stretches of requests whose times speak for lost caches.

use super::{Placed, Point};
use crate::stats::{Lopsided, highest_stretches, median};
use crate::units::Nanos;

/// Fewer requests of somebody say nothing.
const LEAST_REQUESTS: usize = 6;
/// Stretches are sought as if this share of the prompt's price had been paid.
const SOUGHT: f64 = 0.75;
/// No request of a stretch speaks for more than this share of it.
const MOST_BY_ONE: f64 = 0.75;
/// Shares of the prompt's price that calls may have taken longer by.
const SHARES: [f64; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
/// Other slowdowns: by a factor up to e², in steps of 0.1, and by a delay, in usual calls.
const FACTORS: u32 = 20;
const DELAYS: [f64; 7] = [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2];

/// What a stretch must show. Of 273 random halves, three quarters and nine tenths of 21 labelled dumps of a simulated
/// fleet whose cached tokens were hidden, the stretches found by these made 176 requests that lost their cache slow for
/// it, 14 healthy ones and 17 that were slow for something else.
#[derive(Clone, Copy)]
pub(super) struct Bar {
    /// So many requests.
    requests: usize,
    /// So many such stretches may come up by chance in the dump.
    pub(super) by_chance: f64,
    /// The logarithm of how much likelier it is than any other slowdown. That has two numbers to fit where this has
    /// one, which is worth 1 (Akaike, "A New Look at the Statistical Model Identification", 1974).
    ahead: f64,
}

/// Hardly anything but its cache slows one tenant among others that are not slowed …
pub(super) const OF_TENANT: Bar = Bar {
    requests: 5,
    by_chance: 0.03,
    ahead: -0.5,
};
/// … while everybody's load swings at every place.
pub(super) const OF_PLACE: Bar = Bar {
    requests: 6,
    by_chance: 0.003,
    ahead: 2.0,
};

/// The requests of somebody, by start.
pub(super) struct Search<'a> {
    requests: Vec<&'a [Placed]>,
    law: Lopsided,
    /// What is usual for them.
    centre: f64,
}

impl<'a> Search<'a> {
    pub(super) fn over(points: &'a [Placed], law: Lopsided) -> Option<Self> {
        let requests = points
            .chunk_by(|a, b| a.0.request == b.0.request)
            .collect::<Vec<_>>();
        let centre = median(&mut points.iter().map(|p| p.1).collect::<Vec<f64>>())?;
        (requests.len() >= LEAST_REQUESTS).then_some(Self {
            requests,
            law,
            centre,
        })
    }

    /// When the first and the last request of each stretch began.
    pub(super) fn stretches(&self, least: f64, bar: &Bar) -> Vec<(Nanos, Nanos)> {
        let scores: Vec<f64> = self.requests.iter().map(|r| self.gain(r, SOUGHT)).collect();
        let found = highest_stretches(&scores, 0.5 * least).into_iter();
        let sure = found.filter(|range| {
            let most = scores[range.clone()].iter().copied().fold(0.0, f64::max);
            let sum: f64 = scores[range.clone()].iter().sum();
            range.len() >= bar.requests
                && most <= MOST_BY_ONE * sum
                && self.is_sure(&self.requests[range.clone()], least, bar.ahead)
        });
        let begin = |request: usize| self.requests[request][0].0.start;
        sure.map(|range| (begin(range.start), begin(range.end - 1)))
            .collect()
    }

    fn is_sure(&self, requests: &[&[Placed]], least: f64, ahead: f64) -> bool {
        let gain = |share| requests.iter().map(|r| self.gain(r, share)).sum::<f64>();
        let best = SHARES.into_iter().map(gain).fold(f64::MIN, f64::max);
        best >= least && best - self.otherwise(requests) >= ahead
    }

    /// How much likelier the times of these points are if they computed this share of what is usually cached.
    fn gain(&self, points: &[Placed], share: f64) -> f64 {
        let gains = points
            .iter()
            .map(|(p, z)| self.law.gain(z - self.centre, p.owed(share)));
        gains.sum()
    }

    /// The same of the best other slowdown.
    fn otherwise(&self, requests: &[&[Placed]]) -> f64 {
        let points = || requests.iter().flat_map(|r| r.iter());
        let mut usual: Vec<f64> = points().map(|(p, _)| f64::from(p.usual)).collect();
        let typical = median(&mut usual).unwrap_or(0.0);
        let slowdowns =
            (0..=FACTORS).flat_map(|step| DELAYS.map(|delay| (f64::from(step) / 10.0, delay)));
        let gains = slowdowns.map(|(factor, delay)| {
            let slower = |p: &Point| {
                let longer = factor.exp() + delay * typical / f64::from(p.usual);
                longer.ln()
            };
            points()
                .map(|(p, z)| self.law.gain(z - self.centre, slower(p)))
                .sum::<f64>()
        });
        gains.fold(f64::MIN, f64::max)
    }
}
