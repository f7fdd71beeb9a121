//! How long each tool usually takes.

use rayon::prelude::*;

use super::{Excluded, Map};
use crate::model::Dataset;
use crate::stats::{LowSide, SpreadLimits};
use crate::trace::{Forest, StepKind};
use crate::units::Sym;

/// Spread of tool times: below a fifth of a factor e nothing is known to that precision on a busy
/// host; above .7 the name stands for several kinds of work.
const TOOL_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.2,
    most: 0.7,
};

/// Calls of a tool in another period, from which on that knows the tool better than this dump does.
const LEAST_KNOWN: usize = 15;

/// Which operations call which tool.
#[derive(Clone, Debug, Default)]
pub struct ToolCalls {
    /// The tools by number.
    names: Vec<Sym>,
    /// Number of the tool of each operation, `u32::MAX` for operations that are none.
    of_op: Vec<u32>,
}

impl ToolCalls {
    /// Collects the tool calls of `forest`, tools numbered as in `names`, and further ones behind them.
    #[must_use]
    pub fn collect(dataset: &Dataset, forest: &Forest, mut names: Vec<Sym>) -> Self {
        let mut known: Map<Sym, u32> = names.iter().copied().zip(0..).collect();
        let of_op = forest.ops.iter().map(|op| {
            if op.kind != StepKind::Tool {
                return u32::MAX;
            }
            let name = tool_name(dataset, op.span);
            *known.entry(name).or_insert_with(|| {
                names.push(name);
                names.len() as u32 - 1
            })
        });
        let of_op = of_op.collect();
        Self { names, of_op }
    }

    /// Number of the tool of an operation; `None` for operations that are none.
    #[must_use]
    pub fn number(&self, op: u32) -> Option<u32> {
        let number = self.of_op.get(op as usize).copied();
        number.filter(|number| *number != u32::MAX)
    }

    /// The tools by number.
    #[must_use]
    pub fn names(&self) -> &[Sym] {
        &self.names
    }
}

/// Name of the tool behind a span: the tool's own, else the span's.
pub(crate) fn tool_name(dataset: &Dataset, span: u32) -> Sym {
    let span = &dataset.spans[span as usize];
    dataset
        .tool_of(span)
        .map_or(Sym::NONE, |t| t.tool)
        .or(span.name)
}

/// What one tool usually takes.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct ToolTime {
    /// The fit.
    pub fit: LowSide,
    /// Its centre, milliseconds.
    pub typical: f64,
}

impl ToolTime {
    /// Two days of one tool: it varies as widely as on the day it varied more.
    fn at_least_as_wide_as(mut self, other: Option<Self>) -> Self {
        let spread = other.map_or(0.0, |other| other.fit.spread);
        self.fit.spread = self.fit.spread.max(spread);
        self
    }
}

/// Times by number of the tool.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct ToolTimes(Vec<Option<ToolTime>>);

impl ToolTimes {
    /// Learns from what is not excluded.
    #[must_use]
    pub fn learn(forest: &Forest, calls: &ToolCalls, excluded: &Excluded) -> Self {
        let mut times = vec![Vec::new(); calls.names.len()];
        for ((op, &tool), index) in forest.ops.iter().zip(&calls.of_op).zip(0..) {
            if let Some(times) = times.get_mut(tool as usize)
                && excluded.keeps(index)
            {
                times.push(op.window.len().as_millis());
            }
        }
        Self(times.into_par_iter().map(fit).collect())
    }

    /// Fits each tool's times, by number.
    pub(super) fn fit(times: impl Iterator<Item = Vec<f64>>) -> Self {
        Self(times.map(fit).collect())
    }

    /// Takes from `other` what it knows.
    pub(super) fn prefer(&mut self, other: &Self) {
        for (own, theirs) in self.0.iter_mut().zip(&other.0) {
            let known = theirs.filter(|theirs| theirs.fit.n >= LEAST_KNOWN);
            *own = known
                .map(|theirs| theirs.at_least_as_wide_as(*own))
                .or(*own);
        }
    }

    /// What the tool behind operation `op` usually takes.
    #[must_use]
    pub fn of(&self, calls: &ToolCalls, op: u32) -> Option<&ToolTime> {
        let tool = *calls.of_op.get(op as usize)?;
        self.0.get(tool as usize)?.as_ref()
    }
}

fn fit(times: Vec<f64>) -> Option<ToolTime> {
    let fit = LowSide::fit(&times, TOOL_SPREAD)?;
    let typical = fit.typical();
    Some(ToolTime { fit, typical })
}
