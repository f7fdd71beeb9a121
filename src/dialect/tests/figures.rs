//! Token counts, costs and times, however they are packed.

use super::*;

const CACHED: &str = "gen_ai.usage.cache_read_input_tokens";
const INPUT: &str = "gen_ai.usage.input_tokens";

#[test]
fn usage_packed_in_a_text_is_taken_apart() {
    for (scope, key, packed, expected) in [
        (
            "langfuse-sdk",
            "langfuse.observation.usage_details",
            "{\"prompt_tokens\": 100, \"completion_tokens\": 20, \"prompt_tokens_details\": {\"cached_tokens\": 60}, \"completion_tokens_details\": {\"reasoning_tokens\": 5}}",
            [Some(100), Some(20), Some(60), None, Some(5)],
        ),
        (
            "langfuse-sdk",
            "langfuse.observation.usage_details",
            "{\"input\": 30, \"output\": 20, \"input_cached_tokens\": 60, \"input_cache_creation\": 10}",
            [Some(100), Some(20), Some(60), Some(10), None],
        ),
        (
            "langfuse-sdk",
            "langfuse.observation.usage_details",
            "{\"input\": 30, \"input_cache_creation\": 10}",
            [Some(40), None, None, Some(10), None],
        ),
        (
            "langfuse-sdk",
            "langfuse.observation.usage_details",
            "{\"input\": 30, \"output\": 20}",
            [Some(30), Some(20), None, None, None],
        ),
        (
            "langfuse-sdk",
            "langfuse.observation.usage_details",
            "{\"total\": 70}",
            [Some(70), None, None, None, None],
        ),
        (
            "mlflow",
            "mlflow.chat.tokenUsage",
            "{\"input_tokens\": 100, \"output_tokens\": 20, \"total_tokens\": 120}",
            [Some(100), Some(20), None, None, None],
        ),
        (
            "genkit-tracer",
            "genkit:output",
            "{\"usage\": {\"inputTokens\": 100, \"outputTokens\": 20, \"totalTokens\": 125, \"thoughtsTokens\": 5, \"cachedContentTokens\": 60}}",
            [Some(100), Some(25), Some(60), None, Some(5)],
        ),
        (
            "gcp.vertex.agent",
            "gcp.vertex.agent.llm_response",
            "{\"usage_metadata\": {\"prompt_token_count\": 100, \"candidates_token_count\": 20, \"cached_content_token_count\": 60, \"thoughts_token_count\": 5, \"total_token_count\": 125}}",
            [Some(100), Some(25), Some(60), None, Some(5)],
        ),
        (
            "gcp.vertex.agent",
            "gcp.vertex.agent.llm_response",
            "{\"usage_metadata\": {\"total_token_count\": 125}, \"other\": {\"prompt_token_count\": 9}}",
            [Some(125), None, None, None, None],
        ),
        (
            "openai.agents",
            "usage",
            "{\"input_tokens\": 100, \"output_tokens\": 20}",
            [Some(100), Some(20), None, None, None],
        ),
    ] {
        let call = call(scope, vec![text(key, packed)]);
        assert_eq!(tokens(&call), expected, "{packed} in {scope}");
        assert!(!call.cache_basis_assumed, "{packed} in {scope}");
    }
}

#[test]
fn caches_kept_for_an_hour_are_told_apart() {
    let hour = |scope: &str, key, packed| {
        let call = call(scope, vec![int(INPUT, 100), text(key, packed)]);
        call.cache_write_1h.map(|k| k.value)
    };
    let repr = "{'cache_creation': 50, 'ephemeral_1h_input_tokens': 40}";
    assert_eq!(
        hour("langsmith", "gen_ai.usage.input_token_details", repr),
        Some(40)
    );
    let json = "{\"cache_creation_input_tokens\": 50, \"cache_creation\": {\"ephemeral_1h_input_tokens\": 40}}";
    assert_eq!(
        hour("langfuse-sdk", "langfuse.observation.usage_details", json),
        Some(40)
    );
    let read = call(
        "langsmith",
        vec![
            int(INPUT, 100),
            text(
                "gen_ai.usage.input_token_details",
                "{'cache_read': 60, 'cache_creation': 5}",
            ),
        ],
    );
    assert_eq!(tokens(&read), [Some(100), None, Some(60), Some(5), None]);
}

