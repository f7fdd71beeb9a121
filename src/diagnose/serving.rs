//! The servers' own price list, from metric snapshots: inter-token time per region and interval. It
//! tells a busy home from a home that somebody was routed away from.

use crate::baseline::{Call, Calls, Map};
use crate::model::{Dataset, Series, SeriesKind};
use crate::stats::quantile;
use crate::units::{Nanos, Sym, Window};

/// Quantile of a region's intervals taken as its normal level: below the median, because a dump is
/// exported when something was wrong.
const NORMAL: f64 = 0.4;
const LEAST_INTERVALS: usize = 8;
/// Metric names that hold a time per output token, as sum and count.
const NAMES: [&str; 2] = ["inter_token_latency", "time_per_output_token"];
const REGION_LABELS: [&str; 3] = ["cloud.region", "cloud_region", "region"];

/// (seconds, tokens) by the interval between two scrapes.
type Intervals = Map<(u64, u64), (f64, f64)>;

/// Inter-token levels over time.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Serving {
    #[serde(with = "crate::baseline::pairs")]
    regions: Map<Sym, Level>,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Level {
    /// (interval, seconds per token), by time.
    intervals: Vec<(Window, f64)>,
    normal: f64,
}

impl Serving {
    pub(super) fn learn(dataset: &Dataset, calls: &Calls) -> Self {
        let mut sums: Map<Sym, Intervals> = Map::default();
        for series in dataset.series.iter().filter(|s| is_token_time(dataset, s)) {
            let region = region_of(dataset, series);
            for pair in series.points.windows(2) {
                let delta = pair[1].value - pair[0].value;
                if delta < 0.0 {
                    continue; // the server restarted
                }
                let slot = sums
                    .entry(region)
                    .or_default()
                    .entry((pair[0].time.0, pair[1].time.0))
                    .or_default();
                if series.kind == SeriesKind::HistogramSum {
                    slot.0 += delta
                } else {
                    slot.1 += delta
                }
            }
        }
        let mut serving = Self {
            regions: sums
                .into_iter()
                .filter_map(|(r, i)| Some((r, Level::new(i)?)))
                .collect(),
        };
        serving.widen(calls);
        serving
    }

    /// One place without a region label serves whoever is in the dump.
    fn widen(&mut self, calls: &Calls) {
        if self.regions.len() == 1
            && let Some(level) = self.regions.remove(&Sym::NONE)
        {
            let mut regions: Vec<Sym> = calls.all.iter().map(|c| c.region).collect();
            regions.sort_unstable_by_key(|s| s.0);
            regions.dedup();
            if let [only] = regions[..] {
                self.regions.insert(only, level);
            }
        }
    }

    /// Inter-token time in the region of the caller while it ran, as a multiple of normal.
    pub(super) fn at_home(&self, call: &Call) -> Option<f64> {
        self.regions.get(&call.region)?.over(call.window)
    }

    /// The highest multiple of any other region in that time.
    pub(super) fn elsewhere(&self, call: &Call) -> Option<f64> {
        self.regions
            .iter()
            .filter(|(r, _)| **r != call.region)
            .filter_map(|(_, l)| l.over(call.window))
            .max_by(f64::total_cmp)
    }
}

impl Level {
    fn new(sums: Intervals) -> Option<Self> {
        let mut intervals: Vec<(Window, f64)> = sums
            .into_iter()
            .filter(|(_, (_, n))| *n > 0.0)
            .map(|((a, b), (sum, n))| {
                (
                    Window {
                        start: Nanos(a),
                        end: Nanos(b),
                    },
                    sum / n,
                )
            })
            .collect();
        intervals.sort_by_key(|(w, _)| (w.start, w.end));
        let mut levels: Vec<f64> = intervals.iter().map(|i| i.1).collect();
        levels.sort_unstable_by(f64::total_cmp);
        let normal = quantile(&levels, NORMAL)?;
        (intervals.len() >= LEAST_INTERVALS && normal > 0.0).then_some(Self { intervals, normal })
    }

    /// Mean over the intervals that `window` touches, weighted by how long, as a multiple of normal.
    fn over(&self, window: Window) -> Option<f64> {
        let (mut time, mut sum) = (0.0, 0.0);
        let first = self
            .intervals
            .partition_point(|(w, _)| w.end <= window.start);
        for (w, level) in self.intervals[first..]
            .iter()
            .take_while(|(w, _)| w.start < window.end)
        {
            let overlap = w.overlap(window).as_secs();
            time += overlap;
            sum += overlap * level;
        }
        (time > 0.0).then(|| sum / time / self.normal)
    }
}

