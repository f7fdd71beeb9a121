//! Puts the word wherever programs write content.

use serde_json::{Deserializer, Value, json};

use super::CANARY;

/// Content under every key of the list, in every kind of value, on every span; in events, status
/// messages and links.
pub(super) fn plant(dump: &mut Value) {
    for record in log_records(dump) {
        for attribute in list(record, "attributes").iter_mut() {
            if content_keys().any(|content| content == key(attribute)) {
                attribute["value"] = said(&key(attribute), &json!({"stringValue": CANARY}));
            }
        }
        // Where a record has no other name, its body is one.
        if record["eventName"].is_string() {
            record["body"] = json!({"stringValue": CANARY});
        }
    }

    let message = json!([{"role": "user", "content": CANARY, "parts": [{"type": "text", "content": CANARY}]}]);
    let kinds = [
        json!({"stringValue": CANARY}),
        json!({"stringValue": message.to_string()}),
        json!({"arrayValue": {"values": [{"stringValue": CANARY}]}}),
        json!({"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": CANARY}}]}}),
        json!({"bytesValue": CANARY}),
    ];
    let mut next = 0;
    for span in spans(dump) {
        let attributes = list(span, "attributes");
        let present: Vec<String> = attributes.iter().map(key).collect();
        for attribute in attributes.iter_mut() {
            if content_keys().any(|content| content == key(attribute)) {
                attribute["value"] = said(&key(attribute), &kinds[0]);
            }
        }
        for content in content_keys().filter(|c| !present.iter().any(|p| p == c)) {
            next += 1;
            attributes
                .push(json!({"key": content, "value": said(content, &kinds[next % kinds.len()])}));
        }
        let events = [
            "exception",
            "gen_ai.user.message",
            "gen_ai.choice",
            "gen_ai.content.prompt",
            "tool.output",
        ];
        let time = span["startTimeUnixNano"].clone();
        let recorded = events.iter().map(|name| {
            let attributes = content_keys().map(|key| json!({"key": key, "value": kinds[0]}));
            json!({"name": name, "timeUnixNano": time, "attributes": attributes.collect::<Vec<_>>()})
        });
        list(span, "events").extend(recorded.collect::<Vec<_>>());
        span["status"] = json!({"code": 2, "message": format!("Error code: 429 - {CANARY}")});
        span["traceState"] = json!(CANARY);
    }
}

/// A value for `key`: where an address is expected, one with private parts.
fn said(key: &str, content: &Value) -> Value {
    match key {
        "url.full" | "http.url" => {
            let url = format!("https://me:{CANARY}@llm.example/v1/{CANARY}?key={CANARY}#{CANARY}");
            json!({"stringValue": url})
        }
        // What is packed in a text is looked into.
        "gen_ai.usage.input_token_details"
        | "gen_ai.usage.output_token_details"
        | "langfuse.observation.cost_details"
        | "langfuse.observation.usage_details"
        | "langfuse.trace.metadata"
        | "llm.invocation_parameters"
        | "mlflow.chat.tokenUsage"
        | "model_config"
        | "usage"
        | "metadata"
        | "ai.response.providerMetadata" => {
            let packed =
                json!({"note": CANARY, CANARY: 1, "inner": {"text": CANARY, "error": [CANARY]}});
            json!({"stringValue": packed.to_string()})
        }
        "http.target" => json!({"stringValue": format!("/v1/chat?key={CANARY}#{CANARY}")}),
        _ => content.clone(),
    }
}

/// Numbers that are words, ids that are sentences.
pub(super) fn spoil(dump: &mut Value) {
    for (index, span) in spans(dump).into_iter().enumerate() {
        for attribute in list(span, "attributes") {
            if key(attribute).contains("tokens") {
                attribute["value"] = json!({"intValue": CANARY});
            }
        }
        match index % 4 {
            0 => span["endTimeUnixNano"] = json!(CANARY),
            1 => span["spanId"] = json!(CANARY),
            2 => span["kind"] = json!(CANARY),
            _ => span["status"] = json!(CANARY),
        }
    }
}

pub(super) fn logs() -> Value {
    let record = json!({
        "timeUnixNano": "1777795200010000000",
        "severityText": "ERROR",
        "body": {"stringValue": CANARY},
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b171",
        "attributes": [{"key": "exception.message", "value": {"stringValue": CANARY}}],
    });
    json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [record]}]}]})
}

