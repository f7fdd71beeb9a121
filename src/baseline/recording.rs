//! Model calls as they are kept in a saved baseline: what each had to do and how long it took, every
//! figure as the number of its log bucket, in blocks of time.
//!
//! Whole blocks are kept, so that what depends on the calls around a call (load at a place, idle time
//! before it) can still be learned. Of a long period those blocks are kept whose hash is smallest: a
//! bottom-k sample (Cohen & Kaplan, "Summarizing Data using Bottom-k Sketches", 2007). Which blocks
//! these are depends on nothing but the blocks, so that merging the samples of parts gives the sample
//! of the whole.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use serde::{Deserialize, Serialize};

use super::{Call, Calls};
use crate::model::Dataset;
use crate::stats::{bucket, middle};
use crate::trace::Forest;
use crate::units::{Interner, Millis, Nanos, Small, Sym, Window};

/// Length of a block.
const BLOCK: Nanos = Nanos(1_800_000_000_000);
/// Calls kept at most; one block is kept whatever it holds.
const MOST: usize = 60_000;

/// What calls have in common that are kept together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Group {
    model: String,
    endpoint: String,
    region: String,
    service: String,
    task: String,
    agent: String,
    finish: String,
    /// Only the serving side recorded them.
    server_side_only: bool,
}

/// One call. Times in nanoseconds and tokens are bucket numbers of
/// [`Histogram`](crate::stats::Histogram).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Row(
    /// Milliseconds from the start of its block.
    u32,
    /// Duration.
    u16,
    /// Time to first token.
    Option<u16>,
    /// Prompt tokens.
    Option<u16>,
    /// Of these: cached.
    Option<u16>,
    /// Generated tokens.
    Option<u16>,
    /// Prompt and generated tokens of the call before it in its lane.
    Option<(Option<u16>, Option<u16>)>,
    /// Digest of its request.
    u32,
    /// Digest of its tenant; none where no tenant is named.
    Option<u32>,
);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Rows {
    #[serde(flatten)]
    group: Group,
    /// Ascending.
    calls: Vec<Row>,
}

/// Calls of one block of time.
type Block = BTreeMap<Group, Vec<Row>>;

/// Calls in blocks of time, numbered from 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Listed", into = "Listed")]
pub(super) struct Recording {
    blocks: BTreeMap<u64, Block>,
    /// Blocks of this hash and above were left out.
    limit: Option<u64>,
}

/// A recording as it is written.
#[derive(Serialize, Deserialize)]
struct Listed {
    left_out_from: Option<u64>,
    blocks: Vec<ListedBlock>,
}

#[derive(Serialize, Deserialize)]
struct ListedBlock {
    block: u64,
    groups: Vec<Rows>,
}

impl From<Listed> for Recording {
    fn from(list: Listed) -> Self {
        let mut all = Self {
            limit: list.left_out_from,
            ..Self::default()
        };
        for ListedBlock { block, groups } in list.blocks {
            for Rows { group, calls } in groups {
                all.rows(block, group).extend(calls);
            }
        }
        all.arrange();
        all
    }
}

impl From<Recording> for Listed {
    fn from(recording: Recording) -> Self {
        let rows = |(group, calls)| Rows { group, calls };
        let listed = |(block, groups): (u64, Block)| ListedBlock {
            block,
            groups: groups.into_iter().map(rows).collect(),
        };
        Self {
            left_out_from: recording.limit,
            blocks: recording.blocks.into_iter().map(listed).collect(),
        }
    }
}

impl Recording {
    /// Records the calls that `keeps` allows, by request.
    pub(super) fn of(
        dataset: &Dataset,
        forest: &Forest,
        calls: &Calls,
        keeps: impl Fn(u32) -> bool,
    ) -> Self {
        let mut all = Self::default();
        for call in calls.all.iter().filter(|c| keeps(c.request)) {
            let block = call.window.start.0 / BLOCK.0;
            let row = row(dataset, forest, calls, call);
            all.rows(block, group(dataset, call)).push(row);
        }
        all.arrange();
        all
    }

