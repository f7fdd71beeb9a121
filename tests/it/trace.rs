//! `agentdiag trace`: finding a request by its id, and the pages that show it.

use assert_cmd::Command;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

const QUICKSTART: &str = "fixtures/quickstart";

fn run(args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command
        .args(args)
        .write_stdin(input)
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it exits");
    (code, text(output.stdout), text(output.stderr))
}

fn page(id: &str, more: &[&str]) -> String {
    let (code, out, err) = run(&[&["trace", id, QUICKSTART], more].concat(), "");
    assert_eq!((code, err.as_str()), (0, ""), "{id} {more:?}");
    out
}

/// A slow request with failed attempts, waits between them, a queue and tools.
const RETRIED: &str = "9b53286f";

#[test]
fn a_request_at_80_columns() {
    insta::assert_snapshot!(page(RETRIED, &[]));
}

#[test]
fn a_request_at_120_columns() {
    insta::assert_snapshot!(page(RETRIED, &["--width", "120"]));
}

#[test]
fn a_request_folded_to_few_lines() {
    let page = page(RETRIED, &["--lines", "5"]);
    let from = page.find("WATERFALL").expect("a waterfall");
    let to = page.find("ACCOUNT").expect("an account");
    insta::assert_snapshot!(&page[from..to]);
}

#[test]
fn any_beginning_of_an_id_that_fits_one_request_is_enough() {
    let whole = page("9b53286f33ea33d6dcbbc14961625d6d", &[]);
    for id in [
        RETRIED,
        "9B53286F",
        "0x9b53286f33ea",
        "e644516914267fb2",
        "e6445169",
    ] {
        assert_eq!(page(id, &[]), whole, "{id}");
    }
}

#[test]
fn an_ambiguous_id_lists_candidates() {
    let (code, out, err) = run(&["trace", "9", QUICKSTART], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("`9` fits") && err.contains("9b53286f33ea33d6dcbbc14961625d6d"),
        "{err}"
    );
}

#[test]
fn an_unknown_id_names_similar_ones() {
    let (code, out, err) = run(&["trace", "9b53286f33eb33d6", QUICKSTART], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("similar ids") && err.contains("9b53286f33ea33d6dcbbc14961625d6d"),
        "{err}"
    );
    let (code, _, err) = run(&["trace", "nothing-like-it", QUICKSTART], "");
    assert_eq!(code, 2);
    assert!(
        err.contains("no trace or span id begins with `nothing-like-it`"),
        "{err}"
    );
}

#[test]
fn the_object_balances() {
    let (code, out, _) = run(&["trace", RETRIED, QUICKSTART, "--json"], "");
    assert_eq!(code, 0);
    let object: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(object["schema"], "agentdiag.trace.v1");
    crate::render::balances(&object["request"]);
    // The stretches of the critical path follow one another and sum to the parts.
    let path = object["critical_path"].as_array().expect("a list");
    let number = |value: &Value| value.as_f64().expect("a number");
    let mut upto = 0.0;
    for stretch in path {
        assert!((number(&stretch["start_ms"]) - upto).abs() < 1e-6);
        upto += number(&stretch["duration_ms"]);
    }
    assert!((upto - number(&object["request"]["duration_ms"])).abs() < 1e-6);
    for (part, total) in object["request"]["parts_ms"]
        .as_object()
        .expect("an object")
    {
        let of_part = path.iter().filter(|s| s["part"] == part.as_str());
        let sum: f64 = of_part.map(|s| number(&s["duration_ms"])).sum();
        assert!((sum - number(total)).abs() < 1e-6, "{part}");
    }
    // Every span is there, and what spans were busy with on the path is no more than the path.
    let spans = object["spans"].as_array().expect("a list");
    assert_eq!(
        spans.len() as u64,
        object["request"]["spans"].as_u64().expect("a count")
    );
    let busy: f64 = spans.iter().map(|s| number(&s["critical_ms"])).sum();
    assert!(busy <= upto + 1e-6);
    insta::assert_snapshot!(crate::render::shape(&object, "$").join("\n"));
}

