//! What requests cost: per request, and by model, task, agent, tenant and day. Each call is counted
//! once; what cannot be priced is listed and never taken for free.

use hashbrown::HashMap;

use super::frame::{CallRow, Frame, FrameError, Key};
use super::prices::{Prices, Source, Tariff, Usage};
use super::total::{Total, day_label, dearest, labelled, whole};
use crate::model::{Dataset, Known, LlmCall};
use crate::trace::{Forest, Request, StepKind, StepOp};
use crate::units::{Nanos, Ratio, Sym, Usd};

/// What one request cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestCost {
    /// US dollars for the calls that could be priced; `None` when none could.
    pub cost: Option<Usd>,
    /// Tokens of the calls that could be priced, of all tokens seen.
    pub priced: Ratio,
    /// Calls that answered and show no token counts: their cost is not in `cost`.
    pub unmetered: u32,
    /// Cost as the emitter estimated it, where it did: for comparison only.
    pub reported: Option<Usd>,
}

/// A model without a price.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UnknownModel {
    /// Vendor as the dump names it.
    pub provider: String,
    /// Model as the dump names it.
    pub model: String,
    /// Calls with token counts.
    pub calls: u64,
    /// Their tokens, in and out.
    pub tokens: u64,
}

/// All sums of cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Over all requests.
    pub total: Total,
    /// By model, dearest first.
    pub by_model: Vec<Total>,
    /// By kind of task, dearest first.
    pub by_task: Vec<Total>,
    /// By the agent that made the call, dearest first.
    pub by_agent: Vec<Total>,
    /// By tenant, dearest first.
    pub by_tenant: Vec<Total>,
    /// By UTC day of the request's start, in order.
    pub by_day: Vec<Total>,
    /// Models without a price, most tokens first.
    pub unknown: Vec<UnknownModel>,
    /// Calls that answered and show no token counts.
    pub unmetered: u64,
    /// Calls priced from each source.
    pub sources: Vec<(Source, u64)>,
    /// Cached tokens paid at the full input price because no cache price is listed.
    pub undiscounted_tokens: u64,
    /// Calls whose vendor had to be told from the model's name.
    pub provider_assumed: u64,
}

/// Prices every call and sums.
pub(super) fn summarise(
    data: &Dataset,
    forest: &Forest,
    prices: &Prices,
) -> Result<(Cost, Vec<RequestCost>), FrameError> {
    let mut pricer = Pricer::new(data, prices);
    let per_request = forest
        .requests
        .iter()
        .zip(0..)
        .map(|(request, index)| pricer.request(forest, request, index))
        .collect();
    Ok((pricer.finish()?, per_request))
}

/// A model by all names it goes by in a call: provider, answered, requested.
type Names = (Sym, Sym, Sym);

struct Pricer<'a> {
    data: &'a Dataset,
    prices: &'a Prices,
    tariffs: HashMap<Names, Option<Tariff<'a>>>,
    unknown: HashMap<(Sym, Sym), (u64, u64)>,
    sources: [u64; 3],
    rows: Vec<CallRow>,
    cost: Cost,
}

impl<'a> Pricer<'a> {
    fn new(data: &'a Dataset, prices: &'a Prices) -> Self {
        Self {
            data,
            prices,
            tariffs: HashMap::new(),
            unknown: HashMap::new(),
            sources: [0; 3],
            rows: Vec::new(),
            cost: Cost::default(),
        }
    }

    fn request(&mut self, forest: &Forest, request: &Request, index: u32) -> RequestCost {
        let mut sum = RequestCost::default();
        let day = (request.wall.start.0 / (86_400 * Nanos::SECOND.0)) as u32;
        for op in ops(forest, request) {
            let Some(call) = call_of(self.data, op) else {
                continue;
            };
            if let Some(reported) = call.reported_cost {
                *sum.reported.get_or_insert_default() += reported.value;
            }
            if !call.has_usage() {
                sum.unmetered += u32::from(op.kind == StepKind::Model);
                continue;
            }
            let agent = agent_of(forest, request, op);
            let row = CallRow {
                keys: [0, request.kind.0, agent.0, request.tenant.0, day],
                request: index,
                ..CallRow::default()
            };
            self.call(call, op.window.start, row, &mut sum);
        }
        self.cost.unmetered += u64::from(sum.unmetered);
        sum
    }

