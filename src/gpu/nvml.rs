//! Asks NVIDIA's management library: the only file that talks to the driver.

use std::collections::BTreeMap;

use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::device::Device;
use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, PcieUtilCounter, PerformancePolicy, Sampling, TemperatureSensor,
};
use nvml_wrapper::enums::device::{SampleValue, UsedGpuMemory};
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::enums::gpm::GpmMetricId;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::event::EventSet;
use nvml_wrapper::gpm::{GpmSample, gpm_metrics_get};
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id;

use super::{Answers, Driver, Engine, Process, Round, Sample, Silent, Unavailable};
use crate::units::Nanos;

type Library = nvml_wrapper::Nvml;
type Answer<T> = Result<T, NvmlError>;

/// What NVML calls an unknown Xid.
const UNKNOWN_XID: u64 = 999;
/// Longest process name that is asked for.
const NAME: usize = 256;

/// NVIDIA's library, loaded when first needed.
pub struct Nvml {
    library: &'static Library,
    clock: fn() -> Nanos,
    /// By the device's id.
    seen: BTreeMap<String, Seen>,
    /// The library must be initialised again before it answers.
    stale: bool,
}

/// What is kept of a device between rounds.
#[derive(Default)]
struct Seen {
    /// Microseconds of the newest buffered sample.
    sample: Option<u64>,
    /// The same for samples of processes.
    process: Option<u64>,
    events: Option<EventSet<'static>>,
    traffic: Option<GpmSample<'static>>,
}

impl Nvml {
    /// Loads the library and attaches to the driver. `clock` gives the time of each round.
    ///
    /// # Errors
    /// When there is no driver, or it refuses.
    pub fn load(clock: fn() -> Nanos) -> Result<Self, Unavailable> {
        Ok(Self {
            library: library().map_err(|error| Unavailable(no_driver(&error)))?,
            clock,
            seen: BTreeMap::new(),
            stale: false,
        })
    }

    /// After a reload of the driver the old handle answers nothing.
    fn again(&mut self) -> Result<(), NvmlError> {
        if self.stale {
            let fresh = library()?;
            self.seen.clear();
            self.library = fresh;
            self.stale = false;
        }
        Ok(())
    }

    fn ask(&mut self, round: &mut Round) -> Result<(), NvmlError> {
        self.again()?;
        round.driver = self.library.sys_driver_version().ok();
        for index in 0..self.library.device_count()? {
            if let Err(error) = self.device(index, round) {
                round.silent.push(Silent {
                    index,
                    why: error.to_string(),
                });
            }
        }
        Ok(())
    }

    fn device(&mut self, index: u32, round: &mut Round) -> Result<(), NvmlError> {
        let device = self.library.device_by_index(index)?;
        let uuid = device.uuid()?;
        let seen = self.seen.entry(uuid.clone()).or_default();
        let shared = device.mig_mode().is_ok_and(|mode| mode.current == 1);
        let name = Answers {
            index,
            uuid: uuid.clone(),
            ..Answers::default()
        };
        let mut asked = Asked::of(&device, self.library, seen, name)?;
        asked.everything(!shared)?;
        round.devices.push(asked.answers);
        for at in 0..device.mig_device_count().unwrap_or(0) {
            // Indices of instances may have gaps.
            let Ok(instance) = device.mig_device_by_index(at) else {
                continue;
            };
            let id = instance.uuid()?;
            let seen = self.seen.entry(id.clone()).or_default();
            let name = Answers {
                index,
                uuid: id,
                parent: Some(uuid.clone()),
                mig_index: Some(at),
                ..Answers::default()
            };
            let mut asked = Asked::of(&instance, self.library, seen, name)?;
            asked.memory()?;
            asked.utilization()?;
            asked.processes()?;
            round.devices.push(asked.answers);
        }
        Ok(())
    }
}

impl Driver for Nvml {
    fn round(&mut self) -> Result<Option<Round>, Unavailable> {
        let mut round = Round {
            time: (self.clock)(),
            ..Round::default()
        };
        if let Err(error) = self.ask(&mut round) {
            self.stale = true;
            round.devices.clear();
            round.silent.clear();
            round.nobody = Some(error.to_string());
        }
        Ok(Some(round))
    }
}

/// It lives as long as the process, which its handles of events demand; a driver is seldom reloaded.
fn library() -> Result<&'static Library, NvmlError> {
    Ok(Box::leak(Box::new(Library::init()?)))
}