#[test]
fn what_a_vendors_client_adds_tells_of_caches() {
    for (packed, cached, written) in [
        (
            "{\"anthropic\": {\"cacheReadInputTokens\": 60, \"cacheCreationInputTokens\": 10}}",
            Some(60),
            Some(10),
        ),
        ("{\"openai\": {\"cachedPromptTokens\": 60}}", Some(60), None),
        (
            "{\"bedrock\": {\"usage\": {\"cacheReadInputTokens\": 60, \"cacheWriteInputTokens\": 10}}}",
            Some(60),
            Some(10),
        ),
        (
            "{\"anthropic\": {\"usage\": {\"cache_read_input_tokens\": 60, \"cache_creation_input_tokens\": 10}}}",
            Some(60),
            Some(10),
        ),
    ] {
        let attributes = vec![
            text("ai.model.provider", "openai.chat"),
            int("ai.usage.inputTokens", 100),
            text("ai.response.providerMetadata", packed),
        ];
        let found = tokens(&call("ai", attributes));
        assert_eq!(
            (found[0], found[2], found[3]),
            (Some(100), cached, written),
            "{packed}"
        );
    }
}

/// Prompt tokens of a call that shows 100, and 60 of them or besides from a cache; and whether that was assumed.
fn input(scope: &str, more: Vec<RawAttr<'static>>) -> (u32, bool) {
    let call = call(scope, more);
    (call.input.unwrap().value, call.cache_basis_assumed)
}

#[test]
fn whether_prompts_include_cached_tokens_is_known_of_emitters() {
    let by = |key, cached: &'static str, more: &[RawAttr<'static>]| {
        let mut all = vec![int(key, 100), int(cached, 60)];
        all.extend_from_slice(more);
        all
    };
    let genai = || by(INPUT, CACHED, &[text("gen_ai.request.model", "claude-x")]);
    // Vocabularies whose emitters always include them, by the scope they own.
    for scope in [
        "agentdiag/x",
        "gcp.vertex.agent",
        "com.anthropic.sdk.python",
        "codex_cli",
        "gemini-cli",
        "genkit-tracer",
        "langfuse-sdk",
        "langsmith",
        "litellm",
        "openai.agents",
        "pydantic-ai",
        "vllm.engine",
        "openinference.instrumentation.x",
        "traceloop.tracer",
    ] {
        assert_eq!(input(scope, genai()), (100, false), "{scope}");
    }
    for scope in [
        "com.anthropic.claude_code",
        "openinference.instrumentation.bedrock",
        "openinference.instrumentation.claude_agent_sdk",
        "opentelemetry.instrumentation.bedrock",
    ] {
        assert_eq!(input(scope, genai()), (160, false), "{scope}");
    }
    // Where nobody says: Anthropic's own counts leave them out.
    assert_eq!(input("x", genai()), (160, true));
    assert_eq!(
        input("x", by(INPUT, CACHED, &[text("gen_ai.request.model", "m")])),
        (100, true)
    );
    assert_eq!(
        input(
            "x",
            by(
                INPUT,
                "gen_ai.usage.cache_read.input_tokens",
                &[text("gen_ai.request.model", "claude-x")]
            )
        ),
        (100, false),
        "the conventions since 1.40"
    );
    assert_eq!(
        input(
            "openlit.x",
            by(INPUT, CACHED, &[text("gen_ai.system", "anthropic")])
        ),
        (160, false)
    );
    assert_eq!(
        input(
            "x",
            by(
                "agent.llm.tokens.input",
                "agent.llm.tokens.cached",
                &[text("gen_ai.request.model", "claude-x")]
            )
        ),
        (100, false)
    );
    let bedrock = || text("gen_ai.system", "aws.bedrock");
    assert_eq!(
        input("langsmith", by(INPUT, CACHED, &[bedrock()])),
        (100, true),
        "who counts for Bedrock is not known"
    );
    let vercel = |cached, provider| {
        by(
            "ai.usage.inputTokens",
            cached,
            &[text("ai.model.provider", provider)],
        )
    };
    assert_eq!(
        input(
            "ai",
            vercel("ai.usage.cachedInputTokens", "anthropic.messages")
        ),
        (160, false)
    );
    assert_eq!(
        input("ai", vercel("ai.usage.cachedInputTokens", "amazon-bedrock")),
        (160, false)
    );
    assert_eq!(
        input("ai", vercel("ai.usage.cachedInputTokens", "openai.chat")),
        (100, false)
    );
    assert_eq!(
        input(
            "ai",
            vercel(
                "ai.usage.inputTokenDetails.cacheReadTokens",
                "anthropic.messages"
            )
        ),
        (100, false)
    );
}

