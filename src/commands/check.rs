//! `agentdiag check`: holds a dump to budgets, and fails when one is broken beyond noise.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::analysis::Analysis;
use super::load::Inputs;
use super::output::write_file;
use super::reference::{Known, source};
use super::text;
use crate::baseline::work;
use crate::budget::{self, Budget, Budgets, Place};
use crate::diagnose;
use crate::error::{Error, Outcome};
use crate::render::{self, Style, terminal};
use crate::report::check::CheckReport;
pub use crate::report::check::Policy;

/// Where budgets are looked for, where none are named.
const BUDGETS: &str = "agentdiag.toml";

/// How a report is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// XML for CI systems.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// For a job's summary or a comment.
    Markdown,
    /// For code scanning.
    Sarif,
    /// One object, `agentdiag.check.v1`.
    Json,
}

/// What to check, and how to show it.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to read.
    pub inputs: Inputs,
    /// The budget file, instead of `agentdiag.toml` in the working directory.
    pub budget: Option<PathBuf>,
    /// A dump or a saved period.
    pub baseline: Option<PathBuf>,
    /// Reports, each to a file or, without one, to standard output.
    pub reports: Vec<(Form, Option<PathBuf>)>,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// What is done about broken budgets.
    pub policy: Policy,
    /// Colour, width and character set.
    pub style: Style,
}

/// Checks, writes the reports, and says on `out` what was found.
///
/// # Errors
/// When nothing can be read, the budget file is wrong, or a report cannot be written.
pub fn check(options: &Options, mut out: impl Write) -> Result<Outcome, Error> {
    let on_stdout = stdout_form(&options.reports)?;
    let path = options.budget.clone().unwrap_or_else(|| BUDGETS.into());
    let budgets = read(&path, options.budget.is_some())?;
    let beside = |budget: &Budget| {
        let own = budget.baseline.as_ref();
        own.map(|own| path.parent().unwrap_or(Path::new("")).join(own))
    };
    let wanted = budgets
        .budgets
        .iter()
        .map(|b| beside(b).or_else(|| options.baseline.clone()));
    let wanted: Vec<Option<PathBuf>> = wanted.collect();
    let mut inputs = options.inputs.clone();
    inputs.aside.push(path.clone());
    let compared = options.baseline.iter().chain(wanted.iter().flatten());
    // A dump may be held against itself.
    let compared = compared.filter(|path| !options.inputs.paths.contains(path));
    inputs.aside.extend(compared.cloned());
    inputs
        .aside
        .extend(options.reports.iter().filter_map(|(_, path)| path.clone()));

    // A baseline that a budget names is a fault of that budget.
    let named = |error: Error, path: &PathBuf| {
        let by = budgets.budgets.iter();
        let by = by
            .zip(&wanted)
            .find(|(budget, wanted)| budget.baseline.is_some() && wanted.as_ref() == Some(path));
        match by {
            Some((budget, _)) => {
                let Place { line, column } = budget.place;
                let file = &budgets.file;
                Error::File(format!(
                    "{file}:{line}:{column}: the baseline of `{}`: {error}",
                    budget.name
                ))
            }
            None => error,
        }
    };
    let mut known: BTreeMap<&PathBuf, Known> = BTreeMap::new();
    for path in wanted.iter().flatten().chain(&options.baseline) {
        if !known.contains_key(path) {
            let like = Inputs {
                aside: Vec::new(),
                ..inputs.clone()
            };
            let read = Known::read(path, &like, options.rule);
            known.insert(path, read.map_err(|error| named(error, path))?);
        }
    }
    let normal = options.baseline.as_ref().and_then(|path| known.get(path));
    let analysis = Analysis::against(&inputs, options.rule, normal.map(|k| k.saved.clone()))?;
    let references: BTreeMap<&PathBuf, budget::Reference<'_>> = known
        .iter()
        .map(|(path, known)| (*path, known.reference()))
        .collect();
    let references: Vec<Option<&budget::Reference<'_>>> = wanted
        .iter()
        .map(|path| path.as_ref().and_then(|path| references.get(path)))
        .collect();
    let loaded = &analysis.loaded;
    let work = normal.map(|k| work(&loaded.dataset, &loaded.forest, &k.saved.norms));
    let work = work.unwrap_or_default();
    let now = source(&analysis, &work);
    let found = budget::check(&budgets, &now, &references);
    let report = CheckReport::assemble(
        (&loaded.dataset, &loaded.forest),
        (&budgets, &found),
        options
            .baseline
            .as_ref()
            .map(|path| path.display().to_string()),
        options.policy,
    );
    for (form, path) in &options.reports {
        match path {
            Some(path) => write_file(path, |file| write(&report, *form, file))?,
            None if *form == Form::Github => write(&report, *form, &mut out)?,
            None => {}
        }
    }
    match on_stdout {
        Some(form) => write(&report, form, &mut out)?,
        None => {
            let style = options.style;
            terminal::check(&report, terminal::Options { style, top: 0 }, &mut out)?;
        }
    }
    Ok(report.outcome())
}

/// The report that takes the place of the text. Annotations stand beside the text.
fn stdout_form(reports: &[(Form, Option<PathBuf>)]) -> Result<Option<Form>, Error> {
    let open = reports
        .iter()
        .filter(|(form, path)| path.is_none() && *form != Form::Github);
    let open: Vec<Form> = open.map(|(form, _)| *form).collect();
    let beside = reports.contains(&(Form::Github, None));
    match open.as_slice() {
        [] => Ok(None),
        [_] if beside => Err(Error::Usage("--report github writes to standard output: give the other report a file, such as --report junit=report.xml".to_owned())),
        [form] => Ok(Some(*form)),
        _ => Err(Error::Usage("two reports for standard output: give all but one a file, such as --report junit=report.xml".to_owned())),
    }
}

/// Reads a budget file; `named` says whether the user asked for this one.
///
/// # Errors
/// When there is none, or it is wrong.
pub(super) fn read(path: &Path, named: bool) -> Result<Budgets, Error> {
    let name = path.display().to_string();
    let text = match text::read(path) {
        Ok(text) => text?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => {
            return Err(Error::Usage(format!(
                "no budgets: name a file with --budget, or write {BUDGETS} here; agentdiag-budget(5) describes it"
            )));
        }
        Err(error) => return Err(Error::File(format!("{name}: {error}"))),
    };
    budget::read(&name, &text).map_err(|fault| Error::File(fault.to_string()))
}

fn write(report: &CheckReport<'_>, form: Form, out: impl Write) -> io::Result<()> {
    match form {
        Form::Junit => render::junit(report, out),
        Form::Github => render::github(report, out),
        Form::Markdown => render::check_markdown(report, out),
        Form::Sarif => render::sarif(report, out),
        Form::Json => render::json::check(report, out),
    }
}
