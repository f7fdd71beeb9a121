//! `agentdiag replay`: which alerts would have fired over a dump, when, and which incidents they saw.

use std::io::Write;
use std::path::PathBuf;

use super::load::{Inputs, Loaded};
use super::progress::Progress;
use super::text;
use crate::aggregate::drift::study;
use crate::alerts::{self, Group, RuleRun, Schedule, Store, Version};
use crate::baseline::Norms;
use crate::diagnose::{self, Incident};
use crate::error::{Error, Outcome};
use crate::export::families;
use crate::render::{self, Style, terminal};
use crate::report::{Replay, ReplayFindings};
use crate::trace::{Request, RootState};
use crate::units::{Nanos, human};

/// Whose series count where spans and metrics of the dump both give one of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Prefer {
    /// Those derived from spans: they are complete from the first request on.
    #[default]
    Spans,
    /// Those that were scraped: they are what production saw.
    Metrics,
}

/// What to replay, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to read.
    pub inputs: Inputs,
    /// Rule files; the built-in rules without any.
    pub rules: Vec<PathBuf>,
    /// Tools whose selection the built-in rules watch; without any, all.
    pub high_stakes: Vec<String>,
    /// Between evaluations, where a group does not say.
    pub interval: Nanos,
    /// Between scrapes of the series derived from spans.
    pub scrape: Nanos,
    /// Which Prometheus is followed.
    pub version: Version,
    /// Whose series count.
    pub prefer: Prefer,
    /// Share of requests that should succeed.
    pub objective: f64,
    /// An alert that fires is a failure.
    pub fail_on_fire: bool,
    /// One object, for programs.
    pub json: bool,
    /// What makes a request slow.
    pub rule: diagnose::Options,
    /// Rows shown of a long list.
    pub top: usize,
    /// Colour, width and character set.
    pub style: Style,
}

/// Instants of evaluation above which rules would be long in answering.
const MOST_INSTANTS: i64 = 500_000;

/// Replays the rules over the inputs and writes what they said to `out`.
///
/// # Errors
/// When nothing can be read, a rule file is wrong, or `out` cannot be written.
pub fn replay(options: &Options, out: impl Write) -> Result<Outcome, Error> {
    let rules = Rules::read(options)?;
    let inputs = &options.inputs;
    let saved = inputs.saved()?;
    let norms = saved.as_ref().map(|saved| &saved.norms);
    let played = inputs.on_threads(|progress| Played::of(options, rules, norms, progress))?;
    let replay = played.report();
    match options.json {
        true => render::replay_json(&replay, out)?,
        false => {
            let (style, top) = (options.style, options.top);
            terminal::replay(&replay, terminal::Options { style, top }, out)?;
        }
    }
    let fired = replay.alerts().1 > 0;
    Ok(match options.fail_on_fire && fired {
        true => Outcome::Broken,
        false => Outcome::Done,
    })
}

/// Rules, and the store that their expressions are compiled for.
pub(super) struct Rules {
    groups: Vec<(String, Group)>,
    store: Store,
}

impl Rules {
    /// Reads the rule files, or takes those that are built in.
    ///
    /// # Errors
    /// When a file cannot be read or used.
    pub(super) fn read(options: &Options) -> Result<Self, Error> {
        let mut store = Store::new(options.version);
        let groups = read_rules(options, &mut store)?;
        Ok(Self { groups, store })
    }
}

impl Options {
    /// As `agentdiag replay` does it unless told otherwise.
    #[must_use]
    pub fn over(inputs: Inputs, rules: Vec<PathBuf>, rule: diagnose::Options) -> Self {
        Self {
            inputs,
            rules,
            high_stakes: Vec::new(),
            interval: Nanos(30 * Nanos::SECOND.0),
            scrape: Nanos(15 * Nanos::SECOND.0),
            version: Version::default(),
            prefer: Prefer::default(),
            objective: 0.99,
            fail_on_fire: false,
            json: false,
            rule,
            top: 0,
            style: Style::PLAIN,
        }
    }
}

/// All rules with the file of each group; those about the error budget are of no file.
fn read_rules(options: &Options, store: &mut Store) -> Result<Vec<(String, Group)>, Error> {
    let mut texts = Vec::new();
    for path in &options.rules {
        let name = path.display().to_string();
        let text = text::read(path).map_err(|error| Error::File(format!("{name}: {error}")))?;
        texts.push((name, text?));
    }
    if texts.is_empty() {
        texts.push((
            "built-in".to_owned(),
            alerts::built_in(&options.high_stakes),
        ));
    }
    texts.push((String::new(), alerts::burn_rules(options.objective)));
    let mut all = Vec::new();
    for (name, text) in texts {
        let groups = alerts::read(&name, &text, store);
        let groups = groups.map_err(|fault| Error::File(fault.to_string()))?;
        all.extend(groups.into_iter().map(|group| (name.clone(), group)));
    }
    Ok(all)
}

/// A dump with everything the rules said over it.
struct Played {
    loaded: Loaded,
    alerts: Alerts,
    incidents: Vec<Incident>,
}

/// Everything the rules said over a dump.
pub(super) struct Alerts {
    groups: Vec<(String, Group)>,
    runs: Vec<RuleRun>,
    store: Store,
    schedule: Schedule,
    notes: Vec<String>,
}

