//! How four instrumentations write the same step.

use std::fmt::Write as _;

/// Services, by index.
pub(super) const SERVICES: [&str; 8] = [
    "support-agent",
    "analytics-agent",
    "coding-agent",
    "faq-agent",
    "research-agent",
    "billing-agent",
    "legal-agent",
    "travel-agent",
];
/// Tools, by index.
pub(super) const TOOLS: [&str; 8] = [
    "search_kb",
    "get_order",
    "check_policy",
    "sql_query",
    "fetch_page",
    "read_file",
    "run_tests",
    "send_mail",
];
const MODELS: [(&str, &str); 4] = [
    ("openai", "gpt-4o"),
    ("anthropic", "claude-sonnet-4-20250514"),
    ("openai", "llama-3.3-70b-instruct"),
    ("openai", "gpt-5-mini"),
];

/// A vocabulary.
#[derive(Clone, Copy, Default)]
pub(super) enum Dialect {
    #[default]
    GenAi,
    OpenInference,
    Traceloop,
    Seed,
}

impl Dialect {
    pub(super) const ALL: [Self; 4] = [
        Self::GenAi,
        Self::OpenInference,
        Self::Traceloop,
        Self::Seed,
    ];

    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::GenAi => "opentelemetry.instrumentation.openai_v2",
            Self::OpenInference => "openinference.instrumentation.openai",
            Self::Traceloop => "opentelemetry.instrumentation.openai.v1",
            Self::Seed => "agent.tracing",
        }
    }
}

/// What a span is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Agent,
    Model,
    Tool,
}

/// One step of one request.
#[derive(Default)]
pub(super) struct Step {
    pub(super) dialect: Dialect,
    pub(super) service: usize,
    pub(super) trace: u128,
    pub(super) conversation: u64,
    /// Prompt, cached, generated.
    pub(super) tokens: (u64, u64, u64),
    /// Nanoseconds to the first token.
    pub(super) first_token: u64,
    pub(super) last: bool,
    pub(super) failed: bool,
    pub(super) tool: usize,
    pub(super) argument: u32,
}

impl Step {
    fn tenant(&self) -> String {
        format!("tenant-{}", self.conversation % 40)
    }

    fn model(&self) -> (&'static str, &'static str) {
        MODELS[self.service % MODELS.len()]
    }

    fn finish(&self) -> &'static str {
        if self.last { "stop" } else { "tool_calls" }
    }
}

/// Attributes, written one after the other.
pub(super) struct Fields<'a>(&'a mut String, bool);

impl<'a> Fields<'a> {
    pub(super) fn new(out: &'a mut String) -> Self {
        Self(out, false)
    }

    fn put(&mut self, key: &str, kind: &str, value: std::fmt::Arguments<'_>) {
        let comma = if self.1 { "," } else { "" };
        self.1 = true;
        let _ = write!(
            self.0,
            r#"{comma}{{"key":"{key}","value":{{"{kind}":{value}}}}}"#
        );
    }

    /// A text that needs no escapes.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.put(key, "stringValue", format_args!("\"{value}\""));
    }

    fn int(&mut self, key: &str, value: u64) {
        self.put(key, "intValue", format_args!("\"{value}\""));
    }

    fn double(&mut self, key: &str, value: f64) {
        self.put(key, "doubleValue", format_args!("{value}"));
    }

    fn boolean(&mut self, key: &str, value: bool) {
        self.put(key, "boolValue", format_args!("{value}"));
    }

    fn list(&mut self, key: &str, value: &str) {
        let list = format_args!(r#"{{"values":[{{"stringValue":"{value}"}}]}}"#);
        self.put(key, "arrayValue", list);
    }

    /// Messages as JSON inside JSON, as instrumentations write them.
    fn messages(&mut self, key: &str, role: &str, text: &str) {
        let (one, two) = text.split_at(text.len() / 2);
        let list = format_args!(
            r#""[{{\"role\":\"{role}\",\"parts\":[{{\"type\":\"text\",\"content\":\"{one}\\n\\n\\\"{two}\\\" caf\u00e9\"}}]}}]""#
        );
        self.put(key, "stringValue", list);
    }
}

/// Renders one span.
pub(super) fn render(
    out: &mut String,
    step: &Step,
    kind: Kind,
    (id, parent): (u64, u64),
    (start, end): (u64, u64),
    text: &str,
) {
    let parent_id = if parent == 0 {
        String::new()
    } else {
        format!("{parent:016x}")
    };
    let failed = step.failed && kind == Kind::Model;
    let (name, otlp_kind) = name(step, kind);
    let _ = write!(
        out,
        r#"{{"traceId":"{:032x}","spanId":"{id:016x}","parentSpanId":"{parent_id}","flags":{},"name":"{name}","kind":{otlp_kind},"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}","attributes":["#,
        step.trace,
        if parent == 0 { 256 } else { 257 },
    );
    let mut fields = Fields::new(out);
    match step.dialect {
        Dialect::GenAi => gen_ai(&mut fields, step, kind, text),
        Dialect::OpenInference => openinference(&mut fields, step, kind, text),
        Dialect::Traceloop => traceloop(&mut fields, step, kind, text),
        Dialect::Seed => seed(&mut fields, step, kind, end - start),
    }
    if failed {
        fields.text("error.type", "RateLimitError");
    }
    out.push(']');
    if kind == Kind::Model && matches!(step.dialect, Dialect::Traceloop) {
        let at = start + step.first_token;
        let _ = write!(
            out,
            r#","events":[{{"timeUnixNano":"{at}","name":"llm.content.completion.chunk","attributes":[]}}]"#
        );
    }
    out.push_str(if failed {
        r#","status":{"code":2,"message":"Error code: 429"}}"#
    } else {
        r#","status":{}}"#
    });
}

