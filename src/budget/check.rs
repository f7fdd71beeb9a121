//! Whether budgets are kept. Verdicts and the outcome of the run come from the same findings.

use super::drift::{self, Drifted};
use super::expect::{Comparison, DriftBy, Limit, Statistic, Subject};
use super::file::{Budget, Budgets, LEAST, Level, Test};
use super::worst::Worst;
use crate::aggregate::Profile;
use crate::quantity::{CacheView, Per, Quantity, Sample, Scope, Sides, Source, Weigh};
use crate::stats::{
    Estimate, SurveyStratum, Unit, mean_estimate, quantile_estimate, share_estimate,
};
use crate::units::human::counted;

/// Risk of the end that would make a value worse: it decides nothing and only says how sure a kept budget is.
const WORSE: f64 = 0.025;
/// Distances between shares count where chance explains them no better than this.
const BEYOND_CHANCE: f64 = 0.05;

/// What budgets are compared with.
pub struct Reference<'a> {
    /// What its requests were like.
    pub profile: &'a Profile,
    /// The requests themselves; absent for a saved period.
    pub dump: Option<Source<'a>>,
}

/// What became of a budget.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// Broken, beyond noise.
    Broken,
    /// Broken beyond noise, at level `warn`.
    Warned,
    /// The data do not tell; [`Finding::why`] says why not.
    CannotTell,
    /// The value is beyond the limit, as noise alone may have it.
    WithinNoise,
    /// Kept.
    Kept,
    /// Not looked at.
    Off,
}

/// What was found about one budget.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// What became of it.
    pub verdict: Verdict,
    /// The value, in the unit of the subject.
    pub value: Option<f64>,
    /// The better end of its interval, and of the limit's where that is relative: what a breach must exceed.
    pub at_best: Option<f64>,
    /// The worse end.
    pub at_worst: Option<f64>,
    /// Risk of [`Finding::at_best`] being wrong; 0 where the value is not an estimate.
    pub risk: f64,
    /// The limit in numbers.
    pub limit: Option<f64>,
    /// The value of the baseline, on the same mix of tasks.
    pub baseline: Option<f64>,
    /// Values that it rests on.
    pub n: u64,
    /// How many could have shown it.
    pub of: u64,
    /// Values of the baseline.
    pub n_baseline: Option<u64>,
    /// Values left out because the baseline has no or too few requests of their kind.
    pub left_out: u64,
    /// Values beyond the limit.
    pub beyond: Option<u64>,
    /// Why it cannot be told.
    pub why: Option<String>,
    /// What the value leaves out of account, as a sentence.
    pub note: Option<String>,
    /// The name whose share changed most, for drift.
    pub most: Option<String>,
    /// The request that is worst by this budget.
    pub worst: Option<Worst>,
}

/// What was found about all budgets.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// In the order of the file.
    pub findings: Vec<Finding>,
}

impl Check {
    /// How many came out so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        let same = self.findings.iter().filter(|f| f.verdict == verdict);
        same.count() as u64
    }

    /// The verdict over all: the worst of them.
    #[must_use]
    pub fn worst(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.min().unwrap_or(Verdict::Off)
    }
}

/// Holds requests to budgets; `references` says for each budget what it is compared with.
#[must_use]
pub fn check(budgets: &Budgets, now: &Source<'_>, references: &[Option<&Reference<'_>>]) -> Check {
    let noisy = |budget: &&Budget| {
        let estimate = budget.expect.subject.is_estimate();
        budget.level != Level::Off && budget.test == Test::Interval && estimate
    };
    // Bonferroni: whatever the budgets have in common, a healthy set fails no more often than promised.
    let many = budgets.budgets.iter().filter(noisy).count().max(1);
    let risk = budgets.false_alarms / many as f64;
    let with = |index: usize| references.get(index).copied().flatten();
    let each = budgets.budgets.iter().enumerate();
    Check {
        findings: each
            .map(|(index, budget)| {
                let confidence = budget.confidence.map(|c| (1.0 - c) / 2.0);
                judge(budget, confidence.unwrap_or(risk), now, with(index))
            })
            .collect(),
    }
}

