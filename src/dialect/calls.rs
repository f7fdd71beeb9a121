//! From what a span says to the facts its role has: call, tool, task or HTTP request.

use std::borrow::Cow;

use super::fault::{self, Fault};
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::names;
use super::recent::{Change, ENTITY_TOOL, FINISH, Recent};
use super::slots::Slots;
use super::vocabulary::Role;
use super::{serving, timing, tokens};
use crate::ingest::{RawAttr, RawSpan, RawValue, Text};
use crate::model::{Digest, HttpCall, Known, LlmCall, Op, Span, TaskFacts, ToolCall};
use crate::units::{Interner, Nanos, Small, Sym, Usd};

/// Makes symbols of texts.
pub(super) struct Namer<'n> {
    /// The table.
    pub(super) names: &'n mut Interner,
    /// What was said last.
    pub(super) recent: &'n mut Recent,
}

impl Namer<'_> {
    fn text(&mut self, slots: &Slots<'_>, field: T) -> Sym {
        self.recent.plain(self.names, field, slots.text(field))
    }

    fn changed(&mut self, slots: &Slots<'_>, field: T, change: Change) -> Sym {
        self.recent
            .changed(self.names, field as usize, slots.text(field), change)
    }

    fn finish(&mut self, slots: &Slots<'_>) -> Sym {
        let first = slots.raw(R::Finish).and_then(first_text);
        self.recent
            .changed(self.names, FINISH, first, |said| Some(names::finish(said)))
    }

    fn host(&mut self, slots: &Slots<'_>) -> Sym {
        let address = self.changed(slots, T::Endpoint, host_of);
        if address.is_none() {
            self.changed(slots, T::Url, host_of)
        } else {
            address
        }
    }
}

fn host_of(said: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(names::host(said)))
}

fn tool_of(said: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(names::tool(said)))
}

fn route_of(said: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(names::route(said)))
}

/// The first text of a value.
fn first_text<'a>(value: &'a RawValue<'a>) -> Option<Text<'a>> {
    match value {
        RawValue::Str(text) => Some(*text),
        RawValue::List(items) => items.iter().find_map(first_text),
        _ => None,
    }
}

/// Facts of a model call. The second answer counts figures that were refused.
pub(super) fn llm(
    namer: &mut Namer<'_>,
    raw: &RawSpan<'_>,
    slots: &Slots<'_>,
    span: &Span,
    scope: Sym,
    fault: Fault,
) -> (LlmCall, u32) {
    let mut call = LlmCall {
        provider: namer.changed(slots, T::Provider, names::provider),
        requested: namer.changed(slots, T::Requested, |said| Some(names::bare(said).into())),
        answered: namer.text(slots, T::Answered),
        endpoint: namer.host(slots),
        fingerprint: namer.text(slots, T::Fingerprint),
        tier: namer.text(slots, T::Tier),
        finish: namer.finish(slots),
        conversation: namer.text(slots, T::Conversation),
        response_id: slots.text(T::ResponseId).map(|id| Digest::of(id.raw())),
        http_status: fault.status,
        resends: resends(slots),
        streamed: slots.number(N::Streamed).map(|s| s != 0.0),
        reported_cost: cost(slots),
        ..LlmCall::default()
    };
    if call.fingerprint.is_none() {
        call.fingerprint = call.tier;
    }
    let names = &*namer.names;
    let scope = names.get(scope);
    let (provider, model) = (names.get(call.provider), names.get(call.model()));
    tokens::fill(&mut call, slots, scope, provider, model);
    let refused = timing::fill(&mut call, raw, slots, span);
    if span.op == Op::Engine && serving::prefill_holds_queue(scope) {
        timing::take_queue_out(&mut call);
    }
    (call, refused)
}

/// Emitters write zero for models they have no price of.
fn cost(slots: &Slots<'_>) -> Option<Known<Usd>> {
    let dollars = slots.number(N::Cost).filter(|cost| *cost > 0.0)?;
    Usd::from_dollars(dollars).map(Known::attribute)
}

fn resends(slots: &Slots<'_>) -> Option<u16> {
    let direct = slots.number(N::Resends);
    let attempt = || slots.number(N::Attempt).map(|n| (n - 1.0).max(0.0));
    direct
        .or_else(attempt)
        .map(|n| n.min(f64::from(u16::MAX)) as u16)
}