#[test]
fn totals_tell_what_the_other_figures_include() {
    let with = |total: i64, cached: i64| {
        let all = vec![
            int(INPUT, 100),
            int("gen_ai.usage.output_tokens", 20),
            int(CACHED, cached),
            int("gen_ai.usage.total_tokens", total),
            text("gen_ai.request.model", "claude-x"),
        ];
        input("x", all)
    };
    assert_eq!(with(120, 60), (100, false));
    assert_eq!(with(180, 60), (160, false));
    assert_eq!(with(999, 60), (160, true));
    assert_eq!(with(999, 101), (201, false), "more than there was");
}

#[test]
fn reasoning_is_added_where_it_is_left_out() {
    let with = |scope: &str, reasoning: i64, total: Option<i64>| {
        let mut all = vec![
            int(INPUT, 100),
            int("gen_ai.usage.output_tokens", 20),
            int("gen_ai.usage.reasoning_tokens", reasoning),
        ];
        all.extend(total.map(|n| int("gen_ai.usage.total_tokens", n)));
        tokens(&call(scope, all))[1]
    };
    assert_eq!(with("x", 5, None), Some(20));
    assert_eq!(with("x", 20, None), Some(20));
    assert_eq!(with("x", 21, None), Some(41), "more than all output");
    assert_eq!(with("x", 5, Some(125)), Some(25));
    assert_eq!(with("x", 5, Some(120)), Some(20));
    assert_eq!(
        with("gemini-cli", 5, None),
        Some(25),
        "its emitter always leaves it out"
    );
}

#[test]
fn zeros_alone_are_no_figures() {
    let none = call(
        "x",
        vec![int(INPUT, 0), int("gen_ai.usage.output_tokens", 0)],
    );
    assert_eq!(tokens(&none), [None; 5]);
    let some = call(
        "x",
        vec![int(INPUT, 0), int("gen_ai.usage.output_tokens", 3)],
    );
    assert_eq!(tokens(&some), [Some(0), Some(3), None, None, None]);
    let only = call("x", vec![int("gen_ai.usage.total_tokens", 70)]);
    assert_eq!(tokens(&only)[0], Some(70));
    let large = call(
        "x",
        vec![double(INPUT, 5e9), int("gen_ai.usage.output_tokens", 3)],
    );
    assert_eq!(tokens(&large)[..2], [None, Some(3)]);
}

#[test]
fn two_vocabularies_that_disagree_are_noted() {
    let conflicts = |other: i64| {
        let all = vec![
            text("gen_ai.operation.name", "chat"),
            int("llm.token_count.prompt", other),
            int(INPUT, 1_000),
        ];
        let data = read("x", &span("chat", all));
        data.ledger
            .total(crate::model::IssueKind::ConflictingFigure)
    };
    assert_eq!(
        (conflicts(1_009), conflicts(1_012), conflicts(988)),
        (0, 1, 1)
    );
    let small = |other: i64| {
        let all = vec![
            text("gen_ai.operation.name", "chat"),
            int("llm.token_count.prompt", other),
            int(INPUT, 10),
        ];
        read("x", &span("chat", all))
            .ledger
            .total(crate::model::IssueKind::ConflictingFigure)
    };
    assert_eq!((small(11), small(12)), (0, 1), "by more than one token");
    let same = vec![
        text("gen_ai.operation.name", "chat"),
        int(INPUT, 10),
        int("gen_ai.usage.prompt_tokens", 99),
    ];
    assert_eq!(
        read("x", &span("chat", same))
            .ledger
            .total(crate::model::IssueKind::ConflictingFigure),
        0
    );
}

#[test]
fn costs_and_resends_are_kept_where_they_say_something() {
    let cost = |dollars| {
        call("x", vec![double("gen_ai.usage.cost", dollars)])
            .reported_cost
            .map(|k| k.value.0)
    };
    assert_eq!((cost(0.25), cost(0.0)), (Some(250_000_000), None));
    let packed = call(
        "langfuse-sdk",
        vec![text(
            "langfuse.observation.cost_details",
            "{\"input\": 1, \"total\": 0.5}",
        )],
    );
    assert_eq!(packed.reported_cost.map(|k| k.value.0), Some(500_000_000));
    let resends = |key, n| call("com.anthropic.claude_code", vec![int(key, n)]).resends;
    assert_eq!(
        (resends("attempt", 3), resends("attempt", 0)),
        (Some(2), Some(0))
    );
    assert_eq!(
        (
            resends("http.request.resend_count", 3),
            resends("http.request.resend_count", 99_999)
        ),
        (Some(3), Some(u16::MAX))
    );
    assert_eq!(call("x", vec![]).resends, None);
}

