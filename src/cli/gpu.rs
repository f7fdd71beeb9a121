//! Arguments of `gpu`.

use std::env;
use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Display;
use crate::commands::gpu;
use crate::render::Surroundings;
use crate::units::Nanos;

/// Arguments of `gpu`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Gpu {
    /// Ask the devices this often, from 10ms on [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub interval: Option<Nanos>,

    /// Stop after this long; otherwise on Ctrl-C or SIGTERM
    #[arg(long, value_name = "TIME", conflicts_with = "once")]
    pub duration: Option<Nanos>,

    /// Ask once and stop
    #[arg(long)]
    pub once: bool,

    /// What standard output shows: text (a table, drawn anew each time on a terminal) or json (the recording:
    /// one OTLP/JSON metrics request per line)
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub format: Format,

    /// Same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// Record to a file; an older one of that name is put aside as FILE.1
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Begin a new file at this size, such as 500KB or 64MB; full ones are put aside as FILE.1, FILE.2, ...
    #[arg(long, value_name = "SIZE", default_value = "64MB", value_parser = size, requires = "output")]
    pub max_size: u64,

    /// Files put aside that are kept; the oldest go
    #[arg(long, value_name = "N", default_value_t = 8, requires = "output")]
    pub keep: usize,

    /// Play back a recorded session (what the driver once answered) instead of asking the driver, without pauses
    /// unless --interval is given
    #[arg(long, value_name = "FILE")]
    pub session: Option<PathBuf>,

    /// Also write down what the driver answers, to be played back with --session
    #[arg(long, value_name = "FILE")]
    pub save_session: Option<PathBuf>,
}

impl Gpu {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> gpu::Options {
        let around = Surroundings::of_stdout();
        gpu::Options {
            interval: self.interval,
            duration: self.duration,
            once: self.once,
            format: match (self.json, self.format) {
                (true, _) | (_, Format::Json) => gpu::Format::Json,
                (_, Format::Text) => gpu::Format::Text,
            },
            output: self.output.clone().map(|path| gpu::Output {
                path,
                most: self.max_size,
                keep: self.keep,
            }),
            origin: match self.session {
                // A recording made elsewhere is not of this host.
                Some(_) => described(),
                None => host().into_iter().chain(described()).collect(),
            },
            session: self.session.clone(),
            save_session: self.save_session.clone(),
            style: display.style(),
            redraw: around.terminal && !around.dumb,
            terminal: around.terminal,
            quiet: display.quiet,
        }
    }
}

/// The name of this machine.
fn host() -> Option<(String, String)> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    (!name.is_empty()).then(|| ("host.name".to_owned(), name.to_owned()))
}

/// Attributes that the user wants on everything recorded here. Source: OpenTelemetry SDK configuration,
/// `OTEL_RESOURCE_ATTRIBUTES`.
fn described() -> Vec<(String, String)> {
    let text = env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    pairs
        .filter(|(key, value)| !key.is_empty() && !value.is_empty())
        .collect()
}

fn interval(text: &str) -> Result<Nanos, String> {
    match text.parse::<Nanos>() {
        Ok(time) if time >= Nanos(10 * Nanos::MILLI.0) => Ok(time),
        _ => Err("expected a time from 10ms on, such as 500ms or 5s".to_owned()),
    }
}

/// A size in bytes, decimal (`MB`) or binary (`MiB`).
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("b", 1),
    ];
    let small = text.to_ascii_lowercase();
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let found = UNITS.iter().find_map(|(unit, factor)| {
        let amount = number(small.strip_suffix(unit)?)?;
        amount.checked_mul(*factor)
    });
    match found.or_else(|| number(text)) {
        Some(size) if size > 0 => Ok(size),
        _ => Err("expected a size such as 500KB, 64MB or 1GiB".to_owned()),
    }
}

/// What standard output shows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// A table.
    Text,
    /// The recording.
    Json,
}

const EXAMPLES: &str = "\
Examples:
  agentdiag gpu                                   (what the devices do now)
  agentdiag gpu -o gpu.jsonl                      (record, with the table on the terminal)
  agentdiag gpu -o gpu.jsonl --duration 15m --interval 5s &
  agentdiag analyze gpu.jsonl* traces.jsonl       (afterwards, on any machine)
  agentdiag gpu --once --json | jq '.resourceMetrics[].scopeMetrics[].metrics[].name'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("64MB"), Ok(64_000_000));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        assert_eq!((size("500"), size("7kB")), (Ok(500), Ok(7_000)));
        for bad in ["", "0", "MB", "-1MB", "1.5MB", "99999999999GB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn intervals_spare_the_driver() {
        assert!(interval("10ms").is_ok());
        assert!(interval("9ms").is_err() && interval("0s").is_err());
    }
}
