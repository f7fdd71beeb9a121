//! What GPUs did while a call ran, where their metrics were recorded. It decides nothing: it stands beside
//! the evidence of contention, so that the reader knows whether the machine agrees.

use super::Fact;
use crate::model::{Dataset, Series, SeriesKind, SpanIx};
use crate::stats::median;
use crate::units::{Nanos, Sym, Window};

/// With fewer samples nothing is usual.
const LEAST: usize = 8;
/// A call without a sample in it is read from the next one, up to this long after.
const NEXT: Nanos = Nanos(60_000_000_000);
/// Percentage points above the usual from which on a device is busier than usual.
const BUSIER: f64 = 15.0;
/// Percent of the time from which on clocks were held down.
const HELD: f64 = 50.0;

/// Name of a metric, what it tells, and what its values are multiplied by to give percent.
const METRICS: [(&str, Tells, f64); 6] = [
    ("hw.gpu.utilization", Tells::Busy, 100.0),
    ("hw_gpu_utilization_ratio", Tells::Busy, 100.0),
    ("DCGM_FI_DEV_GPU_UTIL", Tells::Busy, 1.0),
    ("nvidia_smi_utilization_gpu_ratio", Tells::Busy, 100.0),
    ("gpu.throttle.active", Tells::HeldDown, 100.0),
    ("gpu_throttle_active", Tells::HeldDown, 100.0),
];
/// Reasons that hold clocks down; the others are settings, or idleness.
const REASONS: [(&str, &str); 6] = [
    ("sw_power_cap", "the power cap"),
    ("sw_thermal_slowdown", "heat"),
    ("hw_thermal_slowdown", "heat"),
    ("hw_slowdown", "a hardware slowdown"),
    ("hw_power_brake_slowdown", "the power brake"),
    ("sync_boost", "a slower GPU of its group"),
];
const NAMES: [&str; 6] = ["hw.name", "hw_name", "gpu", "device", "hw.id", "UUID"];
const REGIONS: [&str; 3] = ["cloud.region", "cloud_region", "region"];

#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Tells {
    Busy,
    HeldDown,
}

/// One quantity of one device.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Track {
    tells: Tells,
    device: String,
    /// Why clocks are held down.
    #[serde(deserialize_with = "super::word::word")]
    reason: super::word::Word,
    region: Sym,
    /// Percent, by time.
    points: Vec<(Nanos, f64)>,
    usual: f64,
}

/// Devices over time.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Devices(Vec<Track>);

impl Devices {
    pub(super) fn of(dataset: &Dataset) -> Self {
        let gauges = dataset
            .series
            .iter()
            .filter(|s| s.kind == SeriesKind::Gauge);
        let mut tracks: Vec<Track> = gauges.filter_map(|s| Track::of(dataset, s)).collect();
        tracks.sort_by(|a, b| (&a.device, a.reason).cmp(&(&b.device, b.reason)));
        Self(tracks)
    }

    /// Facts about a call: the device that was busiest beyond its usual, and the one held down most.
    pub(super) fn facts(&self, span: SpanIx, ran: Window, region: Sym) -> Vec<Fact> {
        let most = |tells| {
            let tracks = self
                .0
                .iter()
                .filter(|t| t.tells == tells && t.may_serve(region));
            let values = tracks.filter_map(|t| Some((t, t.over(ran)?)));
            // The first of equals, which are in the order of their names.
            values.fold(
                None,
                |best: Option<(&Track, f64)>, (track, value)| match best {
                    Some((other, most)) if most - other.usual >= value - track.usual => best,
                    _ => Some((track, value)),
                },
            )
        };
        let busy = most(Tells::Busy).filter(|(t, value)| value - t.usual >= BUSIER);
        let held = most(Tells::HeldDown).filter(|(t, value)| *value >= HELD && t.usual < HELD);
        let facts = busy.into_iter().chain(held);
        facts
            .map(|(track, value)| track.fact(span, value))
            .collect()
    }
}

