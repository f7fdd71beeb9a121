//! How long pauses usually are, and which operation usually follows which.

use rayon::prelude::*;

use super::pause::{GapIx, Pauses, StepName};
use super::{Excluded, Map};
use crate::stats::median;

/// Transitions rarer than this share of their kind are a missing span, not a pause.
const RARE: f64 = 0.06;
const LEAST: usize = 5;

/// Usual pause, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GapNorm {
    /// Median.
    pub centre: f64,
    /// Normal-consistent median absolute deviation.
    pub spread: f64,
}

/// Usual pauses and transitions, by key of [`Pauses`].
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    norms: Vec<Option<GapNorm>>,
    rare: Vec<bool>,
}

/// What came before, what came after.
type Transition = (StepName, StepName);

impl Gaps {
    /// Learns from what is not excluded; transitions are counted over everything.
    #[must_use]
    pub fn learn(pauses: &Pauses, excluded: &Excluded) -> Self {
        let lengths = pauses.lengths(|request, op| {
            excluded.keeps_request(request) && op.is_none_or(|op| excluded.keeps(op))
        });
        let any_service = any_service(pauses, &lengths);
        let norms = lengths.into_par_iter().zip(&pauses.keys);
        Self {
            norms: norms
                .map(|(lengths, &(_, before, after))| {
                    let own = (lengths.len() >= LEAST).then_some(lengths);
                    let any = || any_service.get(&(before, after)).copied();
                    own.and_then(norm).or_else(any)
                })
                .collect(),
            rare: rare(pauses),
        }
    }

    /// Fits pauses by key; a key with few of them has none.
    pub(super) fn fit(lengths: Vec<Vec<f64>>) -> Self {
        let enough = lengths
            .into_par_iter()
            .map(|l| (l.len() >= LEAST).then_some(l));
        Self {
            norms: enough.map(|lengths| lengths.and_then(norm)).collect(),
            rare: Vec::new(),
        }
    }

    /// Takes from `other` what it knows.
    pub(super) fn prefer(&mut self, other: &Self) {
        for (own, theirs) in self.norms.iter_mut().zip(&other.norms) {
            *own = theirs.or(*own);
        }
    }

    /// The usual pause; where the service is rarely seen, that of all services.
    #[must_use]
    pub fn norm(&self, key: GapIx) -> Option<GapNorm> {
        self.norms.get(key as usize).copied().flatten()
    }

    /// True where this transition is so rare that a span must be missing in between.
    #[must_use]
    pub fn lacks_a_span(&self, key: GapIx) -> bool {
        self.rare.get(key as usize).copied().unwrap_or(false)
    }
}

/// Norms over all services, for the transitions that some service shows too rarely.
fn any_service(pauses: &Pauses, lengths: &[Vec<f64>]) -> Map<Transition, GapNorm> {
    let keyed = || pauses.keys.iter().zip(lengths);
    let mut wanted: Map<Transition, Vec<f64>> = keyed()
        .filter(|(_, lengths)| lengths.len() < LEAST)
        .map(|(key, _)| ((key.1, key.2), Vec::new()))
        .collect();
    for (key, lengths) in keyed() {
        if let Some(all) = wanted.get_mut(&(key.1, key.2)) {
            all.extend_from_slice(lengths);
        }
    }
    wanted
        .into_iter()
        .filter_map(|(transition, lengths)| Some((transition, norm(lengths)?)))
        .collect()
}

fn rare(pauses: &Pauses) -> Vec<bool> {
    let mut follows: Map<Transition, u32> = Map::default();
    let mut from: Map<StepName, u32> = Map::default();
    for ((_, before, after), count) in pauses.keys.iter().zip(&pauses.counts) {
        *follows.entry((*before, *after)).or_default() += count;
        *from.entry(*before).or_default() += count;
    }
    let is_rare = |before: &StepName, after: &StepName| {
        let from = f64::from(from.get(before).copied().unwrap_or(0));
        let follows = f64::from(follows.get(&(*before, *after)).copied().unwrap_or(0));
        from >= 20.0 && follows < RARE * from
    };
    let keys = pauses.keys.iter();
    keys.map(|(_, before, after)| is_rare(before, after))
        .collect()
}

fn norm(mut values: Vec<f64>) -> Option<GapNorm> {
    let centre = median(&mut values)?;
    for value in &mut values {
        *value = (*value - centre).abs();
    }
    Some(GapNorm {
        centre,
        spread: 1.4826 * median(&mut values)?,
    })
}
