//! One record of each format, as its exporter writes it, about as large as a span of a model call.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

/// A format as text around records.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) open: &'static [u8],
    pub(crate) each: fn(u64, &mut Vec<u8>),
    pub(crate) between: &'static [u8],
    pub(crate) close: &'static [u8],
    /// How many `each` writes.
    pub(crate) records: u64,
}

/// Spans in one export request, as an SDK batches them.
const BATCH: u64 = 64;

/// Every format that can hold gigabytes.
pub(crate) const SHAPES: &[Shape] = &[
    lines("otlp-json lines", otlp_line),
    within("otlp-json one document", b"{\"resourceSpans\":[", otlp_block, b"]}"),
    Shape {
        between: b"",
        ..lines("otlp-proto sized", otlp_sized)
    },
    Shape {
        between: b"",
        ..lines("otlp-proto bare", otlp_bare)
    },
    Shape {
        records: BATCH,
        ..lines("otlp-json batches", json_batch)
    },
    Shape {
        between: b"",
        records: BATCH,
        ..lines("otlp-proto batches", proto_batch)
    },
    within("jaeger-json download", b"{\"data\":[", jaeger, b"]}"),
    lines("jaeger-documents", jaeger_document),
    within("tempo v1", b"{\"batches\":[", otlp_block, b"]}"),
    within("zipkin-json", b"[", zipkin, b"]"),
    lines("langfuse export", langfuse),
    lines("langsmith runs", langsmith),
    lines("phoenix lines", phoenix),
    lines("clickhouse rows", clickhouse),
    within("datadog page", b"{\"data\":[", datadog, b"]}"),
    within("span-records list", b"[", flat, b"]"),
    Shape {
        open: b"trace_id,span_id,parent_id,name,start_time,end_time,gen_ai.request.model,gen_ai.usage.input_tokens,note\n",
        ..lines("csv-spans", csv)
    },
    Shape {
        open: b"# TYPE vllm:num_requests_running gauge\n",
        ..lines("prom-text", prometheus)
    },
    lines("log lines", log),
];

const fn lines(name: &'static str, each: fn(u64, &mut Vec<u8>)) -> Shape {
    within_of(name, b"", each, b"\n", b"\n")
}

const fn within(
    name: &'static str,
    open: &'static [u8],
    each: fn(u64, &mut Vec<u8>),
    close: &'static [u8],
) -> Shape {
    within_of(name, open, each, b",", close)
}

const fn within_of(
    name: &'static str,
    open: &'static [u8],
    each: fn(u64, &mut Vec<u8>),
    between: &'static [u8],
    close: &'static [u8],
) -> Shape {
    Shape {
        name,
        open,
        each,
        between,
        close,
        records: 1,
    }
}

/// Attributes of a model call, some 400 bytes in most spellings.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("gen_ai.operation.name", "chat"),
    ("gen_ai.provider.name", "openai"),
    ("gen_ai.request.model", "gpt-4.1-mini"),
    ("gen_ai.response.model", "gpt-4.1-mini-2025-04-14"),
    (
        "gen_ai.response.id",
        "chatcmpl-BzR0nXp3vQm8sT5uKfYw2JdHe7aLc",
    ),
    (
        "gen_ai.conversation.id",
        "5f0c4b0a-7a43-4f0e-9f0b-2a8d4f9f6f11",
    ),
    ("server.address", "eu-west-1.llm.example"),
    ("gen_ai.usage.input_tokens", "5541"),
    ("gen_ai.usage.output_tokens", "212"),
];

fn start(n: u64) -> u64 {
    1_778_572_800_000_000_000 + n * 1_000_000
}

fn join(pair: impl Fn(&str, &str) -> String) -> String {
    let all: Vec<String> = ATTRIBUTES.iter().map(|(k, v)| pair(k, v)).collect();
    all.join(",")
}

fn plain() -> String {
    join(|k, v| format!("\"{k}\":\"{v}\""))
}

fn date(n: u64) -> String {
    let second = n / 1_000;
    let (minute, hour) = (second / 60, second / 3_600);
    format!(
        "2026-05-{:02}T{:02}:{:02}:{:02}.{:03}",
        1 + (hour / 24) % 28,
        hour % 24,
        minute % 60,
        second % 60,
        n % 1_000
    )
}

