//! Token arithmetic: input made to include cached tokens, output to include reasoning.

use super::DIALECTS;
use super::field::NumberField as N;
use super::slots::Slots;
use super::vocabulary::Counter;
use crate::model::{Known, LlmCall, Via};

/// Fills the token figures of `call`; `scope` and the canonical provider say who counted.
pub(super) fn fill(
    call: &mut LlmCall,
    slots: &Slots<'_>,
    scope: &str,
    provider: &str,
    model: &str,
) {
    let mut figures = Figures {
        input: slots.number(N::Input),
        output: slots.number(N::Output),
        cached: slots.number(N::Cached),
        write: slots.number(N::CacheWrite),
        reasoning: slots.number(N::Reasoning),
        total: slots.number(N::Total),
    };
    if figures.is_blank() {
        return;
    }
    if figures.input.is_none()
        && let Some(fresh) = slots.number(N::Fresh)
    {
        figures.input = Some(fresh + figures.cached.unwrap_or(0.0) + figures.write.unwrap_or(0.0));
    } else if figures.needs_basis() {
        let counter = Counter {
            scope,
            provider,
            slots,
        };
        let said =
            says(&counter, slots.home()).or_else(|| says(&counter, slots.number_from(N::Input)));
        let (includes, assumed) = figures.includes_cache(said, || model.contains("claude"));
        if !includes {
            figures.add_cache();
        }
        call.cache_basis_assumed = assumed;
    }
    if figures.input.is_none() && figures.output.is_none() {
        figures.input = figures.total;
    }
    let apart = |dialect: Option<u8>| {
        let dialect = dialect.and_then(|d| DIALECTS.get(d as usize));
        dialect.is_some_and(|d| d.reasoning_apart)
    };
    figures.add_reasoning(apart(slots.home()));
    call.input = count(figures.input);
    call.output = count(figures.output);
    call.cached = count(figures.cached);
    call.cache_write = count(figures.write);
    call.cache_write_1h = count(slots.number(N::CacheWriteHour));
    call.reasoning = count(figures.reasoning);
}

fn says(counter: &Counter<'_>, dialect: Option<u8>) -> Option<bool> {
    DIALECTS
        .get(dialect? as usize)
        .and_then(|d| (d.includes_cache)(counter))
}

/// A token count, when it can be one.
fn count(number: Option<f64>) -> Option<Known<u32>> {
    let number = number?;
    (number <= f64::from(u32::MAX)).then_some(Known {
        value: number as u32,
        via: Via::Attribute,
    })
}

#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    input: Option<f64>,
    output: Option<f64>,
    cached: Option<f64>,
    write: Option<f64>,
    reasoning: Option<f64>,
    total: Option<f64>,
}

impl Figures {
    fn caches(&self) -> f64 {
        self.cached.unwrap_or(0.0) + self.write.unwrap_or(0.0)
    }

    /// True when zeros stand for figures that were never reported: a call always uses tokens.
    fn is_blank(&self) -> bool {
        let used = |count: Option<f64>| count.is_some_and(|n| n > 0.0);
        ![self.input, self.output, self.cached, self.write, self.total]
            .into_iter()
            .any(used)
    }

    fn needs_basis(&self) -> bool {
        self.input.is_some() && self.caches() > 0.0
    }

    /// Whether `input` includes cached tokens, and whether that had to be assumed. `said` is what
    /// the emitter is known to do.
    fn includes_cache(&self, said: Option<bool>, claude: impl Fn() -> bool) -> (bool, bool) {
        let input = self.input.unwrap_or(0.0);
        let sum = input + self.output.unwrap_or(0.0);
        if input < self.caches() || self.total == Some(sum + self.caches()) {
            return (false, false);
        }
        if let Some(said) = said {
            return (said, false);
        }
        if self.total == Some(sum) {
            return (true, false);
        }
        (!claude(), true)
    }

    fn add_cache(&mut self) {
        let caches = self.caches();
        if let Some(input) = &mut self.input {
            *input += caches;
        }
    }

    /// Adds reasoning where output plainly leaves it out, or where its emitter always does (`apart`).
    fn add_reasoning(&mut self, apart: bool) {
        let (Some(output), Some(reasoning)) = (self.output, self.reasoning) else {
            return;
        };
        let by_total = reasoning > 0.0
            && self.total.is_some_and(|total| {
                self.input
                    .is_some_and(|input| total == input + output + reasoning)
            });
        if apart || reasoning > output || by_total {
            self.output = Some(output + reasoning);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(input: f64, output: f64, cached: f64, write: f64, total: Option<f64>) -> Figures {
        Figures {
            input: Some(input),
            output: Some(output),
            cached: Some(cached),
            write: Some(write),
            reasoning: None,
            total,
        }
    }

    #[test]
    fn the_order_of_the_rules() {
        let basis = |f: Figures, said, claude: bool| f.includes_cache(said, || claude);
        assert_eq!(
            basis(figures(5.0, 1.0, 90.0, 0.0, None), Some(true), false),
            (false, false)
        );
        assert_eq!(
            basis(
                figures(50.0, 1.0, 40.0, 9.0, Some(100.0)),
                Some(true),
                false
            ),
            (false, false)
        );
        assert_eq!(
            basis(
                figures(50.0, 1.0, 40.0, 0.0, Some(51.0)),
                Some(false),
                false
            ),
            (false, false)
        );
        assert_eq!(
            basis(figures(50.0, 1.0, 40.0, 0.0, Some(51.0)), None, true),
            (true, false)
        );
        assert_eq!(
            basis(figures(50.0, 1.0, 40.0, 0.0, None), None, true),
            (false, true)
        );
        assert_eq!(
            basis(figures(50.0, 1.0, 40.0, 0.0, None), None, false),
            (true, true)
        );
    }

    #[test]
    fn reasoning_is_added_only_where_it_is_missing() {
        let with = |output, reasoning, total| {
            let mut f = figures(10.0, output, 0.0, 0.0, total);
            f.reasoning = Some(reasoning);
            f.add_reasoning(false);
            f.output
        };
        assert_eq!(with(30.0, 20.0, Some(40.0)), Some(30.0));
        assert_eq!(with(30.0, 20.0, Some(60.0)), Some(50.0));
        assert_eq!(with(5.0, 20.0, None), Some(25.0));
        assert_eq!(with(5.0, 0.0, Some(15.0)), Some(5.0));
    }
}
