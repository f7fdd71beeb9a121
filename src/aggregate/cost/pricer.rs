//! Prices every call of every request.

use hashbrown::HashMap;

use super::{
    Cost, PricedCall, RequestCost, TableUse, UnknownModel, machine, reconcile, tools, waste,
};
use crate::aggregate::prices::{Prices, Service, Source, Tariff, Terms, Usage};
use crate::aggregate::sums::{CallRow, Key, Totals};
use crate::aggregate::total::{day_label, dearest, labelled, whole};
use crate::model::{Dataset, Known, LlmCall, Span};
use crate::trace::{Forest, Request, StepKind, StepOp};
use crate::units::{Nanos, Sym, Usd, Window, roomy};

/// A model by all names it goes by in a call: provider, answered, requested.
type Names = (Sym, Sym, Sym);

/// Where a row of the table of calls comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// Index into [`Forest::ops`].
    pub(super) op: u32,
    /// Index into [`Calls::tariffs`].
    pub(super) tariff: u32,
    /// Whether the dump shows how long the prompt was, and how much of it came from a cache.
    pub(super) shows_input: bool,
    pub(super) shows_cache: bool,
    /// Symbol of the address it went to.
    pub(super) endpoint: u32,
}

/// All calls with token counts, in the order of operations, and what they cost.
pub(super) struct Calls<'a> {
    pub(super) data: &'a Dataset,
    pub(super) forest: &'a Forest,
    pub(super) rows: Vec<CallRow>,
    pub(super) origins: Vec<Origin>,
    pub(super) tariffs: Vec<Option<Tariff<'a>>>,
    /// Cost as reported, by row.
    pub(super) reported: Vec<(u32, Usd)>,
    pub(super) window: Window,
}

impl<'a> Calls<'a> {
    /// The operation, the call and the price list of a row.
    pub(super) fn get(&self, row: usize) -> Option<(&'a StepOp, LlmCall, Option<Tariff<'a>>)> {
        let op = self.op(row)?;
        Some((op, call_of(self.data, op)?, self.tariff(row)))
    }

    /// The operation of a row.
    pub(super) fn op(&self, row: usize) -> Option<&'a StepOp> {
        let origin = self.origins.get(row)?;
        self.forest.ops.get(origin.op as usize)
    }

    /// The price list of a row, where it has one.
    pub(super) fn tariff(&self, row: usize) -> Option<Tariff<'a>> {
        let origin = self.origins.get(row)?;
        *self.tariffs.get(origin.tariff as usize)?
    }
}

pub(super) struct Pricer<'a> {
    prices: &'a Prices,
    known: HashMap<Names, u32>,
    unknown: HashMap<(Sym, Sym), (u64, u64)>,
    sources: [u64; Source::ALL.len()],
    services: std::collections::BTreeMap<Service, u64>,
    calls: Calls<'a>,
    per_request: Vec<RequestCost>,
    cost: Cost,
}

impl<'a> Pricer<'a> {
    pub(super) fn new(data: &'a Dataset, forest: &'a Forest, prices: &'a Prices) -> Self {
        let window = forest.window();
        Self {
            prices,
            known: HashMap::new(),
            unknown: HashMap::new(),
            sources: [0; Source::ALL.len()],
            services: std::collections::BTreeMap::new(),
            calls: Calls {
                data,
                forest,
                rows: roomy(data.llm.len()),
                origins: roomy(data.llm.len()),
                tariffs: Vec::new(),
                reported: Vec::new(),
                window,
            },
            per_request: Vec::new(),
            cost: Cost {
                window,
                ..Cost::default()
            },
        }
    }

    /// Reads all calls and prices those that have a price per token.
    pub(super) fn read(&mut self) {
        let requests = &self.calls.forest.requests;
        self.per_request = vec![RequestCost::default(); requests.len()];
        let mut order: Vec<u32> = (0..requests.len() as u32).collect();
        order.sort_by_key(|index| requests[*index as usize].ops.start);
        for index in order {
            let sum = self.request(&requests[index as usize], index);
            self.cost.unmetered += u64::from(sum.unmetered);
            self.per_request[index as usize] = sum;
        }
    }

