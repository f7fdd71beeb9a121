//! Arguments of `stage`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Display, Limits, Priced, Repairs, Shape, Slow};
use crate::commands::load::{self, Redact};
use crate::commands::{analyze, stage};
use crate::diagnose::Options as SlowRule;

/// Arguments of `stage`.
#[derive(Debug, Args)]
pub struct Stage {
    /// Which stage.
    #[command(subcommand)]
    pub task: StageTask,
}

/// Which stage.
#[derive(Debug, Subcommand)]
pub enum StageTask {
    /// Read one input and write its facts, by trace id: what people and models said stays behind
    Facts(Facts),
    /// Rebuild the requests of whole traces
    Learn(Learn),
    /// Say from all partitions' answers what they must be asked next: which traces belong together
    Across(Across),
    /// Learn over all requests what is normal, and who was slowed when and where
    Windows(Windows),
    /// Judge the requests of one partition, and write them as rows of a table
    Verdict(Verdict),
    /// Put requests and verdicts of all partitions together to the report of analyze
    Merge(Merge),
    /// Write the driver for Spark, a PySpark script
    SparkDriver,
}

/// Arguments of `stage facts`.
#[derive(Debug, Args)]
pub struct Facts {
    /// One input: a file, or - for standard input
    #[arg(value_name = "PATH")]
    pub path: PathBuf,

    /// Position of the input among all inputs of the run, from 0 on
    ///
    /// Inputs are reported in this order, and of two copies of a span the one that analyze would keep is kept.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub number: u32,

    /// What the input is called in the report, instead of its path
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Read nothing and say instead why the input was given up, after attempts that did not come to their end
    #[arg(long, value_name = "REASON")]
    pub failed: Option<String>,

    /// Divide traces by their ids into this many parts, whose numbers are the keys of rows; the same for all inputs
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub parts: u32,

    /// Folder for the parts, instead of one stream: part 7 of input 12 goes to 7/12.arrow (07/12.arrow from 11 parts on)
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// When a snapshot without times was taken
    #[arg(long, value_name = "[FILE=]TIME")]
    pub at: Vec<load::TakenAt>,

    /// Show ids of users, tenants and conversations as digests with this key; keep it secret
    #[arg(long, value_name = "KEY", help_heading = "Privacy")]
    pub redact_key: Option<String>,

    /// Threads to use, instead of one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// What an input may not exceed.
    #[command(flatten)]
    pub limits: Limits,
}

/// Arguments of `stage learn`.
#[derive(Debug, Args)]
pub struct Learn {
    /// Streams of facts, which together hold every fact of the traces in them, or those of the first answer: files, folders of .arrow files, or - for standard input
    #[arg(required = true, value_name = "STREAM")]
    pub paths: Vec<PathBuf>,

    /// The question, as written by stage across; without it, the first
    #[arg(long, value_name = "FILE")]
    pub across: Option<PathBuf>,

    /// Take the traces that may belong together, from what all partitions put apart of them, and no others
    #[arg(long)]
    pub joined: bool,

    /// Threads to use, instead of one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,

    /// What may be mended.
    #[command(flatten)]
    pub repairs: Repairs,
}

/// Arguments of `stage across`.
#[derive(Debug, Args)]
pub struct Across {
    /// What all partitions answered: the streams of stage learn
    #[arg(required = true, value_name = "STREAM")]
    pub paths: Vec<PathBuf>,

    /// The question they answered; without it, the first
    #[arg(long, value_name = "FILE")]
    pub across: Option<PathBuf>,

    /// Where the next question goes
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Arguments of `stage windows`.
#[derive(Debug, Args)]
pub struct Windows {
    /// Streams of stage learn, of all partitions
    #[arg(required = true, value_name = "STREAM")]
    pub paths: Vec<PathBuf>,

    /// What is slow.
    #[command(flatten)]
    pub slow: Slow,

