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

/// A tool and what it was called with.
type Asked = (Sym, Digest);

/// Where each call was last seen, and how often. Most lanes call few tools, which are found faster one by one.
#[derive(Default)]
struct Seen {
    few: Vec<(Asked, (usize, u32))>,
    many: Map<Asked, (usize, u32)>,
    is_few: bool,
}

/// Calls of a lane that are few.
const FEW: usize = 16;

impl Seen {
    /// Nothing was seen of a lane with so many calls.
    fn begin(&mut self, calls: usize) {
        self.is_few = calls <= FEW;
        self.few.clear();
        self.many.clear();
    }

    fn contains(&self, asked: &Asked) -> bool {
        match self.is_few {
            true => self.few.iter().any(|(known, _)| known == asked),
            false => self.many.contains_key(asked),
        }
    }

    /// What is known of a call, or this for the first.
    fn of(&mut self, asked: Asked, first: (usize, u32)) -> &mut (usize, u32) {
        if !self.is_few {
            return self.many.entry(asked).or_insert(first);
        }
        let known = self.few.iter().position(|(known, _)| *known == asked);
        let at = known.unwrap_or_else(|| {
            self.few.push((asked, first));
            self.few.len() - 1
        });
        &mut self.few[at].1
    }

    fn forget(&mut self, asked: &Asked) {
        match self.is_few {
            true => self.few.retain(|(known, _)| known != asked),
            false => drop(self.many.remove(asked)),
        }
    }
}

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
    let mut found = Vec::new();
    let tools = ops.iter().filter(|op| op.kind == StepKind::Tool).count();
    if tools < 2 {
        return found;
    }
    seen.begin(tools);
    let mut last_model = None;
    for (i, op) in ops.iter().enumerate() {
        if op.kind == StepKind::Model {
            last_model = Some(i);
        }
        if op.kind != StepKind::Tool {
            continue;
        }
        let span = &dataset.spans[op.span as usize];
        let Some(tool) = dataset.tool_of(span) else {
            continue;
        };
        let unknown = (tool.tool, UNRECORDED);
        let arguments = match tool.arguments {
            Some(arguments) => arguments,
            None if span.failed() || seen.contains(&unknown) => UNRECORDED,
            None => continue,
        };
        let entry = seen.of((tool.tool, arguments), (i, 0));
        entry.1 += 1;
        if let Some(round) = last_model.filter(|m| *m > entry.0) {
            found.push(Repeat {
                times: entry.1,
                tool: i,
                round,
            });
        }
        entry.0 = i;
        if tool.arguments.is_none() && !span.failed() {
            seen.forget(&unknown);
        }
    }
    found
}