    /// Takes in what another recording holds.
    pub(super) fn merge(&mut self, other: Self) {
        for (block, groups) in other.blocks {
            for (group, rows) in groups {
                self.rows(block, group).extend(rows);
            }
        }
        self.limit = match (self.limit, other.limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.arrange();
    }

    fn rows(&mut self, block: u64, group: Group) -> &mut Vec<Row> {
        let groups = self.blocks.entry(block).or_default();
        groups.entry(group).or_default()
    }

    /// Number of calls kept.
    pub(super) fn len(&self) -> usize {
        self.blocks.values().map(size).sum()
    }

    /// Sorts, and keeps the blocks of smallest hash that together hold no more than [`MOST`] calls. A
    /// block beyond the limit of a part may lack that part's calls, and goes.
    fn arrange(&mut self) {
        self.arrange_within(MOST);
    }

    fn arrange_within(&mut self, most: usize) {
        let rows = self.blocks.values_mut().flat_map(BTreeMap::values_mut);
        rows.for_each(|rows| rows.sort_unstable());
        let mut order: Vec<(u64, u64)> = self.blocks.keys().map(|b| (hash(*b), *b)).collect();
        order.sort_unstable();
        let mut total = 0;
        for (position, (hash, block)) in order.into_iter().enumerate() {
            total += self.blocks.get(&block).map_or(0, size);
            if position > 0 && total > most {
                self.limit = Some(self.limit.map_or(hash, |limit| limit.min(hash)));
            }
            if self.limit.is_some_and(|limit| hash >= limit) {
                self.blocks.remove(&block);
            }
        }
    }

    /// The calls as the fits take them, and which of them were recorded; the others stand for the call
    /// before one in its lane, and know nothing but their tokens.
    pub(super) fn calls(&self, names: &Interner) -> (Calls, Vec<u32>) {
        let mut playback = Playback {
            names: Names::new(names),
            calls: Calls::default(),
            kept: Vec::with_capacity(self.len()),
            requests: BTreeMap::new(),
        };
        for (block, groups) in &self.blocks {
            for (group, rows) in groups {
                playback.group(*block, group, rows);
            }
        }
        (playback.calls, playback.kept)
    }
}

fn size(block: &Block) -> usize {
    block.values().map(Vec::len).sum()
}

fn hash(block: u64) -> u64 {
    foldhash::quality::FixedState::with_seed(0x626c_6f63_6b73).hash_one(block)
}

/// A name that is compared and never shown.
fn digest(name: impl std::hash::Hash) -> u32 {
    let state = foldhash::quality::FixedState::with_seed(0x6e61_6d65);
    (state.hash_one(name) >> 32) as u32
}

fn group(dataset: &Dataset, call: &Call) -> Group {
    let text = |sym| dataset.text(sym).to_owned();
    Group {
        model: text(call.model),
        endpoint: text(call.endpoint),
        region: text(call.region),
        service: text(call.service),
        task: text(call.kind),
        agent: text(call.agent),
        finish: text(call.finish),
        server_side_only: call.server_side_only,
    }
}

fn row(dataset: &Dataset, forest: &Forest, calls: &Calls, call: &Call) -> Row {
    let tokens = |count: Option<Small>| count.map(|n| bucket(u64::from(n)));
    let trace = forest.requests[call.request as usize].trace;
    let before = call.before(calls);
    Row(
        ((call.window.start.0 % BLOCK.0) / Nanos::MILLI.0) as u32,
        bucket(call.window.len().0),
        call.first_token
            .map(|t| bucket((t.get() * 1e6).max(0.0) as u64)),
        tokens(call.input),
        tokens(call.cached),
        tokens(call.output),
        before.map(|b| (tokens(b.input), tokens(b.output))),
        digest(trace),
        dataset.names.known(call.tenant).map(digest),
    )
}

/// Symbols for recorded names: those of the dump where it has them, others beyond all of them.
struct Names<'a> {
    names: &'a Interner,
    others: BTreeMap<String, Sym>,
}

impl<'a> Names<'a> {
    fn new(names: &'a Interner) -> Self {
        let others = BTreeMap::new();
        Self { names, others }
    }

