//! What is normal, learned in passes: each leaves out of the fits what the one before found faulted.

use rayon::prelude::*;

use super::Options;
use super::faults::{self, Faults};
use super::ground::Ground;
use super::scene::{Found, Kept, Scene};
use crate::baseline::{Baselines, Excluded};

/// A third pass changes little, a fifth nothing.
const PASSES: usize = 3;
/// Passes end when no more than this share of operations is left out, or no longer left out, by the next.
const SETTLED: f64 = 0.001;
/// A later pass that would leave fewer requests than this to learn from leaves out what the one before did.
const LEAST_HEALTHY: usize = 12;

/// What the passes before the last say.
pub(super) struct Passes {
    /// What is normal, without what was found faulted.
    pub(super) base: Baselines,
    /// What they found in other requests.
    pub(super) found: Found,
    /// What is to be said about it.
    pub(super) notes: Vec<String>,
    /// Requests that are charged nothing by it, where that is known already.
    pub(super) clear: Vec<bool>,
    /// What the last of them saw, where that was by the same prices.
    pub(super) kept: Option<Kept>,
}

/// Learns in passes, each leaving out what the one before found faulted, until that hardly changes.
pub(super) fn learn_from(ground: &Ground<'_>, options: &Options) -> Passes {
    let forest = ground.forest;
    let mut excluded = faults::known(ground);
    let mut found = Found::default();
    let mut notes = Vec::new();
    for pass in 1..PASSES {
        let base = normal(ground, &excluded);
        let mut scene = Scene::new(ground, &base, options, found);
        // Lost caches are sought when the worst is out of the prices, or when nothing else is to come out.
        if pass > 1 {
            scene.find_losses();
        }
        let requests = (0..forest.requests.len() as u32).into_par_iter();
        let faults: Vec<Faults> = requests.map(|r| Faults::of(&scene, r)).collect();
        notes.clear();
        let next = faults::exclude(ground, &faults, &excluded, &mut notes);
        // A fit that rests on too few is worse than one with some faults in it.
        let thin = |excluded: &Excluded| faults::healthy(forest, excluded) < LEAST_HEALTHY;
        let keeps = pass > 1 && thin(&next) && !thin(&excluded);
        let settled = SETTLED * forest.ops.len() as f64;
        let few = next.changed(&excluded) as f64 <= settled;
        if few && pass == 1 {
            scene.find_losses();
        }
        if !keeps && few && (pass > 1 || scene.losses.is_empty()) {
            let (kept, proven) = scene.keep();
            let witnesses = faults::witnesses(forest, &faults);
            return Passes {
                base,
                found: Found { proven, witnesses },
                notes,
                clear: faults.iter().map(|faults| faults.clear).collect(),
                kept: Some(kept),
            };
        }
        found = Found {
            proven: faults::proven(&scene, &faults),
            witnesses: faults::witnesses(forest, &faults),
        };
        if !keeps {
            excluded = next;
        }
    }
    Passes {
        base: normal(ground, &excluded),
        found,
        notes,
        clear: Vec::new(),
        kept: None,
    }
}

/// What is normal, by what is not `excluded` and by the healthy period.
fn normal(ground: &Ground<'_>, excluded: &Excluded) -> Baselines {
    let mut base = Baselines::learn(ground.forest, &ground.measured, excluded);
    if let Some(healthy) = &ground.healthy {
        base.prefer(healthy, &ground.measured.calls, excluded);
    }
    base
}
