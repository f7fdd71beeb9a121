//! Pauses of an agent between its operations, and which operation usually follows which.

use super::{Excluded, Map};
use crate::model::Dataset;
use crate::stats::{median, quantile};
use crate::trace::{Forest, Lane, Request, StepKind, gaps};
use crate::units::Sym;

/// Transitions rarer than this share of their kind are a missing span, not a pause.
const RARE: f64 = 0.06;
const LEAST: usize = 5;

/// Where in a lane something stands, by what it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StepName {
    /// Before the first operation.
    Start,
    /// A model call with its finish reason.
    Model(Sym),
    /// A failed attempt.
    Failed,
    /// A tool.
    Tool,
    /// A sub-agent.
    Group,
    /// A person.
    Human,
    /// After the last operation.
    End,
}

/// Service, what came before, what came after.
pub type GapKey = (Sym, StepName, StepName);

/// Usual pause, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GapNorm {
    /// Median.
    pub centre: f64,
    /// Normal-consistent median absolute deviation.
    pub spread: f64,
}

/// Usual pauses and transitions.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    norms: Map<GapKey, GapNorm>,
    by_step: Map<(StepName, StepName), GapNorm>,
    follows: Map<(StepName, StepName), u32>,
    from: Map<StepName, u32>,
}

/// One pause: before operation `op` of the request, or the tail of its lane (`op` is `None`).
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// Index of the operation after it, in [`Forest::ops`].
    pub op: Option<u32>,
    /// Lane in [`Forest::lanes`].
    pub lane: u32,
    /// Who, after what, before what.
    pub key: GapKey,
    /// Milliseconds.
    pub length: f64,
}

/// All pauses of a request.
#[must_use]
pub fn pauses(dataset: &Dataset, forest: &Forest, request: &Request) -> Vec<Pause> {
    request
        .lanes
        .clone()
        .flat_map(|lane| pauses_of_lane(dataset, forest, lane))
        .collect()
}

fn pauses_of_lane(dataset: &Dataset, forest: &Forest, index: u32) -> Vec<Pause> {
    let lane: &Lane = &forest.lanes[index as usize];
    let ops = &forest.ops[lane.ops.start as usize..lane.ops.end as usize];
    let (gaps, tail) = gaps(lane, ops);
    let mut found = Vec::with_capacity(ops.len() + 1);
    let (mut before, mut before_end) = (StepName::Start, lane.window.start);
    for (i, op) in ops.iter().enumerate() {
        let name = step_name(dataset, op.kind, op.span);
        found.push(Pause {
            op: Some(lane.ops.start + i as u32),
            lane: index,
            key: (lane.service, before, name),
            length: gaps[i] as f64 / 1e6,
        });
        if op.window.end >= before_end {
            (before, before_end) = (name, op.window.end);
        }
    }
    if !ops.is_empty() {
        found.push(Pause {
            op: None,
            lane: index,
            key: (lane.service, before, StepName::End),
            length: tail as f64 / 1e6,
        });
    }
    found
}

fn step_name(dataset: &Dataset, kind: StepKind, span: u32) -> StepName {
    match kind {
        StepKind::Model => StepName::Model(
            dataset
                .llm_of(&dataset.spans[span as usize])
                .map_or(Sym::NONE, |l| l.finish),
        ),
        StepKind::Failed => StepName::Failed,
        StepKind::Tool => StepName::Tool,
        StepKind::Group => StepName::Group,
        StepKind::Human => StepName::Human,
    }
}

impl Gaps {
    /// Learns from what is not excluded; transitions are counted over everything.
    #[must_use]
    pub fn learn(dataset: &Dataset, forest: &Forest, excluded: &Excluded) -> Self {
        let mut lengths: Map<GapKey, Vec<f64>> = Map::default();
        let mut by_step: Map<(StepName, StepName), Vec<f64>> = Map::default();
        let mut gaps = Self::default();
        for (index, request) in forest.requests.iter().enumerate() {
            for pause in pauses(dataset, forest, request) {
                let (_, before, after) = pause.key;
                *gaps.follows.entry((before, after)).or_default() += 1;
                *gaps.from.entry(before).or_default() += 1;
                if excluded.keeps_request(index as u32)
                    && pause.op.is_none_or(|op| excluded.keeps(op))
                {
                    lengths.entry(pause.key).or_default().push(pause.length);
                    by_step
                        .entry((before, after))
                        .or_default()
                        .push(pause.length);
                }
            }
        }
        gaps.norms = lengths
            .into_iter()
            .filter(|(_, v)| v.len() >= LEAST)
            .filter_map(|(k, v)| Some((k, norm(v)?)))
            .collect();
        gaps.by_step = by_step
            .into_iter()
            .filter_map(|(k, v)| Some((k, norm(v)?)))
            .collect();
        gaps
    }

    /// The usual pause; where the service is rarely seen, that of all services.
    #[must_use]
    pub fn norm(&self, key: GapKey) -> Option<GapNorm> {
        self.norms
            .get(&key)
            .or_else(|| self.by_step.get(&(key.1, key.2)))
            .copied()
    }

    /// True where this transition is so rare that a span must be missing in between.
    #[must_use]
    pub fn lacks_a_span(&self, key: GapKey) -> bool {
        let (_, before, after) = key;
        let from = f64::from(self.from.get(&before).copied().unwrap_or(0));
        let follows = f64::from(self.follows.get(&(before, after)).copied().unwrap_or(0));
        from >= 20.0 && follows < RARE * from
    }
}

fn norm(mut values: Vec<f64>) -> Option<GapNorm> {
    let centre = median(&mut values)?;
    let mut deviations: Vec<f64> = values.iter().map(|v| (v - centre).abs()).collect();
    deviations.sort_unstable_by(f64::total_cmp);
    Some(GapNorm {
        centre,
        spread: 1.4826 * quantile(&deviations, 0.5)?,
    })
}