fn is_token_time(dataset: &Dataset, series: &Series) -> bool {
    let kind = matches!(
        series.kind,
        SeriesKind::HistogramSum | SeriesKind::HistogramCount
    );
    kind && NAMES.iter().any(|n| dataset.text(series.name).contains(n))
}

fn region_of(dataset: &Dataset, series: &Series) -> Sym {
    let label = |name: &&str| {
        series
            .labels
            .iter()
            .find(|(k, _)| dataset.text(*k) == *name)
            .map(|(_, v)| *v)
    };
    REGION_LABELS.iter().find_map(label).unwrap_or(Sym::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    const SECOND: u64 = 1_000_000_000;

    /// Scrapes every ten seconds of `region`'s sum and count, with so many milliseconds per token between them.
    fn scraped(data: &mut Dataset, region: &str, millis: &[f64]) {
        let name = data.names.intern("vllm:time_per_output_token_seconds");
        let label = (data.names.intern("region"), data.names.intern(region));
        let engine = data.names.intern("engine");
        let (mut sums, mut counts) = (vec![0.0], vec![0.0]);
        for level in millis {
            sums.push(sums[sums.len() - 1] + 100.0 * level / 1e3);
            counts.push(counts[counts.len() - 1] + 100.0);
        }
        for (kind, values) in [
            (SeriesKind::HistogramSum, sums),
            (SeriesKind::HistogramCount, counts),
        ] {
            let times = (0..).map(|n| Nanos(10 * SECOND * n));
            data.series.push(Series {
                name,
                kind,
                labels: vec![(engine, engine), label],
                points: times
                    .zip(values)
                    .map(|(time, value)| Point { time, value })
                    .collect(),
            });
        }
    }

    fn during(from: u64, to: u64) -> Window {
        Window {
            start: Nanos(from * SECOND),
            end: Nanos(to * SECOND),
        }
    }

    fn times(data: &Dataset, region: &str, window: Window) -> Option<f64> {
        let serving = Serving::learn(data, &Calls::default());
        let region = data.names.find(region).unwrap();
        let over = serving.regions.get(&region)?.over(window)?;
        Some((over * 1e3).round() / 1e3)
    }

    #[test]
    fn a_region_is_as_busy_as_the_intervals_a_call_touched() {
        let mut data = Dataset::default();
        let mut busy = [20.0; 10];
        busy[8..].fill(60.0);
        scraped(&mut data, "eu", &busy);
        scraped(&mut data, "us", &[30.0; 10]);
        assert_eq!(times(&data, "eu", during(10, 30)), Some(1.0));
        assert_eq!(times(&data, "eu", during(85, 95)), Some(3.0));
        // Half of the call before it became busy, half after; what only touches an interval's edge is outside.
        assert_eq!(times(&data, "eu", during(75, 85)), Some(2.0));
        assert_eq!(times(&data, "eu", during(70, 80)), Some(1.0));
        assert_eq!(times(&data, "eu", during(80, 90)), Some(3.0));
        assert_eq!(times(&data, "us", during(85, 95)), Some(1.0));
        assert_eq!(times(&data, "eu", during(100, 120)), None);
    }

    #[test]
    fn few_intervals_and_other_metrics_say_nothing() {
        let mut data = Dataset::default();
        scraped(&mut data, "eu", &[20.0; 7]);
        assert_eq!(times(&data, "eu", during(10, 30)), None);
        let mut data = Dataset::default();
        scraped(&mut data, "eu", &[20.0; 10]);
        for series in &mut data.series {
            series.kind = SeriesKind::Gauge;
        }
        assert_eq!(times(&data, "eu", during(10, 30)), None);
    }

    #[test]
    fn a_restart_of_the_server_is_passed_over() {
        let mut data = Dataset::default();
        scraped(&mut data, "eu", &[20.0; 12]);
        for series in &mut data.series {
            for point in &mut series.points[5..] {
                point.value -= 100.0
                    * if series.kind == SeriesKind::HistogramSum {
                        0.1
                    } else {
                        5.0
                    };
            }
        }
        assert_eq!(times(&data, "eu", during(10, 110)), Some(1.0));
    }
}
