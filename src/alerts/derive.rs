//! The series an instrumented agent would have exported, from its spans: counters and histograms
//! `agent_*`, scraped at regular instants. What a dump shows from its first request on is complete,
//! so every counter starts at zero.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::labels::NAME;
use super::store::Store;
use crate::model::{Dataset, Op};
use crate::trace::{Forest, Request, RootState, StepKind};
use crate::units::{Nanos, Sym};

/// A metric that spans give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Derived {
    /// Its name, for a histogram without `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    /// `counter` or `histogram`.
    pub kind: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub about: &'static str,
}

const REQUESTS: &str = "agent_requests_total";
const DURATION: &str = "agent_request_duration_seconds";
const TOKENS: &str = "agent_tokens_consumed_total";
const TOOLS: &str = "agent_tool_calls_total";
const TOOL_DURATION: &str = "agent_tool_duration_seconds";
const CALLS: &str = "agent_llm_calls_total";
const CALL_DURATION: &str = "agent_llm_duration_seconds";
const FIRST_TOKEN: &str = "agent_llm_time_to_first_token_seconds";

/// Everything that is derived.
pub const DERIVED: [Derived; 8] = [
    Derived {
        name: REQUESTS,
        kind: "counter",
        labels: &["agent_id", "status"],
        about: "requests that ended, by success or failure",
    },
    Derived {
        name: DURATION,
        kind: "histogram",
        labels: &["agent_id"],
        about: "wall time of requests that ended",
    },
    Derived {
        name: TOKENS,
        kind: "counter",
        labels: &["agent_id", "model", "direction"],
        about: "tokens of model calls, input and output",
    },
    Derived {
        name: TOOLS,
        kind: "counter",
        labels: &["agent_id", "tool_name", "status"],
        about: "tool calls that ended, by success or failure",
    },
    Derived {
        name: TOOL_DURATION,
        kind: "histogram",
        labels: &["agent_id", "tool_name"],
        about: "time tools took",
    },
    Derived {
        name: CALLS,
        kind: "counter",
        labels: &["agent_id", "model", "status"],
        about: "model calls that ended, failed attempts included",
    },
    Derived {
        name: CALL_DURATION,
        kind: "histogram",
        labels: &["agent_id", "model"],
        about: "time of model calls that answered",
    },
    Derived {
        name: FIRST_TOKEN,
        kind: "histogram",
        labels: &["agent_id", "model"],
        about: "time to the first token",
    },
];

/// Upper bounds of `agent_request_duration_seconds`, as commonly instrumented, and of the others.
const REQUEST_BOUNDS: &[f64] = &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0];
const CALL_BOUNDS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0,
];

/// Samples of all derived series above which the interval between scrapes is too fine for the dump.
const MOST_SAMPLES: usize = 100_000_000;

impl Derived {
    /// True for the name of a series of this metric.
    #[must_use]
    pub fn has(&self, series: &str) -> bool {
        let suffix = series.strip_prefix(self.name);
        suffix.is_some_and(|s| matches!(s, "" | "_bucket" | "_sum" | "_count"))
    }
}

/// How series are derived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Between scrapes, milliseconds.
    pub scrape: i64,
}

/// What derivation had to leave out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeftOut {
    /// Requests without a root, or whose root never ended: they are in no counter of requests.
    pub open_requests: u64,
}

/// Puts the derived series into `store`, but none of a name for which `recorded` is true.
///
/// # Errors
/// When there would be more samples than memory holds: says how to scrape less often.
pub fn derive(
    dataset: &Dataset,
    forest: &Forest,
    store: &mut Store,
    options: Options,
    recorded: impl Fn(&str) -> bool,
) -> Result<LeftOut, String> {
    let mut events = Events {
        dataset,
        all: BTreeMap::new(),
    };
    let mut left_out = LeftOut::default();
    for request in &forest.requests {
        let agent = agent(dataset, forest, request);
        match request.root_state {
            RootState::Complete => events.request(request, agent),
            _ => left_out.open_requests += 1,
        }
        for op in &forest.ops[request.ops.start as usize..request.ops.end as usize] {
            events.op(op, agent);
        }
    }
    events.scrape(store, options.scrape.max(1), recorded)?;
    Ok(left_out)
}

/// Who ran a request: the agent at its root, else its service.
fn agent<'d>(dataset: &'d Dataset, forest: &Forest, request: &Request) -> &'d str {
    let lane = forest.lanes.get(request.lanes.start as usize);
    let lane = lane.map_or(Sym::NONE, |lane| lane.agent);
    dataset.text(request.agent.or(lane).or(request.service))
}

type Key<'d> = (&'static str, Vec<(&'static str, &'d str)>);

/// What a series is made of.
#[derive(Default)]
struct Happenings {
    /// When, and by how much the counter grew, or what was observed.
    points: Vec<(Nanos, f64)>,
    bounds: Option<&'static [f64]>,
}

struct Events<'d> {
    dataset: &'d Dataset,
    all: BTreeMap<Key<'d>, Happenings>,
}

impl<'d> Events<'d> {
    fn count(&mut self, key: Key<'d>, at: Nanos, by: f64) {
        self.all.entry(key).or_default().points.push((at, by));
    }

    fn observe(&mut self, key: Key<'d>, bounds: &'static [f64], at: Nanos, time: Nanos) {
        let happenings = self.all.entry(key).or_default();
        happenings.bounds = Some(bounds);
        happenings.points.push((at, time.as_secs()));
    }

