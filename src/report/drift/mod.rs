//! What changed between two sides: the value behind `agentdiag drift`.

pub mod v1;

use super::{Integrity, Taken};
pub use crate::aggregate::drift::Effect;
use crate::aggregate::drift::{ALPHA, Measure, Slice, Study};
use crate::error::Outcome;
use crate::model::{Dataset, Input};
use crate::trace::Forest;
use crate::units::human::{counted, instant, listed, percent, plain};

/// Everything there is to show of drift.
pub struct DriftReport<'a> {
    dataset: &'a Dataset,
    /// What was found.
    pub study: &'a Study,
    /// What the later side was compared with.
    pub against: String,
    /// What was lost, mended or guessed in the inputs.
    pub integrity: Integrity,
}

impl<'a> DriftReport<'a> {
    /// Puts together what is shown; `against` names the earlier side.
    #[must_use]
    pub fn assemble(
        dataset: &'a Dataset,
        forest: &Forest,
        study: &'a Study,
        against: String,
    ) -> Self {
        Self {
            dataset,
            study,
            against,
            integrity: Integrity::of(dataset, forest),
        }
    }

    /// The inputs, in the order given.
    #[must_use]
    pub fn inputs(&self) -> &'a [Input] {
        &self.dataset.inputs
    }

    /// What was found in each.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        Taken::of(self.dataset)
    }

    /// The answer in sentences, with a word before each.
    #[must_use]
    pub fn headline(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("Tools", self.tools())];
        lines.extend(self.onset().map(|text| ("Since", text)));
        for tool in self.study.tools.collapsed() {
            let share = |ratio: crate::units::Ratio| percent(ratio.share().unwrap_or(0.0));
            let doubt = match tool.p_value {
                Some(p) if p <= ALPHA => "",
                _ => "; chance would explain it",
            };
            let text = format!(
                "{} fell from {} to {} of tool calls, below half of what it was{doubt}",
                tool.tool,
                share(tool.before),
                share(tool.after)
            );
            lines.push(("Collapsed", text));
        }
        lines.extend(self.gone().map(|text| ("Not due", text)));
        lines.extend(self.where_().map(|text| ("Where", text)));
        let clear = |measure: &&Measure| measure.p_value.is_some_and(|p| p <= ALPHA);
        lines.extend(
            self.study
                .measures
                .iter()
                .filter(clear)
                .map(|m| ("Also", also(m))),
        );
        if !self.study.judged() {
            lines.push(("Note", "There is too little to test: eight requests with tool calls are needed on each side.".to_owned()));
        }
        lines
    }

    fn tools(&self) -> String {
        let tools = &self.study.tools;
        let apart = tools
            .divergence
            .map_or_else(String::new, |bits| format!(", {} bits apart", plain(bits)));
        let calls = counted(tools.calls_before + tools.calls_after, "tool call");
        match tools.p_value {
            None => format!("not judged: {calls} are too few"),
            Some(p) if tools.drifted => {
                format!("chosen differently: p {}{apart}, over {calls}", chance(p))
            }
            Some(p) => format!(
                "chosen as before, as far as {calls} can tell (p {}{apart})",
                chance(p)
            ),
        }
    }

    fn onset(&self) -> Option<String> {
        let onset = self.study.onset.as_ref()?;
        let (low, high) = onset.between;
        let between = match low == high {
            true => String::new(),
            false => format!(", or some time from {} to {}", instant(low), instant(high)),
        };
        Some(format!(
            "{} UTC{between}, by {}",
            instant(onset.at),
            onset.tool
        ))
    }

    /// Tools that were chosen less because their tasks came less.
    fn gone(&self) -> Option<String> {
        let gone = self.study.tools.gone_with_their_tasks();
        let names: Vec<&str> = gone.map(|tool| tool.tool.as_str()).collect();
        let text = "fell below half of their share because the tasks and agents that choose them came less";
        (!names.is_empty()).then(|| format!("{} {text}", listed(&names)))
    }

    fn where_(&self) -> Option<String> {
        let clear = |slice: &&Slice| slice.p_value.is_some_and(|p| p <= ALPHA);
        let named = |slice: &Slice| format!("{} {}", slice.by, slice.name);
        let all: Vec<String> = self.study.slices.iter().filter(clear).map(named).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// How the run went: the exit code comes from the same value as the text.
    #[must_use]
    pub fn outcome(&self, strict: bool) -> Outcome {
        match strict {
            true if self.integrity.weakens() => Outcome::Damaged,
            true if !self.study.judged() => Outcome::TooLittle,
            _ => Outcome::Done,
        }
    }
}

/// A chance in words: small ones only as an upper limit.
#[must_use]
pub fn chance(p: f64) -> String {
    match p {
        p if p < 1e-6 => "< 0.000001".to_owned(),
        p if p < 0.01 => format!("{p:.6}").trim_end_matches('0').to_owned(),
        p => format!("{p:.2}"),
    }
}

fn also(measure: &Measure) -> String {
    let mut text = format!(
        "{} changed ({}), p {}",
        measure.name,
        measure.what,
        chance(measure.p_value.unwrap_or(1.0))
    );
    if let (Some(before), Some(after)) = (measure.before.median, measure.after.median) {
        text.push_str(&format!(", median {} to {}", plain(before), plain(after)));
    }
    if let Some(Effect::Superiority(share)) = measure.effect {
        text.push_str(&format!(
            ", {} of later requests exceed an earlier one",
            percent(share)
        ));
    }
    if let Some(change) = measure.changes.first() {
        text.push_str(&format!(
            ", most of all {}: {} to {}",
            change.name,
            percent(change.before),
            percent(change.after)
        ));
    }
    text
}
