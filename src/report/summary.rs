//! Sums over all requests, in integers, so that they do not depend on any order.

use std::collections::BTreeMap;

use super::{Report, Row};
use crate::diagnose::Cause;
use crate::model::{ErrorKind, TraceId};
use crate::trace::{Part, Parts};
use crate::units::{Nanos, Ratio, Usd, Window};

/// What one cause did to the dump.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CauseTotal {
    /// The cause.
    pub cause: Cause,
    /// Slow requests it is the verdict of.
    pub requests: u64,
    /// Slow requests it took any time from.
    pub touched: u64,
    /// Time it took from slow requests.
    pub excess: Nanos,
    /// Of the time lost by all slow requests.
    pub share: Ratio,
    /// Median confidence of its verdicts.
    pub confidence: Option<f64>,
}

/// Where the time of some requests went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cohort {
    /// How many requests.
    pub requests: u64,
    /// Their parts, added up.
    pub total: Parts,
}

/// A signal the dump lacks, and how many verdicts it would have helped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MissingSignal {
    /// What is missing.
    pub signal: &'static str,
    /// Slow requests it would have helped.
    pub requests: u64,
}

/// A class of errors, and how many failed requests met it last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastError {
    /// The class; `None` where a request failed without an error on record.
    pub kind: Option<ErrorKind>,
    /// Requests that failed after it.
    pub requests: u64,
}

/// Sums over all requests.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Summary {
    /// Requests found.
    pub requests: u64,
    /// Requests with an expectation to be held against.
    pub judged: u64,
    /// Slow requests.
    pub slow: u64,
    /// Time lost by slow requests.
    pub excess: Nanos,
    /// Median time lost by a slow request.
    pub median_excess: Nanos,
    /// From the first start to the last end.
    pub window: Window,
    /// Spans read, duplicates included.
    pub spans: u64,
    /// Traces.
    pub traces: u64,
    /// Spans without a parent.
    pub roots: u64,
    /// Spans whose parent is not in the dump.
    pub orphans: u64,
    /// Spans that ended in error.
    pub errors: u64,
    /// Requests whose end the dump shows.
    pub ended: u64,
    /// Of these: requests that ended in an error.
    pub failed: u64,
    /// The first of them.
    pub first_failed: Option<TraceId>,
    /// By the last error before that, most requests first.
    pub last_errors: Vec<LastError>,
    /// Model calls seen: those that answered, and failed attempts.
    pub llm_calls: u64,
    /// Attempts at a model call that failed.
    pub failed_calls: u64,
    /// Tool calls.
    pub tool_calls: u64,
    /// Failed attempts, hidden resends, repeated identical tool calls.
    pub retries: u64,
    /// Prompt tokens, where any request shows them.
    pub input_tokens: Option<u64>,
    /// Cached prompt tokens, where any request shows them.
    pub cached_tokens: Option<u64>,
    /// Generated tokens, where any request shows them.
    pub output_tokens: Option<u64>,
    /// What the priced calls of all requests cost.
    pub cost: Option<Usd>,
    /// What the priced calls of slow requests cost.
    pub slow_cost: Option<Usd>,
    /// Tokens of the calls that could be priced, of all.
    pub priced: Ratio,
    /// Causes that took any time, most time first.
    pub causes: Vec<CauseTotal>,
    /// Median confidence of all verdicts.
    pub confidence: Option<f64>,
    /// Verdicts that are less sure than a coin toss.
    pub doubtful: u64,
    /// Where the time of slow requests went.
    pub slow_parts: Cohort,
    /// Where the time of judged requests that were not slow went.
    pub normal_parts: Cohort,
    /// Signals that are missing, most wanted first.
    pub missing: Vec<MissingSignal>,
}

impl Cohort {
    fn add(&mut self, parts: &Parts) {
        self.requests += 1;
        for part in Part::ALL {
            self.total.add(part, parts.of(part));
        }
    }

