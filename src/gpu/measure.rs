//! From answers in the driver's units to values of metrics.

use super::metric::{self, Metric};
use super::throttle::REASONS;
use super::{Answers, Process, Sample};
use crate::units::Nanos;

/// A value of an attribute.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Label {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(u64),
}

/// A value of a metric.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Number {
    /// A count or an amount of bytes.
    Integer(u64),
    /// Anything else.
    Double(f64),
}

/// One point of one metric.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// What was measured.
    pub metric: &'static Metric,
    /// Attributes besides those that name the device.
    pub labels: Vec<(&'static str, Label)>,
    /// Its value.
    pub value: Number,
    /// Since when it is a mean or a total, where that is known.
    pub since: Option<Nanos>,
}

/// PCIe throughput is a mean over this time. Source: NVML, `nvmlDeviceGetPcieThroughput`.
const PCIE: Nanos = Nanos(20_000_000);
const MEBIBYTE: f64 = 1_048_576.0;

/// Values being collected.
#[derive(Default)]
struct Values(Vec<Measured>);

impl Values {
    fn push(
        &mut self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        value: Option<Number>,
        since: Option<Nanos>,
    ) {
        let text = |&(key, value): &(&'static str, &str)| (key, Label::Text(value.to_owned()));
        self.0.extend(value.map(|value| Measured {
            metric,
            labels: labels.iter().map(text).collect(),
            value,
            since,
        }));
    }

    /// A double at the instant.
    fn double(
        &mut self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        value: Option<f64>,
    ) {
        self.push(metric, labels, value.map(Number::Double), None);
    }

    /// An integer at the instant.
    fn integer(
        &mut self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        value: Option<u64>,
    ) {
        self.push(metric, labels, value.map(Number::Integer), None);
    }
}

/// All values that `answers` holds. `time` is that of the round, `before` that of the device's last.
pub(super) fn measure(answers: &Answers, time: Nanos, before: Option<Nanos>) -> Vec<Measured> {
    let mut values = Values::default();
    utilization(&mut values, answers, time);
    memory(&mut values, answers);
    traffic(&mut values, answers, time, before);
    power(&mut values, answers);
    clocks(&mut values, answers);
    errors(&mut values, answers);
    for process in answers.processes.iter().flatten() {
        self::process(&mut values, process);
    }
    values.0
}

fn share(percent: u32) -> f64 {
    f64::from(percent) / 100.0
}

fn utilization(values: &mut Values, answers: &Answers, time: Nanos) {
    let general = [("hw.gpu.task", "general")];
    match answers.utilization_samples.as_deref().and_then(mean) {
        Some((mean, since)) => {
            let value = Some(Number::Double(mean));
            values.push(&metric::UTILIZATION, &general, value, Some(since));
        }
        None => {
            let last = answers.utilization_gpu.map(share);
            values.double(&metric::UTILIZATION, &general, last);
        }
    }
    for (task, engine) in [("encoder", answers.encoder), ("decoder", answers.decoder)] {
        let value = engine.map(|e| Number::Double(share(e.utilization)));
        let since = engine.map(|e| time.since(Nanos(u64::from(e.sampling_period) * 1_000)));
        values.push(&metric::UTILIZATION, &[("hw.gpu.task", task)], value, since);
    }
    let controller = answers.utilization_memory.map(share);
    values.double(&metric::MEMORY_CONTROLLER, &[], controller);
}

/// Mean of buffered samples, and since when; one sample alone has no known length.
fn mean(samples: &[Sample]) -> Option<(f64, Nanos)> {
    let first = samples.iter().map(|s| s.timestamp).min()?;
    let last = samples.iter().map(|s| s.timestamp).max()?;
    let sum: f64 = samples.iter().map(|s| share(s.value)).sum();
    let since = Nanos(first.checked_mul(1_000)?);
    (last > first).then(|| (sum / samples.len() as f64, since))
}

fn memory(values: &mut Values, answers: &Answers) {
    let (used, total) = (answers.memory_used, answers.memory_total);
    values.integer(&metric::MEMORY_USAGE, &[], used);
    values.integer(&metric::MEMORY_LIMIT, &[], total);
    let both = used.zip(total.filter(|total| *total > 0));
    let share = both.map(|(used, total)| used as f64 / total as f64);
    values.double(&metric::MEMORY_UTILIZATION, &[], share);
}

fn traffic(values: &mut Values, answers: &Answers, time: Nanos, before: Option<Nanos>) {
    let kilobytes = |rate: u32| Number::Double(f64::from(rate) * 1_000.0);
    for (direction, bytes, rate, link) in [
        (
            "receive",
            answers.pcie_rx_bytes,
            answers.pcie_rx,
            answers.nvlink_rx,
        ),
        (
            "transmit",
            answers.pcie_tx_bytes,
            answers.pcie_tx,
            answers.nvlink_tx,
        ),
    ] {
        let labels = [("network.io.direction", direction)];
        values.integer(&metric::IO, &labels, bytes);
        let since = Some(time.since(PCIE));
        values.push(&metric::PCIE, &labels, rate.map(kilobytes), since);
        let link = link.map(|rate| Number::Double(rate * MEBIBYTE));
        values.push(&metric::NVLINK, &labels, link, before);
    }
}

fn power(values: &mut Values, answers: &Answers) {
    let milli = |value: u32| f64::from(value) / 1_000.0;
    values.double(&metric::POWER, &[], answers.power_usage.map(milli));
    let limit = answers.enforced_power_limit.map(milli);
    values.double(&metric::POWER_LIMIT, &[], limit);
    let energy = answers.total_energy_consumption;
    values.double(&metric::ENERGY, &[], energy.map(|mj| mj as f64 / 1_000.0));
    for (place, degrees) in [
        ("gpu", answers.temperature),
        ("memory", answers.memory_temperature),
    ] {
        let labels = [("hw.sensor_location", place)];
        values.double(&metric::TEMPERATURE, &labels, degrees.map(f64::from));
    }
}

fn clocks(values: &mut Values, answers: &Answers) {
    let hertz = |mhz: u32| u64::from(mhz) * 1_000_000;
    for (domain, clock) in [
        ("graphics", answers.clock_graphics),
        ("sm", answers.clock_sm),
        ("memory", answers.clock_memory),
        ("video", answers.clock_video),
    ] {
        let labels = [("gpu.clock.domain", domain)];
        values.integer(&metric::CLOCK, &labels, clock.map(hertz));
    }
    let limit = answers.max_clock_sm.map(hertz);
    values.integer(&metric::CLOCK_LIMIT, &[("gpu.clock.domain", "sm")], limit);
    let state = answers.performance_state.map(u64::from);
    values.integer(&metric::PERFORMANCE_STATE, &[], state);
    if let Some(mask) = answers.throttle_reasons {
        // Without the list of those it can tell, only what it does tell is known.
        let told = answers.supported_throttle_reasons.unwrap_or(0) | mask;
        for reason in REASONS.into_iter().filter(|reason| reason.within(told)) {
            let labels = [("gpu.throttle.reason", reason.label)];
            let active = u64::from(reason.within(mask));
            values.integer(&metric::THROTTLED, &labels, Some(active));
        }
    }
    for (reason, time) in [
        ("power", answers.violation_power),
        ("thermal", answers.violation_thermal),
    ] {
        let labels = [("gpu.throttle.reason", reason)];
        let seconds = time.map(|nanos| Nanos(nanos).as_secs());
        values.double(&metric::THROTTLE_TIME, &labels, seconds);
    }
}

fn errors(values: &mut Values, answers: &Answers) {
    for (kind, count) in [
        ("corrected", answers.ecc_corrected),
        ("uncorrected", answers.ecc_uncorrected),
        ("pcie_replay", answers.pcie_replays.map(u64::from)),
    ] {
        values.integer(&metric::ERRORS, &[("error.type", kind)], count);
    }
}

fn process(values: &mut Values, process: &Process) {
    let mut labels = vec![("process.pid", Label::Integer(u64::from(process.pid)))];
    let name = process.name.clone().map(Label::Text);
    labels.extend(name.map(|name| ("process.executable.name", name)));
    let memory = process.used_gpu_memory.map(Number::Integer);
    let busy = process
        .sm_util
        .map(|percent| Number::Double(share(percent)));
    for (metric, value) in [
        (&metric::PROCESS_MEMORY, memory),
        (&metric::PROCESS_UTILIZATION, busy),
    ] {
        values.0.extend(value.map(|value| Measured {
            metric,
            labels: labels.clone(),
            value,
            since: None,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Engine;

    fn values(answers: &Answers) -> Vec<Measured> {
        measure(answers, Nanos(10_000_000_000), Some(Nanos(9_000_000_000)))
    }

    #[test]
    fn what_is_not_answered_is_not_measured() {
        assert_eq!(values(&Answers::default()), []);
    }

    #[test]
    fn units_are_those_of_the_conventions() {
        let found = values(&Answers {
            power_usage: Some(389_500),
            total_energy_consumption: Some(1_500),
            clock_sm: Some(1_275),
            pcie_rx: Some(12),
            nvlink_tx: Some(2.0),
            ..Answers::default()
        });
        let value = |name: &str| {
            let found = found.iter().find(|m| m.metric.name == name);
            found.map(|m| (m.value, m.since)).unwrap()
        };
        assert_eq!(value("hw.power"), (Number::Double(389.5), None));
        assert_eq!(value("hw.energy"), (Number::Double(1.5), None));
        let clock = Number::Integer(1_275_000_000);
        assert_eq!(value("gpu.clock.frequency"), (clock, None));
        let (rate, since) = value("gpu.pcie.throughput");
        assert_eq!(
            (rate, since),
            (Number::Double(12_000.0), Some(Nanos(9_980_000_000)))
        );
        let (rate, since) = value("gpu.nvlink.throughput");
        assert_eq!(
            (rate, since),
            (Number::Double(2_097_152.0), Some(Nanos(9_000_000_000)))
        );
    }

    #[test]
    fn buffered_samples_are_averaged_and_say_since_when() {
        let sample = |timestamp, value| Sample { timestamp, value };
        let answers = Answers {
            utilization_gpu: Some(100),
            utilization_samples: Some(vec![sample(9_500_000, 20), sample(9_900_000, 40)]),
            encoder: Some(Engine {
                utilization: 0,
                sampling_period: 500_000,
            }),
            ..Answers::default()
        };
        let found = values(&answers);
        assert_eq!(found.len(), 2);
        let Number::Double(mean) = found[0].value else {
            panic!("a share")
        };
        assert!((mean - 0.3).abs() < 1e-12);
        assert_eq!(found[0].since, Some(Nanos(9_500_000_000)));
        assert_eq!(found[1].value, Number::Double(0.0));
        assert_eq!(found[1].since, Some(Nanos(9_500_000_000)));
    }

    #[test]
    fn reasons_that_a_device_cannot_tell_are_absent() {
        let reasons = |mask, supported| {
            let found = values(&Answers {
                throttle_reasons: mask,
                supported_throttle_reasons: supported,
                ..Answers::default()
            });
            let each = found.into_iter().map(|m| (m.labels[0].1.clone(), m.value));
            each.collect::<Vec<_>>()
        };
        let named = |name: &str| Label::Text(name.to_owned());
        assert_eq!(reasons(None, Some(0x1ff)), []);
        assert_eq!(
            reasons(Some(0x04), Some(0x24)),
            [
                (named("sw_power_cap"), Number::Integer(1)),
                (named("sw_thermal_slowdown"), Number::Integer(0)),
            ]
        );
    }
}
