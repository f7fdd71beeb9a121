//! What GPUs do at the moment, as a table.

use std::io::{self, Write};

use super::Page;
use super::table::{Column, Table};
use crate::gpu::{Answers, Frame, Process, State, active};
use crate::render::style::Style;
use crate::units::human::{bytes, instant};

/// Processes shown at most.
const PROCESSES: usize = 8;

/// Writes one round; the number of lines it took.
///
/// # Errors
/// When `out` cannot be written.
pub fn gpu(frame: &Frame, style: Style, out: impl Write) -> io::Result<usize> {
    let mut out = Lines { out, lines: 0 };
    let mut page = Page::new(style, &mut out);
    let driver = frame.driver.as_ref();
    let remark = driver.map_or(String::new(), |version| format!("driver {version}"));
    page.title(&format!("{} UTC", instant(frame.time)), &remark)?;
    if frame.devices.is_empty() {
        page.line("  no device answers")?;
    } else {
        devices(frame, &mut page)?;
        processes(frame, &mut page)?;
    }
    page.finish()?;
    Ok(out.lines)
}

/// Counts lines.
struct Lines<W> {
    out: W,
    lines: usize,
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.lines += bytes[..n].iter().filter(|b| **b == b'\n').count();
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn devices<W: Write>(frame: &Frame, page: &mut Page<W>) -> io::Result<()> {
    let columns = [
        Column::Word("GPU"),
        Column::Name("name"),
        Column::Number("busy"),
        Column::Number("memory"),
        Column::Number("power"),
        Column::Number("temp"),
        Column::Number("SM clock"),
        Column::Word("held down by"),
    ];
    let mut table = Table::new(page.style, &columns);
    for device in &frame.devices {
        table.row(device_row(device));
    }
    page.table(table)
}

fn device_row(state: &State) -> [String; 8] {
    let of = &state.answers;
    let number = match of.mig_index {
        Some(mig) => format!("{}.{mig}", of.index),
        None => of.index.to_string(),
    };
    [
        number,
        product(of.name.as_deref().unwrap_or_default()),
        of.utilization_gpu.map_or(absent(), |p| format!("{p}%")),
        pair(
            of.memory_used.map(gigabytes),
            of.memory_total.map(gigabytes),
            "GB",
        ),
        pair(
            of.power_usage.map(watts),
            of.enforced_power_limit.map(watts),
            "W",
        ),
        of.temperature.map_or(absent(), |t| format!("{t} C")),
        of.clock_sm.map_or(absent(), |clock| format!("{clock} MHz")),
        match &state.silent {
            Some(_) => "NO ANSWER".to_owned(),
            None => held(of),
        },
    ]
}

fn absent() -> String {
    "-".to_owned()
}

/// The maker says nothing: all of them are NVIDIA's.
fn product(name: &str) -> String {
    name.strip_prefix("NVIDIA ").unwrap_or(name).to_owned()
}

fn watts(milli: u32) -> String {
    (f64::from(milli) / 1_000.0).round().to_string()
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e9)
}

fn pair(used: Option<String>, limit: Option<String>, unit: &str) -> String {
    match (used, limit) {
        (Some(used), Some(limit)) => format!("{used}/{limit} {unit}"),
        (Some(used), None) => format!("{used} {unit}"),
        (None, Some(limit)) => format!("?/{limit} {unit}"),
        (None, None) => absent(),
    }
}

fn held(of: &Answers) -> String {
    let Some(mask) = of.throttle_reasons else {
        return absent();
    };
    let reasons: Vec<&str> = active(mask).map(|reason| reason.words).collect();
    match reasons.is_empty() {
        true => "nothing".to_owned(),
        false => reasons.join(", "),
    }
}

fn processes<W: Write>(frame: &Frame, page: &mut Page<W>) -> io::Result<()> {
    let mut all: Vec<(&Answers, &Process)> = frame
        .devices
        .iter()
        .flat_map(|d| {
            let processes = d.answers.processes.iter().flatten();
            processes.map(|process| (&d.answers, process))
        })
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    all.sort_by_key(|(of, process)| {
        let memory = std::cmp::Reverse(process.used_gpu_memory);
        (memory, of.index, of.mig_index, process.pid)
    });
    let more = all.len().saturating_sub(PROCESSES);
    let remark = match more {
        0 => String::new(),
        more => format!("and {more} with less memory"),
    };
    page.heading("PROCESSES", &remark)?;
    let columns = [
        Column::Word("GPU"),
        Column::Number("pid"),
        Column::Name("name"),
        Column::Number("busy"),
        Column::Number("memory"),
    ];
    let mut table = Table::new(page.style, &columns);
    for (of, process) in all.into_iter().take(PROCESSES) {
        table.row([
            match of.mig_index {
                Some(mig) => format!("{}.{mig}", of.index),
                None => of.index.to_string(),
            },
            process.pid.to_string(),
            process.name.clone().unwrap_or_default(),
            process.sm_util.map_or(absent(), |p| format!("{p}%")),
            process.used_gpu_memory.map_or(absent(), bytes),
        ]);
    }
    page.table(table)
}
