//! Spans of inference servers: vLLM, SGLang, TGI, Triton, the llm-d router. They are the serving side of
//! a call some client also recorded.

use super::field::{NumberField as N, TextField as T};
use super::vocabulary::{
    Dialect, Key, Pattern, Role, Trust, millis, printed, seconds, text, unused,
};
use crate::ingest::RawSpan;
use crate::model::Op;
use crate::units::Nanos;

/// The dialect. Its keys alone make a span the serving side.
pub(super) const DIALECT: Dialect = Dialect {
    name: "serving",
    gives: "queue, prefill, decode, first-token times on the server",
    loses: "who asked; the client's trace must be joined",
    trust: Trust::Vendor,
    scopes: &[
        Pattern::Starts("vllm."),
        Pattern::Is("sglang server"),
        Pattern::Starts("text-generation-"),
    ],
    keys: KEYS,
    unused: &["gen_ai.latency.", "llm_d."],
    own_names: &[
        (Pattern::Is("llm_request"), Role::Is(Op::Engine)),
        (Pattern::Starts("Req "), Role::Is(Op::Engine)),
    ],
    includes_cache: |_| Some(true),
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    seconds("gen_ai.latency.time_to_first_token", N::FirstToken),
    seconds("gen_ai.latency.time_in_queue", N::Queue),
    seconds("gen_ai.latency.time_in_model_prefill", N::Prefill),
    seconds("gen_ai.latency.time_in_model_decode", N::Decode),
    seconds("gen_ai.latency.e2e", N::ModelTime),
    millis("llm_d.pd_proxy.true_ttft_ms", N::FirstToken),
    millis("llm_d.pd_proxy.prefill_duration_ms", N::Prefill),
    millis("llm_d.pd_proxy.decode_duration_ms", N::Decode),
    text("llm_d.pd_proxy.decode.target", T::Url),
    printed("queue_time", N::Queue).own(),
    printed("inference_time", N::Decode).own(),
    printed("total_time", N::ModelTime).own(),
    unused("gen_ai.latency.time_in_model_inference"),
    unused("gen_ai.latency.time_in_model_forward"),
    unused("gen_ai.latency.time_in_scheduler"),
];

/// True for spans of Triton, whose times are events.
pub(super) fn marks_compute(raw: &RawSpan<'_>) -> bool {
    mark(raw, "QUEUE_START").is_some() && mark(raw, "COMPUTE_START").is_some()
}

/// Queue and compute time as Triton's events mark them.
pub(super) fn marked(raw: &RawSpan<'_>) -> (Option<Nanos>, Option<Nanos>) {
    let between = |from: &str, to: &str| Some(mark(raw, to)?.since(mark(raw, from)?));
    (
        between("QUEUE_START", "COMPUTE_START"),
        between("COMPUTE_START", "COMPUTE_END"),
    )
}

fn mark(raw: &RawSpan<'_>, name: &str) -> Option<Nanos> {
    raw.events.iter().find(|e| e.name == name)?.time
}

/// SGLang's prefill starts when the request is dispatched and so holds the wait; vLLM's does not.
pub(super) fn prefill_holds_queue(scope: &str) -> bool {
    scope.starts_with("sglang")
}
