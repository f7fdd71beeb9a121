//! Thresholds from what a dump shows while nothing is wrong.
//!
//! A rule with `for: 5m` fires on a value that holds for five minutes; so what counts is not the
//! largest value there was but the largest that held that long, and the threshold lies beyond it.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::labels::LabelId;
use super::measure::{Measure, Side};
use super::query::{Instant, Query};
use super::replay::Schedule;
use super::store::Store;
use crate::units::Window;

/// How far beyond what was seen a threshold lies.
const MARGIN: f64 = 1.25;
/// A drift below this share of a tool's normal share is a drift, however steady the tool was.
const DRIFT: f64 = 0.5;
/// A threshold below this part of what is usual asks for a longer range.
const FAINT: f64 = 0.25;
/// Events of a series over the whole dump below which no threshold can be told.
const LEAST_EVENTS: f64 = 20.0;
/// What incidents at least make of a value, to be told from how it varies anyway.
const NOTABLE: f64 = 1.5;
/// How far from the middle of all values a threshold lies where there is hardly a good one.
const DOUBLE: f64 = 2.0;
/// Instants without an incident below which what is normal cannot be told.
const LEAST_INSTANTS: usize = 10;

/// A threshold and how it was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The labels it is for, by name.
    pub labels: Vec<(String, String)>,
    /// The threshold; `None` where none could be told.
    pub value: Option<f64>,
    /// The value that held for as long as the rule waits.
    pub held: f64,
    /// When it began to, Unix milliseconds.
    pub when: i64,
    /// Events it is made of.
    pub events: f64,
    /// Instants looked at.
    pub instants: usize,
    /// Instants left out because an incident was under way.
    pub left_out: usize,
    /// True where the smallest number of events that can be told apart set it.
    pub by_count: bool,
    /// The middle of all values, where incidents were under way nearly all the time and twice the
    /// middle (for too little: half of it) is the threshold.
    pub middle: Option<f64>,
    /// The middle of normal values.
    usual: f64,
    /// True where incidents were under way nearly all the time and requests that were not slow told it.
    pub calm: bool,
    /// Calls of the agent in the range from which on a share of them says something.
    pub least: Option<f64>,
}

impl Threshold {
    /// True for a threshold so far below what is usual that only the end of all would reach it.
    pub(super) fn is_faint(&self) -> bool {
        self.value.is_none_or(|value| value < self.usual * FAINT)
    }
}

/// Thresholds of a measure, one for each set of labels, by labels. `trouble` is when incidents were
/// under way.
///
/// # Errors
/// Says why the measure cannot be evaluated over these series.
pub(super) fn calibrate(
    measure: &Measure,
    store: &mut Store,
    schedule: Schedule,
    trouble: &[Window],
    calm: Option<&mut Store>,
) -> Result<Vec<Threshold>, String> {
    let levels = Levels::of(measure, &measure.of(""), store, schedule)?.named(store);
    let calm = match calm {
        Some(calm) => Levels::of(measure, &measure.of(""), calm, schedule)?.named(calm),
        None => Vec::new(),
    };
    let volumes = Levels::of(measure, &measure.events(), store, schedule)?.named(store);
    let out_of_order = trouble_instants(measure, trouble);
    let of = |all: &[(Named, Points)], labels: &Named| -> Points {
        let found = all.iter().find(|(of, _)| of == labels);
        found.map_or_else(Points::new, |(_, points)| points.clone())
    };
    let mut all: Vec<Threshold> = levels
        .into_iter()
        .map(|(labels, points)| {
            let (calm, volume) = (of(&calm, &labels), of(&volumes, &labels));
            let normal = normal(measure, &points, &calm, &out_of_order, schedule);
            choose(measure, labels, &normal, &volume, schedule)
        })
        .collect();
    all.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(all)
}

/// Values and when they were, in order of time.
pub(super) type Points = Vec<(i64, f64)>;

/// Labels by name, with their values.
pub(super) type Named = Vec<(String, String)>;

/// Values of an expression at every instant, by labels.
#[derive(Default)]
pub(super) struct Levels {
    points: HashMap<LabelId, Points, foldhash::fast::FixedState>,
}

