//! Pauses of an agent between its operations, and which operation usually follows which.

use rayon::prelude::*;

use super::{Excluded, Map};
use crate::model::Dataset;
use crate::stats::{median, quantile};
use crate::trace::{Forest, Lane, StepKind, gaps};
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

/// Usual pauses, by [`Pause::group`].
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    norms: Vec<Option<GapNorm>>,
}

/// One pause: before an operation, or after the last of a lane.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// Index in [`Forest::ops`] of the operation after it; `u32::MAX` for the tail of its lane.
    op: u32,
    /// Lane in [`Forest::lanes`].
    pub lane: u32,
    /// Index of its key: who, after what, before what.
    pub group: u32,
    /// Milliseconds; negative where operations overlap within the tolerance.
    length: f32,
}

impl Pause {
    /// The operation after it; `None` for a tail.
    #[must_use]
    pub fn op(&self) -> Option<u32> {
        (self.op != u32::MAX).then_some(self.op)
    }

    /// Milliseconds.
    #[must_use]
    pub fn length(&self) -> f64 {
        f64::from(self.length)
    }
}

/// All pauses of a dump, request by request. They do not depend on what is normal and are found once.
#[derive(Clone, Debug, Default)]
pub struct Pauses {
    all: Vec<Pause>,
    /// Where each request's begin, and the end of the last.
    starts: Vec<u32>,
    keys: Vec<GapKey>,
    /// Per key: the transition is so rare that a span must be missing in between.
    rare: Vec<bool>,
}

impl Pauses {
    /// Finds the pauses of all requests.
    #[must_use]
    pub fn collect(dataset: &Dataset, forest: &Forest) -> Self {
        let found: Vec<Vec<(GapKey, Pause)>> = forest
            .requests
            .par_iter()
            .map(|r| {
                r.lanes
                    .clone()
                    .flat_map(|lane| of_lane(dataset, forest, lane))
                    .collect()
            })
            .collect();
        let mut pauses = Self {
            all: Vec::with_capacity(found.iter().map(Vec::len).sum()),
            starts: vec![0],
            ..Self::default()
        };
        let mut groups: Map<GapKey, u32> = Map::default();
        for batch in found {
            for (key, mut pause) in batch {
                pause.group = *groups.entry(key).or_insert_with(|| {
                    pauses.keys.push(key);
                    pauses.keys.len() as u32 - 1
                });
                pauses.all.push(pause);
            }
            pauses.starts.push(pauses.all.len() as u32);
        }
        pauses.find_rare();
        pauses
    }

    fn find_rare(&mut self) {
        let mut follows: Map<(StepName, StepName), u32> = Map::default();
        let mut from: Map<StepName, u32> = Map::default();
        for pause in &self.all {
            let (_, before, after) = self.keys[pause.group as usize];
            *follows.entry((before, after)).or_default() += 1;
            *from.entry(before).or_default() += 1;
        }
        let count = |n: Option<&u32>| f64::from(n.copied().unwrap_or(0));
        let rare = |(_, before, after): &GapKey| {
            let from = count(from.get(before));
            from >= 20.0 && count(follows.get(&(*before, *after))) < RARE * from
        };
        self.rare = self.keys.iter().map(rare).collect();
    }

    /// The pauses of one request.
    #[must_use]
    pub fn of(&self, request: u32) -> &[Pause] {
        let at = |i: u32| {
            self.starts
                .get(i as usize)
                .map_or(self.all.len(), |s| *s as usize)
        };
        &self.all[at(request)..at(request + 1)]
    }

    /// Who paused, after what, before what.
    #[must_use]
    pub fn key(&self, pause: &Pause) -> GapKey {
        self.keys[pause.group as usize]
    }

    /// True where this transition is so rare that a span must be missing in between.
    #[must_use]
    pub fn lacks_a_span(&self, pause: &Pause) -> bool {
        self.rare[pause.group as usize]
    }
}

fn of_lane(dataset: &Dataset, forest: &Forest, index: u32) -> Vec<(GapKey, Pause)> {
    let lane: &Lane = &forest.lanes[index as usize];
    let ops = &forest.ops[lane.ops.start as usize..lane.ops.end as usize];
    let (gaps, tail) = gaps(lane, ops);
    let pause = |op: u32, nanos: i64| Pause {
        op,
        lane: index,
        group: 0,
        length: (nanos as f64 / 1e6) as f32,
    };
    let mut found = Vec::with_capacity(ops.len() + 1);
    let (mut before, mut before_end) = (StepName::Start, lane.window.start);
    for (i, op) in ops.iter().enumerate() {
        let name = step_name(dataset, op.kind, op.span);
        found.push((
            (lane.service, before, name),
            pause(lane.ops.start + i as u32, gaps[i]),
        ));
        if op.window.end >= before_end {
            (before, before_end) = (name, op.window.end);
        }
    }
    if !ops.is_empty() {
        found.push(((lane.service, before, StepName::End), pause(u32::MAX, tail)));
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
    /// Learns from what is not excluded. Where a service is rarely seen, pauses between the same steps of
    /// all services stand in.
    #[must_use]
    pub fn learn(pauses: &Pauses, excluded: &Excluded) -> Self {
        let mut lengths: Vec<Vec<f64>> = vec![Vec::new(); pauses.keys.len()];
        for request in 0..pauses.starts.len().saturating_sub(1) as u32 {
            if excluded.keeps_request(request) {
                for pause in pauses
                    .of(request)
                    .iter()
                    .filter(|p| p.op().is_none_or(|op| excluded.keeps(op)))
                {
                    lengths[pause.group as usize].push(pause.length());
                }
            }
        }
        let mut by_step: Map<(StepName, StepName), Vec<f64>> = Map::default();
        for ((_, before, after), values) in pauses.keys.iter().zip(&lengths) {
            by_step.entry((*before, *after)).or_default().extend(values);
        }
        let by_step: Map<(StepName, StepName), GapNorm> = by_step
            .into_iter()
            .filter_map(|(k, v)| Some((k, norm(v)?)))
            .collect();
        let norms = pauses
            .keys
            .iter()
            .zip(lengths)
            .map(|((_, before, after), values)| {
                if values.len() >= LEAST {
                    norm(values)
                } else {
                    by_step.get(&(*before, *after)).copied()
                }
            })
            .collect();
        Self { norms }
    }

    /// The usual pause of this kind.
    #[must_use]
    pub fn norm(&self, pause: &Pause) -> Option<GapNorm> {
        self.norms.get(pause.group as usize).copied().flatten()
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