/// A span as OTLP/JSON has it; times in milliseconds.
fn span(id: u64, parent: u64, name: &str, start: u64, end: u64, llm: bool) -> Value {
    let time = |ms: u64| (1_777_795_200_000_000_000 + ms * 1_000_000).to_string();
    let mut attributes = vec![];
    if llm {
        for (key, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "模型"),
        ] {
            attributes.push(json!({"key": key, "value": {"stringValue": value}}));
        }
    }
    let mut span = json!({
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": format!("{id:016x}"),
        "name": name,
        "startTimeUnixNano": time(start),
        "endTimeUnixNano": time(end),
        "attributes": attributes,
    });
    if parent > 0 {
        span["parentSpanId"] = format!("{parent:016x}").into();
    }
    span
}

fn dump(spans: Vec<Value>) -> String {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string()
}

/// Names that try to break the page, a call that sticks out, hundreds of spans.
fn odd() -> String {
    let mut spans = vec![span(
        1,
        0,
        "検索検索検索検索検索検索検索検索検索検索検索検索",
        0,
        10_000,
        false,
    )];
    spans.push(span(2, 1, "\u{1b}[2J\u{202e}evil\nname", 0, 3_000, true));
    spans.push(span(3, 2, "inside", 10, 2_900, false));
    for i in 0..400 {
        let start = 3_000 + i * 17;
        spans.push(span(
            100 + i,
            1,
            "step 一二三",
            start,
            start + 16,
            i % 2 == 0,
        ));
    }
    spans.push(span(4, 1, "late", 9_000, 12_000, true));
    dump(spans)
}

#[test]
fn nothing_breaks_a_line() {
    for width in ["60", "80", "120"] {
        let args = ["trace", "5b8e", "-", "--width", width];
        let (code, page, _) = run(&args, &odd());
        assert_eq!(code, 0);
        let most: usize = width.parse().expect("a number");
        for line in page.lines() {
            assert!(line.width() <= most, "{width}: {line}");
            assert!(!line.contains('\u{1b}') && !line.contains('\u{202e}'));
            assert_eq!(line, line.trim_end());
        }
        let drawn = page.lines().skip_while(|l| !l.starts_with("WATERFALL"));
        let drawn = drawn.take_while(|l| !l.is_empty()).count();
        assert!(drawn < 60, "{drawn} lines");
    }
}

#[test]
fn many_spans_are_folded_into_few_lines() {
    let (_, page, _) = run(&["trace", "5b8e", "-", "--lines", "6"], &odd());
    let from = page.find("WATERFALL").expect("a waterfall");
    insta::assert_snapshot!(&page[from..page.find("MODEL CALLS").expect("calls")]);
}

#[test]
fn colour_repeats_what_the_letters_say() {
    let plain = page(RETRIED, &["--color", "never"]);
    let color = page(RETRIED, &["--color", "always"]);
    let stripped = crate::render::without_colour(&color);
    let trim = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(trim(&stripped), trim(&plain));
    assert_ne!(color, plain);
}

#[test]
fn a_request_that_is_not_judged_says_why() {
    let mut open = span(1, 0, "agent", 0, 0, false);
    open.as_object_mut()
        .expect("an object")
        .remove("endTimeUnixNano");
    let dump = dump(vec![open, span(2, 1, "chat", 5, 900, true)]);
    let (code, page, _) = run(&["trace", "5b8e", "-"], &dump);
    assert_eq!(code, 0);
    assert!(
        page.contains("Not judged") && page.contains("never ended"),
        "{page}"
    );
    assert!(page.contains("REPAIRS"), "{page}");
}