    /// Threads to use, instead of one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// Arguments of `stage verdict`.
#[derive(Debug, Args)]
pub struct Verdict {
    /// The stream of stage learn of one partition, or of some, one after the other; - for standard input
    #[arg(required = true, value_name = "STREAM")]
    pub paths: Vec<PathBuf>,

    /// The stream of stage windows
    #[arg(long, value_name = "FILE")]
    pub windows: PathBuf,

    /// Write verdicts alone, which are all that a report takes, and no request as a row of a table
    #[arg(long)]
    pub no_requests: bool,

    /// Where prices come from.
    #[command(flatten)]
    pub priced: Priced,

    /// Threads to use, instead of one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// Arguments of `stage merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// Streams of stage learn and stage verdict of all partitions, and that of stage windows
    #[arg(required = true, value_name = "STREAM")]
    pub paths: Vec<PathBuf>,

    /// Where prices come from.
    #[command(flatten)]
    pub priced: Priced,

    /// How to write it.
    #[command(flatten)]
    pub shape: Shape,

    /// Threads to use, instead of one per core; the result does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

impl Stage {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> stage::Stage {
        match &self.task {
            StageTask::Facts(args) => stage::Stage::Facts(args.options()),
            StageTask::Learn(args) => stage::Stage::Learn(args.options()),
            StageTask::Across(args) => stage::Stage::Across(stage::Across {
                paths: args.paths.clone(),
                state: args.across.clone(),
                output: args.output.clone(),
            }),
            StageTask::Windows(args) => stage::Stage::Windows(args.options(display)),
            StageTask::Verdict(args) => stage::Stage::Verdict(args.options()),
            StageTask::SparkDriver => stage::Stage::SparkDriver,
            StageTask::Merge(args) => stage::Stage::Merge(args.options(display)),
        }
    }
}

impl Facts {
    fn options(&self) -> stage::Facts {
        stage::Facts {
            inputs: load::Inputs {
                paths: vec![self.path.clone()],
                taken: self.at.clone(),
                limits: Some(self.limits.options()),
                max_record: usize::try_from(self.limits.max_record.0).ok(),
                threads: self.threads.map(usize::from),
                redact: self.redact_key.clone().map(Redact::With),
                ..load::Inputs::default()
            },
            number: self.number,
            name: self.name.clone(),
            failed: self.failed.clone(),
            parts: self.parts,
            folder: self.output.clone(),
        }
    }
}

impl Learn {
    fn options(&self) -> stage::Learn {
        stage::Learn {
            paths: self.paths.clone(),
            state: self.across.clone(),
            joined: self.joined,
            repairs: self.repairs.options(),
            threads: self.threads.map(usize::from),
        }
    }
}

impl Windows {
    fn options(&self, display: &Display) -> stage::Windows {
        let inputs = load::Inputs {
            threads: self.threads.map(usize::from),
            progress: !display.quiet,
            ..load::Inputs::default()
        };
        stage::Windows {
            paths: self.paths.clone(),
            inputs: self.slow.with_baseline(inputs),
            rule: self.slow.rule(),
        }
    }
}

impl Verdict {
    fn options(&self) -> stage::Verdict {
        let inputs = load::Inputs {
            threads: self.threads.map(usize::from),
            ..load::Inputs::default()
        };
        stage::Verdict {
            paths: self.paths.clone(),
            windows: self.windows.clone(),
            rows: !self.no_requests,
            inputs: self.priced.options(inputs),
        }
    }
}

impl Merge {
    fn options(&self, display: &Display) -> stage::Merge {
        let inputs = load::Inputs {
            threads: self.threads.map(usize::from),
            progress: !display.quiet,
            ..load::Inputs::default()
        };
        stage::Merge {
            paths: self.paths.clone(),
            shown: analyze::Options {
                inputs: self.priced.options(inputs),
                format: self.shape.format(),
                rule: SlowRule::default(),
                explain_input: self.shape.explain_input,
                strict: self.shape.strict,
                top: self.shape.top,
                style: display.style(),
                output: self.shape.output.clone(),
            },
        }
    }
}
