//! How long pauses usually are, and which operation usually follows which.

use rayon::prelude::*;

use super::pause::{GapIx, Pauses, StepName};
use super::{Excluded, Map};
use crate::stats::median;

/// Transitions rarer than this share of their kind are a missing span, not a pause.
const RARE: f64 = 0.06;
/// … as are those that skip a usual step less often than this share of the times it is taken: where one span
/// in ten is lost, one step in nine looks skipped, beside the parallel calls that happen to follow each other.
const PAST: f64 = 0.3;
/// Steps seen less often than this have no usual successor.
const LEAST_STEPS: u32 = 20;
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

/// How often each step is followed by which.
#[derive(Default)]
struct Grammar {
    follows: Map<Transition, u32>,
    from: Map<StepName, u32>,
}

impl Grammar {
    fn count(pauses: &Pauses) -> Self {
        let mut grammar = Self::default();
        for ((_, before, after), count) in pauses.keys.iter().zip(&pauses.counts) {
            *grammar.follows.entry((*before, *after)).or_default() += count;
            *grammar.from.entry(*before).or_default() += count;
            // What follows a call of any kind, for paths that lead through one.
            if before.kind_only() != *before {
                let any = before.kind_only();
                *grammar.follows.entry((any, *after)).or_default() += count;
                *grammar.from.entry(any).or_default() += count;
            }
        }
        grammar
    }

    /// Share of the steps `before` that `after` follows.
    fn share(&self, before: StepName, after: StepName) -> f64 {
        let from = self.from.get(&before).copied().unwrap_or(0);
        let follows = self.follows.get(&(before, after)).copied().unwrap_or(0);
        f64::from(follows) / f64::from(from.max(1))
    }

    fn is_rare(&self, before: StepName, after: StepName) -> bool {
        if self.from.get(&before).is_none_or(|n| *n < LEAST_STEPS) {
            return false;
        }
        let share = self.share(before, after);
        share < RARE || self.is_shortcut(before, after, share)
    }

    /// True where the usual path leads from the one to the other through a third step, and hardly ever
    /// past it: the span of that step was lost.
    fn is_shortcut(&self, before: StepName, after: StepName, share: f64) -> bool {
        let through = self.from.keys().copied().filter(|step| {
            *step == step.kind_only() && !matches!(step, StepName::Open | StepName::Failed)
        });
        let paths = through.map(|step| self.share(before, step) * self.share(step, after));
        share < PAST * paths.fold(0.0, f64::max)
    }
}

fn rare(pauses: &Pauses) -> Vec<bool> {
    let grammar = Grammar::count(pauses);
    let keys = pauses.keys.iter();
    keys.map(|(_, before, after)| grammar.is_rare(*before, *after))
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
