//! One span in every spelling that OTLP/JSON occurs in.

use super::recorder::{Record, read_bytes};

const LINE: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"lib","version":"1"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7","name":"chat","kind":3,"startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000500000002","attributes":[{"key":"n","value":{"intValue":"7"}}],"status":{"code":2,"message":"no"}}]}]}]}"#;

fn one(text: &str) -> Record {
    let record = read_bytes(text.as_bytes());
    assert_eq!(record.readable, 1, "{text}");
    record
}

#[test]
fn a_line() {
    let record = one(LINE);
    let span = &record.spans[0];
    assert_eq!(
        (span.name.as_str(), span.kind.as_str(), span.failed),
        ("chat", "Client", true)
    );
    assert_eq!(
        (span.start, span.end),
        (
            Some(1_700_000_000_000_000_001),
            Some(1_700_000_000_500_000_002)
        )
    );
    assert_eq!(
        (span.resource.as_str(), span.scope.as_str()),
        ("service.name=\"shop\"", "lib/1")
    );
    assert_eq!(span.attributes, "n=7");
    assert!(record.issues().is_empty(), "{:?}", record.ledger);
}