fn otlp_block(n: u64, out: &mut Vec<u8>) {
    let attributes =
        join(|k, v| format!("{{\"key\":\"{k}\",\"value\":{{\"stringValue\":\"{v}\"}}}}"));
    let (start, end) = (start(n), start(n) + 900_000_000);
    out.extend(
        format!(
            "{{\"resource\":{{\"attributes\":[{{\"key\":\"service.name\",\"value\":{{\"stringValue\":\"agent\"}}}}]}},\"scopeSpans\":[{{\"scope\":{{\"name\":\"bench\"}},\"spans\":[{{\"traceId\":\"{:032x}\",\"spanId\":\"{n:016x}\",\"name\":\"chat gpt-4.1-mini\",\"kind\":3,\"startTimeUnixNano\":\"{start}\",\"endTimeUnixNano\":\"{end}\",\"attributes\":[{attributes}],\"status\":{{}}}}]}}]}}",
            n / 8 + 1,
            n = n + 1
        )
        .as_bytes(),
    );
}

fn otlp_line(n: u64, out: &mut Vec<u8>) {
    out.extend(b"{\"resourceSpans\":[");
    otlp_block(n, out);
    out.extend(b"]}");
}

fn message(n: u64) -> Vec<u8> {
    let mut text = Vec::new();
    otlp_line(n, &mut text);
    let request: ExportTraceServiceRequest = serde_json::from_slice(&text).expect("OTLP/JSON");
    request.encode_to_vec()
}

fn otlp_sized(n: u64, out: &mut Vec<u8>) {
    let message = message(n);
    out.extend((message.len() as u32).to_be_bytes());
    out.extend(message);
}

fn otlp_bare(n: u64, out: &mut Vec<u8>) {
    out.extend(message(n));
}

/// The spans of many requests in one.
fn batch(n: u64) -> ExportTraceServiceRequest {
    let mut all = ExportTraceServiceRequest::default();
    for n in n * BATCH..(n + 1) * BATCH {
        let mut text = Vec::new();
        otlp_line(n, &mut text);
        let one: ExportTraceServiceRequest = serde_json::from_slice(&text).expect("OTLP/JSON");
        for block in one.resource_spans {
            match all.resource_spans.first_mut() {
                None => all.resource_spans.push(block),
                Some(first) => {
                    let spans = block.scope_spans.into_iter().flat_map(|s| s.spans);
                    first.scope_spans[0].spans.extend(spans);
                }
            }
        }
    }
    all
}

fn json_batch(n: u64, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &batch(n)).expect("OTLP/JSON");
}

fn proto_batch(n: u64, out: &mut Vec<u8>) {
    let message = batch(n).encode_to_vec();
    out.extend((message.len() as u32).to_be_bytes());
    out.extend(message);
}

fn jaeger_span(n: u64) -> String {
    let tags = join(|k, v| format!("{{\"key\":\"{k}\",\"type\":\"string\",\"value\":\"{v}\"}}"));
    format!(
        "\"traceID\":\"{:032x}\",\"spanID\":\"{n:016x}\",\"operationName\":\"chat gpt-4.1-mini\",\"references\":[],\"startTime\":{},\"duration\":900000,\"tags\":[{tags}],\"logs\":[]",
        n / 8 + 1,
        start(n) / 1_000,
        n = n + 1
    )
}

fn jaeger(n: u64, out: &mut Vec<u8>) {
    let span = jaeger_span(n);
    out.extend(
        format!(
            "{{\"traceID\":\"{:032x}\",\"spans\":[{{{span},\"processID\":\"p1\"}}],\"processes\":{{\"p1\":{{\"serviceName\":\"agent\",\"tags\":[]}}}}}}",
            n / 8 + 1
        )
        .as_bytes(),
    );
}

fn jaeger_document(n: u64, out: &mut Vec<u8>) {
    let span = jaeger_span(n);
    out.extend(
        format!("{{{span},\"process\":{{\"serviceName\":\"agent\",\"tags\":[]}}}}").as_bytes(),
    );
}

fn zipkin(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"traceId\":\"{:032x}\",\"id\":\"{n:016x}\",\"name\":\"chat gpt-4.1-mini\",\"kind\":\"CLIENT\",\"timestamp\":{},\"duration\":900000,\"localEndpoint\":{{\"serviceName\":\"agent\"}},\"tags\":{{{}}}}}",
            n / 8 + 1,
            start(n) / 1_000,
            plain(),
            n = n + 1
        )
        .as_bytes(),
    );
}

