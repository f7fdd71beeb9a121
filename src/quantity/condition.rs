//! What may be true of a request or of a call, and of which a budget limits the share.

use super::Per;
use crate::diagnose::Cause;

/// Something that counts, and what it is counted among.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// A request's root ended in error, of complete requests.
    Error,
    /// A request was slow, of those that could be judged.
    Slow,
    /// A request has no complete root, of all.
    Incomplete,
    /// A request repeated something, of all.
    Retried,
    /// A request was slow for this reason, of those that could be judged.
    Cause(Cause),
    /// A model call failed, of all attempts.
    LlmError,
    /// A tool call failed, of all.
    ToolError,
    /// Generation ended for this reason, of answers that show one.
    Finish(String),
    /// A tool call went to this tool, of all.
    Tool(String),
    /// This model answered, of all answers.
    Model(String),
    /// A prompt token came from a cache, of all where the dump shows it.
    Cached,
    /// A dollar was paid for nothing, of all that were paid.
    Wasted,
}

/// What is to be known of a kind of condition.
#[derive(Clone, Copy, Debug)]
pub struct ConditionKind {
    /// Its name in budgets.
    pub name: &'static str,
    /// What stands after the `=`, where something must.
    pub value: Option<&'static str>,
    /// What counts, and among what.
    pub about: &'static str,
    /// What must be recorded for it.
    pub needs: &'static str,
}

const fn kind(
    name: &'static str,
    value: Option<&'static str>,
    about: &'static str,
    needs: &'static str,
) -> ConditionKind {
    ConditionKind {
        name,
        value,
        about,
        needs,
    }
}

const KINDS: [ConditionKind; 12] = [
    kind(
        "error",
        None,
        "requests whose root ended in error, of those with a complete root",
        "a root span with an end",
    ),
    kind(
        "slow",
        None,
        "requests that were slow, of those that could be judged",
        "model or tool calls under the root",
    ),
    kind(
        "incomplete",
        None,
        "requests without a complete root, of all",
        "requests",
    ),
    kind(
        "retried",
        None,
        "requests that repeated a model or tool call, of all",
        "requests",
    ),
    kind(
        "cause",
        Some("CAUSE"),
        "requests that were slow for that reason, of those that could be judged",
        "model or tool calls under the root",
    ),
    kind(
        "llm_error",
        None,
        "model calls that failed, of all attempts",
        "a span per model call",
    ),
    kind(
        "tool_error",
        None,
        "tool calls that failed, of all",
        "a span per tool call",
    ),
    kind(
        "finish",
        Some("REASON"),
        "model calls whose generation ended so, of those that say why it ended",
        "gen_ai.response.finish_reasons on model calls",
    ),
    kind(
        "tool",
        Some("NAME"),
        "tool calls that went to that tool, of all",
        "a span per tool call",
    ),
    kind(
        "model",
        Some("NAME"),
        "model calls that this model answered, of all that name one",
        "gen_ai.response.model on model calls",
    ),
    kind(
        "cached",
        None,
        "prompt tokens served from a cache, of all prompt tokens",
        "gen_ai.usage.cache_read.input_tokens on model calls",
    ),
    kind(
        "wasted",
        None,
        "dollars paid for nothing, of all dollars",
        "token counts on model calls, and a price for the model (--price, --prices)",
    ),
];

impl Condition {
    /// What there is, in the order shown everywhere.
    pub const KINDS: &'static [ConditionKind] = &KINDS;

    /// By its name in budgets and what stands after the `=`. The error says what was expected.
    ///
    /// # Errors
    /// When there is no such condition, or it is not written so.
    pub fn named(name: &str, value: Option<&str>) -> Result<Self, String> {
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            return Err(format!("expected a condition: one of {}", names.join(", ")));
        };
        let value = match (kind.value, value) {
            (None, None) => "",
            (Some(_), Some(value)) => value,
            (None, Some(_)) => return Err(format!("`{name}` takes no value after `=`")),
            (Some(what), None) => return Err(format!("expected `{name}={what}`")),
        };
        Ok(match name {
            "error" => Self::Error,
            "slow" => Self::Slow,
            "incomplete" => Self::Incomplete,
            "retried" => Self::Retried,
            "cause" => Self::Cause(cause(value)?),
            "llm_error" => Self::LlmError,
            "tool_error" => Self::ToolError,
            "finish" => Self::Finish(value.to_owned()),
            "tool" => Self::Tool(value.to_owned()),
            "model" => Self::Model(value.to_owned()),
            "cached" => Self::Cached,
            _ => Self::Wasted,
        })
    }

    /// What it is a property of.
    #[must_use]
    pub fn per(&self) -> Per {
        match self {
            Self::LlmError | Self::Finish(_) | Self::Model(_) => Per::ModelCall,
            Self::ToolError | Self::Tool(_) => Per::ToolCall,
            _ => Per::Request,
        }
    }

    /// As in budgets: `slow`, `cause=retry_cascade`.
    #[must_use]
    pub fn text(&self) -> String {
        let name = self.kind().name;
        match self {
            Self::Cause(cause) => format!("{name}={}", cause.label()),
            Self::Finish(value) | Self::Tool(value) | Self::Model(value) => {
                format!("{name}={value}")
            }
            _ => name.to_owned(),
        }
    }

    /// Under which name a saved period keeps the whole that several conditions are shares of.
    pub(super) fn family(&self) -> Option<&'static str> {
        match self {
            Self::Cause(_) => Some("slow"),
            Self::Finish(_) => Some("finish"),
            Self::Tool(_) => Some("tool"),
            Self::Model(_) => Some("model"),
            _ => None,
        }
    }

    /// What is to be known of it.
    #[must_use]
    pub fn kind(&self) -> &'static ConditionKind {
        let index = match self {
            Self::Error => 0,
            Self::Slow => 1,
            Self::Incomplete => 2,
            Self::Retried => 3,
            Self::Cause(_) => 4,
            Self::LlmError => 5,
            Self::ToolError => 6,
            Self::Finish(_) => 7,
            Self::Tool(_) => 8,
            Self::Model(_) => 9,
            Self::Cached => 10,
            Self::Wasted => 11,
        };
        &KINDS[index]
    }
}

fn cause(label: &str) -> Result<Cause, String> {
    let found = Cause::ALL.into_iter().find(|cause| cause.label() == label);
    found.ok_or_else(|| {
        let labels = Cause::ALL.map(Cause::label);
        format!("expected a cause: one of {}", labels.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_by_its_name() {
        for kind in Condition::KINDS {
            let value = kind.value.map(|_| "provider_error");
            let found = Condition::named(kind.name, value).unwrap();
            assert_eq!(found.kind().name, kind.name);
        }
        assert!(Condition::named("cause", None).is_err());
        assert!(Condition::named("cause", Some("bad luck")).is_err());
        assert!(Condition::named("slow", Some("x")).is_err());
        assert!(Condition::named("odd", None).unwrap_err().contains("error"));
    }
}
