//! What is known of a span. Figures that came from another record of the same call are left to that
//! record, so that reading the export joins them again in the same way.

use super::attributes::Attributes;
use crate::model::{
    Digest, ErrorKind, HttpCall, Known, LlmCall, Op, Span, SpanFlags, TaskFacts, ToolCall, Via,
};
use crate::report::Report;
use crate::report::taken::role;
use crate::units::{Nanos, Sym};

pub(super) fn write(report: &Report<'_>, span: &Span, to: &mut Attributes) {
    let dataset = report.dataset();
    let text = |sym: Sym| dataset.text(sym);
    to.text("agentdiag.fact.role", role(span.op));
    if span.flags.has(SpanFlags::NOISE) {
        to.text("agentdiag.fact.record", "pending_span");
    }
    if let Some(error) = span.error {
        to.text("error.type", error_type(error));
        to.text("agentdiag.fact.error", error_type(error));
    }
    if let Some(call) = dataset.llm_of(span) {
        llm(&call, span.op, text, to);
    }
    if let Some(call) = dataset.tool_of(span) {
        tool(&call, span, text, to);
    }
    if let Some(facts) = dataset.task_of(span) {
        task(facts, span.op, text, to);
    }
    if let Some(call) = dataset.http_of(span) {
        http(call, text, to);
    }
}

/// A word that is read as the same class again.
fn error_type(error: ErrorKind) -> &'static str {
    match error {
        ErrorKind::Auth => "authentication_error",
        ErrorKind::BadRequest => "invalid_request_error",
        ErrorKind::Server => "api_error",
        ErrorKind::Connection => "connection_error",
        other => other.as_str(),
    }
}

/// A figure that this record measured itself.
fn own<T: Copy>(known: Option<Known<T>>) -> Option<T> {
    let own = known.filter(|k| matches!(k.via, Via::Attribute | Via::Event));
    own.map(|k| k.value)
}

fn digest(to: &mut Attributes, key: &str, digest: Option<Digest>) {
    if let Some(Digest(digest)) = digest {
        to.text(key, &format!("digest-{digest:016x}"));
    }
}

fn llm<'a>(call: &LlmCall, op: Op, text: impl Fn(Sym) -> &'a str, to: &mut Attributes) {
    let operation = match op {
        Op::Embedding => "embeddings",
        _ => "chat",
    };
    to.text("gen_ai.operation.name", operation);
    for (ours, theirs, sym) in [
        ("provider", "gen_ai.provider.name", call.provider),
        ("requested_model", "gen_ai.request.model", call.requested),
        ("answered_model", "gen_ai.response.model", call.answered),
        ("endpoint", "server.address", call.endpoint),
        ("conversation", "gen_ai.conversation.id", call.conversation),
        ("fingerprint", "", call.fingerprint),
    ] {
        to.text(&format!("agentdiag.fact.{ours}"), text(sym));
        if !theirs.is_empty() {
            to.text(theirs, text(sym));
        }
    }
    to.text("agentdiag.fact.finish_reason", text(call.finish));
    let finish = Some(text(call.finish)).filter(|reason| !reason.is_empty());
    to.texts(
        "gen_ai.response.finish_reasons",
        finish.into_iter().map(str::to_owned),
    );
    for (ours, theirs, figure) in [
        ("input_tokens", "gen_ai.usage.input_tokens", call.input),
        ("output_tokens", "gen_ai.usage.output_tokens", call.output),
        (
            "cached_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            call.cached,
        ),
        (
            "cache_write_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            call.cache_write,
        ),
        (
            "reasoning_tokens",
            "gen_ai.usage.reasoning.output_tokens",
            call.reasoning,
        ),
    ] {
        to.integer(&format!("agentdiag.fact.{ours}"), own(figure));
        to.integer(theirs, own(figure));
    }
    for (ours, figure) in [
        ("first_token_ns", call.first_token),
        ("queue_ns", call.queue),
        ("prefill_ns", call.prefill),
        ("decode_ns", call.decode),
        ("model_time_ns", call.model_time),
    ] {
        let nanos = own(figure).map(|time: Nanos| time.0);
        to.integer(&format!("agentdiag.fact.{ours}"), nanos);
    }
    let cost = own(call.reported_cost).map(|usd| usd.as_dollars());
    to.number("agentdiag.fact.reported_cost_usd", cost);
    digest(to, "agentdiag.fact.response_id", call.response_id);
    to.integer("agentdiag.fact.http_status", call.http_status);
    to.integer("http.response.status_code", call.http_status);
    to.integer("agentdiag.fact.resends", call.resends);
    to.truth("agentdiag.fact.streamed", call.streamed);
}

fn tool<'a>(call: &ToolCall, span: &Span, text: impl Fn(Sym) -> &'a str, to: &mut Attributes) {
    if span.op == Op::Tool {
        to.text("gen_ai.operation.name", "execute_tool");
        to.text("gen_ai.tool.name", text(call.tool));
    }
    if span.op == Op::Mcp {
        // Only a message that calls a tool names one.
        let method = if call.tool.is_none() {
            "other"
        } else {
            "tools/call"
        };
        to.text("agentdiag.fact.mcp_method", method);
    }
    to.text("agentdiag.fact.tool", text(call.tool));
    digest(to, "agentdiag.fact.arguments", call.arguments);
    digest(to, "agentdiag.fact.tool_call_id", call.call_id);
    let time = own(call.reported).map(|time| time.0);
    to.integer("agentdiag.fact.tool_time_ns", time);
    if call.said_failed {
        to.text("agentdiag.fact.tool_status", "failed");
    }
}

fn task<'a>(facts: &TaskFacts, op: Op, text: impl Fn(Sym) -> &'a str, to: &mut Attributes) {
    if op == Op::Agent {
        to.text("gen_ai.operation.name", "invoke_agent");
    }
    to.text("gen_ai.agent.name", text(facts.agent));
    to.text("gen_ai.conversation.id", text(facts.conversation));
    to.text("agentdiag.fact.agent", text(facts.agent));
    to.text("agentdiag.fact.task_type", text(facts.task_type));
    to.text("agentdiag.fact.tenant", text(facts.tenant));
    to.text("agentdiag.fact.conversation", text(facts.conversation));
    to.integer("agentdiag.fact.rollup_input_tokens", facts.rollup_input);
    to.integer("agentdiag.fact.rollup_output_tokens", facts.rollup_output);
    to.integer("agentdiag.fact.steps", facts.declared_steps);
}

fn http<'a>(call: &HttpCall, text: impl Fn(Sym) -> &'a str, to: &mut Attributes) {
    to.text("server.address", text(call.host));
    to.text("agentdiag.fact.endpoint", text(call.host));
    to.text("http.request.method", text(call.method));
    to.text("agentdiag.fact.http_method", text(call.method));
    to.text("http.route", text(call.route));
    to.text("agentdiag.fact.http_route", text(call.route));
    to.integer("http.response.status_code", call.status);
    to.integer("agentdiag.fact.http_status", call.status);
    to.integer("agentdiag.fact.resends", call.resends);
}