fn judge(
    budget: &Budget,
    risk: f64,
    now: &Source<'_>,
    reference: Option<&Reference<'_>>,
) -> Finding {
    let mut finding = Finding::new();
    if budget.level == Level::Off {
        return finding;
    }
    let told = match &budget.expect.subject {
        Subject::Drift(what, by) => {
            let found = drift::measure(*what, *by, &budget.scope, now, reference);
            found.and_then(|found| finding.of_drift(budget, *by, found))
        }
        Subject::Of(Statistic::Sum | Statistic::Max | Statistic::Min, _) | Subject::Count(_) => {
            finding.exactly(budget, now)
        }
        _ => finding.estimate(budget, risk, now, reference),
    };
    if budget.expect.subject.counts_cache() && !budget.expect.limit.is_relative() {
        finding.note = cache_view(now, &budget.scope).in_full();
    }
    finding.verdict = match told {
        Ok(verdict) if verdict == Verdict::Broken && budget.level == Level::Warn => Verdict::Warned,
        Ok(verdict) => verdict,
        Err(why) => {
            finding.why = Some(why);
            Verdict::CannotTell
        }
    };
    finding
}

impl Finding {
    fn new() -> Self {
        Self {
            verdict: Verdict::Off,
            value: None,
            at_best: None,
            at_worst: None,
            risk: 0.0,
            limit: None,
            baseline: None,
            n: 0,
            of: 0,
            n_baseline: None,
            left_out: 0,
            beyond: None,
            why: None,
            note: None,
            most: None,
            worst: None,
        }
    }

    fn of_drift(
        &mut self,
        budget: &Budget,
        by: DriftBy,
        found: Drifted,
    ) -> Result<Verdict, String> {
        let limit = budget.expect.limit.constant;
        self.value = Some(found.value);
        self.at_best = Some(found.value);
        self.limit = Some(limit);
        self.n = found.n;
        self.of = found.n;
        self.n_baseline = Some(found.n_baseline);
        self.most = found.most;
        enough(budget, self.n.min(found.n_baseline), 1)?;
        let holds = budget.expect.comparison.holds(found.value, limit);
        let chance = found.p_value.is_none_or(|p| p > BEYOND_CHANCE);
        Ok(match by {
            _ if holds => Verdict::Kept,
            DriftBy::Bits if budget.test == Test::Interval && chance => Verdict::WithinNoise,
            _ => Verdict::Broken,
        })
    }

    /// Extremes, sums and counts are what they are.
    fn exactly(&mut self, budget: &Budget, now: &Source<'_>) -> Result<Verdict, String> {
        let sample = self.draw(budget, now)?;
        let (comparison, limit) = (budget.expect.comparison, budget.expect.limit.constant);
        enough(budget, self.n, 1)?;
        let units = sample.units();
        let parts = units.iter().map(Unit::value);
        let value = match budget.expect.subject {
            Subject::Of(Statistic::Max, _) => parts.fold(f64::NEG_INFINITY, f64::max),
            Subject::Of(Statistic::Min, _) => parts.fold(f64::INFINITY, f64::min),
            _ => parts.sum(),
        };
        if matches!(
            budget.expect.subject,
            Subject::Of(Statistic::Max | Statistic::Min, _)
        ) {
            let beyond = units
                .iter()
                .filter(|unit| !comparison.holds(unit.value(), limit));
            self.beyond = Some(beyond.count() as u64);
        }
        self.value = Some(value);
        self.at_best = Some(value);
        self.at_worst = Some(value);
        self.limit = Some(limit);
        Ok(match comparison.holds(value, limit) {
            true => Verdict::Kept,
            false => Verdict::Broken,
        })
    }

