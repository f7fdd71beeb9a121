//! The signals an operator watches, as far as the dump gives them: requests, model calls, the agent's own
//! steps, what the business sees, the serving engines and their machines. Each says whether it was
//! recorded as a metric, derived from spans, or is absent, and then what to instrument.

mod counts;
mod recorded;

use super::cost::Cost;
use super::drift::Drift;
use crate::model::Dataset;
pub(super) use counts::Counts;
use recorded::Recorded;

/// Layers of signals, from the outside inwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SignalLayer {
    /// What any service has: rate, errors, duration, saturation.
    Standard,
    /// What only model calls have.
    LlmNative,
    /// What only agents have.
    AgentNative,
    /// What the business sees.
    Business,
    /// The serving engines.
    Serving,
    /// Their machines and what runs them.
    Machine,
}

impl SignalLayer {
    /// The layer as one lower-case word.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::LlmNative => "llm_native",
            Self::AgentNative => "agent_native",
            Self::Business => "business",
            Self::Serving => "serving",
            Self::Machine => "machine",
        }
    }
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Recorded as this metric.
    Present(String),
    /// Computed from spans.
    Derived,
    /// Not to be had from this dump; what would give it.
    Absent(&'static str),
}

impl State {
    /// The state as one lower-case word.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Present(_) => "present",
            Self::Derived => "derived",
            Self::Absent(_) => "absent",
        }
    }
}

/// One signal and its value over the whole dump.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// Its layer.
    pub layer: SignalLayer,
    /// Stable lower-case name.
    pub name: &'static str,
    /// Unit of the value: `/s`, `s`, `1` (a share), `tokens`, `USD`, … ; empty for a count.
    pub unit: &'static str,
    /// Its value; absent exactly where the state is.
    pub value: Option<f64>,
    /// Where it comes from.
    pub state: State,
}

/// How a signal is found: in metrics under one of several names, else from spans, else not at all.
struct Definition {
    layer: SignalLayer,
    name: &'static str,
    unit: &'static str,
    metrics: &'static [&'static str],
    read: Read,
    derive: fn(&Counts) -> Option<f64>,
    instrument: &'static str,
}

/// What is read from the series of a metric.
#[derive(Clone, Copy)]
enum Read {
    /// Growth of counters per second.
    Rate,
    /// Mean of a histogram, from its sum and count.
    Mean,
    /// Mean over time of the sum over series.
    Level,
    /// Mean over time and series.
    Average,
    /// Growth of counters.
    Growth,
    /// Nothing.
    Nothing,
}

/// All signals, by layer.
pub(super) fn summarise(
    data: &Dataset,
    counts: Counts,
    cost: &Cost,
    drift: &Drift,
) -> Vec<Reading> {
    let recorded = Recorded::new(data);
    let counts = counts.with(cost, drift);
    DEFINITIONS
        .iter()
        .map(|definition| definition.reading(&recorded, &counts))
        .collect()
}

impl Definition {
    fn reading(&self, recorded: &Recorded<'_>, counts: &Counts) -> Reading {
        let mut found = self.metrics.iter();
        let found =
            found.find_map(|name| Some((recorded.read(name, self.read)? * unit_of(name), *name)));
        let (value, state) = match found {
            Some((value, metric)) => (Some(value), State::Present(metric.to_owned())),
            None => match (self.derive)(counts).filter(|value| value.is_finite()) {
                Some(value) => (Some(value), State::Derived),
                None => (None, State::Absent(self.instrument)),
            },
        };
        Reading {
            layer: self.layer,
            name: self.name,
            unit: self.unit,
            // A sum of nothing is minus zero.
            value: value.map(|value| value + 0.0),
            state,
        }
    }
}

/// What a value of this metric is multiplied by: DCGM writes percent and mebibytes.
fn unit_of(metric: &str) -> f64 {
    match metric {
        "DCGM_FI_DEV_GPU_UTIL" => 0.01,
        "DCGM_FI_DEV_FB_USED" => 1_048_576.0,
        _ => 1.0,
    }
}

const NONE: fn(&Counts) -> Option<f64> = |_| None;

use Read::{Average, Growth, Level, Mean, Nothing, Rate};
use SignalLayer::{AgentNative, Business, LlmNative, Machine, Serving, Standard};