    fn request(&mut self, request: &Request, index: u32) -> RequestCost {
        let (data, forest) = (self.calls.data, self.calls.forest);
        let mut sum = RequestCost::default();
        let day = (request.wall.start.0 / (86_400 * Nanos::SECOND.0)) as u32;
        for (op, at) in ops(forest, request).iter().zip(request.ops.start..) {
            let Some(call) = call_of(data, op) else {
                continue;
            };
            let reported = call.reported_cost.map(|known| known.value);
            if let Some(reported) = reported {
                *sum.reported.get_or_insert_default() += reported;
            }
            let tariff = self.tariff(&call);
            let machine = self.listed(tariff).is_some_and(|t| t.machine().is_some());
            if !call.has_usage() && !machine {
                sum.unmetered += u32::from(op.kind == StepKind::Model);
                continue;
            }
            let agent = agent_of(forest, request, op);
            let row = CallRow {
                keys: [
                    call.model().0,
                    request.kind.0,
                    agent.0,
                    request.tenant.0,
                    day,
                ],
                request: index,
                ..CallRow::default()
            };
            if let Some(reported) = reported {
                let number = self.calls.rows.len() as u32;
                self.calls.reported.push((number, reported));
            }
            self.calls.origins.push(Origin {
                op: at,
                tariff,
                shows_input: call.input.is_some(),
                shows_cache: call.cached.is_some(),
                endpoint: call.endpoint.0,
            });
            let row = self.call(&call, op.window.start, row, tariff);
            self.calls.rows.push(row);
        }
        sum
    }

    fn call(&mut self, call: &LlmCall, at: Nanos, mut row: CallRow, tariff: u32) -> CallRow {
        let usage = usage_of(call);
        let terms = terms_of(self.calls.data, call, at);
        self.cost.shows_cache |= call.cached.is_some();
        let tariff = self.listed(tariff);
        let cost = tariff.and_then(|tariff| tariff.cost(terms, usage));
        if terms.service != Service::Standard {
            *self.services.entry(terms.service).or_default() += 1;
        }
        let machine = tariff.is_some_and(|tariff| tariff.machine().is_some());
        if let Some(tariff) = tariff.filter(|_| cost.is_some() || machine) {
            self.sources[tariff.source as usize] += 1;
            self.cost.provider_assumed += u64::from(tariff.provider_assumed);
            self.cost.standard_rate_assumed += u64::from(!machine && !tariff.knows(terms));
            if !machine && !tariff.discounts_cache(at) {
                self.cost.undiscounted_tokens += usage.cached;
            }
        } else {
            let key = (call.provider, call.model());
            let (calls, tokens) = self.unknown.entry(key).or_default();
            *calls += 1;
            *tokens += usage.tokens();
        }
        let count = |known: Option<Known<u32>>| known.map_or(0, |k| k.value);
        row.input = count(call.input);
        row.cached = count(call.cached);
        row.output = count(call.output);
        row.cost = cost.map(|usd| usd.0);
        row
    }

