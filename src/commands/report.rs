//! `agentdiag report`: the analysis as a page to attach, and its charts as files to paste.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::analysis::Analysis;
use super::check;
use super::load::Inputs;
use super::output::write_file;
use super::replay::{self, Alerts, Rules};
use crate::diagnose;
use crate::error::{Error, Outcome};
use crate::render::chart::{Chart, ChartError, Form, Subject};
use crate::render::html;
use crate::units::human::bytes;

/// What to report, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to read.
    pub inputs: Inputs,
    /// Where the page goes; `-` is standard output.
    pub output: PathBuf,
    /// Folder of the chart files.
    pub charts: Option<PathBuf>,
    /// Charts as SVG.
    pub svg: bool,
    /// Charts as PNG.
    pub png: bool,
    /// A budget file whose limits on latency are drawn.
    pub budget: Option<PathBuf>,
    /// Rule files whose alerts are drawn; the built-in rules without any.
    pub rules: Vec<PathBuf>,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// Losses and too little data are failures.
    pub strict: bool,
}

/// Analyzes the inputs and writes the page and the charts. What was written where goes to `out`, unless
/// the page itself does.
///
/// # Errors
/// When nothing can be read, a price file is wrong, or a file cannot be written.
pub fn report(options: &Options, mut out: impl Write) -> Result<Outcome, Error> {
    if let Some(folder) = &options.charts {
        // Before the long work, so that a wrong path fails at once.
        let made = fs::create_dir_all(folder);
        made.map_err(|error| Error::File(format!("{}: {error}", folder.display())))?;
    }
    let rules = replay::Options::over(options.inputs.clone(), options.rules.clone(), options.rule);
    let read = Rules::read(&rules)?;
    let budgets = options.budget.as_ref().map(|path| check::read(path, true));
    let budgets = budgets.transpose()?;
    let mut inputs = options.inputs.clone();
    inputs.aside.extend(options.budget.clone());
    let analysis = Analysis::run(&inputs, options.rule)?;
    let alerts = Alerts::over(&analysis.loaded, &rules, read).ok();
    let alerts = alerts.as_ref().map(|alerts| analysis.alerts(alerts));
    let report = analysis.report();
    let mut figures = report.figures();
    figures.distribution.budgets = budgets.map(|all| all.of_latency()).unwrap_or_default();
    let subject = Subject {
        report: &report,
        figures: &figures,
        alerts: alerts.as_ref(),
    };
    let page = html::page(subject).map_err(fault)?;
    if options.output == Path::new("-") {
        out.write_all(page.as_bytes())?;
        charts(options, subject)?;
        return Ok(report.outcome(options.strict));
    }
    write_file(&options.output, |file| file.write_all(page.as_bytes()))?;
    let size = bytes(page.len() as u64);
    writeln!(out, "{} ({size})", options.output.display())?;
    for path in charts(options, subject)? {
        writeln!(out, "{}", path.display())?;
    }
    Ok(report.outcome(options.strict))
}

/// Writes every chart that has something to draw.
fn charts(options: &Options, subject: Subject<'_>) -> Result<Vec<PathBuf>, Error> {
    let mut written = Vec::new();
    let Some(folder) = &options.charts else {
        return Ok(written);
    };
    let mut write = |name: &str, extension: &str, content: &[u8]| {
        let path = folder.join(name).with_extension(extension);
        write_file(&path, |file| file.write_all(content))?;
        written.push(path);
        Ok::<(), Error>(())
    };
    for chart in Chart::ALL.into_iter().filter(|c| c.has_data(subject)) {
        if options.svg {
            let svg = chart.svg(subject, Form::File).map_err(fault)?;
            write(chart.name(), "svg", svg.as_bytes())?;
        }
        if options.png {
            write(chart.name(), "png", &chart.png(subject).map_err(fault)?)?;
        }
    }
    Ok(written)
}

fn fault(error: ChartError) -> Error {
    Error::Fault(error.to_string())
}