    fn call(&mut self, call: &LlmCall, at: Nanos, mut row: CallRow, sum: &mut RequestCost) {
        let usage = usage_of(call);
        let tariff = self.tariff(call);
        let cost = tariff.and_then(|tariff| tariff.cost(at, usage));
        sum.priced.whole += usage.tokens();
        if let (Some(cost), Some(tariff)) = (cost, tariff) {
            *sum.cost.get_or_insert_default() += cost;
            sum.priced.part += usage.tokens();
            self.sources[tariff.source as usize] += 1;
            self.cost.provider_assumed += u64::from(tariff.provider_assumed);
            if !tariff.discounts_cache(at) {
                self.cost.undiscounted_tokens += usage.cached;
            }
        } else {
            let key = (call.provider, call.model());
            let (calls, tokens) = self.unknown.entry(key).or_default();
            *calls += 1;
            *tokens += usage.tokens();
        }
        row.keys[Key::Model as usize] = call.model().0;
        row.input = usage.input;
        row.cached = usage.cached;
        row.output = usage.output;
        row.cost = cost.map(|usd| usd.0);
        self.rows.push(row);
    }

    fn tariff(&mut self, call: &LlmCall) -> Option<Tariff<'a>> {
        let (data, prices) = (self.data, self.prices);
        let names = (call.provider, call.answered, call.requested);
        *self.tariffs.entry(names).or_insert_with(|| {
            let models = [data.text(call.answered), data.text(call.requested)];
            prices.find(data.text(call.provider), &models)
        })
    }

    fn finish(self) -> Result<Cost, FrameError> {
        let frame = Frame::new(&self.rows)?;
        let named = |key| -> Result<Vec<Total>, FrameError> {
            let text = |code| self.data.text(Sym(code)).to_owned();
            let mut totals = labelled(frame.totals(key)?, text);
            totals.sort_by(|a, b| dearest(a).cmp(&dearest(b)));
            Ok(totals)
        };
        let by_day = labelled(frame.totals(Key::Day)?, day_label);
        let requests = self.rows.chunk_by(|a, b| a.request == b.request).count();
        let mut cost = Cost {
            total: whole(&by_day, requests as u64),
            by_model: named(Key::Model)?,
            by_task: named(Key::Task)?,
            by_agent: named(Key::Agent)?,
            by_tenant: named(Key::Tenant)?,
            by_day,
            ..self.cost
        };
        let sources = [Source::File, Source::GenaiPrices, Source::LiteLlm];
        cost.sources = sources.into_iter().zip(self.sources).collect();
        cost.sources.retain(|(_, calls)| *calls > 0);
        let unknown = self.unknown.into_iter();
        cost.unknown = unknown
            .map(|((provider, model), (calls, tokens))| UnknownModel {
                provider: self.data.text(provider).to_owned(),
                model: self.data.text(model).to_owned(),
                calls,
                tokens,
            })
            .collect();
        cost.unknown
            .sort_by(|a, b| b.tokens.cmp(&a.tokens).then_with(|| a.cmp(b)));
        Ok(cost)
    }
}

/// The leaf operations of a request.
pub(super) fn ops<'a>(forest: &'a Forest, request: &Request) -> &'a [StepOp] {
    let range = request.ops.start as usize..request.ops.end as usize;
    forest.ops.get(range).unwrap_or_default()
}

/// The agent whose lane an operation lies in; the request's own for its first lane.
pub(super) fn agent_of(forest: &Forest, request: &Request, op: &StepOp) -> Sym {
    match forest.lanes.get(op.lane as usize) {
        Some(lane) if op.lane != request.lanes.start => lane.agent,
        _ => request.agent,
    }
}

/// The model call behind an operation; embeddings count, tools do not.
pub(super) fn call_of<'a>(data: &'a Dataset, op: &StepOp) -> Option<&'a LlmCall> {
    data.llm_of(data.spans.get(op.span as usize)?)
}

fn usage_of(call: &LlmCall) -> Usage {
    let count = |known: Option<Known<u32>>| known.map_or(0, |k| u64::from(k.value));
    Usage {
        input: count(call.input),
        cached: count(call.cached),
        cache_write: count(call.cache_write),
        cache_write_1h: 0,
        output: count(call.output),
        reasoning: count(call.reasoning),
    }
}
