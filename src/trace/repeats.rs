//! Tool calls that were made before with the same arguments, after a model call in between asked again.
//! Where arguments are not recorded: calls of a tool that had failed the time before.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::{Forest, StepKind, StepOp};
use crate::model::{Dataset, Digest};
use crate::units::Sym;

/// Stands for arguments that are not recorded.
const UNRECORDED: Digest = Digest(std::num::NonZeroU64::MAX);

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// One repeated call. Positions are relative to the lane.
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    /// How many times so far.
    pub times: u32,
    /// The repeated tool call.
    pub tool: usize,
    /// The model call that asked for it.
    pub round: usize,
}

/// The repeats of each lane that has any.
#[derive(Default, Debug)]
pub struct Repeats(Map<u32, Vec<Repeat>>);

/// Where each call was last seen, and how often.
type Seen = Map<(Sym, Digest), (usize, u32)>;

impl Repeats {
    /// Looks through all lanes of `forest`.
    #[must_use]
    pub fn find(dataset: &Dataset, forest: &Forest) -> Self {
        let lanes = forest.lanes.par_iter().zip(0..forest.lanes.len() as u32);
        let found = lanes.map_init(Seen::default, |seen, (lane, index)| {
            let ops = &forest.ops[lane.ops.start as usize..lane.ops.end as usize];
            (index, of_lane(dataset, ops, seen))
        });
        let some = found.filter(|(_, repeats)| !repeats.is_empty());
        Self(some.collect::<Vec<_>>().into_iter().collect())
    }

    /// The repeats in a lane, in order.
    #[must_use]
    pub fn of(&self, lane: u32) -> &[Repeat] {
        self.0.get(&lane).map_or(&[], Vec::as_slice)
    }
}

/// A repeat without a model call in between is a plain double call, not a retry.
fn of_lane(dataset: &Dataset, ops: &[StepOp], seen: &mut Seen) -> Vec<Repeat> {
    seen.clear();
    let mut found = Vec::new();
    let mut last_model = None;
    for (i, op) in ops.iter().enumerate() {
        if op.kind == StepKind::Model {
            last_model = Some(i);
        }
        let Some(tool) = dataset
            .tool_of(&dataset.spans[op.span as usize])
            .filter(|_| op.kind == StepKind::Tool)
        else {
            continue;
        };
        let failed = dataset.spans[op.span as usize].failed();
        let unknown = (tool.tool, UNRECORDED);
        let failed_before = seen.contains_key(&unknown);
        let Some(arguments) = tool
            .arguments
            .or((failed || failed_before).then_some(UNRECORDED))
        else {
            continue;
        };
        let entry = seen.entry((tool.tool, arguments)).or_insert((i, 0));
        entry.1 += 1;
        if let Some(round) = last_model.filter(|m| *m > entry.0) {
            found.push(Repeat {
                times: entry.1,
                tool: i,
                round,
            });
        }
        entry.0 = i;
        if tool.arguments.is_none() && !failed {
            seen.remove(&unknown);
        }
    }
    found
}
