//! How far a run is: on standard error, on a terminal only.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::ingest;

/// A progress bar, or nothing at all.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    /// Spans taken so far, and how many may be.
    spans: AtomicU64,
    most_spans: u64,
}

impl Progress {
    /// Shown when `wanted` and standard error is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        let bar = (wanted && stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner().with_message("reading");
            let style = ProgressStyle::with_template("{spinner} {msg} {bytes} of {total_bytes}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            spans: AtomicU64::new(0),
            most_spans: u64::MAX,
        }
    }

    /// Ends reading soon after so many spans.
    pub(super) fn up_to(mut self, most_spans: u64) -> Self {
        self.most_spans = most_spans;
        self
    }

    /// Names what happens after reading.
    pub(super) fn stage(&self, name: &'static str) {
        if let Some(bar) = &self.bar {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.set_message(name);
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

impl ingest::Progress for Progress {
    fn advance(&self, read: u64, total: Option<u64>) {
        if let Some(bar) = &self.bar {
            bar.set_length(total.unwrap_or(read));
            bar.set_position(read);
        }
    }

    fn took(&self, spans: u64) {
        self.spans.fetch_add(spans, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        self.spans.load(Ordering::Relaxed) <= self.most_spans
    }
}
