//! Arguments of `check`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::{Display, Form, Inputs, SlowRule};
use crate::commands::check::{self, Form as Kind, Policy};

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Check {
    /// What to read.
    #[command(flatten)]
    pub inputs: Inputs,

    /// The budget file, instead of agentdiag.toml in the working directory; agentdiag-budget(5) describes it
    #[arg(long, value_name = "FILE")]
    pub budget: Option<PathBuf>,

    /// What `baseline` in budgets means, and what is normal: a dump (file or folder) of a healthy period, or a file
    /// saved by `agentdiag baseline`
    #[arg(long, value_name = "DUMP_OR_FILE")]
    pub baseline: Option<PathBuf>,

    /// Also write a report: junit, github, markdown, sarif or json, to PATH; may be repeated
    ///
    /// Without PATH the report is written to standard output instead of the text. Annotations for GitHub Actions
    /// (github) are written there before the text.
    #[arg(long, value_name = "FORM[=PATH]")]
    pub report: Vec<Report>,

    /// How to write the result.
    #[command(flatten)]
    pub form: Form,

    /// Exit code of a broken budget, instead of 1
    #[arg(long, value_name = "CODE", default_value_t = crate::error::exit::BROKEN)]
    pub exit_code: u8,

    /// Say which budgets are broken, and exit with 0 all the same
    #[arg(long, conflicts_with = "exit_code")]
    pub warn_only: bool,

    /// Exit with 2 when part of the input is lost, with 3 when a budget cannot be told
    #[arg(long)]
    pub strict: bool,

    /// What is slow.
    #[command(flatten)]
    pub slow: SlowRule,
}

impl Check {
    /// What was meant.
    #[must_use]
    pub fn options(&self, display: &Display) -> check::Options {
        let mut reports: Vec<(Kind, Option<PathBuf>)> = self
            .report
            .iter()
            .map(|r| (r.form, r.path.clone()))
            .collect();
        if self.form.is_json() {
            reports.push((Kind::Json, None));
        }
        check::Options {
            inputs: self.inputs.options(display),
            budget: self.budget.clone(),
            baseline: self.baseline.clone(),
            reports,
            rule: self.slow.options(),
            policy: Policy {
                exit_code: self.exit_code,
                warn_only: self.warn_only,
                strict: self.strict,
            },
            style: display.style(),
        }
    }
}

/// A report, and where it goes.
#[derive(Clone, Debug)]
pub struct Report {
    form: Kind,
    path: Option<PathBuf>,
}

impl FromStr for Report {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (form, path) = match text.split_once('=') {
            Some((form, path)) => (form, Some(path)),
            None => (text, None),
        };
        let form = match form {
            "junit" => Kind::Junit,
            "github" => Kind::Github,
            "markdown" | "md" => Kind::Markdown,
            "sarif" => Kind::Sarif,
            "json" => Kind::Json,
            _ => {
                return Err(
                    "expected junit, github, markdown, sarif or json, and perhaps =PATH".to_owned(),
                );
            }
        };
        match path {
            Some("") => Err("expected a path after `=`".to_owned()),
            path => Ok(Self {
                form,
                path: path.map(PathBuf::from),
            }),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  agentdiag check traces/
  agentdiag check --budget ci/agent.toml --baseline last-week/ traces/
  agentdiag check --baseline base.json --report junit=budgets.xml --report sarif=budgets.sarif traces/
  agentdiag check --report github --report markdown=\"$GITHUB_STEP_SUMMARY\" traces/
  agentdiag check --json traces/ | jq '.budgets[] | select(.verdict == \"broken\") | .message'

A budget file:
  [[budget]]
  expect = \"p95(latency) < 8s\"

  [[budget]]
  name = \"cost of research\"
  match = { task = \"research*\" }
  expect = \"mean(cost_per_task) <= baseline * 1.10\"
  level = \"warn\"";
