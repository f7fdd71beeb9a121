//! The same judge for metrics and logs: what opentelemetry-proto's serde writes as JSON and prost as
//! bytes, our two readers must read alike, field by field.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as Observed;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

use super::oracle::{attributes, value};
use super::recorder::read_bytes;

fn exemplar() -> impl Strategy<Value = Exemplar> {
    let observed = prop_oneof![
        any::<i64>().prop_map(Observed::AsInt),
        (-1e300..1e300f64).prop_map(Observed::AsDouble),
    ];
    let ids = (any::<[u8; 16]>(), any::<[u8; 8]>());
    (ids, any::<u64>(), observed).prop_map(|(ids, time, observed)| Exemplar {
        trace_id: ids.0.to_vec(),
        span_id: ids.1.to_vec(),
        time_unix_nano: time,
        value: Some(observed),
        ..Exemplar::default()
    })
}

fn number() -> impl Strategy<Value = NumberDataPoint> {
    let number = prop_oneof![
        any::<i64>().prop_map(Number::AsInt),
        (-1e300..1e300f64).prop_map(Number::AsDouble),
    ];
    let rest = (vec(exemplar(), 0..2), 0..2u32);
    (1..u64::MAX, attributes(), option::of(number), rest).prop_map(
        |(time, attributes, value, (exemplars, flags))| NumberDataPoint {
            attributes,
            time_unix_nano: time,
            exemplars,
            flags,
            value,
            ..NumberDataPoint::default()
        },
    )
}

fn histogram() -> impl Strategy<Value = HistogramDataPoint> {
    let counts = (any::<u64>(), option::of(-1e300..1e300f64));
    (1..u64::MAX, attributes(), counts, vec(exemplar(), 0..2)).prop_map(
        |(time, attributes, (count, sum), exemplars)| HistogramDataPoint {
            attributes,
            time_unix_nano: time,
            count,
            sum,
            exemplars,
            ..HistogramDataPoint::default()
        },
    )
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        vec(number(), 1..3).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (vec(number(), 1..3), 0..3i32, any::<bool>()).prop_map(|(data_points, kind, up)| {
            Data::Sum(Sum {
                data_points,
                aggregation_temporality: kind,
                is_monotonic: up,
            })
        }),
        (vec(histogram(), 1..3), 0..3i32).prop_map(|(data_points, kind)| {
            Data::Histogram(Histogram {
                data_points,
                aggregation_temporality: kind,
            })
        }),
    ]
}

fn metrics() -> impl Strategy<Value = ExportMetricsServiceRequest> {
    let metric = ("[a-z.:_]{1,12}", data()).prop_map(|(name, data)| Metric {
        name,
        data: Some(data),
        ..Metric::default()
    });
    vec(metric, 1..4).prop_map(|metrics| ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            scope_metrics: vec![ScopeMetrics {
                metrics,
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    })
}

fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let times = (any::<u64>(), any::<u64>());
    let ids = (option::of(any::<[u8; 16]>()), option::of(any::<[u8; 8]>()));
    let rest = (0..25i32, option::of(value()), attributes(), "[a-z.]{0,8}");
    let record = (times, ids, rest).prop_map(|(times, ids, rest)| LogRecord {
        time_unix_nano: times.0,
        observed_time_unix_nano: times.1,
        trace_id: ids.0.map_or(Vec::new(), |id| id.to_vec()),
        span_id: ids.1.map_or(Vec::new(), |id| id.to_vec()),
        severity_number: rest.0,
        body: rest.1,
        attributes: rest.2,
        event_name: rest.3,
        ..LogRecord::default()
    });
    vec(record, 1..4).prop_map(|log_records| ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn metrics_read_alike(request in metrics()) {
        let json = read_bytes(serde_json::to_string(&request).unwrap().as_bytes());
        let proto = read_bytes(&request.encode_to_vec());
        prop_assert_eq!(json.inputs[0].points, proto.inputs[0].points);
        prop_assert!(json.inputs[0].points > 0);
        prop_assert_eq!(&json.metrics, &proto.metrics);
        prop_assert_eq!(&json.exemplars, &proto.exemplars);
        prop_assert_eq!(json.issues(), proto.issues());
    }

    #[test]
    fn logs_read_alike(request in logs()) {
        let json = read_bytes(serde_json::to_string(&request).unwrap().as_bytes());
        let proto = read_bytes(&request.encode_to_vec());
        let count = request.resource_logs[0].scope_logs[0].log_records.len();
        prop_assert_eq!(json.inputs[0].logs, count as u64);
        prop_assert_eq!(&json.logs, &proto.logs);
        prop_assert_eq!(json.issues(), proto.issues());
    }
}
