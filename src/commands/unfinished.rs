//! Files being written when the user or the system ends the run: removed before the process goes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// Signals after which nothing may be left behind.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
/// How long a signal may wait: a handler can do no more than set a flag.
const PAUSE: Duration = Duration::from_millis(20);

static PATHS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static WATCH: OnceLock<()> = OnceLock::new();

/// A file that is removed when a signal ends the process before this is dropped.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Makes a file with `make` and has it watched. Before the first there is nothing to remove and signals
    /// end the process at once; from then on they do so a few milliseconds later.
    ///
    /// # Errors
    /// Those of `make`, or when signals cannot be watched.
    pub(super) fn new<T>(
        make: impl FnOnce() -> io::Result<T>,
        path: impl FnOnce(&T) -> &Path,
    ) -> io::Result<(T, Self)> {
        watch()?;
        // Held while the file is made: there is no moment at which it is there and not in the list.
        let mut paths = PATHS.lock().unwrap_or_else(PoisonError::into_inner);
        let made = make()?;
        let path = path(&made).to_owned();
        paths.push(path.clone());
        Ok((made, Self(path)))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut paths = PATHS.lock().unwrap_or_else(PoisonError::into_inner);
        paths.retain(|path| *path != self.0);
    }
}

fn watch() -> io::Result<()> {
    if WATCH.get().is_some() {
        return Ok(());
    }
    let caught = Arc::new(AtomicUsize::new(0));
    let ignored = ignored();
    for signal in SIGNALS {
        if ignored >> (signal - 1) & 1 == 1 {
            continue;
        }
        flag::register_usize(signal, Arc::clone(&caught), signal as usize)?;
    }
    thread::Builder::new().spawn(move || {
        loop {
            match caught.load(Ordering::SeqCst) {
                0 => thread::sleep(PAUSE),
                signal => end(signal as i32),
            }
        }
    })?;
    let _ = WATCH.set(());
    Ok(())
}

/// The signals that whoever started the process has it ignore, as `nohup` does: they stay ignored. One bit
/// each, where the system says so.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0)
}

/// Removes what is unfinished and goes the way the signal asked for, so that whoever waits sees it. The list
/// stays locked: no other file is begun.
fn end(signal: i32) {
    let paths = PATHS.lock().unwrap_or_else(PoisonError::into_inner);
    for path in paths.iter() {
        let _ = fs::remove_file(path);
    }
    let _ = low_level::emulate_default_handler(signal);
}
