//! Arguments of `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Display, Inputs, Slow};
use crate::commands::{load, report};

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Report {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// Where to write the page; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub output: PathBuf,

    /// Also write each chart as a file into this folder
    #[arg(long, value_name = "DIR")]
    pub charts: Option<PathBuf>,

    /// Formats of the chart files: svg, png, or both
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "svg",
        requires = "charts",
        hide_possible_values = true
    )]
    pub chart_format: Vec<ChartFormat>,

    /// Prometheus rule files whose alerts are drawn over the timeline; without any, those that are built in
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,

    /// Budgets (see agentdiag-budget(5)) whose limits on the latency of all requests are drawn
    #[arg(long, value_name = "FILE")]
    pub budget: Option<PathBuf>,

    /// What is slow.
    #[command(flatten)]
    pub slow: Slow,

    /// Exit with 2 when part of the input is lost, with 3 when there is too little data to judge
    #[arg(long)]
    pub strict: bool,
}

impl Report {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> report::Options {
        let wants = |format| self.chart_format.contains(&format);
        report::Options {
            inputs: load::Inputs {
                buckets: !self.rules.is_empty(),
                ..self.slow.with_baseline(self.inputs.options(display))
            },
            output: self.output.clone(),
            charts: self.charts.clone(),
            svg: wants(ChartFormat::Svg),
            png: wants(ChartFormat::Png),
            budget: self.budget.clone(),
            rules: self.rules.clone(),
            rule: self.slow.rule(),
            strict: self.strict,
        }
    }
}

/// How a chart is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ChartFormat {
    /// Scales, and follows the theme of the reader.
    Svg,
    /// The same picture everywhere.
    Png,
}

const EXAMPLES: &str = "\
Examples:
  agentdiag report traces.jsonl -o incident.html
  agentdiag report exports/ metrics.jsonl.gz -o incident.html --charts charts/ --chart-format svg,png
  agentdiag report traces.jsonl -o - | gzip > incident.html.gz";
