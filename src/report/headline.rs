//! The answer in sentences: what happened, to how many, why, at what cost, how sure that is, what
//! is missing and what to do. Every number in it is a number of the summary.

use super::{CauseTotal, Report, Summary};
use crate::diagnose::{Cause, Options};
use crate::model::ErrorKind;
use crate::units::human::{counted, duration, instant, money, percent, plain, span_of_time};

/// One line under "why".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// Label of the cause.
    pub cause: &'static str,
    /// Its share of the time lost, or empty when nothing was lost.
    pub share: String,
    /// How many requests it is the verdict of.
    pub requests: String,
    /// What it means, in a few words.
    pub title: &'static str,
}

impl Why {
    fn sentence(&self) -> String {
        let Self {
            cause,
            share,
            requests,
            title,
        } = self;
        format!("{cause} ({title}): {share} of the time lost, verdict of {requests}.")
    }
}

/// The first screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Headline {
    /// What was looked at.
    pub scope: String,
    /// From when to when.
    pub period: Option<String>,
    /// What happened, and to how many.
    pub happened: Vec<String>,
    /// True when nothing was slow and there was enough to say so.
    pub healthy: bool,
    /// The causes that matter, most time first.
    pub why: Vec<Why>,
    /// The rule that made a request slow.
    pub rule: String,
    /// How many requests ended in an error, and which errors came last; `None` where none did.
    pub failed: Option<String>,
    /// What it cost.
    pub cost: Option<String>,
    /// What changed in the choice of tools.
    pub drift: Option<String>,
    /// How sure the verdicts are.
    pub sure: Option<String>,
    /// What would have made them surer.
    pub missing: Option<String>,
    /// How the input was.
    pub input: String,
    /// What to do next.
    pub next: Option<String>,
}

/// Causes named on the first screen.
const CAUSES: usize = 3;
/// Classes of errors named there.
const ERRORS: usize = 3;

impl Headline {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let summary = report.summary();
        let model_calls = summary.llm_calls > 0;
        Self {
            scope: scope(report),
            period: period(summary),
            happened: happened(report, model_calls),
            healthy: model_calls
                && summary.judged > 0
                && summary.slow == 0
                && summary.failed == 0
                && !report.integrity().weakens(),
            why: why(summary),
            rule: rule(report.rule()),
            failed: failed(summary),
            cost: cost(report),
            drift: drift(report),
            sure: sure(summary),
            missing: missing(summary),
            input: input(report),
            next: next(summary, model_calls),
        }
    }

    /// All sentences, in the order of the first screen.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        let why = self.why.iter().map(Why::sentence);
        let labelled = |label, fact: &Option<String>| {
            let fact = fact.as_ref()?;
            Some(format!("{label}: {fact}."))
        };
        let facts = [
            labelled("Failed", &self.failed),
            labelled("Cost", &self.cost),
            labelled("Drift", &self.drift),
            labelled("Sure", &self.sure),
            labelled("Missing", &self.missing),
            Some(format!("Input: {}.", self.input)),
        ];
        let happened = self.happened.iter().cloned();
        happened.chain(why).chain(facts.into_iter().flatten())
    }
}

fn scope(report: &Report<'_>) -> String {
    let summary = report.summary();
    let requests = counted(summary.requests, "request");
    let spans = counted(summary.spans, "span");
    let inputs = counted(report.inputs().len() as u64, "input");
    format!("{requests} in {spans} of {inputs}")
}

fn period(summary: &Summary) -> Option<String> {
    let window = summary.window;
    (!window.is_empty()).then(|| {
        let length = duration(window.len());
        format!("{} ({length})", span_of_time(window.start, window.end))
    })
}

