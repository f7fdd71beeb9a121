//! `agentdiag baseline`: learns what is normal from a healthy period, merges what was learned before, and
//! writes it to a file.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::analysis::Analysis;
use super::load::Inputs;
use super::output::write_file;
use super::reference::Known;
use crate::diagnose;
use crate::error::{Error, Outcome};
use crate::render::Style;
use crate::render::terminal::Page;
use crate::saved::Saved;
use crate::units::human::{count, counted, percent};

/// From this share of slow requests on, a period is called into question.
const DOUBTFUL: f64 = 0.05;
/// Kinds of tasks with fewer requests than this say little of what is normal.
const THIN: u64 = 20;

/// What to learn from, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Dumps and baselines.
    pub inputs: Inputs,
    /// Instead of standard output.
    pub output: Option<PathBuf>,
    /// Colour, width and character set of what is said about it.
    pub style: Style,
}

/// Learns, merges and writes; what was learned is summed up on `out` unless the baseline itself goes
/// there.
///
/// # Errors
/// When nothing can be read, a baseline among the inputs is wrong, or the file cannot be written.
pub fn baseline(options: &Options, mut out: impl Write) -> Result<Outcome, Error> {
    let mut inputs = options.inputs.clone();
    inputs.aside.extend(options.output.clone());
    let known = known(&inputs)?;
    inputs.aside.extend(known.iter().cloned());
    let mut saved = Saved::default();
    for path in &known {
        let one = Saved::read(path).map_err(|error| Error::File(error.to_string()))?;
        saved.merge(one);
    }
    let mut slow = None;
    if inputs.sources().next().is_some() {
        let rule = diagnose::Options::default();
        let analysis = Analysis::run(&inputs, rule)?;
        slow = analysis.report().summary().slow_share();
        saved.merge(Known::by_itself(analysis, rule, inputs.room())?.into_saved());
    }
    match &options.output {
        None => saved.write(out)?,
        Some(path) => {
            write_file(path, |file| saved.write(file))?;
            sum_up(path, &saved, slow, &mut Page::new(options.style, &mut out))?;
        }
    }
    Ok(Outcome::Done)
}

/// Files among the inputs that are baselines.
fn known(inputs: &Inputs) -> Result<Vec<PathBuf>, Error> {
    let mut known = Vec::new();
    for source in inputs.sources() {
        let Some(path) = source.path().filter(|path| path.is_file()) else {
            continue;
        };
        let mut head = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(256).read_to_end(&mut head));
        // What cannot be opened is reported where dumps are read.
        if read.is_ok() && Saved::is_one(&head) {
            known.push(path.to_owned());
        }
    }
    Ok(known)
}

fn sum_up<W: Write>(
    path: &Path,
    saved: &Saved,
    slow: Option<f64>,
    page: &mut Page<W>,
) -> io::Result<()> {
    let norms = &saved.norms;
    page.title("BASELINE", &path.display().to_string())?;
    let kinds = counted(norms.tasks.len() as u64, "kind");
    let tools = counted(norms.tools.len() as u64, "tool");
    let kept = match norms.calls_kept() {
        kept if kept == norms.model_calls => "all kept".to_owned(),
        kept => format!("a sample of {} kept", count(kept)),
    };
    let learned = format!(
        "{} of {kinds}, {} ({kept}), {tools}.",
        counted(norms.requests, "request"),
        counted(norms.model_calls, "model call"),
    );
    page.hanging("  learned from", 16, &learned)?;
    let thin = saved
        .profile
        .tasks
        .iter()
        .filter(|(_, t)| t.duration.len() < THIN);
    let thin: Vec<String> = thin
        .map(|(name, t)| named(name, t.duration.len()))
        .collect();
    if !thin.is_empty() {
        let thin = format!("{}: what is normal for them is less sure.", thin.join(", "));
        page.hanging("  few", 16, &thin)?;
    }
    if let Some(share) = slow.filter(|share| *share > DOUBTFUL) {
        let doubt = format!(
            "{} of the requests read were slow by their own measure. What is slow here will count as normal: take a healthier period, or analyze this one first.",
            percent(share)
        );
        page.hanging("  doubtful", 16, &doubt)?;
    }
    Ok(())
}

fn named(name: &str, requests: u64) -> String {
    let name = if name.is_empty() { "(unnamed)" } else { name };
    format!("{name} ({})", count(requests))
}