/// Why there is no driver, and what to do.
fn no_driver(error: &NvmlError) -> String {
    let (what, help) = match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => (
            "no NVIDIA driver on this machine: its library libnvidia-ml.so.1 was not found"
                .to_owned(),
            "run this on the node that has the GPUs; in a container, start it with the NVIDIA runtime and NVIDIA_DRIVER_CAPABILITIES=utility",
        ),
        NvmlError::DriverNotLoaded => (
            "the NVIDIA driver is installed but not loaded".to_owned(),
            "`nvidia-smi` should list the devices first",
        ),
        NvmlError::NoPermission => (
            "the NVIDIA driver does not let this user ask it".to_owned(),
            "/dev/nvidiactl must be readable and writable",
        ),
        NvmlError::LibRmVersionMismatch => (
            "the NVIDIA driver and its library are of different versions".to_owned(),
            "it was updated: reload the driver or restart the machine",
        ),
        other => (
            format!("the NVIDIA driver does not answer: {other}"),
            "`nvidia-smi` should list the devices first",
        ),
    };
    format!("{what}; {help}")
}

/// One device being asked.
struct Asked<'a> {
    device: &'a Device<'static>,
    library: &'static Library,
    seen: &'a mut Seen,
    answers: Answers,
}

/// The answer, if there is one; an error only when the device is gone.
fn known<T>(answer: Answer<T>) -> Result<Option<T>, NvmlError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error @ (NvmlError::GpuLost | NvmlError::ResetRequired)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn whole(value: SampleValue) -> Option<u64> {
    match value {
        SampleValue::U32(value) => Some(u64::from(value)),
        SampleValue::U64(value) => Some(value),
        SampleValue::I64(value) => u64::try_from(value).ok(),
        SampleValue::F64(value) => (value >= 0.0).then_some(value as u64),
    }
}

impl<'a> Asked<'a> {
    fn of(
        device: &'a Device<'static>,
        library: &'static Library,
        seen: &'a mut Seen,
        mut answers: Answers,
    ) -> Result<Self, NvmlError> {
        answers.name = known(device.name())?;
        Ok(Self {
            device,
            library,
            seen,
            answers,
        })
    }

    fn everything(&mut self, with_processes: bool) -> Result<(), NvmlError> {
        self.memory()?;
        self.utilization()?;
        self.power()?;
        self.clocks()?;
        self.pcie()?;
        self.nvlink()?;
        self.errors()?;
        // Those of a device that is divided are told by its instances.
        if with_processes {
            self.processes()?;
        }
        Ok(())
    }

    fn memory(&mut self) -> Result<(), NvmlError> {
        let memory = known(self.device.memory_info())?;
        self.answers.memory_total = memory.as_ref().map(|m| m.total);
        self.answers.memory_used = memory.map(|m| m.used);
        Ok(())
    }

    fn utilization(&mut self) -> Result<(), NvmlError> {
        let (device, answers) = (self.device, &mut self.answers);
        let rates = known(device.utilization_rates())?;
        answers.utilization_gpu = rates.as_ref().map(|r| r.gpu);
        answers.utilization_memory = rates.map(|r| r.memory);
        let samples = known(device.samples(Sampling::GpuUtilization, self.seen.sample))?;
        if let Some(samples) = samples.filter(|samples| !samples.is_empty()) {
            let newest = samples.iter().map(|s| s.timestamp).max();
            self.seen.sample = newest.or(self.seen.sample);
            let each = samples.into_iter().filter_map(|sample| {
                let value = u32::try_from(whole(sample.value)?).ok()?;
                let timestamp = sample.timestamp;
                (timestamp > 0 && value <= 100).then_some(Sample { timestamp, value })
            });
            answers.utilization_samples = Some(each.collect());
        }
        let engine = |info: nvml_wrapper::structs::device::UtilizationInfo| Engine {
            utilization: info.utilization,
            sampling_period: info.sampling_period,
        };
        answers.encoder = known(device.encoder_utilization())?.map(engine);
        answers.decoder = known(device.decoder_utilization())?.map(engine);
        Ok(())
    }

    fn power(&mut self) -> Result<(), NvmlError> {
        let (device, answers) = (self.device, &mut self.answers);
        answers.power_usage = known(device.power_usage())?;
        answers.enforced_power_limit = known(device.enforced_power_limit())?;
        answers.total_energy_consumption = known(device.total_energy_consumption())?;
        answers.temperature = known(device.temperature(TemperatureSensor::Gpu))?;
        let memory = self.field(field_id::NVML_FI_DEV_MEMORY_TEMP)?;
        // Zero stands for a sensor that is not there.
        self.answers.memory_temperature = memory
            .filter(|degrees| *degrees > 0)
            .and_then(|degrees| u32::try_from(degrees).ok());
        Ok(())
    }

