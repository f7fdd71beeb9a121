//! What tools cost: not the tools themselves, but the tokens their results add to the prompts of the
//! conversation, in the next call and in every one after it.
//!
//! Between two calls of one conversation the prompt grows by the answer and by the results of the tools
//! that ran in between. What grew beyond the answer is theirs, in equal parts when several ran: a dump
//! shows no sizes. New tokens are paid at the full price; those carried on at the average price of the
//! rest of the prompt, so that what tools cost never exceeds what the prompts did.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::pricer::{Calls, terms_of, usage_of};
use crate::aggregate::latency::tool_sym;
use crate::aggregate::prices::Usage;
use crate::trace::StepKind;
use crate::units::{Sym, Usd};

/// What the results of one tool cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ToolCost {
    /// The tool.
    pub tool: String,
    /// Its calls.
    pub calls: u64,
    /// Of these: calls whose results can be seen in a later prompt.
    pub seen: u64,
    /// Tokens its results added to prompts.
    pub added_tokens: u64,
    /// Tokens of its results in all prompts, each counted as often as it was sent.
    pub carried_tokens: u64,
    /// What they cost; `None` when no prompt with them could be priced.
    pub cost: Option<Usd>,
}

/// Results of one tool that a conversation carries.
#[derive(Clone, Copy)]
struct Carried {
    tool: Sym,
    tokens: u64,
    /// Sent for the first time.
    new: bool,
}

#[derive(Default)]
struct Conversation {
    lane: Option<u32>,
    /// Prompt and answer of the call before.
    before: Option<(u64, u64)>,
    ran: Vec<Sym>,
    carried: Vec<Carried>,
}

type ByTool = HashMap<Sym, ToolCost, foldhash::fast::FixedState>;

/// Requests that one task looks at.
const REQUESTS: usize = 1 << 12;

/// Sums over all conversations.
pub(super) fn sum(calls: &Calls<'_>) -> Vec<ToolCost> {
    let requests = calls.forest.requests.par_chunks(REQUESTS);
    let tools = requests.map(|requests| {
        let mut tools = ByTool::default();
        for request in requests {
            sum_of(calls, request.ops.clone(), &mut tools);
        }
        tools
    });
    let tools = tools.reduce(ByTool::default, |mut all, part| {
        for (tool, cost) in part {
            all.entry(tool).or_default().add(&cost);
        }
        all
    });
    let named = |(tool, cost): (Sym, ToolCost)| ToolCost {
        tool: calls.data.text(tool).to_owned(),
        ..cost
    };
    let mut all: Vec<ToolCost> = tools.into_iter().map(named).collect();
    all.sort_by(|a, b| {
        let dearer = (b.cost, b.carried_tokens).cmp(&(a.cost, a.carried_tokens));
        dearer.then_with(|| a.tool.cmp(&b.tool))
    });
    all
}

/// Sums over the conversations of one request.
fn sum_of(calls: &Calls<'_>, ops: Range<u32>, tools: &mut ByTool) {
    let mut conversation = Conversation::default();
    let mut next = calls.origins.partition_point(|o| o.op < ops.start);
    for at in ops {
        let op = &calls.forest.ops[at as usize];
        if conversation.lane != Some(op.lane) {
            conversation = Conversation {
                lane: Some(op.lane),
                ..Conversation::default()
            };
        }
        let has_row = calls.origins.get(next).is_some_and(|o| o.op == at);
        if has_row && op.kind == StepKind::Model {
            conversation.model(calls, next, tools);
        } else if op.kind == StepKind::Tool
            && let Some(tool) = tool_sym(calls.data, op)
        {
            conversation.ran.push(tool);
            tools.entry(tool).or_default().calls += 1;
        }
        next += usize::from(has_row);
    }
}

impl ToolCost {
    /// Adds what other conversations cost.
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.seen += other.seen;
        self.added_tokens += other.added_tokens;
        self.carried_tokens += other.carried_tokens;
        if let Some(cost) = other.cost {
            *self.cost.get_or_insert_default() += cost;
        }
    }
}

impl Conversation {
    fn model(&mut self, calls: &Calls<'_>, row: usize, tools: &mut ByTool) {
        if !calls.origins[row].shows_input {
            return;
        }
        let line = &calls.rows[row];
        self.take_in(line.input.into(), line.output.into());
        if self.carried.is_empty() {
            return;
        }
        let Some((op, call, tariff)) = calls.get(row) else {
            return;
        };
        let usage = usage_of(&call);
        let prompt = Usage {
            output: 0,
            reasoning: 0,
            ..usage
        };
        let terms = terms_of(calls.data, &call, op.window.start);
        let whole = tariff.and_then(|t| t.cost(terms, prompt));
        let fresh = tariff.and_then(|t| t.input_price(terms, usage.input));
        let new: u64 = self
            .carried
            .iter()
            .filter(|c| c.new)
            .map(|c| c.tokens)
            .sum();
        let price = whole.zip(fresh).map(|(whole, fresh)| {
            let new_cost = i128::from(new) * i128::from(fresh) / 1_000_000;
            (i128::from(whole.0), new_cost.min(i128::from(whole.0)))
        });
        for part in &mut self.carried {
            let tool = tools.entry(part.tool).or_default();
            tool.carried_tokens += part.tokens;
            if part.new {
                tool.seen += 1;
                tool.added_tokens += part.tokens;
            }
            if let Some((whole, new_cost)) = price {
                let (cost, of) = match part.new {
                    true => (new_cost, new),
                    false => (whole - new_cost, usage.input.saturating_sub(new)),
                };
                let nano = i128::from(part.tokens) * cost / i128::from(of.max(1));
                *tool.cost.get_or_insert_default() += Usd(i64::try_from(nano).unwrap_or(i64::MAX));
            }
            part.new = false;
        }
    }

    /// What the tools that ran since the last call added to the prompt.
    fn take_in(&mut self, prompt: u64, answer: u64) {
        let ran = std::mem::take(&mut self.ran);
        let before = self.before.replace((prompt, answer));
        let Some((input, output)) = before else {
            return;
        };
        if prompt < input {
            // The conversation was cut or summarised: what is left of the results cannot be told.
            self.carried.clear();
            return;
        }
        let added = (prompt - input).saturating_sub(output);
        let each = added / (ran.len() as u64).max(1);
        let parts = ran.into_iter().map(|tool| Carried {
            tool,
            tokens: each,
            new: true,
        });
        self.carried.extend(parts);
    }
}
