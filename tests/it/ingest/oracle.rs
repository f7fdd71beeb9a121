//! Another implementation as judge: what opentelemetry-proto's serde writes as JSON and prost as
//! bytes, our two readers must read alike, field by field.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

use super::recorder::read_bytes;

pub(super) fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        (-1e300..1e300f64).prop_map(Value::DoubleValue),
        vec(any::<u8>(), 0..5).prop_map(Value::BytesValue),
    ];
    let any_value = |value| AnyValue { value: Some(value) };
    leaf.prop_map(any_value)
        .prop_recursive(3, 12, 3, move |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3)
                    .prop_map(|values| Value::ArrayValue(ArrayValue { values })),
                vec(("[a-z.]{1,6}", inner), 0..3).prop_map(|pairs| {
                    let values = pairs
                        .into_iter()
                        .map(|(key, value)| pair(key, value))
                        .collect();
                    Value::KvlistValue(KeyValueList { values })
                }),
            ]
            .prop_map(any_value)
        })
}

fn pair(key: String, value: AnyValue) -> KeyValue {
    KeyValue {
        key,
        value: Some(value),
        ..KeyValue::default()
    }
}

pub(super) fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(
        (any::<String>(), value()).prop_map(|(key, value)| pair(key, value)),
        0..4,
    )
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), any::<String>(), attributes()).prop_map(|(time, name, attributes)| Event {
        time_unix_nano: time,
        name,
        attributes,
        dropped_attributes_count: 0,
    })
}

fn link() -> impl Strategy<Value = Link> {
    (any::<[u8; 16]>(), any::<[u8; 8]>()).prop_map(|(trace, span)| Link {
        trace_id: trace.to_vec(),
        span_id: span.to_vec(),
        ..Link::default()
    })
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (
        any::<[u8; 16]>(),
        any::<[u8; 8]>(),
        option::of(any::<[u8; 8]>()),
    );
    let times = (any::<u64>(), any::<u64>());
    let status = option::of((any::<String>(), 0..3i32));
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..3));
    let rest = (any::<String>(), 0..6i32, any::<u32>(), any::<u16>());
    (ids, times, status, lists, rest).prop_map(|(ids, times, status, lists, rest)| Span {
        trace_id: ids.0.to_vec(),
        span_id: ids.1.to_vec(),
        parent_span_id: ids.2.map_or(Vec::new(), |id| id.to_vec()),
        start_time_unix_nano: times.0,
        end_time_unix_nano: times.1,
        status: status.map(|(message, code)| Status { message, code }),
        attributes: lists.0,
        events: lists.1,
        links: lists.2,
        name: rest.0,
        kind: rest.1,
        flags: rest.2,
        dropped_attributes_count: u32::from(rest.3),
        ..Span::default()
    })
}

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = (option::of(("[a-z]{0,4}", "[0-9]{0,2}")), vec(span(), 1..4));
    let scope = scope.prop_map(|(scope, spans)| ScopeSpans {
        scope: scope.map(|(name, version)| InstrumentationScope {
            name,
            version,
            ..InstrumentationScope::default()
        }),
        spans,
        ..ScopeSpans::default()
    });
    let block = (option::of(attributes()), vec(scope, 1..3));
    let block = block.prop_map(|(attributes, scope_spans)| ResourceSpans {
        resource: attributes.map(|attributes| Resource {
            attributes,
            ..Resource::default()
        }),
        scope_spans,
        ..ResourceSpans::default()
    });
    vec(block, 1..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn json_and_protobuf_read_alike(request in request()) {
        let spans: usize = request
            .resource_spans
            .iter()
            .flat_map(|block| &block.scope_spans)
            .map(|scope| scope.spans.len())
            .sum();
        let json = read_bytes(serde_json::to_string(&request).unwrap().as_bytes());
        let pretty = read_bytes(serde_json::to_string_pretty(&request).unwrap().as_bytes());
        let proto = read_bytes(&request.encode_to_vec());
        prop_assert_eq!(json.inputs[0].spans, spans as u64);
        prop_assert_eq!(&json.spans, &proto.spans);
        prop_assert_eq!(&json.spans, &pretty.spans);
        prop_assert_eq!(json.issues(), proto.issues());
    }

    #[test]
    fn no_bytes_make_it_fail(bytes in vec(any::<u8>(), 0..300)) {
        let record = read_bytes(&bytes);
        prop_assert!(!record.inputs.is_empty());
    }

    #[test]
    fn no_damage_to_a_document_makes_it_fail(
        request in request(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
        binary in any::<bool>(),
    ) {
        let mut bytes = match binary {
            true => request.encode_to_vec(),
            false => serde_json::to_vec(&request).unwrap(),
        };
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at + 1);
        }
        let record = read_bytes(&bytes);
        prop_assert!(record.inputs[0].spans <= 100);
    }
}