    fn listed(&self, tariff: u32) -> Option<Tariff<'a>> {
        self.calls.tariffs.get(tariff as usize).copied().flatten()
    }

    fn tariff(&mut self, call: &LlmCall) -> u32 {
        let (data, prices) = (self.calls.data, self.prices);
        let names = (call.provider, call.answered, call.requested);
        let tariffs = &mut self.calls.tariffs;
        *self.known.entry(names).or_insert_with(|| {
            let models = [data.text(call.answered), data.text(call.requested)];
            tariffs.push(prices.find(data.text(call.provider), &models));
            tariffs.len() as u32 - 1
        })
    }

    /// Prices what needs all calls to be known, and sums.
    pub(super) fn finish(mut self) -> (Cost, Vec<RequestCost>) {
        self.cost.machines = machine::settle(&mut self.calls);
        self.cost.waste = waste::find(&mut self.calls);
        let calls = &self.calls;
        let (totals, (by_tool, reconciliation)) = rayon::join(
            || Totals::of(&calls.rows),
            || (tools::sum(calls), reconcile::compare(calls)),
        );
        self.cost.by_tool = by_tool;
        self.cost.reconciliation = reconciliation;
        self.add_to_requests();
        self.tables();
        self.unpriced();
        self.name_totals(&totals);
        (self.cost, self.per_request)
    }

    /// What each request cost, and nothing else; where machines are paid by the hour, nothing at all.
    pub(super) fn requests(mut self) -> Option<Vec<RequestCost>> {
        let machines = machine::settle(&mut self.calls);
        waste::find(&mut self.calls);
        self.add_to_requests();
        machines.is_empty().then_some(self.per_request)
    }

    /// Every call and what it cost.
    pub(super) fn calls(mut self) -> Vec<PricedCall> {
        machine::settle(&mut self.calls);
        waste::find(&mut self.calls);
        let rows = self.calls.rows.iter().zip(&self.calls.origins);
        let call = |(row, origin): (&CallRow, &Origin)| PricedCall {
            op: origin.op,
            cost: row.cost.map(Usd),
            wasted: Usd(row.wasted),
        };
        rows.map(call).collect()
    }

    fn add_to_requests(&mut self) {
        for row in &self.calls.rows {
            let Some(sum) = self.per_request.get_mut(row.request as usize) else {
                continue;
            };
            let tokens = row.tokens();
            sum.priced.whole += tokens;
            if let Some(cost) = row.cost {
                *sum.cost.get_or_insert_default() += Usd(cost);
                sum.priced.part += tokens;
                sum.wasted += Usd(row.wasted);
            }
        }
    }

    fn tables(&mut self) {
        let sources = Source::ALL.into_iter().zip(self.sources);
        self.cost.sources = sources.filter(|(_, calls)| *calls > 0).collect();
        self.cost.services = self.services.iter().map(|(s, n)| (*s, *n)).collect();
        let window = self.calls.window;
        for vintage in self.prices.vintages() {
            let calls = self.sources[vintage.source as usize];
            let own = !matches!(vintage.source, Source::GenaiPrices | Source::LiteLlm);
            if calls > 0 || (own && !self.calls.rows.is_empty()) {
                self.cost.tables.push(TableUse {
                    age_days: vintage
                        .age_days(window)
                        .filter(|_| window.end > Nanos::ZERO),
                    warning: vintage.warning(window).filter(|_| calls > 0),
                    calls,
                    vintage,
                });
            }
        }
    }

    fn unpriced(&mut self) {
        let data = self.calls.data;
        let unknown = std::mem::take(&mut self.unknown).into_iter();
        let text = |sym| data.text(sym).to_owned();
        let mut unknown: Vec<UnknownModel> = unknown
            .map(|((provider, model), (calls, tokens))| UnknownModel {
                provider: text(provider),
                model: text(model),
                calls,
                tokens,
            })
            .collect();
        unknown.sort_by(|a, b| b.tokens.cmp(&a.tokens).then_with(|| a.cmp(b)));
        self.cost.unknown = unknown;
    }

    fn name_totals(&mut self, sums: &Totals) {
        let named = |key| {
            let text = |code| self.calls.data.text(Sym(code)).to_owned();
            let mut totals = labelled(sums.by(key), text);
            totals.sort_by(|a, b| dearest(a).cmp(&dearest(b)));
            totals
        };
        self.cost.by_model = named(Key::Model);
        self.cost.by_task = named(Key::Task);
        self.cost.by_agent = named(Key::Agent);
        self.cost.by_tenant = named(Key::Tenant);
        self.cost.by_day = labelled(sums.by(Key::Day), day_label);
        let rows = &self.calls.rows;
        let requests = rows.chunk_by(|a, b| a.request == b.request).count();
        self.cost.total = whole(&self.cost.by_day, requests as u64);
    }
}

/// The leaf operations of a request.
pub(crate) fn ops<'a>(forest: &'a Forest, request: &Request) -> &'a [StepOp] {
    let range = request.ops.start as usize..request.ops.end as usize;
    forest.ops.get(range).unwrap_or_default()
}

/// The agent whose lane an operation lies in; the request's own for its first lane.
pub(crate) fn agent_of(forest: &Forest, request: &Request, op: &StepOp) -> Sym {
    match forest.lanes.get(op.lane as usize) {
        Some(lane) if op.lane != request.lanes.start => lane.agent,
        _ => request.agent,
    }
}

/// The model call behind an operation; embeddings count, tools do not.
#[inline]
pub(crate) fn call_of(data: &Dataset, op: &StepOp) -> Option<LlmCall> {
    data.llm_of(data.spans.get(op.span as usize)?)
}

pub(super) fn usage_of(call: &LlmCall) -> Usage {
    let count = |known: Option<Known<u32>>| known.map_or(0, |k| u64::from(k.value));
    Usage {
        input: count(call.input),
        cached: count(call.cached),
        cache_write: count(call.cache_write),
        cache_write_1h: count(call.cache_write_1h),
        output: count(call.output),
        reasoning: count(call.reasoning),
    }
}

pub(super) fn terms_of(data: &Dataset, call: &LlmCall, at: Nanos) -> Terms {
    Terms {
        at,
        service: Service::of_tier(data.text(call.tier)),
    }
}

/// What the call behind `span` costs, and what it would cost with other tokens; `None` where it cannot
/// be priced either way.
#[must_use]
pub fn recost(
    data: &Dataset,
    prices: &Prices,
    span: &Span,
    change: impl FnOnce(&mut Usage),
) -> Option<(Usd, Usd)> {
    let call = data.llm_of(span).filter(|call| call.has_usage())?;
    let models = [data.text(call.answered), data.text(call.requested)];
    let tariff = prices.find(data.text(call.provider), &models)?;
    let terms = terms_of(data, &call, span.start);
    let mut usage = usage_of(&call);
    let observed = tariff.cost(terms, usage)?;
    change(&mut usage);
    Some((observed, tariff.cost(terms, usage)?))
}