#[test]
fn times_have_the_unit_of_their_key() {
    let first =
        |scope: &str, attribute| call(scope, vec![attribute]).first_token.map(|k| k.value.0);
    assert_eq!(
        first("x", double("gen_ai.response.time_to_first_chunk", 0.5)),
        Some(500_000_000)
    );
    assert_eq!(
        first("x", int("time_to_first_token_ms", 300)),
        Some(300_000_000)
    );
    assert_eq!(
        first("x", double("gen_ai.server.time_to_first_token", 0.5)),
        Some(500_000_000)
    );
    let strands = call(
        "strands-agents",
        vec![
            text("gen_ai.system", "strands-agents"),
            int("gen_ai.server.time_to_first_token", 500),
        ],
    );
    assert_eq!(strands.first_token.map(|k| k.value.0), Some(500_000_000));
    // Within five percent of the span's two seconds.
    assert_eq!(
        first("x", double("gen_ai.response.time_to_first_chunk", 2.1)),
        Some(2_100_000_000)
    );
    assert_eq!(
        first("x", double("gen_ai.response.time_to_first_chunk", 2.11)),
        None
    );
    assert_eq!(first("x", int("time_to_first_token_ms", 0)), None);
    let at = text(
        "langfuse.observation.completion_start_time",
        "\"1970-01-01T00:00:01.400Z\"",
    );
    assert_eq!(first("langfuse-sdk", at), Some(400_000_000));
    let before = text(
        "langfuse.observation.completion_start_time",
        "\"1970-01-01T00:00:01Z\"",
    );
    assert_eq!(first("langfuse-sdk", before), None);
}

#[test]
fn servers_tell_queue_prefill_and_decode() {
    let raw = |scope: &str, attributes| {
        let data = read(scope, &span("llm_request", attributes));
        let call = data.llm_of(&data.records[0]).unwrap();
        (
            data.records[0].op,
            [call.queue, call.prefill, call.decode].map(|k| k.map(|k| k.value.0 / 1_000_000)),
        )
    };
    let seconds = || {
        vec![
            double("gen_ai.latency.time_in_queue", 0.1),
            double("gen_ai.latency.time_in_model_prefill", 0.3),
            double("gen_ai.latency.time_in_model_decode", 1.0),
        ]
    };
    assert_eq!(
        raw("vllm.engine", seconds()),
        (Op::Engine, [Some(100), Some(300), Some(1_000)])
    );
    assert_eq!(
        raw("sglang server", seconds()),
        (Op::Engine, [Some(100), Some(200), Some(1_000)]),
        "its prefill holds the wait"
    );
    let printed = vec![text("queue_time", "1.5ms"), text("inference_time", "2s")];
    assert_eq!(
        raw("text-generation-router", printed),
        (Op::Engine, [Some(1), None, Some(2_000)])
    );
    let mut triton = span("model", vec![]);
    for (name, at) in [
        ("QUEUE_START", 1_100_000_000),
        ("COMPUTE_START", 1_400_000_000),
        ("COMPUTE_END", 2_900_000_000),
    ] {
        triton.events.push(crate::ingest::RawEvent {
            name: name.into(),
            time: Some(Nanos(at)),
            ..Default::default()
        });
    }
    let data = read("triton", &triton);
    let call = data.llm_of(&data.records[0]).unwrap();
    assert_eq!(
        [call.queue, call.decode].map(|k| k.unwrap().value.0),
        [300_000_000, 1_500_000_000]
    );
}

#[test]
fn a_model_that_was_only_queued_is_no_server_of_triton() {
    let mut raw = span("model", vec![]);
    let event = |name: &'static str| crate::ingest::RawEvent {
        name: name.into(),
        time: Some(Nanos(1_100_000_000)),
        ..Default::default()
    };
    raw.events = vec![event("QUEUE_START")];
    assert_eq!(read("x", &raw).records[0].op, Op::Other);
    raw.events.push(event("COMPUTE_START"));
    assert_eq!(read("x", &raw).records[0].op, Op::Engine);
}
