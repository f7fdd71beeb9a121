//! What alert rules said about the dump, beside what the diagnosis says happened.

use hashbrown::HashSet;

use super::Taken;
use crate::alerts::{BURN_ALERT, Episode, Group, LabelId, RuleKind, RuleRun, Schedule, Store};
use crate::diagnose::Incident;
use crate::model::{Dataset, Input};
use crate::trace::Forest;
use crate::units::{Nanos, Sym, Window, human};

/// The longest window of the error budget: three days.
const LONGEST: Nanos = Nanos(259_200_000_000_000);

/// What the stages found.
#[derive(Clone, Copy)]
pub struct ReplayFindings<'a> {
    /// Everything read.
    pub dataset: &'a Dataset,
    /// Traces and requests.
    pub forest: &'a Forest,
    /// Disturbances over many requests.
    pub incidents: &'a [Incident],
    /// Rules, with the file of each group.
    pub groups: &'a [(String, Group)],
    /// What became of each rule.
    pub runs: &'a [RuleRun],
    /// The labels of the alerts.
    pub store: &'a Store,
    /// From when to when, and how often.
    pub schedule: Schedule,
    /// What the reader must know.
    pub notes: &'a [String],
}

/// One rule and what became of it.
#[derive(Clone, Debug)]
pub struct RuleRow {
    /// The file it stands in.
    pub file: String,
    /// Its line there.
    pub line: usize,
    /// Its group.
    pub group: String,
    /// Name of the alert or of the series it records.
    pub name: String,
    /// True for an alert.
    pub alert: bool,
    /// Its expression as written.
    pub expr: String,
    /// Instants at which it was evaluated.
    pub evaluations: u64,
    /// Times it fired.
    pub firings: u64,
    /// Times it was pending and did not fire.
    pub only_pending: u64,
    /// Instants at which it failed.
    pub failures: u64,
    /// The first failure: when, and why.
    pub failed: Option<(Nanos, String)>,
    /// Metrics it reads of which the dump has no series.
    pub unseen: Vec<String>,
}

impl RuleRow {
    /// Why it did not fire.
    #[must_use]
    pub fn why_quiet(&self) -> String {
        if !self.unseen.is_empty() {
            let names = self.unseen.join(", ");
            return format!("cannot tell, the dump has no series of {names}");
        }
        if !self.alert {
            return "records a series".to_owned();
        }
        match self.only_pending {
            0 => "its condition never held".to_owned(),
            n => format!(
                "its condition held {}, never long enough",
                human::counted(n, "time")
            ),
        }
    }
}

/// One alert that fired.
#[derive(Clone, Debug)]
pub struct Firing {
    /// Position in [`Replay::rules`].
    pub rule: usize,
    /// Its labels by name, without that of the alert itself.
    pub labels: Vec<(String, String)>,
    /// Since when its condition held.
    pub pending: Nanos,
    /// When it fired.
    pub fired: Nanos,
    /// When it resolved; `None` when it had not by the end.
    pub resolved: Option<Nanos>,
    /// Value of its expression when it fired.
    pub value: f64,
    /// The largest value while it was active.
    pub peak: f64,
    /// Annotations as they read when it fired.
    pub annotations: Vec<(String, String)>,
    /// Positions in [`Replay::incidents`] of those it covered.
    pub covers: Vec<usize>,
}

/// One incident and who saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its cause.
    pub cause: &'static str,
    /// What it concerned, such as `tool search`.
    pub scope: String,
    /// From the first to the last request touched.
    pub window: Window,
    /// Requests in it.
    pub requests: u64,
    /// Positions in [`Replay::firings`] of those that covered it.
    pub by: Vec<usize>,
    /// From its start to the first of them that fired.
    pub after: Option<Nanos>,
}

/// A stretch in which failures used up the error budget too fast.
#[derive(Clone, Debug)]
pub struct Burn {
    /// Whose requests failed.
    pub labels: Vec<(String, String)>,
    /// From when to when; without an end when it went on.
    pub from: Nanos,
    /// When it ended.
    pub to: Option<Nanos>,
    /// The fastest burn, as a multiple of what the objective allows.
    pub peak: f64,
}