impl Played {
    fn of(
        options: &Options,
        rules: Rules,
        norms: Option<&Norms>,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let mut loaded = Loaded::read(&options.inputs, progress)?;
        progress.stage("replaying rules");
        let alerts = Alerts::over(&loaded, options, rules)?;
        let room = options.inputs.room();
        let verdicts = room.diagnose(&mut loaded, (&options.rule, norms))?;
        Ok(Self {
            alerts,
            incidents: verdicts.incidents,
            loaded,
        })
    }

    fn report(&self) -> Replay<'_> {
        self.alerts.report(&self.loaded, &self.incidents)
    }
}

impl Alerts {
    /// Replays rules over a dump that was read.
    ///
    /// # Errors
    /// When the dump has no series, or covers too much time.
    pub(super) fn over(loaded: &Loaded, options: &Options, rules: Rules) -> Result<Self, Error> {
        let Rules { groups, mut store } = rules;
        let mut notes = fill(&mut store, loaded, options)?;
        let schedule = schedule(&store, options.interval, MOST_INSTANTS)?;
        let (files, mut groups): (Vec<String>, Vec<Group>) = groups.into_iter().unzip();
        let runs = alerts::replay(&mut groups, &mut store, schedule);
        if options.rules.is_empty() && options.high_stakes.is_empty() {
            notes.extend(of_tool_choice(&groups, &runs, loaded));
        }
        Ok(Self {
            groups: files.into_iter().zip(groups).collect(),
            runs,
            store,
            schedule,
            notes,
        })
    }

    /// What they said, beside the incidents.
    pub(super) fn report<'a>(
        &'a self,
        loaded: &'a Loaded,
        incidents: &'a [Incident],
    ) -> Replay<'a> {
        Replay::assemble(ReplayFindings {
            dataset: &loaded.dataset,
            forest: &loaded.forest,
            incidents,
            groups: &self.groups,
            runs: &self.runs,
            store: &self.store,
            schedule: self.schedule,
            notes: &self.notes,
        })
    }
}

/// The built-in rule about tool choice asks every tool of every agent whether its share halved, which a share of few
/// calls does by chance. Says so where it fired, and what a test says of the same day.
fn of_tool_choice(groups: &[Group], runs: &[RuleRun], loaded: &Loaded) -> Option<String> {
    let name_of = |run: &RuleRun| Some(&groups.get(run.group)?.rules.get(run.rule)?.name);
    let of_choice = runs
        .iter()
        .filter(|run| name_of(run).is_some_and(|name| name == alerts::DRIFT.alert));
    let episodes = of_choice.flat_map(|run| &run.episodes);
    let fired = episodes.filter(|one| one.fired.is_some()).count() as u64;
    if fired == 0 {
        return None;
    }
    let found = study((&loaded.dataset, &loaded.forest), None, None).tools;
    let changed = found.tools.iter().filter(|tool| tool.drifted);
    let changed: Vec<&str> = changed.map(|tool| tool.tool.as_str()).collect();
    let tested = match changed.as_slice() {
        [] => "no tool changed by more than chance explains".to_owned(),
        names => format!("more than chance explains changed {}", human::listed(names)),
    };
    Some(format!(
        "{} fired {}: it watches every tool, and a share of few calls halves by chance. Tested over all requests (agentdiag drift), {tested}. Watch the tools that matter with --high-stakes TOOL.",
        alerts::DRIFT.alert,
        human::counted(fired, "time"),
    ))
}

/// Fills the store; says what the reader must know about where series come from.
pub(super) fn fill(
    store: &mut Store,
    loaded: &Loaded,
    options: &Options,
) -> Result<Vec<String>, Error> {
    let Loaded { dataset, forest } = loaded;
    let mut families = families(dataset, forest, &[]);
    let scrape = options.scrape;
    match options.prefer {
        Prefer::Metrics => {
            let names = alerts::record(dataset, store, |_| false);
            families.retain(|family| !names.iter().any(|name| family.has(name)));
            alerts::derive(&families, store, scrape).map_err(Error::Usage)?;
        }
        Prefer::Spans => {
            alerts::derive(&families, store, scrape).map_err(Error::Usage)?;
            let of_spans = |name: &str| families.iter().any(|family| family.has(name));
            alerts::record(dataset, store, of_spans);
        }
    }
    let open = |request: &&Request| request.root_state != RootState::Complete;
    let open = forest.requests.iter().filter(open).count() as u64;
    let said = format!(
        "{} without a complete root: in no counter of requests, as in no metric of production.",
        human::counted(open, "request")
    );
    Ok((open > 0).then_some(said).into_iter().collect())
}

/// When to evaluate: from the first sample to the last, at multiples of the interval.
///
/// # Errors
/// When there is nothing to evaluate, or it would be evaluated more than `most` times.
pub(super) fn schedule(store: &Store, interval: Nanos, most: i64) -> Result<Schedule, Error> {
    let Some((first, last)) = alerts::covered(store) else {
        return Err(Error::Usage(
            "no series: the inputs hold neither spans of requests nor metrics with times"
                .to_owned(),
        ));
    };
    let (interval, covered) = (millis(interval), last - first);
    if covered / interval > most {
        let least = (covered / most / 1000 + 1) * 1000;
        return Err(Error::Usage(format!(
            "the inputs cover {}: looking every {} would take very long and tell no more; give --interval {} or longer",
            alerts::duration::show(covered),
            alerts::duration::show(interval),
            alerts::duration::show(least),
        )));
    }
    Ok(Schedule {
        from: first.div_euclid(interval) * interval,
        to: last,
        interval,
    })
}

fn millis(time: Nanos) -> i64 {
    i64::try_from(time.0 / 1_000_000).unwrap_or(i64::MAX).max(1)
}
