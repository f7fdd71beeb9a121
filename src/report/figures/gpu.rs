//! Devices over time, where the dump holds their metrics.

use std::collections::BTreeMap;

use super::TimeBins;
use crate::model::Series;
use crate::report::Report;
use crate::units::{Nanos, Window};

/// Stretches of time at most; a track shows the mean of each.
const COLUMNS: usize = 240;
/// Devices per panel at most.
const TRACKS: usize = 8;

/// One quantity of one device.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GpuTrack {
    /// The device, as its labels name it.
    pub device: String,
    /// Mean per stretch that has a value.
    pub points: Vec<(Nanos, f64)>,
}

/// One quantity of all devices.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GpuPanel {
    /// What was measured.
    pub title: &'static str,
    /// Unit of the values.
    pub unit: &'static str,
    /// Highest value the scale must reach; absent where the data decide.
    pub top: Option<f64>,
    /// Devices, by name.
    pub tracks: Vec<GpuTrack>,
    /// Devices that are not drawn.
    pub left_out: usize,
}

/// Devices over time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gpu {
    /// From the first to the last value.
    pub window: Window,
    /// One panel per quantity.
    pub panels: Vec<GpuPanel>,
}

/// A quantity, what its values are multiplied by, and its series with their devices.
type Found<'a> = (Quantity, f64, Vec<(String, &'a Series)>);

/// Title, unit, highest value.
type Quantity = (&'static str, &'static str, Option<f64>);

const UTILISATION: Quantity = ("GPU utilisation", "%", Some(100.0));
const MEMORY: Quantity = ("GPU memory in use", "%", Some(100.0));
const POWER: Quantity = ("Power", "W", None);
const TEMPERATURE: Quantity = ("Temperature", "C", None);

/// Metric name, what it measures, and what its values are multiplied by: OpenTelemetry's hardware
/// conventions (`hw.gpu.*`), the same through Prometheus, the DCGM exporter, and the
/// nvidia_gpu_exporter.
const METRICS: &[(&str, Quantity, f64)] = &[
    ("hw.gpu.utilization", UTILISATION, 100.0),
    ("hw_gpu_utilization_ratio", UTILISATION, 100.0),
    ("DCGM_FI_DEV_GPU_UTIL", UTILISATION, 1.0),
    ("nvidia_smi_utilization_gpu_ratio", UTILISATION, 100.0),
    ("hw.gpu.memory.utilization", MEMORY, 100.0),
    ("hw_gpu_memory_utilization_ratio", MEMORY, 100.0),
    ("hw.power", POWER, 1.0),
    ("hw_power_watts", POWER, 1.0),
    ("DCGM_FI_DEV_POWER_USAGE", POWER, 1.0),
    ("nvidia_smi_power_draw_watts", POWER, 1.0),
    ("hw.temperature", TEMPERATURE, 1.0),
    ("hw_temperature_celsius", TEMPERATURE, 1.0),
    ("DCGM_FI_DEV_GPU_TEMP", TEMPERATURE, 1.0),
    ("nvidia_smi_temperature_gpu", TEMPERATURE, 1.0),
];

/// Labels that tell devices apart, the surest first.
const DEVICE: [&str; 6] = ["hw.id", "hw_id", "gpu", "device", "uuid", "UUID"];
/// Labels that people know devices by.
const NAME: [&str; 2] = ["hw.name", "hw_name"];
/// Labels that tell what kind of device a general metric is about.
const KIND: [&str; 2] = ["hw.type", "hw_type"];
/// Labels of series that are about one part of a device, and the part that stands for it.
const PART: [(&str, &str); 4] = [
    ("hw.gpu.task", "general"),
    ("hw_gpu_task", "general"),
    ("hw.sensor_location", "gpu"),
    ("hw_sensor_location", "gpu"),
];

impl Gpu {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let data = report.dataset();
        let mut found: BTreeMap<&str, Found<'_>> = BTreeMap::new();
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for series in &data.series {
            let name = data.text(series.name);
            let Some((_, quantity, factor)) = METRICS.iter().find(|(n, ..)| *n == name) else {
                continue;
            };
            let label = |keys: &[&str]| {
                let mut named = keys.iter().filter_map(|key| {
                    let label = series.labels.iter().find(|(k, _)| data.text(*k) == *key)?;
                    Some(data.text(label.1))
                });
                named.next()
            };
            if label(&KIND).is_some_and(|kind| kind != "gpu") {
                continue;
            }
            if PART
                .iter()
                .any(|(key, main)| label(&[key]).is_some_and(|part| part != *main))
            {
                continue;
            }
            let id = label(&DEVICE).unwrap_or("GPU");
            // Two hosts may each have a GPU 0.
            let device = match label(&NAME) {
                Some(name) if names.get(name).is_none_or(|known| *known == id) => {
                    names.insert(name, id);
                    name
                }
                _ => id,
            };
            let device = device.to_owned();
            let entry = found
                .entry(quantity.0)
                .or_insert((*quantity, *factor, Vec::new()));
            entry.2.push((device, series));
        }
        let times = || {
            found
                .values()
                .flat_map(|(.., list)| list)
                .flat_map(|(_, s)| &s.points)
        };
        let window = Window {
            start: times().map(|p| p.time).min().unwrap_or_default(),
            end: times().map(|p| p.time).max().unwrap_or_default(),
        };
        let bins = TimeBins::over(window, COLUMNS);
        if bins.count == 0 {
            return Self::default();
        }
        let order = [UTILISATION, MEMORY, POWER, TEMPERATURE];
        let panels = order.iter().filter_map(|(title, ..)| found.remove(title));
        Self {
            window,
            panels: panels.map(|found| panel(&bins, found)).collect(),
        }
    }
}

fn panel(bins: &TimeBins, ((title, unit, top), factor, mut list): Found<'_>) -> GpuPanel {
    list.sort_by(|a, b| a.0.cmp(&b.0));
    let left_out = list.len().saturating_sub(TRACKS);
    let tracks = list
        .into_iter()
        .take(TRACKS)
        .map(|(device, series)| GpuTrack {
            device,
            points: means(bins, series, factor),
        });
    GpuPanel {
        title,
        unit,
        top,
        tracks: tracks.collect(),
        left_out,
    }
}

fn means(bins: &TimeBins, series: &Series, factor: f64) -> Vec<(Nanos, f64)> {
    let mut sums: Vec<(f64, u32)> = bins.each();
    for point in &series.points {
        if let Some(sum) = sums.get_mut(bins.index(point.time)) {
            *sum = (sum.0 + point.value * factor, sum.1 + 1);
        }
    }
    let filled = sums.into_iter().enumerate().filter(|(_, (_, n))| *n > 0);
    filled
        .map(|(index, (sum, n))| (bins.at(index), sum / f64::from(n)))
        .collect()
}