/// The whole answer.
#[derive(Clone, Debug)]
pub struct Replay<'a> {
    /// Inputs in the order given.
    pub inputs: &'a [Input],
    /// What was found in each.
    pub taken: Vec<Taken>,
    /// First and last instant of evaluation.
    pub window: Window,
    /// Between instants.
    pub interval: Nanos,
    /// Series evaluated over.
    pub series: usize,
    /// Every rule, in the order of the files.
    pub rules: Vec<RuleRow>,
    /// Alerts that fired, by when they did.
    pub firings: Vec<Firing>,
    /// Incidents, by start.
    pub incidents: Vec<Seen>,
    /// Error budget burned too fast, by start.
    pub burns: Vec<Burn>,
    /// What the reader must know.
    pub notes: Vec<String>,
}

impl<'a> Replay<'a> {
    /// Joins what the stages found.
    #[must_use]
    pub fn assemble(found: ReplayFindings<'a>) -> Self {
        let rules: Vec<RuleRow> = found.runs.iter().map(|run| found.rule(run)).collect();
        let mut firings = Vec::new();
        let mut burns = Vec::new();
        let mut shown = Vec::new();
        for (run, row) in found.runs.iter().zip(rules) {
            match row.name == BURN_ALERT && row.file.is_empty() {
                true => burns.extend(run.episodes.iter().filter_map(|e| found.burn(e))),
                false => {
                    let rule = shown.len();
                    let fired = run.episodes.iter().filter_map(|e| found.firing(rule, e));
                    firings.extend(fired);
                    shown.push(row);
                }
            }
        }
        firings.sort_by(|a, b| (a.fired, a.rule, &a.labels).cmp(&(b.fired, b.rule, &b.labels)));
        burns.sort_by(|a, b| (a.from, &a.labels).cmp(&(b.from, &b.labels)));
        let mut notes = found.notes.to_vec();
        let covered = nanos(found.schedule.to - found.schedule.from);
        if !burns.is_empty() && covered < LONGEST {
            notes.push(format!(
                "The inputs cover {}, less than the longest window of the error budget, which then shows the whole of them.",
                human::duration(covered)
            ));
        }
        let mut incidents: Vec<&Incident> = found.incidents.iter().collect();
        incidents.sort_by_key(|i| (i.window.start, i.cause, i.requests.first().copied()));
        let mut seen = Vec::with_capacity(incidents.len());
        for (index, incident) in incidents.into_iter().enumerate() {
            seen.push(found.seen(index, incident, &mut firings));
        }
        Self {
            inputs: &found.dataset.inputs,
            taken: Taken::of(found.dataset),
            window: Window {
                start: nanos(found.schedule.from),
                end: nanos(found.schedule.to),
            },
            interval: nanos(found.schedule.interval),
            series: found.store.len(),
            rules: shown,
            firings,
            incidents: seen,
            burns,
            notes,
        }
    }

    /// Version of this program.
    #[must_use]
    pub fn tool_version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Firings that covered no incident.
    #[must_use]
    pub fn without_incident(&self) -> usize {
        let bare = self.firings.iter().filter(|f| f.covers.is_empty());
        bare.count()
    }

    /// Incidents that no alert saw.
    #[must_use]
    pub fn unseen(&self) -> usize {
        self.incidents.iter().filter(|i| i.by.is_empty()).count()
    }

    /// Number of alerts, recording rules not counted, and how many of them fired.
    #[must_use]
    pub fn alerts(&self) -> (usize, usize) {
        let alerts = || self.rules.iter().filter(|r| r.alert);
        (alerts().count(), alerts().filter(|r| r.firings > 0).count())
    }
}

fn nanos(millis: i64) -> Nanos {
    Nanos(u64::try_from(millis).unwrap_or(0).saturating_mul(1_000_000))
}