fn name(step: &Step, kind: Kind) -> (String, u8) {
    let (agent, tool) = (SERVICES[step.service], TOOLS[step.tool]);
    let (_, model) = step.model();
    match (step.dialect, kind) {
        (Dialect::GenAi, Kind::Root) => (format!("POST /v1/agents/{agent}/runs"), 2),
        (Dialect::GenAi, Kind::Agent) => (format!("invoke_agent {agent}"), 1),
        (Dialect::GenAi, Kind::Model) => (format!("chat {model}"), 3),
        (Dialect::GenAi, Kind::Tool) => (format!("execute_tool {tool}"), 1),
        (Dialect::OpenInference, Kind::Model) => ("ChatCompletion".into(), 1),
        (Dialect::OpenInference, Kind::Tool) => (tool.into(), 1),
        (Dialect::OpenInference, _) => (agent.into(), 1),
        (Dialect::Traceloop, Kind::Root) => (format!("{agent}_workflow.workflow"), 1),
        (Dialect::Traceloop, Kind::Agent) => (format!("{agent}.agent"), 1),
        (Dialect::Traceloop, Kind::Model) => ("openai.chat".into(), 3),
        (Dialect::Traceloop, Kind::Tool) => (format!("{tool}.tool"), 1),
        (Dialect::Seed, Kind::Root) => ("agent.request".into(), 2),
        (Dialect::Seed, Kind::Agent) => ("agent.step".into(), 1),
        (Dialect::Seed, Kind::Model) => ("agent.llm.reasoning".into(), 1),
        (Dialect::Seed, Kind::Tool) => ("agent.tool.execute".into(), 3),
    }
}

