//! Every recording under `fixtures/dialects` says what its `.expect.json` says: one folder per
//! vocabulary, from bytes to requests. To write the expectations anew, set `AGENTDIAG_BLESS` and read
//! the difference.

use std::fs;
use std::path::{Path, PathBuf};

use agentdiag::dialect::Normalizer;
use agentdiag::ingest::{Options, Source, read_all};
use agentdiag::model::{Dataset, Known, LlmCall, Span, ToolCall};
use agentdiag::trace::{Forest, Request};
use agentdiag::units::{Nanos, Sym};
use serde_json::{Map, Value, json};

#[test]
fn every_recording_says_what_is_expected_of_it() {
    let mut wrong = Vec::new();
    let all = recordings();
    assert!(all.len() > 20, "fixtures are missing");
    for path in all {
        let expected = fs::read_to_string(path.with_extension("expect.json")).unwrap_or_default();
        let expected: Value = serde_json::from_str(&expected).unwrap_or_default();
        let found = facts(&path);
        if std::env::var_os("AGENTDIAG_BLESS").is_some() {
            let text = serde_json::to_string_pretty(&found).unwrap();
            fs::write(path.with_extension("expect.json"), text + "\n").unwrap();
            continue;
        }
        if found != expected {
            let found = serde_json::to_string_pretty(&found).unwrap();
            wrong.push(format!("{} says\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn recordings() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dialects");
    let files = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|e| e.unwrap().path()).collect()
    };
    let mut found: Vec<PathBuf> = files(&root)
        .iter()
        .filter(|p| p.is_dir())
        .flat_map(|dir| files(dir))
        .filter(|p| {
            let name = p.to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".expect.json")
        })
        .collect();
    found.sort();
    found
}

fn facts(path: &Path) -> Value {
    let sources = Source::find(&[path.to_string_lossy().into_owned()]);
    let reading = read_all(sources, &Options::default(), Normalizer::new, &());
    let mut data = Dataset::default();
    for sink in reading.sinks {
        data.absorb(sink.finish());
    }
    agentdiag::dialect::choose_signal(&mut data);
    data.check_valid().unwrap();
    let forest = Forest::build(&mut data, &agentdiag::trace::Options::default());
    let requests: Vec<Value> = forest
        .requests
        .iter()
        .map(|r| request(&data, &forest, r))
        .collect();
    let issues: Map<String, Value> = data
        .ledger
        .iter()
        .map(|(kind, _, tally)| (kind.id().to_owned(), json!(tally.count)))
        .collect();
    let mut dialects: Vec<&str> = data.dialects.keys().copied().collect();
    dialects.sort_unstable();
    json!({"dialects": dialects, "issues": issues, "requests": requests})
}

fn request(data: &Dataset, forest: &Forest, r: &Request) -> Value {
    let ops = &forest.ops[r.ops.start as usize..r.ops.end as usize];
    let mut ops: Vec<u32> = ops.iter().map(|op| op.span).collect();
    ops.sort_by_key(|&i| (data.spans[i as usize].start, data.id_of(i)));
    let spans: Vec<&Span> = ops.iter().map(|&i| &data.spans[i as usize]).collect();
    let calls: Vec<Value> = spans
        .iter()
        .filter_map(|s| Some(call(data, s, &data.llm_of(s)?)))
        .collect();
    let tools: Vec<Value> = spans
        .iter()
        .filter_map(|s| Some(tool(data, s, &data.tool_of(s)?)))
        .collect();
    let mut out = Map::new();
    for (key, sym) in [
        ("kind", r.kind),
        ("agent", r.agent),
        ("tenant", r.tenant),
        ("conversation", r.conversation),
    ] {
        put(&mut out, key, text(data, sym));
    }
    put(&mut out, "llm_calls", json!(r.llm_calls));
    put(&mut out, "tool_calls", json!(r.tool_calls));
    put(&mut out, "retries", json!(r.retries));
    put(&mut out, "input", json!(r.input_tokens));
    put(&mut out, "cached", json!(r.cached_tokens));
    put(&mut out, "output", json!(r.output_tokens));
    put(&mut out, "calls", json!(calls));
    put(&mut out, "tools", json!(tools));
    Value::Object(out)
}

fn call(data: &Dataset, span: &Span, call: &LlmCall) -> Value {
    let mut out = Map::new();
    for (key, sym) in [
        ("provider", call.provider),
        ("model", call.model()),
        ("endpoint", call.endpoint),
        ("fingerprint", call.fingerprint),
        ("finish", call.finish),
    ] {
        put(&mut out, key, text(data, sym));
    }
    for (key, count) in [
        ("input", call.input),
        ("cached", call.cached),
        ("cache_write", call.cache_write),
        ("output", call.output),
        ("reasoning", call.reasoning),
    ] {
        put(&mut out, key, json!(count.map(|k| k.value)));
    }
    for (key, time) in [
        ("first_token_ms", call.first_token),
        ("queue_ms", call.queue),
        ("prefill_ms", call.prefill),
        ("decode_ms", call.decode),
        ("model_ms", call.model_time),
    ] {
        put(&mut out, key, millis(time));
    }
    put(
        &mut out,
        "cost",
        json!(call.reported_cost.map(|c| c.value.as_dollars())),
    );
    put(&mut out, "status", json!(call.http_status));
    put(&mut out, "resends", json!(call.resends));
    put(&mut out, "streamed", json!(call.streamed));
    put(&mut out, "error", json!(span.error.map(|e| e.as_str())));
    Value::Object(out)
}

fn tool(data: &Dataset, span: &Span, call: &ToolCall) -> Value {
    let mut out = Map::new();
    put(&mut out, "tool", text(data, call.tool));
    put(&mut out, "arguments", json!(call.arguments.map(|_| true)));
    put(&mut out, "call_id", json!(call.call_id.map(|_| true)));
    put(&mut out, "reported_ms", millis(call.reported));
    put(
        &mut out,
        "said_failed",
        json!(call.said_failed.then_some(true)),
    );
    put(&mut out, "error", json!(span.error.map(|e| e.as_str())));
    Value::Object(out)
}

fn put(out: &mut Map<String, Value>, key: &str, value: Value) {
    if !value.is_null() {
        out.insert(key.to_owned(), value);
    }
}

fn text(data: &Dataset, sym: Sym) -> Value {
    json!(data.names.known(sym))
}

fn millis(time: Option<Known<Nanos>>) -> Value {
    json!(time.map(|t| (t.value.as_millis() * 1000.0).round() / 1000.0))
}