/// One line per signal: layer, name, unit, metrics and how they are read, how it is derived, and what
/// gives it where it is absent.
macro_rules! definitions {
    ($($layer:ident $name:ident $unit:literal [$($metric:literal)*] $read:ident $derive:expr, $instrument:literal;)*) => {
        const DEFINITIONS: &[Definition] = &[$(Definition {
            layer: $layer,
            name: stringify!($name),
            unit: $unit,
            metrics: &[$($metric),*],
            read: $read,
            derive: $derive,
            instrument: $instrument,
        },)*];
    };
}

definitions! {
    Standard request_rate "/s" [] Nothing |c| c.per_second(c.requests), "one root span per request";
    Standard error_rate "1" [] Nothing Counts::failed_share, "the status of the root span";
    Standard duration_p50 "s" [] Nothing |c| c.durations.p50, "the end of the root span";
    Standard duration_p95 "s" [] Nothing |c| c.durations.p95, "the end of the root span";
    Standard duration_p99 "s" [] Nothing |c| c.durations.p99, "the end of the root span";
    Standard requests_in_progress "" [] Nothing |c| c.in_progress, "the end of the root span";
    LlmNative llm_call_rate "/s" [] Nothing |c| c.per_second(c.calls), "a span per model call";
    LlmNative llm_error_rate "1" [] Nothing |c| Counts::share(c.failed_calls, c.calls), "a span per model call, failed attempts included";
    LlmNative input_tokens "tokens" [] Nothing |c| c.input_tokens, "gen_ai.usage.input_tokens on model calls";
    LlmNative output_tokens "tokens" [] Nothing |c| c.output_tokens, "gen_ai.usage.output_tokens on model calls";
    LlmNative cached_share "1" [] Nothing Counts::cached_share, "gen_ai.usage.cache_read.input_tokens on model calls";
    LlmNative tokens_per_request "tokens" [] Nothing Counts::tokens_per_request, "token counts on model calls";
    LlmNative model_latency_p95 "s" [] Nothing |c| c.call_times.p95, "a span per model call";
    LlmNative first_token_p95 "s" [] Nothing |c| c.first_tokens.quantile(0.95), "gen_ai.response.time_to_first_chunk, or an event at the first token";
    LlmNative hallucinations "" ["agent_hallucination_total"] Growth NONE, "an evaluator that counts agent_hallucination_total{agent_id, hallucination_type}";
    AgentNative reasoning_steps_mean "" ["agent_reasoning_steps"] Mean |c| c.rounds.mean(), "a span per model call under the agent's span";
    AgentNative tool_call_rate "/s" [] Nothing |c| c.per_second(c.tools), "a span per tool call";
    AgentNative tool_success_rate "1" [] Nothing |c| Counts::share(c.tools.zip(c.failed_tools).map(|(all, failed)| all - failed), c.tools), "the status of tool spans";
    AgentNative recovery_attempts "" ["agent_recovery_attempts_total"] Growth |c| c.retries, "a span per attempt";
    AgentNative tool_choice_divergence "bits" [] Nothing |c| c.divergence, "gen_ai.tool.name on tool spans";
    Business task_completion_rate "1" ["agent_task_completion_rate"] Average Counts::completed_share, "the status of the root span, or agent_task_completion_rate{agent_id, task_type}";
    Business cost_per_task "USD" ["agent_cost_per_task_usd"] Average |c| c.cost_per_task, "token counts on model calls, and a price for each model";
    Business active_sessions "" ["agent_active_sessions"] Level |c| c.sessions, "gen_ai.conversation.id on agent or model spans";
    Business user_feedback "1" ["agent_user_feedback_score"] Average NONE, "the users' rating as agent_user_feedback_score{agent_id}";
    Serving engine_request_rate "/s" ["vllm:request_success_total" "vllm:request_success" "sglang:num_requests_total" "tgi_request_success" "lmdeploy:request_success_total" "nv_inference_request_success"] Rate |c| c.per_second(c.engine_calls), "the metrics of the serving engine (vLLM, SGLang, TGI: /metrics)";
    Serving engine_running "" ["vllm:num_requests_running" "sglang:num_running_reqs" "tgi_batch_current_size" "lmdeploy:num_requests_running" "inference_objective_running_requests"] Level |c| c.engine_running, "the metrics of the serving engine";
    Serving engine_waiting "" ["vllm:num_requests_waiting" "sglang:num_queue_reqs" "tgi_queue_size" "lmdeploy:num_requests_waiting" "nv_inference_pending_request_count"] Level NONE, "the metrics of the serving engine";
    Serving queue_wait_mean "s" ["vllm:request_queue_time_seconds" "sglang:queue_time_seconds" "tgi_request_queue_duration" "lmdeploy:request_queue_time_seconds"] Mean |c| c.queues.mean(), "spans or metrics of the serving engine";
    Serving prefill_mean "s" ["vllm:request_prefill_time_seconds" "lmdeploy:request_prefill_time_seconds"] Mean |c| c.prefills.mean(), "spans or metrics of the serving engine";
    Serving first_token_mean "s" ["vllm:time_to_first_token_seconds" "sglang:time_to_first_token_seconds" "lmdeploy:time_to_first_token_seconds" "gen_ai.server.time_to_first_token"] Mean |c| c.first_tokens.mean(), "metrics of the serving engine, or the first token on client spans";
    Serving generation_time_mean "s" ["vllm:request_decode_time_seconds" "lmdeploy:request_decode_time_seconds"] Mean |c| c.generations.mean(), "spans or metrics of the serving engine, or the first token on client spans";
    Serving inter_token_mean "s" ["vllm:inter_token_latency_seconds" "vllm:time_per_output_token_seconds" "sglang:inter_token_latency_seconds" "lmdeploy:time_per_output_token_seconds" "gen_ai.server.time_per_output_token"] Mean Counts::inter_token, "metrics of the serving engine, or the first token on client spans";
    Serving generation_tokens_rate "tokens/s" ["vllm:generation_tokens_total" "vllm:generation_tokens" "sglang:generation_tokens_total" "lmdeploy:generation_tokens_total"] Rate |c| c.per_second(c.output_tokens), "the metrics of the serving engine";
    Serving kv_cache_usage "1" ["vllm:kv_cache_usage_perc" "vllm:gpu_cache_usage_perc" "sglang:token_usage" "lmdeploy:gpu_cache_usage_perc"] Average NONE, "the metrics of the serving engine";
    Serving preemptions "" ["vllm:num_preemptions_total" "vllm:num_preemptions" "sglang:num_retracted_requests_total"] Growth NONE, "the metrics of the serving engine";
    Machine gpu_utilisation "1" ["DCGM_FI_DEV_GPU_UTIL" "hw.gpu.utilization" "hw_gpu_utilization" "hw_gpu_utilization_ratio" "nv_gpu_utilization"] Average NONE, "DCGM exporter, or `agentdiag gpu` on the node";
    Machine gpu_memory_used "bytes" ["DCGM_FI_DEV_FB_USED" "hw.gpu.memory.usage" "hw_gpu_memory_usage" "hw_gpu_memory_usage_bytes" "nv_gpu_memory_used_bytes"] Level NONE, "DCGM exporter, or `agentdiag gpu` on the node";
    Machine pods_ready "" ["kube_pod_status_ready"] Level NONE, "kube-state-metrics";
    Machine pod_restarts "" ["kube_pod_container_status_restarts_total"] Growth |c| c.restarts, "kube-state-metrics, or `kubectl get events -o json`";
    Machine replicas_available "" ["kube_deployment_status_replicas_available" "kube_deployment_status_replicas_ready" "inference_pool_ready_pods"] Level |c| c.replicas, "kube-state-metrics";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_layers_in_order() {
        let mut names: Vec<&str> = DEFINITIONS.iter().map(|d| d.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(DEFINITIONS.is_sorted_by_key(|d| d.layer));
    }

    #[test]
    fn nothing_is_absent_and_says_what_to_instrument() {
        let all = summarise(
            &Dataset::default(),
            Counts::default(),
            &Cost::default(),
            &Drift::default(),
        );
        for reading in &all {
            assert_eq!(reading.value, None, "{}", reading.name);
            assert!(matches!(&reading.state, State::Absent(how) if !how.is_empty()));
        }
    }
}