fn gen_ai(f: &mut Fields<'_>, step: &Step, kind: Kind, text: &str) {
    let conversation = format!("conv_{:016x}", step.conversation);
    let (provider, model) = step.model();
    let (input, cached, output) = step.tokens;
    match kind {
        Kind::Root => {
            f.text("http.request.method", "POST");
            f.text("http.route", "/v1/agents/{agent}/runs");
            f.text("url.scheme", "https");
            f.int("http.response.status_code", 200);
            f.text("tenant.id", &step.tenant());
        }
        Kind::Agent => {
            f.text("gen_ai.operation.name", "invoke_agent");
            f.text("gen_ai.agent.name", SERVICES[step.service]);
            f.text("gen_ai.conversation.id", &conversation);
            f.text("gen_ai.provider.name", provider);
            f.text("tenant.id", &step.tenant());
            f.text("app.task.type", SERVICES[step.service]);
        }
        Kind::Model => {
            f.text("gen_ai.operation.name", "chat");
            f.text("gen_ai.provider.name", provider);
            f.text("gen_ai.request.model", model);
            f.text("gen_ai.conversation.id", &conversation);
            f.boolean("gen_ai.request.stream", true);
            if !text.is_empty() {
                f.messages("gen_ai.input.messages", "user", text);
                f.messages(
                    "gen_ai.output.messages",
                    "assistant",
                    &text[..text.len() / 8],
                );
            }
            if !step.failed {
                f.text("gen_ai.response.model", model);
                f.list("gen_ai.response.finish_reasons", step.finish());
                f.int("gen_ai.usage.input_tokens", input);
                f.int("gen_ai.usage.output_tokens", output);
                f.text(
                    "gen_ai.response.id",
                    &format!("chatcmpl-{:016x}", step.trace as u64 ^ input),
                );
                f.int("gen_ai.usage.cache_read.input_tokens", cached);
                f.double(
                    "gen_ai.response.time_to_first_chunk",
                    step.first_token as f64 / 1e9,
                );
            }
            f.text("server.address", "llm.eu-west-1.inference.example.net");
            f.int("server.port", 443);
        }
        Kind::Tool => {
            f.text("gen_ai.operation.name", "execute_tool");
            f.text("gen_ai.tool.name", TOOLS[step.tool]);
            f.text("gen_ai.tool.type", "function");
            f.text(
                "gen_ai.tool.call.id",
                &format!("call_{:012x}", step.argument),
            );
            f.text(
                "gen_ai.tool.call.arguments",
                &format!(r#"{{\"q\": \"{:08x}\"}}"#, step.argument),
            );
            if !text.is_empty() {
                f.messages("gen_ai.tool.call.result", "tool", text);
            }
        }
    }
}

fn openinference(f: &mut Fields<'_>, step: &Step, kind: Kind, text: &str) {
    let session = format!("conv_{:016x}", step.conversation);
    let (provider, model) = step.model();
    let (input, cached, output) = step.tokens;
    match kind {
        Kind::Root | Kind::Agent => {
            f.text("openinference.span.kind", "AGENT");
            f.text("agent.name", SERVICES[step.service]);
            f.text("session.id", &session);
            f.text("user.id", &step.tenant());
            f.text(
                "metadata",
                &format!(r#"{{\"task_type\": \"{}\"}}"#, SERVICES[step.service]),
            );
        }
        Kind::Model => {
            f.text("openinference.span.kind", "LLM");
            f.text("llm.model_name", model);
            f.text("llm.system", provider);
            f.text("session.id", &session);
            f.text("llm.invocation_parameters", r#"{\"temperature\": 0.3}"#);
            if !text.is_empty() {
                f.messages("input.value", "user", text);
                f.text("llm.input_messages.0.message.role", "user");
                f.text("llm.input_messages.0.message.content", text);
            }
            f.int("llm.token_count.prompt", input);
            f.int("llm.token_count.completion", output);
            f.int("llm.token_count.total", input + output);
            f.int("llm.token_count.prompt_details.cache_read", cached);
            f.text("llm.finish_reason", step.finish());
        }
        Kind::Tool => {
            let arguments = format!(r#"{{\"q\": \"{:08x}\"}}"#, step.argument);
            f.text("openinference.span.kind", "TOOL");
            f.text("tool.name", TOOLS[step.tool]);
            f.text("tool.parameters", &arguments);
            f.text("input.value", &arguments);
            f.text("input.mime_type", "application/json");
            f.text("session.id", &session);
            if !text.is_empty() {
                f.messages("output.value", "tool", text);
            }
        }
    }
}

fn traceloop(f: &mut Fields<'_>, step: &Step, kind: Kind, text: &str) {
    let agent = SERVICES[step.service];
    let (provider, model) = step.model();
    let (input, cached, output) = step.tokens;
    f.text(
        "traceloop.association.properties.session_id",
        &format!("conv_{:016x}", step.conversation),
    );
    match kind {
        Kind::Root | Kind::Agent => {
            let workflow = kind == Kind::Root;
            f.text(
                "traceloop.span.kind",
                if workflow { "workflow" } else { "agent" },
            );
            f.text("traceloop.entity.name", agent);
            f.text("traceloop.association.properties.tenant", &step.tenant());
            f.text("traceloop.association.properties.task_type", agent);
        }
        Kind::Model => {
            f.text("gen_ai.system", provider);
            f.text("gen_ai.request.model", model);
            f.text("llm.request.type", "chat");
            f.boolean("llm.is_streaming", true);
            f.text("gen_ai.response.model", model);
            if !text.is_empty() {
                f.text("gen_ai.prompt.0.role", "user");
                f.text("gen_ai.prompt.0.content", text);
            }
            f.int("gen_ai.usage.prompt_tokens", input);
            f.int("gen_ai.usage.completion_tokens", output);
            f.int("llm.usage.total_tokens", input + output);
            f.text("gen_ai.completion.0.finish_reason", step.finish());
            f.int("gen_ai.usage.cache_read_input_tokens", cached);
            f.text(
                "gen_ai.openai.api_base",
                "https://llm.us-east-1.inference.example.net/v1/",
            );
        }
        Kind::Tool => {
            f.text("traceloop.span.kind", "tool");
            f.text("traceloop.entity.name", TOOLS[step.tool]);
            f.text(
                "traceloop.entity.path",
                &format!("agent.{}", TOOLS[step.tool]),
            );
            let input = format!(
                r#"{{\"args\": [], \"kwargs\": {{\"q\": \"{:08x}\"}}}}"#,
                step.argument
            );
            f.text("traceloop.entity.input", &input);
        }
    }
}

fn seed(f: &mut Fields<'_>, step: &Step, kind: Kind, duration: u64) {
    let (_, model) = step.model();
    let (input, _, output) = step.tokens;
    match kind {
        Kind::Root => {
            f.text("agent.request.id", &format!("{:032x}", step.trace));
            f.text("agent.agent.id", SERVICES[step.service]);
            f.text("agent.task.type", SERVICES[step.service]);
            f.text("agent.tenant", &step.tenant());
        }
        Kind::Agent => f.text("agent.agent.id", SERVICES[step.service]),
        Kind::Model => {
            f.text("agent.model.name", model);
            f.double("agent.model.temperature", 0.3);
            f.int("agent.llm.tokens.input", input);
            f.int("agent.llm.tokens.output", output);
            f.int("agent.llm.duration_ms", duration / 1_000_000);
            f.text("agent.llm.finish_reason", step.finish());
            f.text("agent.step.outcome", "completed");
        }
        Kind::Tool => {
            f.text("agent.tool.name", TOOLS[step.tool]);
            f.text("agent.tool.args_hash", &format!("{:08x}", step.argument));
            f.int("agent.tool.duration_ms", duration / 1_000_000);
            f.text("agent.tool.status", "success");
        }
    }
}
