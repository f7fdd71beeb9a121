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
    /// Its number among all tools.
    tool: usize,
    tokens: u64,
    /// Sent for the first time.
    new: bool,
}

#[derive(Default)]
struct Conversation {
    lane: Option<u32>,
    /// Prompt and answer of the call before.
    before: Option<(u64, u64)>,
    ran: Vec<usize>,
    carried: Vec<Carried>,
}

/// What tools cost, by number.
#[derive(Default)]
struct ByTool {
    numbers: HashMap<Sym, usize, foldhash::fast::FixedState>,
    all: Vec<(Sym, ToolCost)>,
}

impl ByTool {
    /// The number of a tool.
    fn number(&mut self, tool: Sym) -> usize {
        *self.numbers.entry(tool).or_insert_with(|| {
            self.all.push((tool, ToolCost::default()));
            self.all.len() - 1
        })
    }

    fn get(&mut self, number: usize) -> &mut ToolCost {
        &mut self.all[number].1
    }
}

/// Requests that one task looks at.
const REQUESTS: usize = 1 << 12;

/// Sums over all conversations.
pub(super) fn sum(calls: &Calls<'_>) -> Vec<ToolCost> {
    let requests = calls.forest.requests.par_chunks(REQUESTS);
    let tools = requests.map(|requests| {
        let mut tools = ByTool::default();
        let mut conversation = Conversation::default();
        for request in requests {
            conversation.begin(None);
            sum_of(calls, request.ops.clone(), &mut conversation, &mut tools);
        }
        tools
    });
    let tools = tools.reduce(ByTool::default, |mut all, part| {
        for (tool, cost) in part.all {
            let number = all.number(tool);
            all.get(number).add(&cost);
        }
        all
    });
    let named = |(tool, cost): (Sym, ToolCost)| ToolCost {
        tool: calls.data.text(tool).to_owned(),
        ..cost
    };
    let mut all: Vec<ToolCost> = tools.all.into_iter().map(named).collect();
    all.sort_by(|a, b| {
        let dearer = (b.cost, b.carried_tokens).cmp(&(a.cost, a.carried_tokens));
        dearer.then_with(|| a.tool.cmp(&b.tool))
    });
    all
}

/// Sums over the conversations of one request.
fn sum_of(calls: &Calls<'_>, ops: Range<u32>, conversation: &mut Conversation, tools: &mut ByTool) {
    let mut next = calls.origins.partition_point(|o| o.op < ops.start);
    for at in ops {
        let op = &calls.forest.ops[at as usize];
        if conversation.lane != Some(op.lane) {
            conversation.begin(Some(op.lane));
        }
        let has_row = calls.origins.get(next).is_some_and(|o| o.op == at);
        if has_row && op.kind == StepKind::Model {
            conversation.model(calls, next, tools);
        } else if op.kind == StepKind::Tool
            && let Some(tool) = tool_sym(calls.data, op)
        {
            let number = tools.number(tool);
            conversation.ran.push(number);
            tools.get(number).calls += 1;
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
    /// Another one, in the same memory.
    fn begin(&mut self, lane: Option<u32>) {
        (self.lane, self.before) = (lane, None);
        self.ran.clear();
        self.carried.clear();
    }

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
            let fresh = i64::try_from(fresh).unwrap_or(i64::MAX);
            let new_cost = share(new, fresh, 1_000_000).min(whole.0);
            (whole.0, new_cost)
        });
        for part in &mut self.carried {
            let tool = tools.get(part.tool);
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
                *tool.cost.get_or_insert_default() += Usd(share(part.tokens, cost, of.max(1)));
            }
            part.new = false;
        }
    }

    /// What the tools that ran since the last call added to the prompt.
    fn take_in(&mut self, prompt: u64, answer: u64) {
        let before = self.before.replace((prompt, answer));
        let Some((input, output)) = before else {
            return self.ran.clear();
        };
        if prompt < input {
            // The conversation was cut or summarised: what is left of the results cannot be told.
            self.carried.clear();
            return self.ran.clear();
        }
        let added = (prompt - input).saturating_sub(output);
        let each = added / (self.ran.len() as u64).max(1);
        let parts = self.ran.drain(..).map(|tool| Carried {
            tool,
            tokens: each,
            new: true,
        });
        self.carried.extend(parts);
    }
}

/// `part` of `cost`, which is paid for `whole`, rounded down. Nearly always 64 bits hold the product, and dividing 128
/// takes several times as long.
fn share(part: u64, cost: i64, whole: u64) -> i64 {
    let small = i64::try_from(part).ok().zip(i64::try_from(whole).ok());
    let product = small.and_then(|(part, whole)| Some((part.checked_mul(cost)?, whole)));
    match product {
        Some((product, whole)) => product / whole,
        None => {
            let exact = i128::from(part) * i128::from(cost) / i128::from(whole);
            i64::try_from(exact).unwrap_or(i64::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_the_same_in_64_bits_and_beyond() {
        assert_eq!(share(3, 10, 4), 7);
        assert_eq!(share(3, -10, 4), -7);
        assert_eq!(share(1 << 40, 1 << 40, 1 << 50), 1 << 30);
        assert_eq!(share(u64::MAX, 3, u64::MAX), 3);
        assert_eq!(share(u64::MAX, i64::MAX, 1), i64::MAX);
    }
}