    fn estimate(
        &mut self,
        budget: &Budget,
        risk: f64,
        now: &Source<'_>,
        reference: Option<&Reference<'_>>,
    ) -> Result<Verdict, String> {
        let sample = self.draw(budget, now)?;
        let comparison = budget.expect.comparison;
        let limit = budget.expect.limit;
        let subject = &budget.expect.subject;
        let risks = match comparison.is_ceiling() {
            true => (risk, WORSE),
            false => (WORSE, risk),
        };
        let (value, bound) = if limit.is_relative() {
            let baseline = self.of_baseline(budget, (now, &sample), reference)?;
            let weigh = match subject {
                Subject::Of(Statistic::Quantile(_), _) => Weigh::Values,
                _ => Weigh::Wholes,
            };
            let sides = Sides::of(&sample, &baseline, weigh);
            (self.n, self.n_baseline) = (sides.n, Some(sides.n_baseline));
            self.left_out = sides.left_out;
            if self.left_out > self.n {
                return Err(format!(
                    "{} of {} values are of kinds of task that the baseline lacks",
                    self.left_out,
                    self.left_out + self.n
                ));
            }
            enough(budget, self.n.min(sides.n_baseline), LEAST)?;
            let value = of(subject, &sides.now(), risks);
            // The limit errs the other way round.
            let swapped = (risks.1, risks.0);
            let theirs = of(subject, &sides.baseline(), swapped);
            self.baseline = theirs.map(|estimate| estimate.value);
            (value, theirs.map(|estimate| shifted(limit, estimate)))
        } else {
            enough(budget, self.n, LEAST)?;
            let units = sample.units();
            let all = SurveyStratum {
                weight: 1.0,
                units: &units,
            };
            self.beyond = beyond(subject, &units, comparison, limit.constant);
            let exact = Estimate::exact(limit.constant);
            (of(subject, &[all], risks), Some(exact))
        };
        let (Some(value), Some(bound)) = (value, bound) else {
            return Err("there is nothing to measure".to_owned());
        };
        self.risk = if budget.test == Test::Interval {
            risk
        } else {
            0.0
        };
        self.value = Some(value.value);
        self.limit = Some(bound.value);
        let (best, worst) = ends(comparison, value, bound);
        (self.at_best, self.at_worst) = (best, worst);
        let holds = |end: f64| comparison.holds(end, bound.value);
        match (budget.test, best, worst) {
            (Test::Point, ..) if holds(value.value) => Ok(Verdict::Kept),
            (Test::Point, ..) => Ok(Verdict::Broken),
            (_, Some(best), _) if !holds(best) => Ok(Verdict::Broken),
            (_, Some(_), Some(_)) if holds(value.value) => Ok(Verdict::Kept),
            (_, Some(_), Some(_)) => Ok(Verdict::WithinNoise),
            _ => Err(too_few(subject, self.n)),
        }
    }

    /// The sample, with its worst request; an error where nothing shows it.
    fn draw(&mut self, budget: &Budget, now: &Source<'_>) -> Result<Sample, String> {
        let ceiling = budget.expect.comparison.is_ceiling();
        let scope = &budget.scope;
        let (sample, per, needs) = match &budget.expect.subject {
            Subject::Of(statistic, quantity) => {
                if *quantity == Quantity::Slowdown && !now.has_work() {
                    return Err(
                        "slowdown is measured against a baseline: give one with --baseline"
                            .to_owned(),
                    );
                }
                let sample = now.sample(*quantity, scope);
                let ceiling = ceiling && *statistic != Statistic::Min;
                self.worst = Worst::of_values(now, &sample, ceiling);
                let meta = quantity.meta();
                (sample, meta.per, meta.needs)
            }
            Subject::Rate(condition) | Subject::Count(condition) => {
                let sample = now.share(condition, scope);
                self.worst = Worst::of_share(now, &sample, ceiling);
                (sample, condition.per(), condition.kind().needs)
            }
            Subject::Drift(..) => (Sample::default(), Per::Request, ""),
        };
        (self.n, self.of) = (sample.len(), sample.of);
        match (sample.is_empty(), sample.of) {
            (false, _) => Ok(sample),
            (true, 0) if scope.is_all() => Err(format!("there is no {}", per.noun())),
            (true, 0) => Err(format!("no {} fits `match`", per.noun())),
            (true, of) => Err(format!(
                "none of {} shows it; it needs {needs}",
                counted(of, per.noun())
            )),
        }
    }

