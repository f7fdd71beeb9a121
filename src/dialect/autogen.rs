//! AutoGen core: messages between agents beside GenAI spans of agents and tools.

use super::vocabulary::{Dialect, Pattern, Role, Trust};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "autogen",
    gives: "agents, tools and messages; models by GenAI keys",
    loses: "usage: it has none of its own",
    trust: Trust::Vendor,
    scopes: &[Pattern::Starts("autogen")],
    own_names: &[(Pattern::Starts("autogen "), Role::Is(Op::Other))],
    ..Dialect::SILENT
};
