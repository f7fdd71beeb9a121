//! What the driver answers in one round, in the driver's own units. Source of names and units: NVIDIA, NVML
//! API Reference Guide, "Device Queries".

use serde::{Deserialize, Serialize};

use crate::units::Nanos;

/// One round of questions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Round {
    /// When it began.
    pub time: Nanos,
    /// Version of the driver, where it says so.
    pub driver: Option<String>,
    /// Devices and MIG instances that answered, by index.
    pub devices: Vec<Answers>,
    /// Devices that are there and did not answer.
    pub silent: Vec<Silent>,
    /// Nobody answered, and this is why.
    pub nobody: Option<String>,
}

/// A device that did not answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silent {
    /// Its index among the devices.
    pub index: u32,
    /// What the driver said instead.
    pub why: String,
}

/// What one device, or one MIG instance, answered. `None` is "not supported" or "not permitted".
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    /// Index of the device; of a MIG instance, that of its device.
    pub index: u32,
    /// Globally unique id.
    pub uuid: String,
    /// Product name.
    pub name: Option<String>,
    /// For a MIG instance: the id of its device, and its index on it.
    pub parent: Option<String>,
    /// See `parent`.
    pub mig_index: Option<u32>,
    /// Percent of the last sample period (1/6 s to 1 s, by product) in which a kernel ran.
    pub utilization_gpu: Option<u32>,
    /// Percent of the same period in which device memory was read or written.
    pub utilization_memory: Option<u32>,
    /// Buffered samples of `utilization_gpu` since the last round.
    pub utilization_samples: Option<Vec<Sample>>,
    /// Video encoder.
    pub encoder: Option<Engine>,
    /// Video decoder.
    pub decoder: Option<Engine>,
    /// Bytes.
    pub memory_total: Option<u64>,
    /// Bytes, without those the driver reserves.
    pub memory_used: Option<u64>,
    /// Milliwatts; a mean over one second from Ampere on (not GA100), an instant before.
    pub power_usage: Option<u32>,
    /// Milliwatts that the power is held to.
    pub enforced_power_limit: Option<u32>,
    /// Millijoules since the driver was loaded.
    pub total_energy_consumption: Option<u64>,
    /// Degrees Celsius of the die.
    pub temperature: Option<u32>,
    /// Degrees Celsius of the memory.
    pub memory_temperature: Option<u32>,
    /// Megahertz.
    pub clock_graphics: Option<u32>,
    /// Megahertz.
    pub clock_sm: Option<u32>,
    /// Megahertz.
    pub clock_memory: Option<u32>,
    /// Megahertz.
    pub clock_video: Option<u32>,
    /// Megahertz that the multiprocessors may reach.
    pub max_clock_sm: Option<u32>,
    /// 0 (most) to 15 (least).
    pub performance_state: Option<u32>,
    /// Bit mask `nvmlClocksThrottleReason*`: why clocks are not higher, at this instant.
    pub throttle_reasons: Option<u64>,
    /// The same: which reasons the device can tell.
    pub supported_throttle_reasons: Option<u64>,
    /// Nanoseconds for which clocks were held down because of power, since the driver was loaded.
    pub violation_power: Option<u64>,
    /// The same because of heat.
    pub violation_thermal: Option<u64>,
    /// Kilobytes per second over the last 20 ms, to the device.
    pub pcie_rx: Option<u32>,
    /// The same, from the device.
    pub pcie_tx: Option<u32>,
    /// Bytes to the device since the driver was loaded.
    pub pcie_rx_bytes: Option<u64>,
    /// The same, from the device.
    pub pcie_tx_bytes: Option<u64>,
    /// Mebibytes per second to the device over all NVLink links, mean since the last round (GPM, Hopper on).
    pub nvlink_rx: Option<f64>,
    /// The same, from the device.
    pub nvlink_tx: Option<f64>,
    /// Memory errors that were corrected, since the driver was loaded.
    pub ecc_corrected: Option<u64>,
    /// Memory errors that were not.
    pub ecc_uncorrected: Option<u64>,
    /// PCIe replays.
    pub pcie_replays: Option<u32>,
    /// Xid errors since the last round; `None` where the device reports none.
    pub xids: Option<Vec<u64>>,
    /// Processes that compute on the device.
    pub processes: Option<Vec<Process>>,
    /// What the driver refused to tell this user.
    pub refused: Vec<String>,
}

/// A buffered sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Microseconds since the Unix epoch.
    pub timestamp: u64,
    /// Percent.
    pub value: u32,
}

/// How busy a video engine was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Percent.
    pub utilization: u32,
    /// Microseconds it is a mean over.
    pub sampling_period: u32,
}

/// A process on a device.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// Process id, in the namespace of the driver.
    pub pid: u32,
    /// File name of its executable.
    pub name: Option<String>,
    /// Bytes of device memory.
    pub used_gpu_memory: Option<u64>,
    /// Percent of time on the multiprocessors, mean of the samples since the last round.
    pub sm_util: Option<u32>,
}
