//! How long pauses usually are, and which operation usually follows which.

use rayon::prelude::*;

use super::grammar::{Grammar, Transition};
use super::pause::{GapIx, Pauses};
use super::{Excluded, Map};
use crate::stats::median;
use crate::trace::Forest;

const LEAST: usize = 5;

/// Usual pause, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GapNorm {
    /// Median.
    pub centre: f64,
    /// Normal-consistent median absolute deviation.
    pub spread: f64,
}

/// Usual pauses and transitions, by key of [`Pauses`].
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Gaps {
    norms: Vec<Option<GapNorm>>,
    rare: Vec<bool>,
    /// Spans that were lost at random for each that was not.
    odds_of_loss: f64,
}

impl Gaps {
    /// Learns from what is not excluded; transitions are counted over everything.
    #[must_use]
    pub fn learn(forest: &Forest, pauses: &Pauses, excluded: &Excluded) -> Self {
        let lengths = pauses.lengths(forest, |request, op| {
            excluded.keeps_request(request) && op.is_none_or(|op| excluded.keeps(op))
        });
        let any_service = any_service(pauses, &lengths);
        let norms = lengths.into_par_iter().zip(&pauses.keys);
        let grammar = Grammar::count(pauses);
        let keys = pauses.keys.iter();
        Self {
            norms: norms
                .map(|(lengths, &(_, before, after))| {
                    let own = (lengths.len() >= LEAST).then_some(lengths);
                    let any = || any_service.get(&(before, after)).copied();
                    own.and_then(norm).or_else(any)
                })
                .collect(),
            rare: keys.map(|(_, b, a)| grammar.is_rare(*b, *a)).collect(),
            odds_of_loss: grammar.odds_of_loss(),
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
            odds_of_loss: 0.0,
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

    /// Spans that the dump is known to have lost at random, for each that it has not.
    #[must_use]
    pub fn odds_of_loss(&self) -> f64 {
        self.odds_of_loss
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
