//! One request as it is shown: a view, made when it is needed and never stored.

use super::Report;
use crate::aggregate::RequestCost;
use crate::diagnose::{Cause, Claim, Diagnosis, Fact, Outcome};
use crate::model::{ErrorKind, Span, SpanId};
use crate::trace::{Request, RootState, StepKind, StepOp};
use crate::units::Nanos;

/// Contributions by [`Cause::index`].
pub type Contributions = [Nanos; Cause::ALL.len()];

/// What one cause added to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Label of the cause.
    pub cause: &'static str,
    /// What it means, in a few words.
    pub title: &'static str,
    /// How much it added.
    pub time: Nanos,
}

/// One request with its verdict and its cost.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub(super) report: &'a Report<'a>,
    /// The request.
    pub request: &'a Request,
    /// Its account; absent when it was not judged.
    pub diagnosis: Option<&'a Diagnosis>,
    /// What it cost.
    pub cost: RequestCost,
}

impl<'a> Row<'a> {
    /// The id of its root span, or of its first span where the root is missing.
    #[must_use]
    pub fn root_span(&self) -> SpanId {
        self.report.dataset().id_of(self.request.root)
    }

    /// Name of the root span.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let span = self.report.span(self.request.root);
        span.map_or("", |span| self.report.dataset().text(span.name))
    }

    /// Kind of task: task type, else agent, else the root's name.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        self.report.dataset().text(self.request.kind)
    }

    /// One word for what is known of the root.
    #[must_use]
    pub fn root_state(&self) -> &'static str {
        match self.request.root_state {
            RootState::Complete => "complete",
            RootState::Unfinished => "unfinished",
            RootState::Missing => "missing",
        }
    }

    /// Model calls seen: those that answered, and failed attempts.
    #[must_use]
    pub fn model_calls(&self) -> u32 {
        self.request.llm_calls
    }

    /// Attempts at a model call that failed.
    #[must_use]
    pub fn failed_calls(&self) -> u32 {
        let failed = self.ops().iter().filter(|op| op.kind == StepKind::Failed);
        failed.count() as u32
    }

    /// Whether it ended in an error; `None` where the dump does not show its end.
    #[must_use]
    pub fn failed(&self) -> Option<bool> {
        let root = self.root()?;
        (self.request.root_state == RootState::Complete).then(|| root.failed())
    }

    /// The last error before its end, of those on record; `None` without any.
    #[must_use]
    pub fn last_error(&self) -> Option<ErrorKind> {
        let spans = &self.report.dataset().spans;
        let errors = self.ops().iter().filter_map(|op| {
            let error = spans.get(op.span as usize)?.error?;
            Some((op.window.end, error))
        });
        let last = errors.max_by_key(|(end, _)| *end);
        last.map(|(_, error)| error).or_else(|| self.root()?.error)
    }

    fn root(&self) -> Option<&'a Span> {
        let spans = &self.report.dataset().spans;
        spans.get(self.request.root as usize)
    }

    /// Its operations, lane by lane.
    pub(super) fn ops(&self) -> &'a [StepOp] {
        let range = self.request.ops.start as usize..self.request.ops.end as usize;
        self.report.forest().ops.get(range).unwrap_or_default()
    }

    /// Slow by the rule in force.
    #[must_use]
    pub fn slow(&self) -> bool {
        self.diagnosis.is_some_and(|d| d.slow)
    }

    /// The verdict; a slow request always has one.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        let diagnosis = self.diagnosis.filter(|d| d.slow)?;
        Some(diagnosis.primary.unwrap_or(Cause::Unexplained))
    }

    /// The time it should have taken, where the dump can tell.
    #[must_use]
    pub fn expected(&self) -> Option<Nanos> {
        self.diagnosis.and_then(|d| d.expected)
    }

    /// The time it lost.
    #[must_use]
    pub fn excess(&self) -> Nanos {
        self.diagnosis.map_or(Nanos::ZERO, |d| d.excess)
    }

    /// How sure the verdict is, 0..=1.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        let confidence = self.diagnosis.map_or(0.0, |d| d.confidence);
        if confidence.is_finite() {
            confidence.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The excess divided among the causes; what no claim covers is unexplained, so that the
    /// entries always sum to the excess.
    #[must_use]
    pub fn contributions(&self) -> Contributions {
        let mut shares = Contributions::default();
        for claim in self.claims() {
            shares[claim.cause.index()] += claim.explains;
        }
        let claimed: Nanos = shares.iter().copied().sum();
        shares[Cause::Unexplained.index()] += self.excess().since(claimed);
        shares
    }

    /// Causes that added time, most first; they sum to the excess.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let shares = Cause::ALL.into_iter().zip(self.contributions());
        let mut entries: Vec<Entry> = shares
            .filter(|(_, time)| *time > Nanos::ZERO)
            .map(|(cause, time)| Entry {
                cause: cause.label(),
                title: cause.meta().title,
                time,
            })
            .collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.time));
        entries
    }

    /// Who it belongs to: what the names are of, and the names, empty where not said.
    #[must_use]
    pub fn labels(&self) -> [(&'static str, &'a str); 5] {
        let text = |sym| self.report.dataset().text(sym);
        [
            ("task", text(self.request.kind)),
            ("agent", text(self.request.agent)),
            ("service", text(self.request.service)),
            ("tenant", text(self.request.tenant)),
            ("conversation", text(self.request.conversation)),
        ]
    }

    /// What was mended, each with what that means.
    pub fn repairs(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.request
            .repairs
            .names()
            .map(|name| (name, mended(name)))
    }

    /// Entries of the account, those of the verdict first.
    pub fn claims(&self) -> impl Iterator<Item = &'a Claim> + use<'a> {
        let verdict = self.cause();
        let all: &'a [Claim] = self.diagnosis.map_or(&[], |d| &d.claims);
        let is_verdict = move |claim: &&Claim| Some(claim.cause) == verdict;
        let others = all.iter().filter(move |c| !is_verdict(c));
        all.iter().filter(is_verdict).chain(others)
    }

    /// What speaks for the verdict first, then for the other entries.
    pub fn evidence(&self) -> impl Iterator<Item = (Cause, &'a Fact)> + use<'a> {
        self.claims()
            .flat_map(|claim| claim.evidence.iter().map(|fact| (claim.cause, fact)))
    }

    /// Causes that lost, and why.
    #[must_use]
    pub fn considered(&self) -> &'a [Outcome] {
        self.diagnosis.map_or(&[], |d| &d.considered)
    }

    /// Signals that would have decided or sharpened the verdict.
    #[must_use]
    pub fn missing(&self) -> &'a [&'static str] {
        self.diagnosis.map_or(&[], |d| &d.missing)
    }

    /// What to look at next; nothing for a request that is not slow.
    #[must_use]
    pub fn next_checks(&self) -> &'static [&'static str] {
        self.cause().map_or(&[], |cause| cause.meta().next_checks)
    }

    /// The span a fact was seen on: its id and name.
    #[must_use]
    pub fn span_of(&self, fact: &Fact) -> Option<(SpanId, &'a str)> {
        let (index, dataset) = (fact.span?, self.report.dataset());
        let span = self.report.span(index)?;
        Some((dataset.id_of(index), dataset.text(span.name)))
    }
}

fn mended(repair: &str) -> &'static str {
    match repair {
        "dedupe" => "a span was exported more than once; one copy is kept",
        "unfinished" => "a span never ended; it was closed at the end of what it contains",
        "cycle" => "parents formed a circle; it was opened at its earliest span",
        "stitch" => "a fragment of another trace was joined on evidence of both sides",
        "orphan" => {
            "a span's parent is not in the dump or not named; it hangs under what contains it"
        }
        "missing_root" => "the root is not in the dump; time runs from the first to the last span",
        "skew" => "a service's clock was off; its spans were moved to fit their callers",
        "clamp" => "work stuck out of the root span; only what lies within counts",
        _ => "",
    }
}
