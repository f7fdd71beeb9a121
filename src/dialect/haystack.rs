//! Haystack: roles in span names, usage only inside content.

use super::field::{NumberField as N, TextField as T};
use super::vocabulary::{Dialect, Pattern, Role, Trust, number, text};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "haystack",
    gives: "roles, times",
    loses: "tokens, unless content tracing is on",
    trust: Trust::Vendor,
    keys: &[
        text("haystack.tool.name", T::Tool),
        text("haystack.component.name", T::Entity),
        number("haystack.agent.steps_taken", N::Steps),
    ],
    unused: &["haystack."],
    names: &[
        (Pattern::Is("haystack.pipeline.run"), Role::Is(Op::Agent)),
        (Pattern::Is("haystack.agent.run"), Role::Is(Op::Agent)),
        (Pattern::Is("haystack.agent.step"), Role::Is(Op::Step)),
        (Pattern::Is("haystack.agent.step.llm"), Role::Is(Op::Llm)),
        (Pattern::Is("haystack.agent.step.tool"), Role::Is(Op::Tool)),
    ],
    ..Dialect::SILENT
};
