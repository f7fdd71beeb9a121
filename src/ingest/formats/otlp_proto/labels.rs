//! Labels from their messages.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::ingest::raw::{RawAttr, RawValue, Text};

/// The labels of a metric point.
pub(super) fn labels(list: &[KeyValue]) -> Vec<RawAttr<'_>> {
    list.iter()
        .map(|pair| RawAttr {
            key: pair.key.as_str().into(),
            value: value(pair.value.as_ref()),
        })
        .collect()
}

/// A value. Recursion is bounded: decoding refused deeper messages.
fn value(any: Option<&AnyValue>) -> RawValue<'_> {
    match any.and_then(|any| any.value.as_ref()) {
        Some(Value::StringValue(text)) => RawValue::Str(Text::plain(text.as_bytes())),
        Some(Value::BoolValue(truth)) => RawValue::Bool(*truth),
        Some(Value::IntValue(number)) => RawValue::Int(*number),
        Some(Value::DoubleValue(number)) => RawValue::Double(*number),
        Some(Value::BytesValue(bytes)) => RawValue::Bytes(bytes),
        Some(Value::ArrayValue(list)) => {
            RawValue::List(list.values.iter().map(|v| value(Some(v))).collect())
        }
        Some(Value::KvlistValue(list)) => RawValue::Map(labels(&list.values)),
        // An index into a table that only profiles have.
        Some(Value::StringValueStrindex(_)) | None => RawValue::Null,
    }
}