fn langfuse(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"id\":\"{n:016x}\",\"traceId\":\"{:032x}\",\"parentObservationId\":null,\"type\":\"GENERATION\",\"name\":\"chat\",\"startTime\":\"{start}Z\",\"endTime\":\"{start}Z\",\"model\":\"gpt-4.1-mini\",\"usageDetails\":{{\"input\":5541,\"output\":212,\"total\":5753}},\"level\":\"DEFAULT\",\"metadata\":{{\"attributes\":{{{}}}}}}}",
            n / 8 + 1,
            plain(),
            n = n + 1,
            start = date(n)
        )
        .as_bytes(),
    );
}

fn langsmith(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"id\":\"{n:08x}-0000-0000-0000-000000000001\",\"trace_id\":\"{:08x}-0000-0000-0000-000000000002\",\"run_type\":\"llm\",\"name\":\"ChatOpenAI\",\"start_time\":\"{start}\",\"end_time\":\"{start}\",\"inputs\":{{\"messages\":[{{\"role\":\"user\",\"content\":\"{words}\"}}]}},\"outputs\":{{\"usage_metadata\":{{\"input_tokens\":5541,\"output_tokens\":212}}}},\"extra\":{{\"metadata\":{{\"ls_model_name\":\"gpt-4.1-mini\"}}}}}}",
            n / 8 + 1,
            n = n + 1,
            start = date(n),
            words = "words ".repeat(50)
        )
        .as_bytes(),
    );
}

fn phoenix(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"name\":\"ChatCompletion\",\"context\":{{\"trace_id\":\"{:032x}\",\"span_id\":\"{n:016x}\"}},\"span_kind\":\"LLM\",\"parent_id\":null,\"start_time\":\"{start}+00:00\",\"end_time\":\"{start}+00:00\",\"status_code\":\"OK\",\"attributes\":{{{}}},\"events\":[]}}",
            n / 8 + 1,
            plain(),
            n = n + 1,
            start = date(n)
        )
        .as_bytes(),
    );
}

fn clickhouse(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"Timestamp\":\"{start}000000\",\"TraceId\":\"{:032x}\",\"SpanId\":\"{n:016x}\",\"ParentSpanId\":\"\",\"SpanName\":\"chat\",\"SpanKind\":\"Client\",\"ServiceName\":\"agent\",\"ResourceAttributes\":{{}},\"SpanAttributes\":{{{}}},\"Duration\":\"900000000\",\"StatusCode\":\"Unset\"}}",
            n / 8 + 1,
            plain(),
            n = n + 1,
            start = date(n).replace('T', " ")
        )
        .as_bytes(),
    );
}

fn datadog(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"id\":\"x\",\"type\":\"spans\",\"attributes\":{{\"trace_id\":\"{}\",\"span_id\":\"{}\",\"parent_id\":\"0\",\"service\":\"agent\",\"resource_name\":\"chat\",\"start_timestamp\":\"{start}Z\",\"end_timestamp\":\"{start}Z\",\"custom\":{{{}}}}}}}",
            n / 8 + 1,
            n + 1,
            plain(),
            start = date(n)
        )
        .as_bytes(),
    );
}

fn flat(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"trace_id\":\"{:032x}\",\"span_id\":\"{n:016x}\",\"parent_span_id\":null,\"name\":\"chat\",\"start_time\":{start},\"end_time\":{},\"attributes\":{{{}}},\"status\":{{\"code\":\"OK\"}}}}",
            n / 8 + 1,
            start(n) + 900_000_000,
            plain(),
            n = n + 1,
            start = start(n)
        )
        .as_bytes(),
    );
}

fn csv(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{:032x},{:016x},,chat,{},{},gpt-4.1-mini,5541,\"{}, \"\"quoted\"\"\"",
            n / 8 + 1,
            n + 1,
            start(n),
            start(n) + 900_000_000,
            "words ".repeat(30)
        )
        .as_bytes(),
    );
}

fn prometheus(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "vllm:num_requests_running{{engine=\"0\",model_name=\"model-{}\"}} {} {}",
            n % 8,
            n % 17,
            start(n) / 1_000_000
        )
        .as_bytes(),
    );
}

fn log(n: u64, out: &mut Vec<u8>) {
    out.extend(
        format!(
            "{{\"timestamp\":\"{}Z\",\"level\":\"info\",\"logger\":\"agent\",\"message\":\"{}\",\"trace_id\":\"{:032x}\",\"span_id\":\"{:016x}\"}}",
            date(n),
            "words ".repeat(20),
            n / 8 + 1,
            n + 1
        )
        .as_bytes(),
    );
}