    fn request(&mut self, request: &Request, agent: &'d str) {
        let root = &self.dataset.spans[request.root as usize];
        let end = request.wall.end;
        let labels = |status| vec![("agent_id", agent), ("status", status)];
        // A counter of one status is worth nothing without the other.
        for status in ["failure", "success"] {
            let by = f64::from(u8::from((status == "failure") == root.failed()));
            self.count((REQUESTS, labels(status)), end, by);
        }
        let key = (DURATION, vec![("agent_id", agent)]);
        self.observe(key, REQUEST_BOUNDS, end, request.duration());
    }

    fn op(&mut self, op: &crate::trace::StepOp, agent: &'d str) {
        let span = &self.dataset.spans[op.span as usize];
        if span.is_open() {
            return;
        }
        let (end, time) = (op.window.end, op.window.len());
        if let Some(tool) = self.dataset.tool_of(span) {
            let name = self.dataset.text(tool.tool.or(span.name));
            let failed = span.failed() || tool.said_failed;
            for status in ["failure", "success"] {
                let by = f64::from(u8::from((status == "failure") == failed));
                let labels = vec![("agent_id", agent), ("tool_name", name), ("status", status)];
                self.count((TOOLS, labels), end, by);
            }
            let labels = vec![("agent_id", agent), ("tool_name", name)];
            self.observe((TOOL_DURATION, labels), CALL_BOUNDS, end, time);
        }
        let Some(call) = self.dataset.llm_of(span).filter(|_| span.op == Op::Llm) else {
            return;
        };
        let model = self.dataset.text(call.model());
        for (direction, tokens) in [("input", call.input), ("output", call.output)] {
            if let Some(tokens) = tokens {
                let labels = vec![
                    ("agent_id", agent),
                    ("model", model),
                    ("direction", direction),
                ];
                self.count((TOKENS, labels), end, f64::from(tokens.value));
            }
        }
        let failed = op.kind == StepKind::Failed;
        for status in ["failure", "success"] {
            let by = f64::from(u8::from((status == "failure") == failed));
            let labels = vec![("agent_id", agent), ("model", model), ("status", status)];
            self.count((CALLS, labels), end, by);
        }
        if !failed {
            let labels = vec![("agent_id", agent), ("model", model)];
            self.observe((CALL_DURATION, labels.clone()), CALL_BOUNDS, end, time);
            if let Some(first) = call.first_token {
                self.observe((FIRST_TOKEN, labels), CALL_BOUNDS, end, first.value);
            }
        }
    }

    /// Reads off every counter at every scrape.
    fn scrape(
        self,
        store: &mut Store,
        interval: i64,
        recorded: impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        let times = self.all.values().flat_map(|h| &h.points).map(|p| p.0);
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for time in times {
            let millis = (time.0 / 1_000_000) as i64;
            (first, last) = (first.min(millis), last.max(millis));
        }
        if first > last {
            return Ok(());
        }
        // One scrape before the first event, where everything is zero, and one after the last.
        let from = (first - 1).div_euclid(interval) * interval;
        let to = (last.div_euclid(interval) + 1) * interval;
        let scrapes = ((to - from) / interval + 1) as usize;
        let series: usize = self
            .all
            .values()
            .map(|h| h.bounds.map_or(1, |b| b.len() + 3))
            .sum();
        if scrapes.saturating_mul(series) > MOST_SAMPLES {
            return Err(format!(
                "{series} series scraped {scrapes} times are too many: take fewer with --scrape"
            ));
        }
        let grid: Arc<Vec<i64>> =
            Arc::new((0..scrapes as i64).map(|i| from + i * interval).collect());
        for ((name, labels), mut happenings) in self.all {
            if recorded(name) {
                continue;
            }
            happenings
                .points
                .sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            match happenings.bounds {
                None => {
                    let values = running(&grid, &happenings.points, |by| by);
                    insert(store, name, "", &labels, None, &grid, values);
                }
                Some(bounds) => {
                    histogram(store, (name, &labels), bounds, &grid, &happenings.points)
                }
            }
        }
        Ok(())
    }
}

/// The running total at each scrape of what `amount` makes of each point.
fn running(grid: &[i64], points: &[(Nanos, f64)], amount: impl Fn(f64) -> f64) -> Vec<f64> {
    let (mut total, mut next) = (0.0, 0);
    let mut values = Vec::with_capacity(grid.len());
    for &scrape in grid {
        let until = Nanos((scrape.max(0) as u64).saturating_mul(1_000_000));
        while let Some((_, value)) = points.get(next).filter(|(at, _)| *at <= until) {
            total += amount(*value);
            next += 1;
        }
        values.push(total);
    }
    values
}

fn histogram(
    store: &mut Store,
    (name, labels): (&'static str, &[(&'static str, &str)]),
    bounds: &[f64],
    grid: &Arc<Vec<i64>>,
    points: &[(Nanos, f64)],
) {
    for &bound in bounds.iter().chain([&f64::INFINITY]) {
        let values = running(grid, points, |v| f64::from(u8::from(v <= bound)));
        let text = match bound {
            b if b.is_infinite() => "+Inf".to_owned(),
            b => format!("{b:?}"),
        };
        insert(store, name, "_bucket", labels, Some(&text), grid, values);
    }
    let sum = running(grid, points, |v| v);
    insert(store, name, "_sum", labels, None, grid, sum);
    let count = running(grid, points, |_| 1.0);
    insert(store, name, "_count", labels, None, grid, count);
}

fn insert(
    store: &mut Store,
    name: &str,
    suffix: &str,
    labels: &[(&'static str, &str)],
    le: Option<&str>,
    grid: &Arc<Vec<i64>>,
    values: Vec<f64>,
) {
    let name = format!("{name}{suffix}");
    let pairs = labels.iter().copied();
    let more = [(NAME, name.as_str()), ("le", le.unwrap_or_default())];
    let labels = store.labels.intern(pairs.chain(more));
    store.insert(labels, Arc::clone(grid), values);
}
