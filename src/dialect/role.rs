//! What a span is, decided before anything else is read from it.

use super::field::{NumberField as N, TextField as T};
use super::serving;
use super::slots::Slots;
use super::vocabulary::Role;
use crate::ingest::RawSpan;
use crate::model::{Op, SpanKind};

/// What is known of a span besides its attributes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// What its name says.
    pub(super) named: Option<Role>,
    /// True when its resource is an inference server.
    pub(super) serving: bool,
    /// True when it carries keys only inference servers write.
    pub(super) engine_keys: bool,
}

/// The operation; `None` for a recorded artefact that is none.
pub(super) fn decide(raw: &RawSpan<'_>, slots: &Slots<'_>, setting: Setting) -> Option<Op> {
    if setting.named == Some(Role::Noise) || is_artefact(slots) {
        return None;
    }
    if setting.engine_keys || is_engine(raw, setting) {
        return Some(Op::Engine);
    }
    if slots.text(T::McpMethod).is_some() || setting.named == Some(Role::Is(Op::Mcp)) {
        return Some(Op::Mcp);
    }
    let said = slots.role().and_then(|role| match role {
        Role::Is(op) => Some(op),
        Role::Workflow => Some(Op::Agent),
        Role::Chain if raw.parent.is_none() => Some(Op::Agent),
        Role::Chain => Some(Op::Step),
        Role::Noise => None,
    });
    Some(said.unwrap_or_else(|| by_content(raw, slots)))
}

/// Markers that announce a span, and copies made for a debugger.
fn is_artefact(slots: &Slots<'_>) -> bool {
    slots.is(T::RecordKind, "pending_span") || slots.is(T::Tool, "(merged tools)")
}

fn is_engine(raw: &RawSpan<'_>, setting: Setting) -> bool {
    let server = raw.kind == SpanKind::Server;
    setting.named == Some(Role::Is(Op::Engine))
        || serving::marks_compute(raw)
        || (server && (setting.serving || raw.name == "llm_request"))
}

/// Where no role key and no name decides: transport, then whatever has a model and usage.
fn by_content(raw: &RawSpan<'_>, slots: &Slots<'_>) -> Op {
    let root = raw.parent.is_none();
    if slots.text(T::Method).is_some() {
        return match raw.kind {
            SpanKind::Server if is_task(slots) && root => Op::Task,
            SpanKind::Server if names_work(slots) => Op::Agent,
            _ => Op::Http,
        };
    }
    let model = slots.text(T::Requested).is_some() || slots.text(T::Answered).is_some();
    let usage = slots.number(N::Input).is_some() || slots.number(N::Output).is_some();
    if model && usage {
        Op::Llm
    } else if raw.kind == SpanKind::Server && root && is_task(slots) {
        Op::Task
    } else if slots.text(T::Tool).is_some() && raw.kind != SpanKind::Server {
        Op::Tool
    } else if names_work(slots) && !matches!(raw.kind, SpanKind::Client | SpanKind::Producer) {
        Op::Agent
    } else {
        Op::Other
    }
}

/// Says which kind of work or which agent it is.
fn names_work(slots: &Slots<'_>) -> bool {
    [T::TaskType, T::Agent]
        .iter()
        .any(|field| slots.text(*field).is_some())
}

/// Says anything that only a user's request says.
fn is_task(slots: &Slots<'_>) -> bool {
    names_work(slots)
        || [T::Tenant, T::Conversation, T::Workflow]
            .iter()
            .any(|field| slots.text(*field).is_some())
}