    fn clocks(&mut self) -> Result<(), NvmlError> {
        let (device, answers) = (self.device, &mut self.answers);
        answers.clock_graphics = known(device.clock_info(Clock::Graphics))?;
        answers.clock_sm = known(device.clock_info(Clock::SM))?;
        answers.clock_memory = known(device.clock_info(Clock::Memory))?;
        answers.clock_video = known(device.clock_info(Clock::Video))?;
        answers.max_clock_sm = known(device.max_clock_info(Clock::SM))?;
        let state = known(device.performance_state())?.map(|state| state as u32);
        answers.performance_state = state.filter(|state| *state <= 15);
        answers.throttle_reasons = known(device.current_throttle_reasons())?.map(|r| r.bits());
        let supported = known(device.supported_throttle_reasons())?;
        answers.supported_throttle_reasons = supported.map(|r| r.bits());
        let violation = |policy| known(device.violation_status(policy));
        answers.violation_power = violation(PerformancePolicy::Power)?.map(|v| v.violation_time);
        answers.violation_thermal =
            violation(PerformancePolicy::Thermal)?.map(|v| v.violation_time);
        Ok(())
    }

    fn pcie(&mut self) -> Result<(), NvmlError> {
        let rate = |counter| known(self.device.pcie_throughput(counter));
        self.answers.pcie_rx = rate(PcieUtilCounter::Receive)?;
        self.answers.pcie_tx = rate(PcieUtilCounter::Send)?;
        self.answers.pcie_rx_bytes = self.field(field_id::NVML_FI_DEV_PCIE_COUNT_RX_BYTES)?;
        self.answers.pcie_tx_bytes = self.field(field_id::NVML_FI_DEV_PCIE_COUNT_TX_BYTES)?;
        Ok(())
    }

    /// The sum over all links is only told as a mean between two samples (GPM, Hopper on).
    fn nvlink(&mut self) -> Result<(), NvmlError> {
        if !known(self.device.gpm_support())?.unwrap_or(false) {
            return Ok(());
        }
        let Some(now) = known(self.device.gpm_sample())? else {
            return Ok(());
        };
        if let Some(before) = &self.seen.traffic {
            let ids = [
                GpmMetricId::NvlinkTotalRxPerSec,
                GpmMetricId::NvlinkTotalTxPerSec,
            ];
            let values = known(gpm_metrics_get(self.library, before, &now, &ids))?;
            let mut values = values.into_iter().flatten().map(|result| {
                let value = result.ok().map(|metric| metric.value);
                value.filter(|value| value.is_finite() && *value >= 0.0)
            });
            self.answers.nvlink_rx = values.next().flatten();
            self.answers.nvlink_tx = values.next().flatten();
        }
        self.seen.traffic = Some(now);
        Ok(())
    }

    fn errors(&mut self) -> Result<(), NvmlError> {
        let ecc = |kind| known(self.device.total_ecc_errors(kind, EccCounter::Volatile));
        self.answers.ecc_corrected = ecc(MemoryError::Corrected)?;
        self.answers.ecc_uncorrected = ecc(MemoryError::Uncorrected)?;
        self.answers.pcie_replays = known(self.device.pcie_replay_counter())?;
        self.answers.xids = self.xids()?;
        Ok(())
    }

    /// Xid errors that happened since the last round.
    fn xids(&mut self) -> Result<Option<Vec<u64>>, NvmlError> {
        const XID: EventTypes = EventTypes::CRITICAL_XID_ERROR;
        if self.seen.events.is_none() {
            let told = known(self.device.supported_event_types())?;
            if !told.is_some_and(|types| types.contains(XID)) {
                return Ok(None);
            }
            let Some(set) = known(self.library.create_event_set())? else {
                return Ok(None);
            };
            self.seen.events = self.device.register_events(XID, set).ok();
        }
        let Some(events) = &self.seen.events else {
            return Ok(None);
        };
        let mut xids = Vec::new();
        while let Some(event) = known(events.wait(0))? {
            xids.extend(event.event_data.map(|xid| match xid {
                XidError::Value(code) => code,
                XidError::Unknown => UNKNOWN_XID,
            }));
        }
        Ok(Some(xids))
    }

