//! What spans are, by the words of each vocabulary.

use super::super::keys::{KEYS, KeyMemo, Meaning};
use super::super::vocabulary::{Role, Trust};
use super::super::{dialects, named};
use super::*;
use crate::ingest::RawEvent;
use Op::{
    Agent, Embedding, Engine, Guardrail, Http, HumanWait, Llm, Mcp, Other, Retrieval, Step, Task,
    Tool,
};

#[test]
fn words_of_role_keys_are_operations() {
    let is = Role::Is;
    for (name, words) in [
        (
            "agentdiag",
            &[
                ("task", is(Task)),
                ("agent", is(Agent)),
                ("step", is(Step)),
                ("llm", is(Llm)),
                ("engine", is(Engine)),
                ("tool", is(Tool)),
                ("mcp", is(Mcp)),
                ("retrieval", is(Retrieval)),
                ("embedding", is(Embedding)),
                ("guardrail", is(Guardrail)),
                ("http", is(Http)),
                ("human_wait", is(HumanWait)),
                ("other", is(Other)),
            ][..],
        ),
        (
            "genkit",
            &[
                ("model", is(Llm)),
                ("embedder", is(Embedding)),
                ("reranker", is(Embedding)),
                ("tool", is(Tool)),
                ("retriever", is(Retrieval)),
                ("indexer", is(Retrieval)),
                ("evaluator", is(Guardrail)),
                ("flow", is(Agent)),
                ("agent", is(Agent)),
            ],
        ),
        (
            "langfuse",
            &[
                ("generation", is(Llm)),
                ("embedding", is(Embedding)),
                ("agent", is(Agent)),
                ("chain", Role::Chain),
                ("tool", is(Tool)),
                ("retriever", is(Retrieval)),
                ("guardrail", is(Guardrail)),
                ("evaluator", is(Guardrail)),
            ],
        ),
        (
            "langsmith",
            &[
                ("llm", is(Llm)),
                ("chain", Role::Chain),
                ("tool", is(Tool)),
                ("retriever", is(Retrieval)),
                ("embedding", is(Embedding)),
                ("prompt", is(Other)),
                ("parser", is(Other)),
            ],
        ),
        (
            "mlflow",
            &[
                ("\"LLM\"", is(Llm)),
                ("CHAT_MODEL", is(Llm)),
                ("CHAIN", Role::Chain),
                ("TASK", Role::Chain),
                ("\\\"AGENT\\\"", is(Agent)),
                ("WORKFLOW", Role::Workflow),
                ("TOOL", is(Tool)),
                ("RETRIEVER", is(Retrieval)),
                ("EMBEDDING", is(Embedding)),
                ("RERANKER", is(Embedding)),
                ("GUARDRAIL", is(Guardrail)),
                ("EVALUATOR", is(Guardrail)),
            ],
        ),
        (
            "openai-agents",
            &[
                ("task", is(Step)),
                ("turn", is(Step)),
                ("agent", is(Agent)),
                ("generation", is(Llm)),
                ("response", is(Llm)),
                ("function", is(Tool)),
                ("guardrail", is(Guardrail)),
            ],
        ),
        (
            "openinference",
            &[
                ("LLM", is(Llm)),
                ("TOOL", is(Tool)),
                ("AGENT", is(Agent)),
                ("CHAIN", Role::Chain),
                ("RETRIEVER", is(Retrieval)),
                ("EMBEDDING", is(Embedding)),
                ("RERANKER", is(Embedding)),
                ("GUARDRAIL", is(Guardrail)),
                ("EVALUATOR", is(Guardrail)),
                ("llm", is(Llm)),
                ("Chain", Role::Chain),
            ],
        ),
        (
            "openllmetry",
            &[
                ("workflow", Role::Workflow),
                ("agent", is(Agent)),
                ("task", Role::Chain),
                ("tool", is(Tool)),
                ("chat", is(Llm)),
                ("completion", is(Llm)),
                ("llm", is(Llm)),
                ("embedding", is(Embedding)),
                ("rerank", is(Embedding)),
            ],
        ),
        (
            "otel-genai",
            &[
                ("chat", is(Llm)),
                ("text_completion", is(Llm)),
                ("generate_content", is(Llm)),
                ("CHAT", is(Llm)),
                ("embeddings", is(Embedding)),
                ("rerank", is(Embedding)),
                ("execute_tool", is(Tool)),
                ("tool_call", is(Tool)),
                ("retrieval", is(Retrieval)),
                ("invoke_agent", is(Agent)),
                ("create_agent", is(Agent)),
                ("agent_call", is(Agent)),
                ("invoke_workflow", Role::Workflow),
                ("agent_step", is(Step)),
                ("plan", is(Step)),
                ("execute_task", is(Step)),
            ],
        ),
        (
            "vercel-ai",
            &[
                ("ai.toolCall", is(Tool)),
                ("ai.embed", is(Agent)),
                ("ai.embedMany", is(Agent)),
                ("ai.rerank.doRerank", is(Embedding)),
                ("ai.embed.doEmbed", is(Embedding)),
                ("ai.generateText.doGenerate", is(Llm)),
                ("ai.streamText.doStream", is(Llm)),
                ("ai.generateText", is(Agent)),
                ("ai.streamText", is(Agent)),
                ("ai.generateObject", is(Agent)),
                ("ai.streamObject", is(Agent)),
            ],
        ),
    ] {
        let roles = dialect(name).roles;
        for (word, role) in words {
            assert_eq!(roles(word), Some(*role), "{word} of {name}");
        }
        assert_eq!(roles("anything else"), None, "{name}");
        assert_eq!(roles(""), None, "{name}");
    }
}

