//! Selectors: which series, and where in time.

use promql_parser::label::Matcher;

use super::Sample;
use crate::alerts::labels::NAME;
use crate::alerts::store::{Series, Store};

/// A vector selector.
#[derive(Debug)]
pub(super) struct Selector {
    pub(super) name: Option<String>,
    pub(super) matchers: Vec<Matcher>,
    pub(super) when: When,
    found: Vec<u32>,
    seen: usize,
}

/// `offset` and `@`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct When {
    /// Back in time, milliseconds.
    pub(super) offset: i64,
    /// An instant instead of the evaluation's own, Unix milliseconds.
    pub(super) fixed: Option<i64>,
}

impl When {
    /// The instant looked at when evaluating at `at`.
    pub(super) fn shift(self, at: i64) -> i64 {
        self.fixed.unwrap_or(at).saturating_sub(self.offset)
    }
}

impl Selector {
    pub(super) fn new(name: Option<String>, matchers: Vec<Matcher>, when: When) -> Self {
        Self {
            name,
            matchers,
            when,
            found: Vec::new(),
            seen: 0,
        }
    }

    /// Series that match; those that arrived since the last call are looked at only once.
    pub(super) fn series(&mut self, store: &mut Store) -> &[u32] {
        let fresh: Vec<u32> = match &self.name {
            Some(name) => {
                let name = store.labels.text(name);
                let all = store.named(name);
                let fresh = all.get(self.seen..).unwrap_or_default().to_vec();
                self.seen = all.len();
                fresh
            }
            None => {
                let fresh = self.seen as u32..store.series.len() as u32;
                self.seen = store.series.len();
                fresh.collect()
            }
        };
        let matching = fresh.into_iter().filter(|&index| {
            let labels = store.series[index as usize].labels;
            let mut matchers = self.matchers.iter();
            matchers.all(|m| m.is_match(store.labels.value(labels, &m.name)))
        });
        self.found.extend(matching);
        &self.found
    }

    /// The sample that stands for each series at `at`.
    pub(super) fn instant(&mut self, store: &mut Store, at: i64) -> Vec<Sample> {
        self.each(store, at, |series, _, value| (series.labels, value))
    }

    /// When the sample that stands for each series was taken, seconds.
    pub(super) fn taken(&mut self, store: &mut Store, at: i64) -> Vec<Sample> {
        self.each(store, at, |series, time, _| {
            (series.labels, time as f64 / 1000.0)
        })
    }

    fn each(
        &mut self,
        store: &mut Store,
        at: i64,
        sample: impl Fn(&Series, i64, f64) -> Sample,
    ) -> Vec<Sample> {
        let at = self.when.shift(at);
        let version = store.version;
        let found = self.series(store).to_vec();
        let series = found.into_iter().map(|i| &store.series[i as usize]);
        series
            .filter_map(|s| s.at(at, version).map(|(t, v)| sample(s, t, v)))
            .collect()
    }

    /// Labels that a selector pins to one value: those of the answer of `absent`.
    pub(super) fn pinned(&self) -> Vec<(&str, &str)> {
        use promql_parser::label::MatchOp;
        let named = |name: &str| self.matchers.iter().filter(|m| m.name == name).count();
        let equal = self
            .matchers
            .iter()
            .filter(|m| matches!(m.op, MatchOp::Equal) && m.name != NAME && named(&m.name) == 1);
        equal.map(|m| (m.name.as_str(), m.value.as_str())).collect()
    }
}
