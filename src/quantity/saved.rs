//! Samples drawn from a saved period: what it keeps is by kind of task and by tool, in histograms.

use super::{Condition, Quantity, Sample, Scope, rates};
use crate::aggregate::Profile;
use crate::aggregate::profile::{Amounts, TaskProfile};
use crate::stats::Unit;

/// Values taken from one histogram at most.
const MOST: u32 = 200_000;

impl Sample {
    /// The values of a quantity in a saved period.
    ///
    /// # Errors
    /// With the reason, when such a period does not keep it.
    pub fn saved(profile: &Profile, quantity: Quantity, scope: &Scope) -> Result<Self, String> {
        let mut sample = Self::default();
        if quantity == Quantity::ToolLatency {
            only(scope, &[3])?;
            for (tool, calls) in profile.tools.iter().filter(|(tool, _)| scope.tool(tool)) {
                sample.amounts(tool, &calls.duration, 1e6, calls.duration.len());
            }
            return Ok(sample);
        }
        only(scope, &[0])?;
        for (name, task) in profile.tasks.iter().filter(|(name, _)| scope.task(name)) {
            let (amounts, unit) = amounts_of(task, quantity).ok_or_else(|| {
                let name = quantity.meta().name;
                format!(
                    "a saved baseline does not keep {name}; compare with a dump (--baseline DUMP)"
                )
            })?;
            sample.amounts(name, amounts, unit, task.requests);
        }
        Ok(sample)
    }

    /// What counts in a saved period, and what could have counted.
    ///
    /// # Errors
    /// With the reason, when such a period does not keep it.
    pub fn saved_share(
        profile: &Profile,
        condition: &Condition,
        scope: &Scope,
    ) -> Result<Self, String> {
        let mut sample = Self::default();
        match condition {
            Condition::Error => {
                only(scope, &[0])?;
                for (name, task) in profile.tasks.iter().filter(|(name, _)| scope.task(name)) {
                    let complete = task.duration.len().max(task.failed);
                    sample.counts(name, task.failed, complete, task.requests);
                }
            }
            Condition::ToolError => {
                only(scope, &[3])?;
                for (tool, calls) in profile.tools.iter().filter(|(tool, _)| scope.tool(tool)) {
                    let all = calls.duration.len();
                    sample.counts(tool, calls.failed, all, all);
                }
            }
            _ => {
                only(scope, &[0])?;
                return rates::draw(profile, condition, scope);
            }
        }
        Ok(sample)
    }

    /// Time on the critical path by part in a saved period. Values of several parts cannot be added request by
    /// request there, so only one part can be asked for.
    #[must_use]
    pub fn saved_phase(profile: &Profile, part: &str) -> Self {
        let mut sample = Self::default();
        for (name, task) in &profile.tasks {
            if let Some(amounts) = task.parts.get(part) {
                sample.amounts(name, amounts, 1e6, task.requests);
            }
        }
        sample
    }

    fn amounts(&mut self, stratum: &str, amounts: &Amounts, unit: f64, of: u64) {
        self.of += of;
        let values = amounts.histogram().sample(MOST);
        if values.is_empty() {
            return;
        }
        // The sum is kept exactly, the values within 1.6 %.
        let sum: f64 = values.iter().sum();
        let exact = amounts.mean().unwrap_or(0.0) * values.len() as f64;
        let scale = if sum > 0.0 { exact / sum } else { 1.0 };
        let from = self.next_cluster();
        let units = values.iter().zip(from..).map(|(value, cluster)| Unit {
            cluster,
            part: value * scale / unit,
            whole: 1.0,
        });
        let units = units.collect();
        self.strata.insert(stratum.to_owned(), units);
    }

    fn counts(&mut self, stratum: &str, hits: u64, all: u64, of: u64) {
        self.of += of;
        if all == 0 {
            return;
        }
        let from = self.next_cluster();
        let most = all.min(u64::from(MOST));
        let hits = (u128::from(hits) * u128::from(most) / u128::from(all)) as u64;
        let units = (0..most).zip(from..).map(|(place, cluster)| Unit {
            cluster,
            part: f64::from(place < hits),
            whole: 1.0,
        });
        self.strata.insert(stratum.to_owned(), units.collect());
    }

    pub(super) fn next_cluster(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX / 2)
    }
}

fn amounts_of(task: &TaskProfile, quantity: Quantity) -> Option<(&Amounts, f64)> {
    match quantity {
        Quantity::Latency => Some((&task.duration, 1e6)),
        Quantity::Cost => Some((&task.cost, 1e9)),
        Quantity::InputTokens => Some((&task.input_tokens, 1.0)),
        Quantity::CachedTokens => Some((&task.cached_tokens, 1.0)),
        Quantity::OutputTokens => Some((&task.output_tokens, 1.0)),
        Quantity::LlmCalls => Some((&task.llm_calls, 1.0)),
        Quantity::ToolCalls => Some((&task.tool_calls, 1.0)),
        Quantity::Retries => Some((&task.retries, 1.0)),
        _ => None,
    }
}

/// Refuses a scope that restricts anything but the keys given.
fn only(scope: &Scope, keys: &[usize]) -> Result<(), String> {
    let foreign = (0..super::KEYS.len()).find(|key| scope.has(*key) && !keys.contains(key));
    match foreign.and_then(|key| super::KEYS.get(key)) {
        None => Ok(()),
        Some(key) => Err(format!(
            "a saved baseline does not keep this by {key}; compare with a dump (--baseline DUMP)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_exact_and_values_near() {
        let mut profile = Profile::default();
        let task = profile.tasks.entry("faq".to_owned()).or_default();
        for ms in [1000_u64, 1100, 3333] {
            task.requests += 1;
            task.duration.add(ms * 1_000_000);
        }
        let sample = Sample::saved(&profile, Quantity::Latency, &Scope::default()).unwrap();
        let sum: f64 = sample.units().iter().map(|unit| unit.part).sum();
        assert!((sum - 5433.0).abs() < 1e-6, "{sum}");
        assert_eq!((sample.len(), sample.of), (3, 3));
        let refused = Sample::saved(&profile, Quantity::Ttft, &Scope::default());
        assert!(refused.unwrap_err().contains("ttft"));
        let mut scope = Scope::default();
        scope.add(2, "gpt*").unwrap();
        assert!(Sample::saved(&profile, Quantity::Latency, &scope).is_err());
    }
}