#[test]
fn spans_in_a_vocabularys_own_scopes_are_told_by_their_names() {
    for (scope, name, expected) in [
        ("gcp.vertex.agent", "invocation", Agent),
        ("gcp.vertex.agent", "agent_run [a]", Agent),
        ("gcp.vertex.agent", "call_llm", Llm),
        ("gcp.vertex.agent", "generate_content m", Llm),
        ("logfire.openai_agents", "OpenAI Agents trace: x", Agent),
        ("openai.agents.x", "Agent run: 'a'", Agent),
        ("logfire.openai_agents", "Responses API with 'm'", Llm),
        ("logfire.openai_agents", "Function: f", Tool),
        ("logfire.openai_agents", "MCP tools: list", Mcp),
        ("logfire.openai_agents", "Turn 3", Step),
        ("logfire.openai_agents", "Guardrail 'g'", Guardrail),
        ("com.anthropic.sdk.python", "anthropic.tool_use x", Tool),
        ("com.anthropic.sdk.python", "anthropic.messages.create", Llm),
        (
            "llamaindex.opentelemetry.tracer",
            "FunctionTool.acall-1",
            Tool,
        ),
        ("llama_index.opentelemetry.tracer", "OpenAI.achat-1", Llm),
        ("pydantic-ai", "agent run", Agent),
        ("pydantic_ai", "support run", Agent),
        ("pydantic-ai", "running tools", Step),
        ("pydantic-ai", "running tool: x", Tool),
        ("pydantic-ai", "chat m", Llm),
        ("vllm.engine", "llm_request", Engine),
        ("sglang server", "Req 12ab", Engine),
        ("text-generation-router", "llm_request", Engine),
        ("traceloop.tracer", "crew.workflow", Agent),
        ("traceloop.tracer", "a.agent", Agent),
        ("traceloop.tracer", "t.tool", Tool),
        ("traceloop.tracer", "t.task", Step),
        ("traceloop.tracer", "openai.chat", Llm),
        ("opentelemetry.instrumentation.mcp", "mcp.server", Mcp),
        ("autogen-core", "autogen create a", Other),
        // In any scope.
        ("x", "agent.request", Task),
        ("x", "agent.llm.reasoning", Llm),
        ("x", "agent.tool.execute", Tool),
        ("x", "agent.subagent", Agent),
        ("x", "claude_code.interaction", Agent),
        ("x", "claude_code.tool.blocked_on_user", HumanWait),
        ("x", "codex.api_request", Llm),
        ("x", "gemini_cli.tool_call", Tool),
        ("x", "haystack.agent.step", Step),
        ("x", "litellm_request", Llm),
        ("x", "MCP send tools/call", Mcp),
        ("x", "invoke_agent a", Agent),
        ("x", "execute_tool t", Tool),
        ("x", "something", Other),
        ("x", "call_llm", Other),
        ("x", "llm_request", Other),
    ] {
        assert_eq!(op(scope, name, vec![]), expected, "{name} in {scope}");
    }
}

