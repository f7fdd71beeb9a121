//! What is recorded: names, units, and over which time a value is a mean.
//!
//! Source: OpenTelemetry semantic conventions, "GPU metrics" and "Common hardware metrics" (`hw.*`, status
//! Development). What these do not name is `gpu.*`.

/// What the points of a metric mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A value at an instant, or a mean over a window.
    Gauge,
    /// An amount that goes up and down (an UpDownCounter).
    Level,
    /// A running total.
    Counter,
}

/// One metric.
#[derive(PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its unit (UCUM).
    pub unit: &'static str,
    /// What its points mean.
    pub shape: Shape,
    /// What it measures, and over which time.
    pub description: &'static str,
}

/// One line per metric.
macro_rules! metrics {
    ($($id:ident $name:literal $unit:literal $shape:ident $description:literal;)*) => {
        $(pub(super) static $id: Metric = Metric {
            name: $name,
            unit: $unit,
            shape: Shape::$shape,
            description: $description,
        };)*
        /// All of them, in the order of the file.
        pub(super) static ALL: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    STATUS "hw.status" "1" Level "Operational state: 1 for the state it is in. `failed` while a device does not answer.";
    UTILIZATION "hw.gpu.utilization" "1" Gauge "Share of time in which a kernel ran (task general) or the video engine was busy. Mean over the time from startTimeUnixNano on; where that is absent, over the driver's last sample period (1/6 s to 1 s).";
    MEMORY_UTILIZATION "hw.gpu.memory.utilization" "1" Gauge "Share of the memory in use. At the instant.";
    MEMORY_USAGE "hw.gpu.memory.usage" "By" Level "Memory in use, without what the driver reserves. At the instant.";
    MEMORY_LIMIT "hw.gpu.memory.limit" "By" Level "Size of the memory.";
    MEMORY_CONTROLLER "gpu.memory.controller.utilization" "1" Gauge "Share of time in which device memory was read or written. Mean over the driver's last sample period (1/6 s to 1 s).";
    IO "hw.gpu.io" "By" Counter "Bytes over PCIe. Of the driver's counter, which begins anew at 4 GiB; counted on from there while the recording runs.";
    PCIE "gpu.pcie.throughput" "By/s" Gauge "Bytes per second over PCIe. Mean over the time from startTimeUnixNano on (20 ms).";
    NVLINK "gpu.nvlink.throughput" "By/s" Gauge "Bytes per second over all NVLink links. Mean over the time from startTimeUnixNano on (since the last sample).";
    POWER "hw.power" "W" Gauge "Power of the board. Mean over 1 s from Ampere on (not GA100), at the instant on older products.";
    POWER_LIMIT "gpu.power.limit" "W" Gauge "Power that the board is held to.";
    ENERGY "hw.energy" "J" Counter "Energy since the driver was loaded.";
    TEMPERATURE "hw.temperature" "Cel" Gauge "Temperature of the sensor hw.sensor_location. At the instant.";
    CLOCK "gpu.clock.frequency" "Hz" Gauge "Clock of the domain gpu.clock.domain. At the instant.";
    CLOCK_LIMIT "gpu.clock.frequency.limit" "Hz" Gauge "Highest clock of the domain gpu.clock.domain.";
    PERFORMANCE_STATE "gpu.performance_state" "1" Gauge "0 (most) to 15 (least). At the instant.";
    THROTTLED "gpu.throttle.active" "1" Gauge "1 while clocks are held down for the reason gpu.throttle.reason. At the instant.";
    THROTTLE_TIME "gpu.throttle.time" "s" Counter "Time for which clocks were held down for the reason gpu.throttle.reason, since the driver was loaded.";
    ERRORS "hw.errors" "{error}" Counter "Errors: memory errors (corrected, uncorrected) and PCIe replays since the driver was loaded, Xid errors since the recording began.";
    PROCESS_MEMORY "gpu.process.memory.usage" "By" Level "Device memory of a process. At the instant.";
    PROCESS_UTILIZATION "gpu.process.utilization" "1" Gauge "Share of time that a process had the multiprocessors. Mean of the driver's samples since the last one.";
}