    fn processes(&mut self) -> Result<(), NvmlError> {
        let running = match self.device.running_compute_processes() {
            Err(NvmlError::NoPermission) => {
                self.answers
                    .refused
                    .push("processes on the devices".to_owned());
                return Ok(());
            }
            other => known(other)?,
        };
        let Some(running) = running else {
            return Ok(());
        };
        let busy = self.busy()?;
        let mut processes: Vec<Process> = running
            .into_iter()
            .map(|process| Process {
                pid: process.pid,
                name: self.process_name(process.pid),
                used_gpu_memory: match process.used_gpu_memory {
                    UsedGpuMemory::Used(bytes) => Some(bytes),
                    UsedGpuMemory::Unavailable => None,
                },
                // Processes without a sample were idle.
                sm_util: busy
                    .as_ref()
                    .map(|busy| busy.get(&process.pid).copied().unwrap_or(0)),
            })
            .collect();
        processes.sort_by_key(|process| process.pid);
        self.answers.processes = Some(processes);
        Ok(())
    }

    /// Percent of the multiprocessors' time by process, since the last round.
    fn busy(&mut self) -> Result<Option<BTreeMap<u32, u32>>, NvmlError> {
        let samples = match self.device.process_utilization_stats(self.seen.process) {
            Err(NvmlError::NotFound) => Some(Vec::new()),
            other => known(other)?,
        };
        let Some(samples) = samples else {
            return Ok(None);
        };
        let mut sums: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for sample in samples {
            self.seen.process = self.seen.process.max(Some(sample.timestamp));
            let (sum, count) = sums.entry(sample.pid).or_default();
            *sum += u64::from(sample.sm_util);
            *count += 1;
        }
        let mean = |(sum, count): (u64, u64)| u32::try_from(sum / count.max(1)).unwrap_or(100);
        Ok(Some(
            sums.into_iter().map(|(pid, s)| (pid, mean(s))).collect(),
        ))
    }

    /// The executable's file name alone: arguments may hold secrets.
    fn process_name(&self, pid: u32) -> Option<String> {
        let command = self.library.sys_process_name(pid, NAME).ok()?;
        let program = command.split_whitespace().next()?;
        let name = program.rsplit('/').next()?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn field(&self, id: u32) -> Result<Option<u64>, NvmlError> {
        let values = known(self.device.field_values_for(&[FieldId(id)]))?;
        let value = values.into_iter().flatten().next();
        let value = value.and_then(Result::ok).and_then(|v| v.value.ok());
        Ok(value.and_then(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_device_that_is_gone_is_an_error() {
        assert_eq!(known(Ok(1)).unwrap(), Some(1));
        assert_eq!(known::<u32>(Err(NvmlError::NotSupported)).unwrap(), None);
        assert_eq!(known::<u32>(Err(NvmlError::NoPermission)).unwrap(), None);
        assert!(known::<u32>(Err(NvmlError::GpuLost)).is_err());
    }

    #[test]
    fn a_missing_driver_is_explained() {
        let message = no_driver(&NvmlError::DriverNotLoaded);
        assert!(message.contains("not loaded") && message.contains("nvidia-smi"));
        let message = no_driver(&NvmlError::LibraryNotFound);
        assert!(message.contains("libnvidia-ml.so.1"), "{message}");
    }

    #[test]
    fn every_reason_for_silence_says_what_to_do() {
        for (error, what, help) in [
            (
                NvmlError::DriverNotLoaded,
                "installed but not loaded",
                "nvidia-smi",
            ),
            (
                NvmlError::NoPermission,
                "does not let this user",
                "/dev/nvidiactl",
            ),
            (
                NvmlError::LibRmVersionMismatch,
                "of different versions",
                "reload the driver",
            ),
            (NvmlError::Unknown, "does not answer", "nvidia-smi"),
        ] {
            let said = no_driver(&error);
            assert!(said.contains(what) && said.contains(help), "{said}");
        }
    }

    #[test]
    fn samples_of_every_type_are_whole_numbers_or_none() {
        assert_eq!(whole(SampleValue::U32(7)), Some(7));
        assert_eq!(whole(SampleValue::U64(1 << 40)), Some(1 << 40));
        assert_eq!(
            (whole(SampleValue::I64(7)), whole(SampleValue::I64(-7))),
            (Some(7), None)
        );
        assert_eq!(
            (whole(SampleValue::F64(7.9)), whole(SampleValue::F64(-0.5))),
            (Some(7), None)
        );
    }
}