/// Facts of a tool execution, an MCP message or a retrieval. Of MCP messages only those that call
/// a tool name one.
pub(super) fn tool(
    namer: &mut Namer<'_>,
    slots: &Slots<'_>,
    op: Op,
    span_name: &str,
    silent: bool,
) -> ToolCall {
    let method = slots.text(T::McpMethod);
    let names_tool = op != Op::Mcp
        || method.map_or(span_name.contains("tools/call"), |m| {
            m.raw() == b"tools/call"
        });
    let mut tool = Sym::NONE;
    if names_tool {
        tool = namer.changed(slots, T::Tool, tool_of);
        if tool.is_none() {
            let entity = slots.text(T::Entity);
            tool = namer
                .recent
                .changed(namer.names, ENTITY_TOOL, entity, tool_of);
        }
        if tool.is_none() {
            let name = names::without_ids(name_in(span_name));
            tool = namer.names.intern(names::tool(&name));
        }
    }
    let status_failed = slots
        .text(T::ToolStatus)
        .is_some_and(|status| says_failure(status.raw()));
    ToolCall {
        tool,
        arguments: slots.raw(R::Arguments).and_then(digest),
        call_id: slots.text(T::ToolCallId).map(|id| Digest::of(id.raw())),
        reported: slots
            .number(N::ToolTime)
            .map(|n| Known::attribute(Nanos(n as u64))),
        said_failed: silent || status_failed || slots.number(N::Success) == Some(0.0),
    }
}

/// The tool in a span name, where no attribute holds it: often the name is nothing else.
fn name_in(span_name: &str) -> &str {
    let starts = [
        "execute_tool ",
        "MCP send tools/call ",
        "tools/call ",
        "anthropic.tool_use ",
    ];
    starts
        .iter()
        .find_map(|start| span_name.strip_prefix(start))
        .or_else(|| span_name.strip_suffix(".tool"))
        .filter(|name| !name.is_empty())
        .unwrap_or(span_name)
}

fn says_failure(status: &[u8]) -> bool {
    let known: [&[u8]; 8] = [
        b"error",
        b"failure",
        b"failed",
        b"timeout",
        b"rejected",
        b"ERROR",
        b"FAILED",
        b"cancelled",
    ];
    known.contains(&status)
}

/// The digest of a value, whatever its shape; `None` for an empty one.
fn digest(value: &RawValue<'_>) -> Option<Digest> {
    match value {
        RawValue::Null => None,
        RawValue::Str(text) if text.is_empty() => None,
        RawValue::Str(text) => Some(Digest::of(text.raw())),
        RawValue::Bytes(bytes) => Some(Digest::of(bytes)),
        other => {
            let mut flat = Vec::new();
            flatten(other, &mut flat);
            Some(Digest::of(&flat))
        }
    }
}

/// The value as bytes, for a digest only.
fn flatten(value: &RawValue<'_>, into: &mut Vec<u8>) {
    match value {
        RawValue::Null => into.push(0),
        RawValue::Str(text) => into.extend_from_slice(text.raw()),
        RawValue::Int(number) => into.extend_from_slice(&number.to_le_bytes()),
        RawValue::Double(number) => into.extend_from_slice(&number.to_le_bytes()),
        RawValue::Bool(truth) => into.push(u8::from(*truth) + 1),
        RawValue::Bytes(bytes) => into.extend_from_slice(bytes),
        RawValue::List(items) => {
            for item in items {
                flatten(item, into);
                into.push(b',');
            }
        }
        RawValue::Map(entries) => {
            for RawAttr { key, value } in entries {
                into.extend_from_slice(key.as_bytes());
                into.push(b':');
                flatten(value, into);
                into.push(b',');
            }
        }
    }
}

/// What a task, agent or step says of itself.
pub(super) fn task(namer: &mut Namer<'_>, slots: &Slots<'_>, op: Op) -> TaskFacts {
    let sum = |field| {
        slots
            .number(field)
            .filter(|n| *n <= f64::from(u32::MAX))
            .map(|n| Small::new(n as u32))
    };
    let mut agent = namer.text(slots, T::Agent);
    let mut workflow = namer.text(slots, T::Workflow);
    let entity = namer.text(slots, T::Entity);
    if slots.role() == Some(Role::Workflow) {
        workflow = workflow.or(entity);
    } else if op != Op::Step {
        agent = agent.or(entity);
    }
    let mut task_type = namer.text(slots, T::TaskType);
    if task_type.is_none() {
        task_type = workflow;
    }
    let mut tenant = namer.text(slots, T::Tenant);
    if tenant.is_none() {
        tenant = namer.text(slots, T::User);
    }
    TaskFacts {
        agent,
        task_type,
        tenant,
        conversation: namer.text(slots, T::Conversation),
        rollup_input: sum(N::RollupInput).or_else(|| sum(N::Input)),
        rollup_output: sum(N::RollupOutput).or_else(|| sum(N::Output)),
        declared_steps: sum(N::Steps),
        turn: sum(N::Turn),
    }
}

/// Facts of an HTTP request.
pub(super) fn http(namer: &mut Namer<'_>, slots: &Slots<'_>) -> HttpCall {
    HttpCall {
        host: namer.host(slots),
        method: namer.text(slots, T::Method),
        route: namer.changed(slots, T::Route, route_of),
        status: slots.number(N::HttpStatus).and_then(fault::http_status),
        resends: resends(slots),
    }
}
