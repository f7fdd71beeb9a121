//! Whether costs of two sets can be compared: cached prompt tokens cost less, and not every dump shows them.

use super::{Condition, Quantity, Sample};
use crate::units::human::percent;

/// What is to be shown.
const WHICH: &str = "which prompt tokens came from a cache (gen_ai.usage.cache_read.input_tokens)";

/// Shares of requests that may differ before costs are no longer alike.
const ALIKE: f64 = 0.1;

/// How far a set shows which prompt tokens came from a cache.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CacheView {
    shown: u64,
    of: u64,
}

impl CacheView {
    /// From the samples of [`Quantity::CachedTokens`] and [`Quantity::InputTokens`].
    #[must_use]
    pub fn of(cached: &Sample, input: &Sample) -> Self {
        Self {
            shown: cached.len(),
            of: input.len(),
        }
    }

    /// What to know of a cost of this set, where not all of it shows what came from a cache.
    #[must_use]
    pub fn in_full(self) -> Option<String> {
        let missing = (self.of > 0).then(|| 1.0 - self.shown as f64 / self.of as f64)?;
        let who = match missing {
            few if few <= ALIKE => return None,
            1.0 => "No request shows".to_owned(),
            part => format!("{} of the requests do not show", percent(part)),
        };
        Some(format!(
            "{who} {WHICH}: they are priced in full, so the true cost may be lower."
        ))
    }

    /// Why costs of this set and another cannot be compared; `names` are what the two are called.
    #[must_use]
    pub fn apart(self, other: Self, names: (&str, &str)) -> Option<String> {
        let share = |view: Self| (view.of > 0).then(|| view.shown as f64 / view.of as f64);
        let (here, there) = (share(self)?, share(other)?);
        if (here - there).abs() <= ALIKE {
            return None;
        }
        let shows = match (here, there) {
            (0.0, _) => format!("only {} shows {WHICH}", names.1),
            (_, 0.0) => format!("only {} shows {WHICH}", names.0),
            _ => format!(
                "{} of the requests of {} and {} of {} show {WHICH}",
                percent(here),
                names.0,
                percent(there),
                names.1
            ),
        };
        Some(format!(
            "{shows}; they cost less, so the costs are not of the same kind"
        ))
    }
}

impl Quantity {
    /// True when cached tokens change its value.
    #[must_use]
    pub fn counts_cache(self) -> bool {
        matches!(self, Self::Cost | Self::WastedCost)
    }
}

impl Condition {
    /// True when cached tokens change its value.
    #[must_use]
    pub fn counts_cache(&self) -> bool {
        matches!(self, Self::Wasted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_compared_where_both_sides_show_as_much() {
        let view = |shown, of| CacheView { shown, of };
        assert_eq!(view(0, 0).in_full(), None);
        assert_eq!(view(95, 100).in_full(), None);
        let all = view(0, 100).in_full().unwrap();
        assert!(all.starts_with("No request shows which prompt"), "{all}");
        let half = view(50, 100).in_full().unwrap();
        assert!(half.starts_with("50% of the requests do not"), "{half}");
        let apart = |a: CacheView, b| a.apart(b, ("this dump", "the baseline"));
        assert_eq!(apart(view(95, 100), view(900, 1000)), None);
        assert_eq!(apart(view(0, 100), view(0, 10)), None);
        assert_eq!(apart(view(0, 0), view(9, 10)), None);
        let why = apart(view(0, 100), view(10, 10)).unwrap();
        assert!(why.starts_with("only the baseline shows"), "{why}");
        let why = apart(view(100, 100), view(0, 10)).unwrap();
        assert!(why.starts_with("only this dump shows"), "{why}");
        let why = apart(view(50, 100), view(10, 10)).unwrap();
        assert!(
            why.starts_with("50% of the requests of this dump and 100%"),
            "{why}"
        );
    }
}