#[test]
fn artefacts_are_no_operations() {
    for (scope, name) in [
        ("gcp.vertex.agent", "execute_tool (merged)"),
        ("crewai.telemetry", "Crew Created"),
        ("x", "raw_gen_ai_request"),
        ("x", "codex.user_prompt"),
        (
            "openinference.instrumentation.llama_index",
            "A._prepare_chat_with_tools",
        ),
    ] {
        let data = read(scope, &span(name, vec![]));
        assert!(
            data.records[0].flags.has(crate::model::SpanFlags::NOISE),
            "{name} in {scope}"
        );
    }
    let pending = read(
        "x",
        &span("chat", vec![text("logfire.span_type", "pending_span")]),
    );
    assert!(pending.records[0].flags.has(crate::model::SpanFlags::NOISE));
}

#[test]
fn every_vocabulary_says_what_it_gives_and_what_it_lacks() {
    for listed in dialects() {
        let quiet = ["agentdiag", "general"].contains(&listed.name);
        assert!(!listed.name.is_empty());
        assert_eq!(
            listed.gives.is_empty(),
            listed.name == "agentdiag",
            "{}",
            listed.name
        );
        assert_eq!(listed.loses.is_empty(), quiet, "{}", listed.name);
        assert_eq!(named(listed.name), Some(listed.name));
    }
    assert_eq!(named("no such"), None);
}

#[test]
fn what_an_emitter_says_itself_stands_before_what_others_made_of_it() {
    for dialect in DIALECTS.iter() {
        let trust = match dialect.name {
            "otel-genai" | "mcp" => Trust::GenAi,
            "openinference" => Trust::OpenInference,
            "openllmetry" => Trust::Traceloop,
            "http" | "general" => Trust::General,
            _ => Trust::Vendor,
        };
        assert!(dialect.trust == trust, "{}", dialect.name);
    }
    let both = vec![
        int("gen_ai.usage.output_tokens", 7),
        int("ai.usage.outputTokens", 9),
    ];
    assert_eq!(tokens(&call("x", both.clone()))[1], Some(9));
    assert_eq!(
        tokens(&call("gen_ai", both))[1],
        Some(7),
        "in its own scope"
    );
    let packed = text("langfuse.observation.usage_details", "{\"output\": 9}");
    let both = vec![int("llm.usage.completion_tokens", 7), packed];
    assert_eq!(
        tokens(&call("x", both))[1],
        Some(7),
        "what is packed in a text stands behind"
    );
}

#[test]
fn keys_that_are_understood_and_not_needed_are_not_strange() {
    for key in [
        "gcp.vertex.agent.token_thing",
        "anthropic.model_x",
        "interaction.tokens_x",
        "codex.model_x",
        "crew_usage_metrics_x",
        "gemini_cli.token_x",
        "genkit:model:x",
        "haystack.model_x",
        "langfuse.model_x",
        "langsmith.token_x",
        "litellm.token_x",
        "mcp.token_x",
        "mlflow.model_x",
        "pydantic_ai.usage_x",
        "agent.model.x_cost",
        "gen_ai.latency.x_token",
        "spring.ai.model_x",
        "event_loop.cost_x",
        "ai.usage.x",
        "llm.token_count.x",
        "traceloop.prompt.cost",
        "gen_ai.request.x_token",
        "http.token_x",
        "host.model_x",
        "agentdiag.token_x",
    ] {
        let meaning = KeyMemo::default().meaning(key.as_bytes());
        assert!(matches!(meaning, Meaning::Nothing), "{key}: {meaning:?}");
    }
    let meaning = KeyMemo::default().meaning(b"other.model_x");
    assert!(matches!(meaning, Meaning::Strange));
    for content in [
        "llm.input_messages.0.message.token",
        "gen_ai.prompt.0.model",
        "retrieval.documents.3.cost",
    ] {
        let mut memo = KeyMemo::default();
        assert!(matches!(memo.meaning(content.as_bytes()), Meaning::Nothing));
    }
}

#[test]
fn unknown_keys_are_remembered_as_they_were_first_understood() {
    let mut memo = KeyMemo::default();
    for _ in 0..2 {
        assert_eq!(memo.recognise(b"acme.tokens"), Some(0));
        assert_eq!(memo.recognise(b"acme.colour"), None);
        assert_eq!(
            memo.recognise(b"mcp.session.id"),
            None,
            "known and not needed"
        );
    }
    let number = memo.recognise(b"gen_ai.usage.input_tokens").unwrap();
    assert!(number > 0 && KEYS.hinted(number).is_some());
    assert_ne!(memo.recognise(b"gen_ai.usage.output_tokens"), Some(number));
}