pub(super) fn content_keys() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../content_keys.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

pub(super) fn key(attribute: &Value) -> String {
    attribute["key"].as_str().unwrap_or_default().to_owned()
}

pub(super) fn list<'a>(of: &'a mut Value, key: &str) -> &'a mut Vec<Value> {
    if !of[key].is_array() {
        of[key] = json!([]);
    }
    of[key].as_array_mut().expect("a list")
}

pub(super) fn spans(dump: &mut Value) -> Vec<&mut Value> {
    let resources = list(dump, "resourceSpans").iter_mut();
    let scopes = resources.flat_map(|resource| list(resource, "scopeSpans"));
    scopes.flat_map(|scope| list(scope, "spans")).collect()
}

fn log_records(dump: &mut Value) -> Vec<&mut Value> {
    let resources = list(dump, "resourceLogs").iter_mut();
    let scopes = resources.flat_map(|resource| list(resource, "scopeLogs"));
    scopes.flat_map(|scope| list(scope, "logRecords")).collect()
}

/// Keys of records under which other formats keep content.
const HOLDERS: [&str; 26] = [
    "args",
    "arguments",
    "body",
    "cause",
    "completion",
    "content",
    "description",
    "error",
    "exception",
    "input",
    "inputs",
    "log",
    "Line",
    "line",
    "message",
    "messages",
    "msg",
    "note",
    "output",
    "outputs",
    "prompt",
    "query",
    "reason_text",
    "statusMessage",
    "status_message",
    "text",
];

/// The documents of `text`, one after the other or one a line, with content wherever such records hold some.
pub(super) fn records(text: &str) -> Option<String> {
    let documents = Deserializer::from_str(text).into_iter::<Value>();
    let mut documents: Vec<Value> = documents.collect::<Result<_, _>>().ok()?;
    documents.iter_mut().for_each(anywhere);
    let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
    Some(lines.join("\n")).filter(|text| text.contains(CANARY))
}

fn anywhere(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(anywhere),
        Value::Object(entries) => {
            let named = ["key", "name", "Key"]
                .iter()
                .find_map(|key| entries.get(*key)?.as_str());
            let holds = named.is_some_and(is_content);
            for (key, value) in entries.iter_mut() {
                let is_value = matches!(key.as_str(), "value" | "Value" | "vStr");
                if holds && is_value || is_content(key) {
                    fill(value);
                } else {
                    anywhere(value);
                }
            }
        }
        _ => {}
    }
}

/// True where nothing but content stands under `key`.
pub(super) fn is_content(key: &str) -> bool {
    // Spans lie below the first, ids below the second; of the others hosts are shown.
    let other = ["events", "metadata", "http.target", "http.url", "url.full"];
    HOLDERS.contains(&key) || !other.contains(&key) && content_keys().any(|content| content == key)
}

/// What stands beside content and is none.
const BESIDE: [&str; 10] = [
    "api_base",
    "base_url",
    "finish_reason",
    "id",
    "model",
    "model_name",
    "name",
    "role",
    "stop_reason",
    "type",
];

/// Every text in `value` is the word, or JSON that holds it.
fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            *text = json!({"content": CANARY, CANARY: [CANARY]}).to_string();
        }
        Value::String(text) => *text = CANARY.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(entries) => {
            let said = entries
                .iter_mut()
                .filter(|(key, _)| !BESIDE.contains(&key.as_str()));
            said.for_each(|(_, value)| fill(value));
        }
        _ => {}
    }
}

/// A table whose columns of content hold the word.
pub(super) fn table(text: &str) -> Option<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().ok()?.clone();
    let is_held = |column: &str| {
        let last = column.rsplit(['.', '_']).next().unwrap_or(column);
        is_content(column) || HOLDERS.contains(&last)
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).ok()?;
    for record in reader.records() {
        let record = record.ok()?;
        let cells = header.iter().zip(&record);
        let cells = cells.map(|(column, cell)| if is_held(column) { CANARY } else { cell });
        writer.write_record(cells).ok()?;
    }
    let text = String::from_utf8(writer.into_inner().ok()?).ok()?;
    text.contains(CANARY).then_some(text)
}