fn happened(report: &Report<'_>, model_calls: bool) -> Vec<String> {
    let summary = report.summary();
    let mut said = Vec::new();
    if summary.spans == 0 {
        said.push("No spans were found in the input.".to_owned());
    } else if !model_calls {
        let spans = counted(summary.spans, "span");
        said.push(format!("No model calls found in {spans}."));
    }
    if summary.slow > 0 {
        said.push(slow(summary));
    } else if summary.judged > 0 && model_calls {
        said.push(none_slow(summary));
    } else if model_calls {
        said.push("No request could be judged.".to_owned());
    }
    if summary.not_judged() > 0 && model_calls {
        let rest = counted(summary.not_judged(), "request");
        let were = was(summary.not_judged());
        said.push(format!(
            "{rest} {were} not judged (unfinished, cut off, or nothing to compare with)."
        ));
    }
    if report.integrity().weakens() {
        said.push("Part of the input is lost, so this may not be all.".to_owned());
    }
    said
}

fn was(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

fn none_slow(summary: &Summary) -> String {
    match summary.judged {
        1 => "The one request found was not slow.".to_owned(),
        _ => format!("None of {} was slow.", of_judged(summary)),
    }
}

fn of_judged(summary: &Summary) -> String {
    let word = if summary.not_judged() > 0 {
        "judged request"
    } else {
        "request"
    };
    counted(summary.judged, word)
}

fn slow(summary: &Summary) -> String {
    let share = summary.slow_share().map_or(String::new(), percent);
    let (lost, were) = (duration(summary.excess), was(summary.slow));
    let judged = of_judged(summary);
    let each = match summary.slow {
        1 => String::new(),
        _ => format!(", {} each at the median", duration(summary.median_excess)),
    };
    let why = summary.causes.first().map_or(String::new(), because);
    format!(
        "{} of {judged} {were} slow ({share}) and lost {lost}{each}{why}.",
        summary.slow
    )
}

fn because(first: &CauseTotal) -> String {
    let share = first.share.share().unwrap_or(1.0);
    match (first.cause, share) {
        (Cause::Unexplained, _) => {
            let share = percent(share);
            format!(". For {share} of that time the dump does not show why")
        }
        (cause, 0.9..) => format!(", because {}", cause.meta().because),
        (cause, 0.5..) => format!(", mostly because {}", cause.meta().because),
        (cause, _) => {
            let share = percent(share);
            format!(
                ". The largest share of it, {share}, was lost because {}",
                cause.meta().because
            )
        }
    }
}

fn why(summary: &Summary) -> Vec<Why> {
    let named = summary.causes.iter().filter(|c| c.requests > 0);
    let line = |total: &CauseTotal| Why {
        cause: total.cause.label(),
        share: total.share.share().map_or(String::new(), percent),
        requests: counted(total.requests, "request"),
        title: total.cause.meta().title,
    };
    named.take(CAUSES).map(line).collect()
}

fn rule(rule: &Options) -> String {
    let over = rule
        .slow_over
        .map(|over| format!("took {} or more", duration(over)));
    let top = rule
        .slow_top
        .map(|top| format!("among the slowest {}", percent(top)));
    over.or(top).unwrap_or_else(|| {
        let (factor, floor) = (plain(rule.slow_factor), duration(rule.slow_floor));
        format!("over {factor} x what it should take, by {floor} or more")
    })
}

fn failed(summary: &Summary) -> Option<String> {
    let share = percent(summary.failed_share().filter(|_| summary.failed > 0)?);
    let of = counted(summary.ended, "finished request");
    let last = summary.last_errors.iter().take(ERRORS);
    let last: Vec<String> = last
        .map(|last| match last.kind {
            None => format!("none on record ({})", last.requests),
            Some(ErrorKind::Other) => format!("without a class ({})", last.requests),
            Some(kind) => format!("{} ({})", kind.as_str(), last.requests),
        })
        .collect();
    let more = match summary.last_errors.len() - last.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Some(format!(
        "{} of {of} ended in an error ({share}); the last before it: {}{more}",
        summary.failed,
        last.join(", ")
    ))
}

fn cost(report: &Report<'_>) -> Option<String> {
    let (summary, cost) = (report.summary(), &report.sums().cost);
    let unmetered = match cost.unmetered {
        0 => String::new(),
        n => format!("; {} without token counts", counted(n, "call")),
    };
    let Some(all) = summary.cost else {
        let seen = summary.priced.whole > 0 || cost.unmetered > 0;
        return seen
            .then(|| format!("unknown: no model call could be priced, see --prices{unmetered}"));
    };
    let slow = summary.slow_cost.filter(|_| summary.slow > 0);
    let slow = slow.map_or(String::new(), |s| {
        format!(", {} in slow requests", money(s))
    });
    let share = summary
        .priced
        .share()
        .filter(|_| summary.priced.part < summary.priced.whole);
    let priced = share.map_or(String::new(), |share| {
        format!("; only {} of tokens have a price", percent(share))
    });
    Some(format!("{} in all{slow}{priced}{unmetered}", money(all)))
}

fn drift(report: &Report<'_>) -> Option<String> {
    let drift = &report.sums().drift;
    let tool = drift
        .tools
        .iter()
        .find(|tool| drift.drifted && tool.drifted)?;
    let (before, after) = (tool.before.share()?, tool.after.share()?);
    let since = drift
        .split
        .map_or(String::new(), |at| format!(" since {}", instant(at)));
    let (before, after) = (percent(before), percent(after));
    Some(format!(
        "{} is {after} of tool calls{since}, was {before}",
        tool.tool
    ))
}

fn sure(summary: &Summary) -> Option<String> {
    let Some(confidence) = summary.confidence else {
        return (summary.judged > 0).then(|| {
            format!(
                "{} held against what such requests normally take",
                counted(summary.judged, "request")
            )
        });
    };
    let word = match confidence {
        c if c >= 0.8 => "high",
        c if c >= 0.5 => "fair",
        _ => "low",
    };
    let doubtful = match summary.doubtful {
        0 => String::new(),
        n => format!("; {n} of {} below 0.50", counted(summary.slow, "verdict")),
    };
    Some(format!(
        "{word}, median confidence {confidence:.2}{doubtful}"
    ))
}

fn missing(summary: &Summary) -> Option<String> {
    let named = summary.missing.iter().take(2);
    let each = named.map(|m| format!("{} ({})", m.signal, counted(m.requests, "verdict")));
    let list: Vec<String> = each.collect();
    let more = match summary.missing.len().saturating_sub(list.len()) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!list.is_empty()).then(|| format!("{}{more}", list.join(", ")))
}

