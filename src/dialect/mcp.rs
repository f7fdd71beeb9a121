//! Model Context Protocol spans: a client span over a server span, both named after one tool.

use super::field::{RawField as R, TextField as T};
use super::vocabulary::{Dialect, Key, Pattern, Role, Trust, raw, text, unused};
use crate::model::Op;

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "mcp",
    gives: "tool calls through MCP, both sides",
    loses: "tokens: it makes no model calls",
    trust: Trust::GenAi,
    scopes: &[Pattern::Is("mcp-python-sdk")],
    keys: KEYS,
    unused: &["mcp.", "rpc."],
    names: &[
        (Pattern::Starts("MCP send "), Role::Is(Op::Mcp)),
        (Pattern::Starts("tools/call "), Role::Is(Op::Mcp)),
    ],
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    text("mcp.method.name", T::McpMethod),
    text("mcp.tool.name", T::Tool),
    raw("mcp.request.argument", R::Arguments),
    unused("mcp.session.id"),
    unused("mcp.response.value"),
    unused("mcp.request.id"),
];