    /// Mean time per request in each part, in the order shown everywhere.
    #[must_use]
    pub fn means(&self) -> [(&'static str, Nanos); 10] {
        let each = self.requests.max(1);
        let mean = |(name, total): (&'static str, Nanos)| (name, Nanos(total.0 / each));
        self.total.named().map(mean)
    }

    /// Mean duration of a request.
    #[must_use]
    pub fn mean(&self) -> Nanos {
        Nanos(self.total.total().0 / self.requests.max(1))
    }
}

impl Summary {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let forest = report.forest();
        let mut summary = Self {
            spans: report.inputs().iter().map(|input| input.spans).sum(),
            traces: forest.traces,
            roots: forest.roots,
            orphans: forest.orphans,
            errors: forest.errors,
            window: Window {
                start: Nanos(u64::MAX),
                end: Nanos::ZERO,
            },
            ..Self::default()
        };
        let mut verdicts = Verdicts::default();
        let mut failures = Failures::default();
        for row in report.rows() {
            summary.add(&row);
            failures.add(&row);
            if row.slow() {
                verdicts.add(&row);
            }
        }
        if summary.requests == 0 {
            summary.window = Window::default();
        }
        verdicts.finish(&mut summary);
        failures.finish(&mut summary);
        summary
    }

    fn add(&mut self, row: &Row<'_>) {
        let request = row.request;
        self.requests += 1;
        self.window.start = self.window.start.min(request.wall.start);
        self.window.end = self.window.end.max(request.wall.end);
        self.llm_calls += u64::from(row.model_calls());
        self.failed_calls += u64::from(row.failed_calls());
        self.tool_calls += u64::from(request.tool_calls);
        self.retries += u64::from(request.retries);
        add_known(&mut self.input_tokens, request.input_tokens);
        add_known(&mut self.cached_tokens, request.cached_tokens);
        add_known(&mut self.output_tokens, request.output_tokens);
        add_known(&mut self.cost, row.cost.cost);
        self.priced.part += row.cost.priced.part;
        self.priced.whole += row.cost.priced.whole;
        if row.slow() {
            add_known(&mut self.slow_cost, row.cost.cost);
            self.slow_parts.add(&request.parts);
        } else if row.expected().is_some() {
            self.normal_parts.add(&request.parts);
        }
        self.judged += u64::from(row.slow() || row.expected().is_some());
    }

    /// The share of requests with an end that ended in an error.
    #[must_use]
    pub fn failed_share(&self) -> Option<f64> {
        Ratio {
            part: self.failed,
            whole: self.ended,
        }
        .share()
    }

    /// Requests that could not be held against anything: unfinished, cut off, or without calls.
    #[must_use]
    pub fn not_judged(&self) -> u64 {
        self.requests - self.judged
    }

    /// The share of judged requests that were slow.
    #[must_use]
    pub fn slow_share(&self) -> Option<f64> {
        Ratio {
            part: self.slow,
            whole: self.judged,
        }
        .share()
    }
}

/// What is counted over requests with an end.
#[derive(Default)]
struct Failures {
    ended: u64,
    first: Option<TraceId>,
    last: BTreeMap<&'static str, LastError>,
}

impl Failures {
    fn add(&mut self, row: &Row<'_>) {
        let Some(failed) = row.failed() else { return };
        self.ended += 1;
        if failed {
            self.first.get_or_insert(row.request.trace);
            let kind = row.last_error();
            let first = LastError { kind, requests: 0 };
            let name = kind.map_or("", ErrorKind::as_str);
            self.last.entry(name).or_insert(first).requests += 1;
        }
    }

    fn finish(self, summary: &mut Summary) {
        summary.ended = self.ended;
        summary.first_failed = self.first;
        summary.last_errors = self.last.into_values().collect();
        summary.failed = summary.last_errors.iter().map(|last| last.requests).sum();
        // Of as many, those of a known class first.
        let vague = |last: &LastError| matches!(last.kind, None | Some(ErrorKind::Other));
        summary
            .last_errors
            .sort_by_key(|last| (std::cmp::Reverse(last.requests), vague(last)));
    }
}

/// What is collected over slow requests before it can be sorted and divided.
#[derive(Default)]
struct Verdicts {
    excess: Vec<Nanos>,
    confidence: [Vec<f64>; Cause::ALL.len()],
    touched: [u64; Cause::ALL.len()],
    taken: [Nanos; Cause::ALL.len()],
    missing: BTreeMap<&'static str, u64>,
}

impl Verdicts {
    fn add(&mut self, row: &Row<'_>) {
        self.excess.push(row.excess());
        if let Some(cause) = row.cause() {
            self.confidence[cause.index()].push(row.confidence());
        }
        for (index, taken) in row.contributions().into_iter().enumerate() {
            self.taken[index] += taken;
            self.touched[index] += u64::from(taken > Nanos::ZERO);
        }
        for signal in row.missing() {
            *self.missing.entry(signal).or_default() += 1;
        }
    }

    fn finish(mut self, summary: &mut Summary) {
        self.excess.sort_unstable();
        summary.slow = self.excess.len() as u64;
        summary.excess = self.excess.iter().copied().sum();
        summary.median_excess = middle(&self.excess).unwrap_or_default();
        let mut all: Vec<f64> = self.confidence.iter().flatten().copied().collect();
        summary.doubtful = all.iter().filter(|c| **c < 0.5).count() as u64;
        summary.confidence = median(&mut all);
        summary.causes = self.causes(summary.excess);
        let signals = self.missing.into_iter();
        summary.missing = signals
            .map(|(signal, requests)| MissingSignal { signal, requests })
            .collect();
        summary
            .missing
            .sort_by_key(|m| std::cmp::Reverse(m.requests));
    }

    fn causes(&mut self, whole: Nanos) -> Vec<CauseTotal> {
        let mut causes = Vec::new();
        for (index, cause) in Cause::ALL.into_iter().enumerate() {
            let requests = self.confidence[index].len() as u64;
            if requests == 0 && self.touched[index] == 0 {
                continue;
            }
            causes.push(CauseTotal {
                cause,
                requests,
                touched: self.touched[index],
                excess: self.taken[index],
                share: Ratio {
                    part: self.taken[index].0,
                    whole: whole.0,
                },
                confidence: median(&mut self.confidence[index]),
            });
        }
        causes.sort_by_key(|c| std::cmp::Reverse((c.excess, c.requests)));
        causes
    }
}

fn add_known<T: Copy + std::ops::Add<Output = T>>(sum: &mut Option<T>, more: Option<T>) {
    *sum = match (*sum, more) {
        (Some(sum), Some(more)) => Some(sum + more),
        (sum, more) => sum.or(more),
    };
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    middle(values)
}

/// The middle of sorted values; of two middles the lower, so that it is a value that occurred.
fn middle<T: Copy>(sorted: &[T]) -> Option<T> {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}
