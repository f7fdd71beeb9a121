//! The prices of one model as this program writes them, in JSON, in TOML and on the command line. The
//! same keys serve everywhere: a tier, an older price and a class of service are prices themselves.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::Price;
use crate::aggregate::prices::plan::{Machine, Plan, Special};
use crate::aggregate::prices::rates::{Overlay, Partial, Rates, Tier, femto};
use crate::aggregate::prices::service::Service;
use crate::aggregate::prices::table::When;
use crate::aggregate::prices::vintage;
use crate::units::Usd;

/// Prices, and what changes them. Prices are in US dollars per so many tokens as the document says.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, Serialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "prices of a model: {\"input\", \"cached_input\", \"output\"}"
)]
pub(in super::super) struct Node {
    /// First day on which these prices hold (`history`, classes of service), or time of day (`daily`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) from: Option<String>,
    /// Time of day at which these prices end (`daily`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) to: Option<String>,
    /// These prices hold for requests of more than so many input tokens (`above`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) input: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) cached_input: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) cache_write: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) cache_write_1h: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) output: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) reasoning: Option<Price>,
    /// Dollars per request, on top of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) per_request: Option<Price>,
    /// Dollars per GPU and hour, for models that one runs oneself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) gpu_hour: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) gpus: Option<u32>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub(in super::super) above: Vec<Node>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub(in super::super) history: Vec<Node>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub(in super::super) daily: Vec<Node>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub(in super::super) batch: Vec<Node>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub(in super::super) flex: Vec<Node>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub(in super::super) priority: Vec<Node>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub(in super::super) fast: Vec<Node>,
}

/// A [`Node`] that is a model's: checked while its place in the file is known.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Node")]
pub(in super::super) struct Listed(pub(in super::super) Node);

impl TryFrom<Node> for Listed {
    type Error = String;

    fn try_from(node: Node) -> Result<Self, String> {
        if node.gpu_hour.is_none() && node.output.is_none() {
            return Err("missing field `output`".to_owned());
        }
        node.plan(1e6)?;
        Ok(Self(node))
    }
}

impl Node {
    /// The price list; prices are dollars per `per` tokens.
    pub(in super::super) fn plan(&self, per: f64) -> Result<Plan, String> {
        if let Some(price) = self.gpu_hour {
            return self.of_machine(price);
        }
        let mut dated = vec![(When::Always, self.tiers(per)?)];
        for older in &self.history {
            dated.push((When::From(midnight(older)?), older.tiers(per)?));
        }
        dated.sort_by_key(|(when, _)| match when {
            When::From(start) => *start,
            When::Always | When::Daily { .. } => i64::MIN,
        });
        for part in &self.daily {
            let time = |text: &Option<String>| second_of_day(text.as_deref());
            let (from, to) = (time(&part.from)?, time(&part.to)?);
            dated.push((When::Daily { from, to }, part.tiers(per)?));
        }
        let mut special = Vec::new();
        for (service, nodes) in [
            (Service::Batch, &self.batch),
            (Service::Flex, &self.flex),
            (Service::Priority, &self.priority),
            (Service::Fast, &self.fast),
        ] {
            for node in nodes {
                let from = match node.from {
                    Some(_) => midnight(node)?,
                    None => i64::MIN,
                };
                let tiers = node.overlays(per)?;
                special.push(Special {
                    service,
                    from,
                    tiers,
                });
            }
        }
        Ok(Plan {
            dated,
            special,
            machine: None,
        })
    }

    fn of_machine(&self, price: Price) -> Result<Plan, String> {
        if self.input.is_some() || self.output.is_some() {
            return Err("gpu_hour prices the machine: leave out prices per token".to_owned());
        }
        let gpus = self.gpus.unwrap_or(1);
        let gpu_hour = Usd::from_dollars(price.0).ok_or("gpu_hour is out of range")?;
        (1..=100_000)
            .contains(&gpus)
            .then_some(Plan {
                machine: Some(Machine { gpu_hour, gpus }),
                ..Plan::default()
            })
            .ok_or_else(|| format!("expected a number of GPUs from 1 on, and found {gpus}"))
    }

    /// Tiers in rising order; what a tier does not name it takes from the one below.
    fn tiers(&self, per: f64) -> Result<Vec<Tier>, String> {
        let base = self.partial(per);
        let input = base.input.ok_or("missing field `input`")?;
        let request = self.per_request.and_then(|p| femto(p.0, 1.0)).unwrap_or(0);
        let blank = Rates {
            input,
            output: None,
            cache_read: None,
            cache_write: None,
            cache_write_1h: None,
            reasoning: None,
            request,
        };
        let overlays = self.overlays(per)?;
        let tier = |o: Overlay| Tier {
            above: o.above,
            rates: o.rates.over(&blank),
        };
        Ok(overlays.into_iter().map(tier).collect())
    }

    fn overlays(&self, per: f64) -> Result<Vec<Overlay>, String> {
        let mut steps: Vec<(u64, &Self)> = Vec::new();
        for step in &self.above {
            let tokens = step.tokens.filter(|n| *n > 0);
            let tokens =
                tokens.ok_or("expected in `above` how many `tokens` the tier starts above")?;
            steps.push((tokens, step));
        }
        steps.sort_by_key(|(tokens, _)| *tokens);
        let mut rates = self.partial(per);
        let mut all = vec![Overlay { above: 0, rates }];
        for (above, step) in steps {
            rates = step.partial(per).or(rates);
            all.push(Overlay { above, rates });
        }
        Ok(all)
    }

