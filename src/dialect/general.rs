//! General OpenTelemetry keys, resource attributes, and what applications commonly add.

use super::blob;
use super::field::{NumberField as N, RawField as R, TextField as T};
use super::slots::Slots;
use super::vocabulary::{Dialect, Key, Trust, number, raw, resource, text, unused};

/// The dialect. Last in the list: keys understood by their form are counted under it.
pub(super) const DIALECT: Dialect = Dialect {
    name: "general",
    gives: "tenants, sessions, kinds of task, error types",
    loses: "",
    trust: Trust::General,
    keys: KEYS,
    details: Some(read_metadata),
    unused: &[
        "thread.",
        "code.",
        "process.",
        "telemetry.",
        "host.",
        "k8s.",
        "os.",
    ],
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    raw("metadata", R::Metadata),
    text("logfire.span_type", T::RecordKind),
    text("server.address", T::Endpoint),
    text("net.peer.name", T::Endpoint),
    text("error.type", T::ErrorType),
    text("exception.type", T::ErrorType),
    text("exception.message", T::ErrorText),
    text("cloud.region", T::Fingerprint),
    text("aws.region", T::Fingerprint),
    text("task.type", T::TaskType),
    text("task_type", T::TaskType),
    text("app.task.type", T::TaskType),
    text("workflow.name", T::Workflow),
    text("tenant.id", T::Tenant),
    text("tenant", T::Tenant),
    text("customer.id", T::Tenant),
    text("customer", T::Tenant),
    text("organization.id", T::Tenant),
    text("organization", T::Tenant),
    text("session.id", T::Conversation),
    text("user.id", T::User),
    text("enduser.id", T::User),
    number("status_code", N::HttpStatus),
    resource("service.name"),
    resource("service.version"),
    resource("service.instance.id"),
    resource("k8s.pod.name"),
    resource("host.name"),
    resource("deployment.environment.name"),
    resource("deployment.environment"),
    unused("exception.stacktrace"),
    unused("gen_ai.event.content"),
];

/// Task type, tenant, session and round out of a metadata value packed as JSON.
pub(super) fn read_metadata(slots: &mut Slots<'_>) {
    let Some(packed) = slots.raw_text(R::Metadata) else {
        return;
    };
    blob::walk(packed, |parent, key, value| {
        if !parent.is_empty() {
            return;
        }
        let field = match key {
            b"task_type" | b"task.type" | b"taskType" => T::TaskType,
            b"workflow_name" | b"workflow" => T::Workflow,
            b"tenant" | b"tenant_id" | b"tenantId" | b"customer_id" => T::Tenant,
            b"session_id" | b"sessionId" | b"thread_id" | b"conversation_id" => T::Conversation,
            b"agent_name" | b"agent" => T::Agent,
            b"user_id" | b"userId" => T::User,
            b"langgraph_step" => {
                if let Some(round) = value.number().filter(|round| *round >= 0.0) {
                    slots.offer(N::Round, R::Metadata, round);
                }
                return;
            }
            _ => return,
        };
        if let Some(text) = value.text() {
            slots.offer_text(field, R::Metadata, text);
        }
    });
}