impl ReplayFindings<'_> {
    fn rule(&self, run: &RuleRun) -> RuleRow {
        let (file, group) = &self.groups[run.group];
        let rule = &group.rules[run.rule];
        let fired = run.episodes.iter().filter(|e| e.fired.is_some()).count() as u64;
        RuleRow {
            file: file.clone(),
            line: rule.line,
            group: group.name.clone(),
            name: rule.name.clone(),
            alert: matches!(rule.kind, RuleKind::Alert { .. }),
            expr: rule.expr.clone(),
            evaluations: run.evaluations,
            firings: fired,
            only_pending: run.episodes.len() as u64 - fired,
            failures: run.failures,
            failed: run.failed.clone().map(|(at, why)| (nanos(at), why)),
            unseen: run.unseen.clone(),
        }
    }

    fn labels(&self, id: LabelId) -> Vec<(String, String)> {
        let pairs = self.store.labels.pairs(id);
        let pairs = pairs.filter(|(name, _)| *name != "alertname");
        pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    fn firing(&self, rule: usize, episode: &Episode) -> Option<Firing> {
        Some(Firing {
            rule,
            labels: self.labels(episode.labels),
            pending: nanos(episode.pending),
            fired: nanos(episode.fired?),
            resolved: episode.resolved.map(nanos),
            value: episode.value,
            peak: episode.peak,
            annotations: episode.annotations.clone(),
            covers: Vec::new(),
        })
    }

    fn burn(&self, episode: &Episode) -> Option<Burn> {
        Some(Burn {
            labels: self.labels(episode.labels),
            from: nanos(episode.fired?),
            to: episode.resolved.map(nanos),
            peak: episode.peak,
        })
    }

    /// An alert covers an incident when its condition held while the incident lasted, and its labels
    /// speak of the agents, tools and models of the incident's requests.
    fn seen(&self, index: usize, incident: &Incident, firings: &mut [Firing]) -> Seen {
        let about = About::of(self, incident);
        let mut by = Vec::new();
        for (position, firing) in firings.iter_mut().enumerate() {
            let end = firing.resolved.unwrap_or(Nanos(u64::MAX));
            let meets = firing.pending <= incident.window.end && end >= incident.window.start;
            if meets && about.fits(&firing.labels) {
                firing.covers.push(index);
                by.push(position);
            }
        }
        let first = by.iter().map(|&f| firings[f].fired).min();
        let scope = match self.dataset.text(incident.scope) {
            "" => "all".to_owned(),
            name => format!("{} {name}", incident.scope_kind),
        };
        Seen {
            cause: incident.cause.label(),
            scope,
            window: incident.window,
            requests: incident.requests.len() as u64,
            by,
            after: first.map(|fired| fired.since(incident.window.start)),
        }
    }
}

/// What an incident's requests involve.
#[derive(Default)]
struct About<'a> {
    agents: HashSet<&'a str>,
    tools: HashSet<&'a str>,
    models: HashSet<&'a str>,
}

impl<'a> About<'a> {
    fn of(found: &ReplayFindings<'a>, incident: &Incident) -> Self {
        let (data, forest) = (found.dataset, found.forest);
        let mut about = Self::default();
        for &index in &incident.requests {
            let request = &forest.requests[index as usize];
            let lane = forest.lanes.get(request.lanes.start as usize);
            let lane = lane.map_or(Sym::NONE, |lane| lane.agent);
            about
                .agents
                .insert(data.text(request.agent.or(lane).or(request.service)));
            for op in &forest.ops[request.ops.start as usize..request.ops.end as usize] {
                let span = &data.spans[op.span as usize];
                if let Some(tool) = data.tool_of(span) {
                    about.tools.insert(data.text(tool.tool.or(span.name)));
                }
                if let Some(call) = data.llm_of(span) {
                    about.models.insert(data.text(call.model()));
                }
            }
        }
        if incident.scope_kind == "tool" {
            about.tools = std::iter::once(data.text(incident.scope)).collect();
        }
        about
    }

    /// Labels of other names say nothing about it.
    fn fits(&self, labels: &[(String, String)]) -> bool {
        labels.iter().all(|(name, value)| match name.as_str() {
            "agent_id" => self.agents.contains(value.as_str()),
            "tool_name" => self.tools.contains(value.as_str()),
            "model" | "model_name" => self.models.contains(value.as_str()),
            _ => true,
        })
    }
}