    fn partial(&self, per: f64) -> Partial {
        let each = |price: Option<Price>| price.and_then(|price| femto(price.0, per));
        Partial {
            input: each(self.input),
            output: each(self.output),
            cache_read: each(self.cached_input),
            cache_write: each(self.cache_write),
            cache_write_1h: each(self.cache_write_1h),
            reasoning: each(self.reasoning),
        }
    }
}

/// The second at which the day begins from which a price holds.
fn midnight(node: &Node) -> Result<i64, String> {
    let said = node.from.as_deref().unwrap_or_default();
    let day = vintage::parse_day(said);
    let day = day.ok_or_else(|| {
        format!("expected in `from` a day such as 2026-05-01, and found {said:?}")
    })?;
    Ok(i64::from(day) * 86_400)
}

fn second_of_day(text: Option<&str>) -> Result<u32, String> {
    let said = text.unwrap_or_default();
    let time: Result<jiff::civil::Time, _> = said.trim_end_matches('Z').parse();
    match time {
        Ok(time) => {
            Ok(time.hour() as u32 * 3600 + time.minute() as u32 * 60 + time.second() as u32)
        }
        Err(_) => Err(format!(
            "expected a time of day such as 16:30:00, UTC, and found {said:?}"
        )),
    }
}

/// One object, or a list of them.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Node>, D::Error> {
    struct Nodes(PhantomData<Node>);
    impl<'de> Visitor<'de> for Nodes {
        type Value = Vec<Node>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("prices, or a list of prices")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<Node>, A::Error> {
            Ok(vec![Node::deserialize(MapAccessDeserializer::new(map))?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Node>, A::Error> {
            let mut nodes = Vec::new();
            while let Some(node) = list.next_element()? {
                nodes.push(node);
            }
            Ok(nodes)
        }
    }
    deserializer.deserialize_any(Nodes(PhantomData))
}

/// How a price list is written, in dollars per million tokens.
impl From<&Plan> for Node {
    fn from(plan: &Plan) -> Self {
        if let Some(machine) = plan.machine {
            return Self {
                gpu_hour: Some(Price(machine.gpu_hour.as_dollars())),
                gpus: Some(machine.gpus),
                ..Self::default()
            };
        }
        let mut dated = plan.dated.iter();
        let mut node = dated
            .next()
            .map(|(_, tiers)| of_tiers(tiers))
            .unwrap_or_default();
        for (when, tiers) in dated {
            let mut part = of_tiers(tiers);
            match *when {
                When::Always => {}
                When::From(start) => {
                    part.from = Some(day(start));
                    node.history.push(part);
                }
                When::Daily { from, to } => {
                    (part.from, part.to) = (Some(clock(from)), Some(clock(to)));
                    node.daily.push(part);
                }
            }
        }
        for special in &plan.special {
            let mut part = of_overlays(&special.tiers);
            part.from = (special.from != i64::MIN).then(|| day(special.from));
            match special.service {
                Service::Standard => {}
                Service::Batch => node.batch.push(part),
                Service::Flex => node.flex.push(part),
                Service::Priority => node.priority.push(part),
                Service::Fast => node.fast.push(part),
            }
        }
        node
    }
}

fn of_tiers(tiers: &[Tier]) -> Node {
    let overlay = |tier: &Tier| Overlay {
        above: tier.above,
        rates: Partial {
            input: Some(tier.rates.input),
            output: tier.rates.output,
            cache_read: tier.rates.cache_read,
            cache_write: tier.rates.cache_write,
            cache_write_1h: tier.rates.cache_write_1h,
            reasoning: tier.rates.reasoning,
        },
    };
    let overlays: Vec<Overlay> = tiers.iter().map(overlay).collect();
    let mut node = of_overlays(&overlays);
    let request = tiers.first().map_or(0, |tier| tier.rates.request);
    node.per_request = (request > 0).then(|| Price(request as f64 / 1e15));
    node
}

fn of_overlays(overlays: &[Overlay]) -> Node {
    let node = |overlay: &Overlay| {
        let price = |femto: Option<u64>| femto.map(|femto| Price(femto as f64 / 1e9));
        let rates = overlay.rates;
        Node {
            input: price(rates.input),
            cached_input: price(rates.cache_read),
            cache_write: price(rates.cache_write),
            cache_write_1h: price(rates.cache_write_1h),
            output: price(rates.output),
            reasoning: price(rates.reasoning),
            ..Node::default()
        }
    };
    let Some((first, steps)) = overlays.split_first() else {
        return Node::default();
    };
    let step = |overlay: &Overlay| Node {
        tokens: Some(overlay.above),
        ..node(overlay)
    };
    Node {
        above: steps.iter().map(step).collect(),
        ..node(first)
    }
}

fn day(second: i64) -> String {
    jiff::Timestamp::from_second(second)
        .map_or_else(|_| String::new(), |t| t.strftime("%Y-%m-%d").to_string())
}

fn clock(second: u32) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}
