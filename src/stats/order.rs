//! Order statistics of a sample, sorted only as far as somebody asks.

/// A sample in which places are settled one by one, each by selection within what lies between the places
/// settled before (Hoare, "Algorithm 65: Find", 1961). The results are those of sorting.
#[derive(Clone, Debug)]
pub struct Ordered {
    values: Vec<f64>,
    /// Places that hold the value they hold when sorted, ascending.
    settled: Vec<usize>,
}

impl Ordered {
    /// Nothing is settled yet.
    #[must_use]
    pub fn new(values: Vec<f64>) -> Self {
        Self {
            values,
            settled: Vec::new(),
        }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value at `place` in ascending order, counted from zero.
    pub fn at(&mut self, place: usize) -> Option<f64> {
        if place >= self.values.len() {
            return None;
        }
        if let Err(index) = self.settled.binary_search(&place) {
            let (from, to) = self.between(index);
            self.values[from..to].select_nth_unstable_by(place - from, f64::total_cmp);
            self.settled.insert(index, place);
        }
        Some(self.values[place])
    }

    /// The `p`-quantile, as [`quantile`](super::quantile) gives it.
    pub fn quantile(&mut self, p: f64) -> Option<f64> {
        self.quantile_of(self.values.len(), p)
    }

    /// The `p`-quantile of the `count` smallest values.
    pub fn quantile_of(&mut self, count: usize, p: f64) -> Option<f64> {
        self.quantile_by(count, p, |value| value)
    }

    /// The same of what `rising` makes of the values, which rises with them.
    pub fn quantile_by(
        &mut self,
        count: usize,
        p: f64,
        rising: impl Fn(f64) -> f64,
    ) -> Option<f64> {
        let last = count.min(self.values.len()).checked_sub(1)?;
        let at = p.clamp(0.0, 1.0) * last as f64;
        let (low, share) = (at.floor() as usize, at.fract());
        let (low, high) = (self.at(low)?, self.at((low + 1).min(last))?);
        let (low, high) = (rising(low), rising(high));
        Some(low + (high - low) * share)
    }

    /// How many values are at most `limit`.
    #[must_use]
    pub fn count_up_to(&self, limit: f64) -> usize {
        self.count(|value| value <= limit)
    }

    /// How many values satisfy `is_low`, which every value below one that satisfies it does as well.
    #[must_use]
    pub fn count(&self, is_low: impl Fn(f64) -> bool) -> usize {
        let index = self.settled.partition_point(|&p| is_low(self.values[p]));
        let (from, to) = self.between(index);
        let open = self.values[from..to].iter();
        from + open.filter(|value| is_low(**value)).count()
    }

    /// The places between settled number `index` and the one before it.
    fn between(&self, index: usize) -> (usize, usize) {
        let from = index.checked_sub(1).map_or(0, |i| self.settled[i] + 1);
        let to = self.settled.get(index).copied();
        (from, to.unwrap_or(self.values.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile;

    proptest::proptest! {
        #[test]
        fn settling_places_is_sorting(sample in proptest::collection::vec(-9i32..9, 0..60), asked in proptest::collection::vec((0.0..1.0_f64, 0usize..70, -9i32..9), 0..12)) {
            let sample: Vec<f64> = sample.into_iter().map(f64::from).collect();
            let mut sorted = sample.clone();
            sorted.sort_by(f64::total_cmp);
            let mut ordered = Ordered::new(sample);
            for (p, count, limit) in asked {
                let count = count.min(sorted.len());
                let limit = f64::from(limit);
                assert_eq!(ordered.quantile(p), quantile(&sorted, p));
                assert_eq!(ordered.quantile_of(count, p), quantile(&sorted[..count], p));
                assert_eq!(ordered.count_up_to(limit), sorted.partition_point(|v| *v <= limit));
                assert_eq!(ordered.at(count), sorted.get(count).copied());
            }
        }
    }
}