fn input(report: &Report<'_>) -> String {
    let integrity = report.integrity();
    let mut said = Vec::new();
    if integrity.unreadable > 0 {
        said.push(format!(
            "{} unreadable",
            counted(integrity.unreadable, "input")
        ));
    }
    if integrity.lost > 0 {
        said.push(format!("{} lost", counted(integrity.lost, "record")));
    }
    if integrity.repaired > 0 {
        said.push(format!(
            "{} mended or guessed",
            counted(integrity.repaired, "record")
        ));
    }
    match said.is_empty() {
        true => "complete: nothing lost, mended or guessed".to_owned(),
        false => format!("{}; see INPUT", said.join(", ")),
    }
}

fn next(summary: &Summary, model_calls: bool) -> Option<String> {
    if !model_calls {
        let step = "check that model calls are instrumented and exported; `agentdiag formats` lists \
                    what is understood";
        return Some(step.to_owned());
    }
    let first = summary.causes.iter().find(|c| c.requests > 0);
    let check = first.and_then(|total| total.cause.meta().next_checks.first());
    let failed = summary.first_failed.map(|trace| {
        let id = trace.to_string();
        let start = id.get(..8).unwrap_or(&id);
        format!(
            "look at the first request that failed, step by step: `agentdiag trace {start} PATH...`"
        )
    });
    check.map(|check| (*check).to_owned()).or(failed)
}
