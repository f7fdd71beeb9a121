//! `agentdiag gpu`: asks, shows and records until told to stop.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Error, Outcome};
use crate::gpu::{self, Driver, Frame, Nvml, Origin, Recorder, Rotating, Saver, Session};
use crate::render::Style;
use crate::render::terminal;
use crate::units::Nanos;
use crate::units::human::{bytes, count, counted, duration};

/// How often a pause looks whether it should end.
const GLANCE: Duration = Duration::from_millis(20);

/// What standard output shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// A table per round.
    #[default]
    Text,
    /// The recording: one OTLP/JSON request per round and line.
    Json,
}

/// Where to record to.
#[derive(Clone, Debug)]
pub struct Output {
    /// The file.
    pub path: PathBuf,
    /// Bytes after which it begins anew.
    pub most: u64,
    /// How many older files to keep.
    pub keep: usize,
}

/// What to record, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// From the start of one round to the start of the next; by default a second, and for a recorded session
    /// none.
    pub interval: Option<Nanos>,
    /// When to stop by oneself.
    pub duration: Option<Nanos>,
    /// Stop after one round.
    pub once: bool,
    /// What standard output shows.
    pub format: Format,
    /// Where the recording goes, besides.
    pub output: Option<Output>,
    /// A recorded session to play back instead of asking the driver.
    pub session: Option<PathBuf>,
    /// Where to write down what the driver answers.
    pub save_session: Option<PathBuf>,
    /// Attributes of the resource.
    pub origin: Vec<(String, String)>,
    /// Colour, width and character set.
    pub style: Style,
    /// A table may be drawn over the one before.
    pub redraw: bool,
    /// Standard output is a terminal.
    pub terminal: bool,
    /// Say nothing about devices that drop out, nor how it went.
    pub quiet: bool,
}

/// Records until the end of `duration`, of the session, or a SIGINT or SIGTERM. `out` gets the table or the
/// recording, `notes` what happens to devices.
///
/// # Errors
/// When there is no driver, or the recording cannot be written.
pub fn gpu(
    options: &Options,
    mut out: impl Write,
    mut notes: impl Write,
) -> Result<Outcome, Error> {
    let stop = stop_on_signals()?;
    let mut driver = driver(options)?;
    let mut run = Run::new(options)?;
    let started = Instant::now();
    while let Some(round) = driver.round().map_err(unavailable)? {
        let frame = run.recorder.take(round);
        if !options.quiet {
            for note in &frame.notes {
                // Nobody is left to tell when it is closed.
                let _ = writeln!(notes, "agentdiag: {note}");
            }
        }
        run.show(&frame, &mut out)?;
        let next = started + next_round(started.elapsed(), run.interval);
        let end = options
            .duration
            .map(|d| started + Duration::from_nanos(d.0));
        let last = options.once || end.is_some_and(|end| next >= end);
        if last || paused_until(next, &stop) {
            break;
        }
    }
    if let Some((file, _)) = &run.file {
        file.finish()?;
    }
    if !options.quiet && !options.once {
        let _ = writeln!(notes, "agentdiag: {}", run.summary(started.elapsed()));
    }
    Ok(Outcome::Done)
}

fn unavailable(why: gpu::Unavailable) -> Error {
    Error::Unavailable(why.0)
}

fn driver(options: &Options) -> Result<Box<dyn Driver>, Error> {
    let driver: Box<dyn Driver> = match &options.session {
        Some(path) => Box::new(Session::open(path).map_err(unavailable)?),
        None => Box::new(Nvml::load(now).map_err(unavailable)?),
    };
    match &options.save_session {
        Some(path) => Ok(Box::new(Saver::new(driver, path).map_err(unavailable)?)),
        None => Ok(driver),
    }
}