impl Levels {
    /// Evaluates `text` over the instants of `schedule`.
    ///
    /// # Errors
    /// Says why that cannot be.
    pub(super) fn of(
        measure: &Measure,
        text: &str,
        store: &mut Store,
        schedule: Schedule,
    ) -> Result<Self, String> {
        let mut levels = Self::default();
        let query = Query::parse(text, store);
        let mut query = query.map_err(|refusal| format!("{text}: {}", refusal.why))?;
        let mut at = match measure.pace {
            true => schedule.from + measure.window,
            false => schedule.from,
        };
        while at <= schedule.to {
            let now = Instant {
                at,
                step: schedule.interval,
            };
            for (labels, value) in query.eval(store, now)?.into_vector(store) {
                if value.is_finite() {
                    levels.points.entry(labels).or_default().push((at, value));
                }
            }
            at += schedule.interval;
        }
        Ok(levels)
    }

    /// The values, by the texts of their labels, in no order.
    pub(super) fn named(self, store: &Store) -> Vec<(Named, Points)> {
        let all = self.points.into_iter();
        all.map(|(labels, points)| (pairs(store, labels), points))
            .collect()
    }
}

fn pairs(store: &Store, labels: LabelId) -> Named {
    let pairs = store.labels.pairs(labels);
    pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// Stretches in which the measure may see an incident: its window looks back.
pub(super) fn trouble_instants(measure: &Measure, trouble: &[Window]) -> Vec<(i64, i64)> {
    let millis = |nanos: u64| (nanos / 1_000_000) as i64;
    let stretch = |w: &Window| (millis(w.start.0), millis(w.end.0) + measure.window);
    trouble.iter().map(stretch).collect()
}

/// What is normal in a measure.
pub(super) struct Normal {
    points: Vec<(i64, f64)>,
    left_out: usize,
    /// The middle of all values, where incidents were under way nearly all the time.
    middle: Option<f64>,
    /// Of requests that were not slow.
    calm: bool,
}

/// The instants without an incident are normal, unless incidents hardly show in this measure: then
/// leaving them out would only leave out part of how it varies. Where there is hardly such an instant, what
/// requests that were not slow show at all times is normal.
pub(super) fn normal(
    measure: &Measure,
    points: &[(i64, f64)],
    calm: &[(i64, f64)],
    trouble: &[(i64, i64)],
    schedule: Schedule,
) -> Normal {
    let good: Vec<(i64, f64)> = points
        .iter()
        .filter(|(at, _)| !trouble.iter().any(|(from, to)| from <= at && at <= to))
        .copied()
        .collect();
    let left_out = points.len() - good.len();
    let level = |points: &[(i64, f64)]| held(measure, points, schedule.interval).map(|(_, v)| v);
    let shows = |usual: f64| match (level(points), measure.side) {
        (Some(all), Side::Above) => all > usual * NOTABLE,
        (Some(all), Side::Below) => all < usual / NOTABLE,
        (None, _) => false,
    };
    let enough = good.len() >= LEAST_INSTANTS;
    if enough && level(&good).is_some_and(shows) {
        return Normal {
            points: good,
            left_out,
            middle: None,
            calm: false,
        };
    }
    if !enough && left_out > 0 && calm.len() >= LEAST_INSTANTS && level(calm).is_some_and(shows) {
        return Normal {
            points: calm.to_vec(),
            left_out: 0,
            middle: None,
            calm: true,
        };
    }
    let middle = median(points.iter().map(|(_, v)| *v).collect());
    Normal {
        points: points.to_vec(),
        left_out: 0,
        middle: (!enough && left_out > 0 && shows(middle)).then_some(middle),
        calm: false,
    }
}

pub(super) fn choose(
    measure: &Measure,
    labels: Vec<(String, String)>,
    normal: &Normal,
    volume: &[(i64, f64)],
    schedule: Schedule,
) -> Threshold {
    let points = &normal.points;
    let events = events(volume, measure.window, schedule.interval);
    let longest = held(measure, points, schedule.interval);
    let (when, held) = longest.unwrap_or((schedule.from, f64::NAN));
    let usual = median(points.iter().map(|(_, v)| *v).collect());
    let mut chosen = Threshold {
        labels,
        value: None,
        held,
        when,
        events,
        instants: points.len(),
        left_out: normal.left_out,
        by_count: false,
        middle: normal.middle,
        usual,
        calm: normal.calm,
        least: None,
    };
    if points.len() < LEAST_INSTANTS || events < LEAST_EVENTS || held.is_nan() {
        return chosen;
    }
    let value = match measure.side {
        Side::Above => {
            let least = one_event(measure, volume);
            let beyond = normal.middle.map_or(held * MARGIN, |m| m * DOUBLE);
            chosen.by_count = least > beyond;
            beyond.max(least).max(usual + measure.floor)
        }
        Side::Below => {
            let beyond = normal.middle.map_or(held / MARGIN, |m| m / DOUBLE);
            beyond.min(usual * DRIFT)
        }
    };
    chosen.value = Some(rounded(value, measure.side)).filter(|v| *v > 0.0);
    chosen
}

/// Events of the whole dump, from how many there were in each window.
fn events(volume: &[(i64, f64)], window: i64, interval: i64) -> f64 {
    let windows: f64 = volume.iter().map(|(_, v)| v).sum();
    windows * interval as f64 / window as f64
}

/// A share that one event alone, in a window as busy as half of them are, does not reach.
fn one_event(measure: &Measure, volume: &[(i64, f64)]) -> f64 {
    if measure.kind != super::measure::Kind::Share {
        return 0.0;
    }
    let usual = median(volume.iter().map(|(_, v)| *v).collect());
    (1.5 / usual.max(1.0)).min(0.9)
}

/// The most troubling value that held for as long as the rule waits, and since when.
fn held(measure: &Measure, good: &[(i64, f64)], interval: i64) -> Option<(i64, f64)> {
    let worse = |a: f64, b: f64| match measure.side {
        Side::Above => a > b,
        Side::Below => a < b,
    };
    let mut worst: Option<(i64, f64)> = None;
    // Of the stretch at hand: those that no later one is as mild as, mildest first.
    let mut mild: VecDeque<usize> = VecDeque::new();
    let mut end = 0;
    for (index, &(from, _)) in good.iter().enumerate() {
        let until = from + measure.hold;
        while let Some(&(at, value)) = good.get(end).filter(|(at, _)| *at <= until) {
            if end > index && at - good[end - 1].0 > interval {
                break;
            }
            while mild.back().is_some_and(|back| !worse(value, good[*back].1)) {
                mild.pop_back();
            }
            mild.push_back(end);
            end += 1;
        }
        while mild.front().is_some_and(|front| *front < index) {
            mild.pop_front();
        }
        let last = good[end - 1].0;
        let level = mild.front().map(|front| good[*front].1);
        // At the end of the dump what holds may go on to hold.
        if let Some(level) = level.filter(|_| until - last < interval || index == 0)
            && worst.is_none_or(|(_, w)| worse(level, w))
        {
            worst = Some((from, level));
        }
    }
    worst
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// To two significant digits, away from what was seen.
fn rounded(value: f64, side: Side) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powi(value.log10().floor() as i32 - 1);
    let steps = match side {
        Side::Above => (value / scale - 1e-9).ceil(),
        Side::Below => (value / scale + 1e-9).floor(),
    };
    // Through text, so that 3 times 0.01 is 0.03.
    format!("{:.1e}", steps * scale).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::measure::MEASURES;

    #[test]
    fn what_counts_is_what_held() {
        let measure = Measure {
            hold: 60_000,
            ..MEASURES[0]
        };
        let points = [0.1, 0.9, 0.2, 0.3, 0.3, 0.0];
        let good: Vec<(i64, f64)> = (0..).map(|i| i * 30_000).zip(points).collect();
        assert_eq!(held(&measure, &good, 30_000), Some((30_000, 0.2)));
        let at_once = Measure { hold: 0, ..measure };
        assert_eq!(held(&at_once, &good, 30_000), Some((30_000, 0.9)));
        // A gap ends what held.
        let gap = [
            (0, 0.4),
            (30_000, 0.4),
            (300_000, 0.8),
            (330_000, 0.7),
            (360_000, 0.6),
        ];
        assert_eq!(held(&measure, &gap, 30_000), Some((300_000, 0.6)));
        let below = Measure {
            side: Side::Below,
            ..measure
        };
        assert_eq!(held(&below, &good, 30_000), Some((60_000, 0.3)));
    }

    #[test]
    fn thresholds_are_short_and_beyond_what_was_seen() {
        assert_eq!(rounded(0.0312, Side::Above), 0.032);
        assert_eq!(rounded(0.03, Side::Above), 0.03);
        assert_eq!(rounded(128.4, Side::Above), 130.0);
        assert_eq!(rounded(0.0312, Side::Below), 0.031);
    }
}
