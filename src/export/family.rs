//! Metrics before they are scraped: what happened when. Reading them off at regular instants gives the
//! samples that an instrumented program would have exported.

use std::collections::BTreeMap;

use crate::units::Nanos;

/// What a metric is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A running total of what happened.
    Counter,
    /// How many observations lay at or below each bound.
    Histogram(&'static [f64]),
    /// A level that goes up and down by what happened.
    Level,
    /// What happened up to then, divided by what could have.
    Ratio,
}

/// Labels of a series, by name.
pub type Labels = Vec<(&'static str, String)>;

/// What happened to one series.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    /// When, and by how much, or what was observed.
    pub events: Vec<(Nanos, f64)>,
    /// Of a ratio: what could have happened.
    pub whole: Vec<(Nanos, f64)>,
}

/// All series of one metric.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    /// Its name, of a counter with `_total`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// One sentence.
    pub help: &'static str,
    /// Its series, by labels.
    pub series: BTreeMap<Labels, Series>,
}

impl Family {
    /// A metric without series.
    #[must_use]
    pub fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            help,
            series: BTreeMap::new(),
        }
    }

    /// Something happened.
    pub fn add(&mut self, labels: &[(&'static str, &str)], at: Nanos, by: f64) {
        self.of(labels).events.push((at, by));
    }

    /// Something could have happened.
    pub fn could(&mut self, labels: &[(&'static str, &str)], at: Nanos, by: f64) {
        self.of(labels).whole.push((at, by));
    }

    fn of(&mut self, labels: &[(&'static str, &str)]) -> &mut Series {
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        self.series.entry(labels.collect()).or_default()
    }

    /// Puts what happened in order of time.
    pub fn sort(&mut self) {
        for series in self.series.values_mut() {
            for events in [&mut series.events, &mut series.whole] {
                events.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            }
        }
    }
}

/// Instants at which metrics are read off: from before the first event to after the last.
#[must_use]
pub fn scrapes(families: &[Family], step: Nanos) -> Vec<Nanos> {
    let all = families.iter().flat_map(|f| f.series.values());
    let times = all
        .flat_map(|s| s.events.iter().chain(&s.whole))
        .map(|(at, _)| at.0);
    let (first, last) = times.fold((u64::MAX, 0), |(a, b), t| (a.min(t), b.max(t)));
    let step = step.0.max(1);
    if first > last {
        return Vec::new();
    }
    let from = first.saturating_sub(1) / step;
    let to = last / step + 1;
    (from..=to).map(|n| Nanos(n.saturating_mul(step))).collect()
}

/// The samples of one series: one per instant.
pub struct Samples<'a> {
    /// What stands behind the name of the metric: nothing, `_bucket`, `_sum` or `_count`.
    pub suffix: &'static str,
    /// Its labels.
    pub labels: &'a Labels,
    /// Upper bound of a bucket.
    pub le: Option<String>,
    /// The values; NaN where there is nothing to say yet.
    pub values: Vec<f64>,
}

impl Family {
    /// How many series of samples it makes.
    #[must_use]
    pub fn rows(&self) -> usize {
        let each = match self.kind {
            Kind::Histogram(bounds) => bounds.len() + 3,
            Kind::Counter | Kind::Level | Kind::Ratio => 1,
        };
        self.series.len() * each
    }

    /// True for the name of a series of this metric.
    #[must_use]
    pub fn has(&self, series: &str) -> bool {
        let suffix = series.strip_prefix(self.name);
        suffix.is_some_and(|s| matches!(s, "" | "_bucket" | "_sum" | "_count"))
    }

    /// Reads everything off at `times`.
    ///
    /// # Errors
    /// The first that `take` gives.
    pub fn read_off<E>(
        &self,
        times: &[Nanos],
        mut take: impl FnMut(Samples<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (labels, series) in &self.series {
            let of = |suffix, le, values| Samples {
                suffix,
                labels,
                le,
                values,
            };
            let events = &series.events;
            match self.kind {
                Kind::Counter | Kind::Level => {
                    take(of("", None, running(times, events, |by| by)))?;
                }
                Kind::Ratio => {
                    let part = running(times, events, |by| by);
                    let whole = running(times, &series.whole, |by| by);
                    let share = part.iter().zip(&whole);
                    // Before the first of what could have happened a ratio says nothing.
                    let share = share.map(|(p, w)| if *w > 0.0 { p / w } else { f64::NAN });
                    take(of("", None, share.collect()))?;
                }
                Kind::Histogram(bounds) => {
                    for bound in bounds.iter().copied().chain([f64::INFINITY]) {
                        let counts = running(times, events, |v| f64::from(u8::from(v <= bound)));
                        let le = match bound {
                            b if b.is_infinite() => "+Inf".to_owned(),
                            b => format!("{b:?}"),
                        };
                        take(of("_bucket", Some(le), counts))?;
                    }
                    take(of("_sum", None, running(times, events, |v| v)))?;
                    take(of("_count", None, running(times, events, |_| 1.0)))?;
                }
            }
        }
        Ok(())
    }
}

/// The running total at each scrape of what `amount` makes of each event.
fn running(scrapes: &[Nanos], events: &[(Nanos, f64)], amount: impl Fn(f64) -> f64) -> Vec<f64> {
    let (mut total, mut events) = (0.0, events.iter().peekable());
    let each = scrapes.iter().map(|scrape| {
        while let Some((_, value)) = events.next_if(|(at, _)| at <= scrape) {
            total += amount(*value);
        }
        total
    });
    each.collect()
}
