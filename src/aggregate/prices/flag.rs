//! Prices on the command line: `MODEL=INPUT/OUTPUT`, `MODEL=INPUT/CACHED/OUTPUT` in dollars per million
//! tokens, or `MODEL=PRICE/gpu-hour` with `*GPUS` behind it.

use std::str::FromStr;

use super::file::{Node, Price};
use super::plan::Plan;

/// One model and its price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// Model in lower case.
    pub(super) model: String,
    pub(super) plan: Plan,
}

/// What a price on the command line may look like.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0}; expected MODEL=INPUT/OUTPUT or MODEL=INPUT/CACHED/OUTPUT in US dollars per million tokens, such as \
     llama=0.88/0.22/0.88, or MODEL=PRICE/gpu-hour*GPUS, such as llama=2.49/gpu-hour*4"
)]
pub struct BadPrice(String);

impl FromStr for Given {
    type Err = BadPrice;

    fn from_str(text: &str) -> Result<Self, BadPrice> {
        let bad = |what: String| BadPrice(what);
        let (model, price) = text
            .rsplit_once('=')
            .ok_or_else(|| bad("no `=` in it".to_owned()))?;
        let model = model.trim().to_lowercase();
        if model.is_empty() {
            return Err(bad("no model before `=`".to_owned()));
        }
        let parts: Vec<&str> = price.split('/').map(str::trim).collect();
        let dollars = |part: &str| match part.trim_start_matches('$').parse::<f64>() {
            Ok(number) if (0.0..1e9).contains(&number) => Ok(Some(Price(number))),
            _ => Err(bad(format!("{part:?} is no price"))),
        };
        let node = match parts.as_slice() {
            [rate, hour] if hour.starts_with("gpu-hour") => Node {
                gpu_hour: dollars(rate)?,
                gpus: Some(
                    gpus(hour).ok_or_else(|| bad(format!("{hour:?} is no number of GPUs")))?,
                ),
                ..Node::default()
            },
            [input, output] => Node {
                input: dollars(input)?,
                output: dollars(output)?,
                ..Node::default()
            },
            [input, cached, output] => Node {
                input: dollars(input)?,
                cached_input: dollars(cached)?,
                output: dollars(output)?,
                ..Node::default()
            },
            _ => return Err(bad(format!("{price:?} is no price"))),
        };
        let plan = node.plan(1e6).map_err(bad)?;
        Ok(Self { model, plan })
    }
}

/// `gpu-hour` is one, `gpu-hour*4` four.
fn gpus(text: &str) -> Option<u32> {
    let times = text.strip_prefix("gpu-hour")?.trim();
    match times.strip_prefix('*') {
        Some(number) => number.trim().parse().ok(),
        None => times.is_empty().then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Prices, Source, Usage};
    use super::*;
    use crate::units::{Nanos, Usd};

    #[test]
    fn the_forms_of_a_price() {
        let given = |text: &str| text.parse::<Given>();
        let mut prices = Prices::builtin();
        let all = [given("M=1/3").unwrap(), given("n=1/0.5/3").unwrap()];
        prices.add_given(&all);
        let usage = Usage {
            input: 1_000_000,
            cached: 1_000_000,
            output: 1_000_000,
            ..Usage::default()
        };
        let cost = |model| prices.cost("", model, Nanos::ZERO, usage);
        assert_eq!(cost("m"), Some(Usd(4_000_000_000)));
        assert_eq!(cost("n"), Some(Usd(3_500_000_000)));
        assert_eq!(
            prices.find("", &["m"]).map(|t| t.source),
            Some(Source::Flag)
        );
        let machine = given("own/llama=2.50/gpu-hour*4")
            .unwrap()
            .plan
            .machine
            .unwrap();
        assert_eq!((machine.gpu_hour, machine.gpus), (Usd(2_500_000_000), 4));
        for bad in [
            "m",
            "=1/2",
            "m=1",
            "m=-1/2",
            "m=1/2/3/4",
            "m=1/gpu-hour*0",
            "m=1/gpu-hourly",
            "m=x/1",
        ] {
            assert!(given(bad).is_err(), "{bad}");
        }
    }
}