fn now() -> Nanos {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Nanos(since.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
}

/// Set by SIGINT and SIGTERM. A second signal ends the process at once, should it hang in the driver.
fn stop_on_signals() -> Result<Arc<AtomicBool>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// When the next round is due, from the start. Rounds that a slow driver made impossible are left out.
fn next_round(elapsed: Duration, interval: Duration) -> Duration {
    let rounds = elapsed.as_nanos() / interval.as_nanos().max(1) + 1;
    interval.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
}

/// Waits; true when told to stop.
fn paused_until(then: Instant, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Relaxed) {
            return true;
        }
        let left = then.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

/// A recording under way.
struct Run<'a> {
    options: &'a Options,
    recorder: Recorder,
    origin: Origin,
    file: Option<(Rotating, &'a Output)>,
    interval: Duration,
    /// Lines of the table on the screen.
    drawn: usize,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options) -> Result<Self, Error> {
        let file = options.output.as_ref().map(|output| {
            let file = Rotating::create(&output.path, output.most, output.keep);
            let file = file.map_err(|error| cannot_write(output, &error))?;
            Ok::<_, Error>((file, output))
        });
        let interval = match options.session {
            Some(_) => Nanos::ZERO,
            None => Nanos::SECOND,
        };
        Ok(Self {
            options,
            recorder: Recorder::default(),
            origin: Origin(options.origin.clone()),
            file: file.transpose()?,
            interval: Duration::from_nanos(options.interval.unwrap_or(interval).0),
            drawn: 0,
        })
    }

    fn show(&mut self, frame: &Frame, out: &mut impl Write) -> Result<(), Error> {
        let line = gpu::line(frame, &self.origin).map(|line| line.to_string());
        if let (Some((file, output)), Some(line)) = (&mut self.file, &line) {
            let written = file.line(line);
            written.map_err(|error| cannot_write(output, &error))?;
        }
        match self.options.format {
            Format::Json if self.file.is_none() => {
                if let Some(line) = line {
                    writeln!(out, "{line}")?;
                }
            }
            // Into a pipe, a table beside the file would only be in the way.
            Format::Text if self.file.is_none() || self.options.terminal => {
                self.table(frame, out)?
            }
            Format::Json | Format::Text => {}
        }
        Ok(out.flush()?)
    }

    fn table(&mut self, frame: &Frame, out: &mut impl Write) -> io::Result<()> {
        if self.drawn > 0 {
            match self.options.redraw && frame.notes.is_empty() {
                true => write!(out, "\x1b[{}A\x1b[J", self.drawn)?,
                false => writeln!(out)?,
            }
        }
        self.drawn = terminal::gpu(frame, self.options.style, &mut *out)?;
        Ok(())
    }

    fn summary(&self, took: Duration) -> String {
        let took = Nanos(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        let mut text = format!(
            "{} of {} in {}",
            counted(self.recorder.rounds(), "round"),
            counted(self.recorder.devices() as u64, "device"),
            duration(took),
        );
        if let Some((file, output)) = &self.file {
            let (files, deleted) = file.files();
            text += &format!(
                ", {} in {} at {}",
                bytes(file.written()),
                counted(files as u64, "file"),
                output.path.display()
            );
            if deleted > 0 {
                text += &format!("; {} older deleted (--keep)", count(deleted as u64));
            }
        }
        for (device, rounds) in self.recorder.missed() {
            text += &format!("; {device} missed {}", counted(rounds, "round"));
        }
        text
    }
}

fn cannot_write(output: &Output, error: &io::Error) -> Error {
    let path = output.path.display();
    Error::File(format!("{path}: cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_keep_the_beat_and_a_slow_driver_misses_some() {
        let next = |elapsed, interval| {
            let millis = Duration::from_millis;
            next_round(millis(elapsed), millis(interval)).as_millis()
        };
        assert_eq!(
            (next(3, 500), next(499, 500), next(500, 500)),
            (500, 500, 1000)
        );
        assert_eq!(
            next(58, 10),
            60,
            "five rounds are missed, none is made up for"
        );
        assert_eq!(next(58, 0), 0, "at once");
    }
}