/// A histogram's bucket as a server shows it, naming a span of the request and, beside it, another trace.
const EXEMPLARS: &str = "\
# TYPE serving_seconds histogram
# UNIT serving_seconds seconds
serving_seconds_bucket{le=\"2\"} 3 # {trace_id=\"9b53286f33ea33d6dcbbc14961625d6d\",span_id=\"e644516914267fb2\"} 1.25
serving_seconds_bucket{le=\"+Inf\"} 4 # {trace_id=\"00000000000000000000000000000001\"} 9.5
# EOF
";

#[test]
fn observations_that_name_the_trace_are_shown_with_it() {
    let arguments = ["trace", RETRIED, QUICKSTART, "-"];
    let (code, out, _) = run(&arguments, EXEMPLARS);
    assert_eq!(code, 0);
    let shown = out.split_once("EXEMPLARS").expect("a section").1;
    assert!(
        shown.contains("serving_seconds") && shown.contains("1.25") && !shown.contains("9.5"),
        "{shown}"
    );
    let (code, out, _) = run(&[&arguments[..], &["--json"]].concat(), EXEMPLARS);
    assert_eq!(code, 0);
    let object: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        object["exemplars"],
        json!([{
            "time": null,
            "metric": "serving_seconds",
            "value": 1.25,
            "span_id": "e644516914267fb2",
        }])
    );
}

/// A request beside logs, metrics, exemplars and events: some of it, of its services, or of others; near and far.
fn surrounded() -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().expect("a scratch folder");
    let write =
        |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("written");
    let begin = 1_778_572_800_u64;
    let nanos = |second: u64| format!("{}000000000", begin + second);
    let service = json!([{"key": "service.name", "value": {"stringValue": "shop"}}]);
    let trace = "5b8efff798038103d269b633813fc60c";
    let span = json!({"traceId": trace, "spanId": "eee19b7ec3c1b174", "name": "invoke_agent", "kind": 1,
        "startTimeUnixNano": nanos(600), "endTimeUnixNano": nanos(620),
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}}]});
    let spans = json!({"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": [{"spans": [span]}]}]});
    write("traces.json", spans.to_string());
    let log = |second, severity: u8, trace: &str, event: &str, status: u16| {
        json!({"timeUnixNano": nanos(second), "severityNumber": severity, "traceId": trace, "eventName": event,
            "body": {"stringValue": "private"},
            "attributes": [{"key": "http.response.status_code", "value": {"intValue": status.to_string()}}]})
    };
    let records = json!([
        log(601, 17, trace, "of.trace", 503),
        log(700, 9, trace, "late.of.trace", 200),
        log(605, 13, "", "meanwhile", 429),
        log(599, 13, "", "before", 429),
        log(602, 2, trace, "traced", 200),
        log(603, 6, trace, "debugged", 200),
        log(604, 21, trace, "died", 500),
    ]);
    let logs = json!({"resourceLogs": [{"resource": {"attributes": service}, "scopeLogs": [{"logRecords": records}]}]});
    write("logs.json", logs.to_string());
    let sample = |minute: u64, name: &str, value: u64| {
        format!(
            "{name} {value} {}\n",
            (begin + 60 * minute) * 1_000 + 10_000
        )
    };
    let waiting = (0..20).map(|n| sample(n, "queue", if n == 10 { 9 } else { 1 }));
    let sent = (0..20).map(|n| sample(n, "sent_total", 120 * n));
    let mut metrics = String::from("# TYPE queue gauge\n");
    metrics.extend(waiting);
    metrics += "# TYPE sent_total counter\n";
    metrics.extend(sent);
    write("metrics.prom", metrics);
    let event = |second: u64, reason: &str| {
        let time = jiff::Timestamp::from_second((begin + second) as i64).expect("a time");
        json!({"kind": "Event", "apiVersion": "v1", "reason": reason, "lastTimestamp": time.to_string(), "count": 3,
            "involvedObject": {"kind": "Pod", "name": "shop-1"}, "message": "private"})
    };
    let events = json!({"kind": "List", "apiVersion": "v1", "items": [event(480, "Early"), event(479, "TooEarly"), event(739, "Late"), event(740, "TooLate")]});
    write("events.json", events.to_string());
    folder
}

#[test]
fn what_was_recorded_meanwhile_stands_beside_a_request() {
    let folder = surrounded();
    let path = folder.path().to_str().expect("UTF-8");
    let (code, text, err) = run(&["trace", "5b8efff7", path, "--width", "120"], "");
    assert_eq!((code, err.as_str()), (0, ""));
    let from = text.find("LOGS").expect("logs");
    insta::assert_snapshot!(&text[from..]);
    assert!(!text.contains("private"));
    let (_, json, _) = run(&["trace", "5b8efff7", path, "--json"], "");
    let page: Value = serde_json::from_str(&json).expect("JSON");
    let names = |key: &str, name: &str| -> Vec<String> {
        let list = page[key].as_array().expect("a list").iter();
        list.map(|line| line[name].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        names("logs", "event"),
        [
            "of.trace",
            "traced",
            "debugged",
            "died",
            "meanwhile",
            "late.of.trace"
        ]
    );
    assert_eq!(
        names("logs", "severity"),
        ["error", "trace", "debug", "fatal", "warn", "info"]
    );
    assert_eq!(names("cluster_events", "reason"), ["Early", "Late"]);
    assert_eq!(
        names("metrics", "name"),
        ["queue", "sent_total"],
        "the most unusual first"
    );
}