    fn sym(&mut self, name: &str) -> Sym {
        if name.is_empty() {
            return Sym::NONE;
        }
        self.names.find(name).unwrap_or_else(|| {
            let next = Sym(u32::MAX - self.others.len() as u32);
            *self.others.entry(name.to_owned()).or_insert(next)
        })
    }
}

struct Playback<'a> {
    names: Names<'a>,
    calls: Calls,
    kept: Vec<u32>,
    /// Number of each request by digest.
    requests: BTreeMap<u32, u32>,
}

impl Playback<'_> {
    fn group(&mut self, block: u64, group: &Group, rows: &[Row]) {
        let model = Call {
            model: self.names.sym(&group.model),
            endpoint: self.names.sym(&group.endpoint),
            region: self.names.sym(&group.region),
            service: self.names.sym(&group.service),
            kind: self.names.sym(&group.task),
            agent: self.names.sym(&group.agent),
            finish: self.names.sym(&group.finish),
            server_side_only: group.server_side_only,
            resends: 0,
            ..NO_CALL
        };
        for row in rows {
            self.row(block, model, row);
        }
    }

    fn row(&mut self, block: u64, model: Call, row: &Row) {
        let Row(at, total, first, input, cached, output, before, request, tenant) = *row;
        let start = block.saturating_mul(BLOCK.0);
        let start = start.saturating_add(u64::from(at) * Nanos::MILLI.0);
        let next = self.requests.len() as u32;
        let request = *self.requests.entry(request).or_insert(next);
        let previous = before.map(|(input, output)| {
            self.push(Call {
                input: tokens(input),
                output: tokens(output),
                ..NO_CALL
            })
        });
        let tenant = tenant.map_or(Sym::NONE, |t| self.names.sym(&format!("tenant {t}")));
        let index = self.push(Call {
            request,
            previous: previous.map(Small::new),
            round: u32::from(previous.is_some()),
            window: Window {
                start: Nanos(start),
                end: Nanos(start.saturating_add(middle(total))),
            },
            input: tokens(input),
            cached: tokens(cached),
            output: tokens(output),
            first_token: first.map(|t| Millis::new(middle(t) as f64 / 1e6)),
            tenant,
            ..model
        });
        self.kept.push(index);
    }

    fn push(&mut self, mut call: Call) -> u32 {
        let index = self.calls.all.len() as u32;
        call.op = index;
        self.calls.of_op.push(index);
        self.calls.all.push(call);
        index
    }
}

fn tokens(bucket: Option<u16>) -> Option<Small> {
    bucket.map(|b| Small::new(u32::try_from(middle(b)).unwrap_or(u32::MAX)))
}

/// Of which nothing is known. It ended after all others, and so is nobody's last.
const NO_CALL: Call = Call {
    op: 0,
    request: u32::MAX,
    span: 0,
    previous: None,
    round: 0,
    window: Window {
        start: Nanos(u64::MAX),
        end: Nanos(u64::MAX),
    },
    input: None,
    cached: None,
    output: None,
    first_token: None,
    model: Sym::NONE,
    endpoint: Sym::NONE,
    region: Sym::NONE,
    service: Sym::NONE,
    kind: Sym::NONE,
    agent: Sym::NONE,
    finish: Sym::NONE,
    tenant: Sym::NONE,
    server_side_only: false,
    resends: 0,
    engine: None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recording(rows: &[(u64, u32)], most: usize) -> Recording {
        let mut all = Recording::default();
        for (block, at) in rows {
            let row = Row(*at, 1, None, None, None, None, None, 0, None);
            all.rows(*block, Group::default()).push(row);
        }
        all.arrange_within(most);
        all
    }

    proptest! {
        #[test]
        fn samples_of_parts_merge_to_the_sample_of_the_whole(
            rows in prop::collection::vec((0_u64..12, 0_u32..100), 0..120),
            cut in 0_usize..120,
            most in 1_usize..60,
        ) {
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let (mut merged, right) = (recording(left, most), recording(right, most));
            merged.merge(right);
            merged.arrange_within(most);
            let whole = recording(&rows, most);
            prop_assert_eq!(&merged, &whole);
            prop_assert!(whole.blocks.len() == 1 || whole.len() <= most);
        }
    }
}