#[test]
fn events_mark_the_first_token() {
    let first = |scope: &str, event: &'static str, more: Vec<RawAttr<'static>>| {
        let mut attributes = vec![text("gen_ai.operation.name", "chat")];
        attributes.extend(more);
        let mut raw = span("chat", attributes);
        raw.events.push(RawEvent {
            name: event.into(),
            time: Some(Nanos(1_400_000_000)),
            ..RawEvent::default()
        });
        let data = read(scope, &raw);
        data.llm_of(&data.records[0])
            .unwrap()
            .first_token
            .map(|k| k.value.0)
    };
    let at = Some(400_000_000);
    for event in [
        "ai.stream.firstChunk",
        "First Token Stream Event",
        "llm.content.completion.chunk",
        "gen_ai.content.completion.chunk",
        "gen_ai.content.chunk",
    ] {
        assert_eq!(first("x", event, vec![]), at, "{event}");
    }
    assert_eq!(first("x", "other", vec![]), None);
    assert_eq!(
        first("x", "gen_ai.choice", vec![]),
        None,
        "the whole answer"
    );
    assert_eq!(
        first("x", "gen_ai.choice", vec![int("gen_ai.request.stream", 1)]),
        at
    );
}

#[test]
fn an_agents_word_outweighs_that_of_a_chain() {
    let both = |first: &'static str, second: &'static str| {
        op(
            "x",
            "n",
            vec![
                text("openinference.span.kind", first),
                text("langfuse.observation.type", second),
            ],
        )
    };
    assert_eq!(both("CHAIN", "agent"), Agent);
    assert_eq!(both("AGENT", "chain"), Agent);
    assert_eq!(both("TOOL", "chain"), Step, "the more trusted key");
    let turned = vec![
        text("langfuse.observation.type", "chain"),
        text("openinference.span.kind", "AGENT"),
    ];
    assert_eq!(op("x", "n", turned), Agent, "whichever comes first");
    assert_eq!(both("LLM", "tool"), Tool);
    assert_eq!(
        op(
            "x",
            "n",
            vec![
                text("langfuse.observation.type", "tool"),
                text("openinference.span.kind", "LLM")
            ]
        ),
        Tool
    );
    let root = RawSpan {
        parent: SpanId::NONE,
        ..span("n", vec![text("langfuse.observation.type", "chain")])
    };
    assert_eq!(
        read("x", &root).records[0].op,
        Agent,
        "a chain that is the root"
    );
}

#[test]
fn without_a_role_a_span_is_what_its_figures_say() {
    let of = |kind, parent, attributes: Vec<RawAttr<'static>>| {
        let raw = RawSpan {
            kind,
            parent: SpanId(parent),
            ..span("n", attributes)
        };
        read("x", &raw).records[0].op
    };
    use SpanKind::{Client, Internal, Server};
    let method = || text("http.request.method", "POST");
    assert_eq!(of(Client, 8, vec![method()]), Http);
    assert_eq!(of(Server, 8, vec![method()]), Http);
    assert_eq!(of(Server, 0, vec![method(), text("tenant.id", "t")]), Task);
    assert_eq!(of(Server, 8, vec![method(), text("tenant.id", "t")]), Http);
    assert_eq!(of(Server, 8, vec![method(), text("task.type", "t")]), Agent);
    let model = || text("gen_ai.request.model", "m");
    assert_eq!(
        of(
            Internal,
            8,
            vec![model(), int("gen_ai.usage.input_tokens", 1)]
        ),
        Llm
    );
    assert_eq!(
        of(
            Internal,
            8,
            vec![
                text("gen_ai.response.model", "m"),
                int("gen_ai.usage.output_tokens", 1)
            ]
        ),
        Llm
    );
    assert_eq!(of(Internal, 8, vec![model()]), Other);
    assert_eq!(of(Server, 0, vec![text("session.id", "t")]), Task);
    assert_eq!(of(Server, 8, vec![text("session.id", "t")]), Other);
    assert_eq!(of(Internal, 8, vec![text("gen_ai.tool.name", "t")]), Tool);
    assert_eq!(of(Server, 8, vec![text("gen_ai.tool.name", "t")]), Other);
    assert_eq!(of(Internal, 8, vec![text("gen_ai.agent.name", "a")]), Agent);
    assert_eq!(of(Client, 8, vec![text("gen_ai.agent.name", "a")]), Other);
}