impl Track {
    fn of(dataset: &Dataset, series: &Series) -> Option<Self> {
        let name = dataset.text(series.name);
        let &(_, tells, factor) = METRICS.iter().find(|(known, ..)| *known == name)?;
        let label = |keys: &[&str]| {
            let of = |key: &&str| series.labels.iter().find(|(k, _)| dataset.text(*k) == *key);
            keys.iter().find_map(of).map(|(_, value)| *value)
        };
        let text = |keys: &[&str]| label(keys).map(|value| dataset.text(value));
        let task = text(&["hw.gpu.task", "hw_gpu_task"]).unwrap_or("general");
        let reason = match tells {
            Tells::Busy => "",
            Tells::HeldDown => {
                let said = text(&["gpu.throttle.reason", "gpu_throttle_reason"])?;
                REASONS.iter().find(|(known, _)| *known == said)?.1
            }
        };
        if task != "general" || series.points.len() < LEAST {
            return None;
        }
        let points: Vec<(Nanos, f64)> = series
            .points
            .iter()
            .map(|p| (p.time, p.value * factor))
            .collect();
        let mut values: Vec<f64> = points.iter().map(|p| p.1).collect();
        let device = text(&NAMES).unwrap_or_default();
        Some(Self {
            tells,
            device: match device.parse::<u32>() {
                Ok(index) => format!("GPU {index}"),
                Err(_) if device.is_empty() => "a GPU".to_owned(),
                Err(_) => device.to_owned(),
            },
            reason,
            region: label(&REGIONS).unwrap_or(Sym::NONE),
            usual: median(&mut values)?,
            points,
        })
    }

    /// Nobody says which device serves which call; one of another region does not.
    fn may_serve(&self, region: Sym) -> bool {
        self.region.is_none() || region.is_none() || self.region == region
    }

    /// Mean of the samples in `window`, else the next one after it.
    fn over(&self, window: Window) -> Option<f64> {
        let first = self
            .points
            .partition_point(|(time, _)| *time < window.start);
        let after = self.points.get(first..)?;
        let inside = after.iter().take_while(|(time, _)| *time <= window.end);
        let (sum, n) = inside.fold((0.0, 0u32), |(sum, n), (_, v)| (sum + v, n + 1));
        if n > 0 {
            return Some(sum / f64::from(n));
        }
        let (time, value) = after.first()?;
        (time.since(window.end) <= NEXT).then_some(*value)
    }

    fn fact(&self, span: SpanIx, observed: f64) -> Fact {
        let device = &self.device;
        let (fact, note) = match self.tells {
            Tells::Busy => (
                "gpu_busy",
                format!("{device} was busier than usual meanwhile"),
            ),
            Tells::HeldDown => (
                "gpu_held_down",
                format!(
                    "the clocks of {device} were held down by {} meanwhile",
                    self.reason
                ),
            ),
        };
        Fact {
            span: Some(span),
            fact,
            observed,
            expected: Some(self.usual),
            unit: "%",
            via: "metric",
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    fn dataset(metric: &str, labels: &[(&str, &str)], values: &[f64]) -> Dataset {
        let mut data = Dataset::default();
        let name = data.names.intern(metric);
        let labels = labels
            .iter()
            .map(|(k, v)| (data.names.intern(k), data.names.intern(v)))
            .collect();
        let times = (1..).map(|n| Nanos(n * 10_000_000_000));
        let points = times
            .zip(values)
            .map(|(time, &value)| Point { time, value });
        data.series.push(Series {
            name,
            kind: SeriesKind::Gauge,
            labels,
            points: points.collect(),
        });
        data
    }

    /// Of a call during the tenth and eleventh sample.
    fn facts(data: &Dataset) -> Vec<Fact> {
        let ran = Window {
            start: Nanos(95_000_000_000),
            end: Nanos(112_000_000_000),
        };
        Devices::of(data).facts(0, ran, Sym::NONE)
    }

    const CALM_THEN_BUSY: [f64; 12] = [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.98, 1.0, 0.4];

    #[test]
    fn a_device_that_is_busier_than_usual_is_a_fact() {
        let labels = [("hw.name", "GPU 0"), ("hw.gpu.task", "general")];
        let data = dataset("hw.gpu.utilization", &labels, &CALM_THEN_BUSY);
        let found = facts(&data);
        let [fact] = &found[..] else {
            panic!("{found:?}")
        };
        assert!((fact.observed - 99.0).abs() < 1e-9 && fact.expected == Some(40.0));
        assert_eq!(fact.note, "GPU 0 was busier than usual meanwhile");
    }

    #[test]
    fn one_that_is_always_busy_or_does_something_else_is_none() {
        let data = dataset("DCGM_FI_DEV_GPU_UTIL", &[("gpu", "0")], &[97.0; 12]);
        assert!(facts(&data).is_empty());
        let decoder = [("hw.gpu.task", "decoder")];
        let data = dataset("hw.gpu.utilization", &decoder, &CALM_THEN_BUSY);
        assert!(facts(&data).is_empty());
        let few = dataset("hw.gpu.utilization", &[], &CALM_THEN_BUSY[5..]);
        assert!(Devices::of(&few).0.is_empty());
    }

    #[test]
    fn idleness_does_not_hold_clocks_down_and_heat_does() {
        let held = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        let of = |reason| {
            let labels = [("hw.id", "GPU-7"), ("gpu.throttle.reason", reason)];
            let data = dataset("gpu.throttle.active", &labels, &held);
            facts(&data)
        };
        assert!(of("gpu_idle").is_empty());
        let facts = of("hw_thermal_slowdown");
        assert_eq!(
            facts[0].note,
            "the clocks of GPU-7 were held down by heat meanwhile"
        );
        assert_eq!((facts[0].observed, facts[0].expected), (100.0, Some(0.0)));
    }

    #[test]
    fn the_busiest_beyond_its_usual_is_named_and_the_first_of_equals() {
        let mut data = dataset("DCGM_FI_DEV_GPU_UTIL", &[("gpu", "1")], &[50.0; 12]);
        for (name, then) in [("3", 70.0), ("2", 70.0), ("0", 64.9)] {
            let mut values = [50.0; 12];
            values[9..11].fill(then);
            let other = dataset("DCGM_FI_DEV_GPU_UTIL", &[("gpu", name)], &values);
            let text = |sym| other.text(sym).to_owned();
            let mut series = other.series[0].clone();
            series.name = data.names.intern(&text(series.name));
            for (key, value) in &mut series.labels {
                (*key, *value) = (
                    data.names.intern(&text(*key)),
                    data.names.intern(&text(*value)),
                );
            }
            data.series.push(series);
        }
        let found = facts(&data);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].note, "GPU 2 was busier than usual meanwhile");
    }

