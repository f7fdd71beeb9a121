//! Drift as a budget sees it.

use super::check::Reference;
use super::expect::{DRIFTS, DriftBy};
use crate::aggregate::drift::{self, Effect, Study};
use crate::quantity::{Scope, Source};

/// What was measured.
pub(super) struct Drifted {
    pub(super) value: f64,
    /// Chance of so large a change when nothing changed.
    pub(super) p_value: Option<f64>,
    pub(super) n: u64,
    pub(super) n_baseline: u64,
    /// The tool or name that changed most.
    pub(super) most: Option<String>,
}

/// Drift number `what` of [`DRIFTS`] against a baseline, else in the course of the dump.
///
/// # Errors
/// With the reason, when it cannot be told.
pub(super) fn measure(
    what: usize,
    by: DriftBy,
    scope: &Scope,
    now: &Source<'_>,
    reference: Option<&Reference<'_>>,
) -> Result<Drifted, String> {
    let (name, measure, about) = DRIFTS.get(what).copied().unwrap_or(DRIFTS[0]);
    let own = now.within(scope).own_forest();
    let part = (now.data, &own);
    let study = match reference {
        None => drift::study(part, None, None),
        Some(Reference {
            dump: Some(dump), ..
        }) => {
            let before = dump.within(scope).own_forest();
            drift::study(part, Some((dump.data, &before)), None)
        }
        Some(_) if !scope.is_all() => {
            return Err("drift of a part of the requests needs a dump to compare with (--baseline DUMP): a saved baseline is of all".to_owned());
        }
        Some(Reference { profile, .. }) => drift::against_saved(part, profile),
    };
    let found = match measure {
        "" => tools(&study, by),
        measure => one(&study, measure, by),
    };
    found.ok_or_else(|| match reference {
        Some(Reference { dump: None, .. }) if !measure.is_empty() => {
            format!("a saved baseline does not keep {about}; compare with a dump (--baseline DUMP)")
        }
        _ => format!("drift({name}) needs at least eight requests with {about} on each side"),
    })
}

fn tools(study: &Study, by: DriftBy) -> Option<Drifted> {
    let tools = &study.tools;
    let value = match by {
        DriftBy::P => tools.p_value,
        DriftBy::Bits => tools.divergence.filter(|_| tools.p_value.is_some()),
    };
    let most = tools.tools.first().map(|shift| shift.tool.clone());
    Some(Drifted {
        value: value?,
        p_value: tools.p_value,
        n: tools.calls_after,
        n_baseline: tools.calls_before,
        most,
    })
}

fn one(study: &Study, name: &str, by: DriftBy) -> Option<Drifted> {
    let measure = study.measures.iter().find(|measure| measure.name == name)?;
    // Where all are alike, nothing is tested, and nothing drifted.
    let alike = measure.effect == Some(Effect::Divergence(0.0));
    let p_value = measure.p_value.or(alike.then_some(1.0));
    let value = match (by, measure.effect) {
        (DriftBy::P, _) => p_value,
        (DriftBy::Bits, Some(Effect::Divergence(bits))) => p_value.map(|_| bits),
        (DriftBy::Bits, _) => None,
    };
    let most = measure.changes.first().map(|change| change.name.clone());
    Some(Drifted {
        value: value?,
        p_value,
        n: measure.after.n,
        n_baseline: measure.before.n,
        most,
    })
}