    fn of_baseline(
        &mut self,
        budget: &Budget,
        (now, sample): (&Source<'_>, &Sample),
        reference: Option<&Reference<'_>>,
    ) -> Result<Sample, String> {
        let Some(reference) = reference else {
            return Err(
                "there is no baseline to compare with: give one with --baseline".to_owned(),
            );
        };
        let scope = &budget.scope;
        if budget.expect.subject.counts_cache()
            && let Some(why) = cache_apart(now, reference, scope)
        {
            return Err(why);
        }
        let theirs = match (&budget.expect.subject, &reference.dump) {
            (Subject::Of(_, quantity), Some(dump)) => dump.sample(*quantity, scope),
            (Subject::Of(_, quantity), None) => Sample::saved(reference.profile, *quantity, scope)?,
            (Subject::Rate(condition), Some(dump)) => dump.share(condition, scope),
            (Subject::Rate(condition), None) => {
                Sample::saved_share(reference.profile, condition, scope)?
            }
            _ => Sample::default(),
        };
        if theirs.is_empty() && !sample.is_empty() {
            return Err("the baseline does not show it".to_owned());
        }
        Ok(theirs)
    }
}

/// How far the requests show what came from a cache.
fn cache_view(now: &Source<'_>, scope: &Scope) -> CacheView {
    let shown = |quantity| now.sample(quantity, scope);
    CacheView::of(
        &shown(Quantity::CachedTokens),
        &shown(Quantity::InputTokens),
    )
}

/// Why costs cannot be held against those of a baseline.
fn cache_apart(now: &Source<'_>, reference: &Reference<'_>, scope: &Scope) -> Option<String> {
    let there = |quantity| match &reference.dump {
        Some(dump) => dump.sample(quantity, scope),
        None => Sample::saved(reference.profile, quantity, scope).unwrap_or_default(),
    };
    let (cached, input) = (Quantity::CachedTokens, Quantity::InputTokens);
    let theirs = CacheView::of(&there(cached), &there(input));
    cache_view(now, scope).apart(theirs, ("this dump", "the baseline"))
}

fn of(subject: &Subject, strata: &[SurveyStratum<'_>], risks: (f64, f64)) -> Option<Estimate> {
    match subject {
        Subject::Of(Statistic::Quantile(q), _) => quantile_estimate(strata, *q, risks),
        Subject::Of(..) => mean_estimate(strata, risks),
        _ => share_estimate(strata, risks),
    }
}

/// The limit with its own doubt.
fn shifted(limit: Limit, baseline: Estimate) -> Estimate {
    let at = |end: Option<f64>| end.map(|end| limit.at(end));
    let (low, high) = match limit.per_baseline >= 0.0 {
        true => (at(baseline.low), at(baseline.high)),
        false => (at(baseline.high), at(baseline.low)),
    };
    Estimate {
        value: limit.at(baseline.value),
        low,
        high,
    }
}

/// The better and the worse end of a value, the doubt of the limit included: the ends of their difference by the
/// method of variance estimates recovery (Zou & Donner, "Construction of confidence limits about effect measures",
/// 2008), put back on the value's own scale.
fn ends(comparison: Comparison, value: Estimate, limit: Estimate) -> (Option<f64>, Option<f64>) {
    let reach = |own: Option<f64>, other: Option<f64>| {
        Some((value.value - own?).hypot(other? - limit.value))
    };
    // Nothing that is measured is less than zero.
    let low = reach(value.low, limit.high).map(|reach| (value.value - reach).max(0.0));
    let high = reach(value.high, limit.low).map(|reach| value.value + reach);
    match comparison.is_ceiling() {
        true => (low, high),
        false => (high, low),
    }
}

fn beyond(subject: &Subject, units: &[Unit], comparison: Comparison, limit: f64) -> Option<u64> {
    let Subject::Of(Statistic::Quantile(_), _) = subject else {
        return None;
    };
    let beyond = units
        .iter()
        .filter(|unit| !comparison.holds(unit.value(), limit));
    Some(beyond.count() as u64)
}

fn enough(budget: &Budget, n: u64, least: u64) -> Result<(), String> {
    let least = budget.min_n.unwrap_or(least);
    match n >= least {
        true => Ok(()),
        false => Err(format!("{n} values are too few: it needs {least}")),
    }
}

fn too_few(subject: &Subject, n: u64) -> String {
    match subject {
        Subject::Of(Statistic::Quantile(q), _) => {
            let rare = q.min(1.0 - q);
            let needed = (WORSE.ln() / (1.0 - rare).ln()).ceil();
            format!(
                "{n} values say too little of such a quantile: some {needed} independent ones are needed"
            )
        }
        _ => format!("{n} values are too few"),
    }
}