    #[test]
    fn busier_is_by_fifteen_points_and_held_down_by_half_of_the_time() {
        let busy = |then: f64| {
            let mut values = [50.0; 12];
            values[9..11].fill(then);
            let data = dataset("DCGM_FI_DEV_GPU_UTIL", &[("gpu", "1")], &values);
            facts(&data).len()
        };
        assert_eq!((busy(65.0), busy(64.9)), (1, 0));
        let held = |usual: f64, then: f64| {
            let mut values = [usual; 12];
            values[9..11].fill(then);
            let labels = [("gpu", "1"), ("gpu_throttle_reason", "sw_power_cap")];
            facts(&dataset("gpu_throttle_active", &labels, &values)).len()
        };
        assert_eq!((held(0.0, 0.5), held(0.0, 0.49)), (1, 0));
        assert_eq!(
            (held(0.49, 0.9), held(0.5, 0.9)),
            (1, 0),
            "always held down"
        );
    }

    #[test]
    fn a_call_between_samples_is_read_from_the_next_within_a_minute() {
        let mut data = dataset(
            "DCGM_FI_DEV_GPU_UTIL",
            &[("gpu", "1")],
            &CALM_THEN_BUSY.map(|v| 100.0 * v),
        );
        let seconds = |n: u64| Nanos(n * 1_000_000_000);
        let ran = |data: &Dataset, start, end| {
            let window = Window {
                start: seconds(start),
                end: seconds(end),
            };
            Devices::of(data).0[0].over(window)
        };
        assert_eq!(ran(&data, 91, 99), Some(98.0));
        assert_eq!(ran(&data, 100, 110), Some(99.0));
        data.series[0].points[11].time = seconds(178);
        assert_eq!(ran(&data, 111, 118), Some(40.0));
        assert_eq!(ran(&data, 111, 117), None);
        assert_eq!(ran(&data, 179, 190), None);
    }

    #[test]
    fn a_device_of_another_region_serves_nobody_here() {
        let labels = [("gpu", "1"), ("region", "eu")];
        let mut data = dataset(
            "DCGM_FI_DEV_GPU_UTIL",
            &labels,
            &CALM_THEN_BUSY.map(|v| 100.0 * v),
        );
        let us = data.names.intern("us");
        let eu = data.names.intern("eu");
        let devices = Devices::of(&data);
        let ran = Window {
            start: Nanos(95_000_000_000),
            end: Nanos(112_000_000_000),
        };
        let of = |region| devices.facts(0, ran, region).len();
        assert_eq!((of(eu), of(us), of(Sym::NONE)), (1, 0, 1));
    }
}
