//! A list of OTLP attributes; what is not known is left out.

use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Attributes(Vec<Value>);

impl Attributes {
    fn push(&mut self, key: &str, value: Value) {
        self.0.push(json!({"key": key, "value": value}));
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.push(key, json!({"stringValue": text}));
        }
    }

    pub(super) fn texts(&mut self, key: &str, texts: impl Iterator<Item = String>) {
        let values: Vec<Value> = texts.map(|text| json!({"stringValue": text})).collect();
        if !values.is_empty() {
            self.push(key, json!({"arrayValue": {"values": values}}));
        }
    }

    /// 64-bit integers are texts in OTLP/JSON.
    pub(super) fn integer(&mut self, key: &str, number: Option<impl Into<u64>>) {
        if let Some(number) = number {
            let number: u64 = number.into();
            self.push(key, json!({"intValue": number.to_string()}));
        }
    }

    pub(super) fn number(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number.filter(|n| n.is_finite()) {
            self.push(key, json!({"doubleValue": number}));
        }
    }

    pub(super) fn truth(&mut self, key: &str, truth: Option<bool>) {
        if let Some(truth) = truth {
            self.push(key, json!({"boolValue": truth}));
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Array(self.0)
    }
}
