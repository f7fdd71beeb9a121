//! `agentdiag export`: tables that agree with the report, and OTLP that gives the same verdicts again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use agentdiag::report::tables::Table;
use assert_cmd::Command;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::Value;

const QUICKSTART: &str = "fixtures/quickstart";

fn run(args: &[&str]) -> (i32, Vec<u8>, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command.args(args).output().expect("it runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code().expect("it exits"), output.stdout, said)
}

fn analyzed(path: &str) -> Value {
    let (code, out, err) = run(&["analyze", "--json", path]);
    assert_eq!((code, err.as_str()), (0, ""), "{path}");
    serde_json::from_slice(&out).expect("JSON")
}

fn csv(table: &str) -> Vec<BTreeMap<String, String>> {
    let (code, out, err) = run(&["export", "--to", "csv", "--table", table, QUICKSTART]);
    assert_eq!((code, err.as_str()), (0, ""));
    let mut reader = csv::Reader::from_reader(out.as_slice());
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn tables_agree_with_the_report() {
    let report = analyzed(QUICKSTART);
    let requests = report["requests"].as_array().expect("a list");
    let rows = csv("requests");
    assert_eq!(rows.len(), requests.len());
    for (row, request) in rows.iter().zip(requests) {
        assert_eq!(
            row["trace_id"],
            request["trace_id"].as_str().expect("an id")
        );
        assert_eq!(row["cause"], request["cause"].as_str().unwrap_or_default());
        let duration: f64 = row["duration_ms"].parse().expect("a number");
        assert_eq!(duration, number(&request["duration_ms"]));
        // Absent stays absent.
        assert_eq!(row["cost_usd"].is_empty(), request["cost_usd"].is_null());
    }
    let mut added: BTreeMap<String, f64> = BTreeMap::new();
    for row in csv("contributions") {
        let time: f64 = row["added_ms"].parse().expect("a number");
        *added.entry(row["root_span_id"].clone()).or_default() += time;
    }
    let slow = requests.iter().filter(|r| r["slow"] == true);
    assert_eq!(added.len(), slow.clone().count());
    for request in slow {
        let root = request["root_span_id"].as_str().expect("an id");
        assert!((added[root] - number(&request["excess_ms"])).abs() < 1e-6);
    }
    let calls: u64 = requests
        .iter()
        .map(|r| r["llm_calls"].as_u64().expect("a count"))
        .sum();
    let model = csv("calls").into_iter().filter(|row| row["kind"] != "tool");
    assert_eq!(model.count() as u64, calls);
    assert_eq!(
        csv("spans").len() as u64,
        report["summary"]["spans"].as_u64().expect("a count")
    );
}

#[test]
fn all_tables_go_into_a_folder() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("new/tables");
    let path = path.to_str().expect("UTF-8");
    for to in ["parquet", "csv"] {
        let (code, out, err) = run(&["export", "--to", to, "-o", path, QUICKSTART]);
        assert_eq!((code, out.as_slice(), err.as_str()), (0, &b""[..], ""));
        for table in Table::ALL {
            let file = Path::new(path).join(format!("{}.{to}", table.name()));
            let bytes = fs::read(&file).expect("written");
            if to == "parquet" {
                assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
            } else {
                let about = table.columns();
                let columns: Vec<&str> = about.iter().map(|c| c.0.as_ref()).collect();
                let text = String::from_utf8(bytes).expect("UTF-8");
                assert_eq!(text.lines().next(), Some(columns.join(",").as_str()));
            }
        }
    }
}

/// What another program reads from an exported table must be what the report says.
fn expected() -> Value {
    let report = analyzed(QUICKSTART);
    let requests = report["requests"].as_array().expect("a list");
    let slow = || requests.iter().filter(|r| r["slow"] == true);
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    for request in slow() {
        *causes
            .entry(request["cause"].as_str().expect("a cause"))
            .or_default() += 1;
    }
    let columns = Table::ALL.map(|table| {
        let columns = table.columns().into_iter().map(|c| c.0.into_owned());
        (
            table.name().to_owned(),
            Value::from(columns.collect::<Vec<String>>()),
        )
    });
    let excess: f64 = slow().map(|r| number(&r["excess_ms"])).sum();
    serde_json::json!({
        "requests": requests.len(),
        "causes": causes,
        "excess_ms": excess.round() as i64,
        "without_cost": requests.iter().filter(|r| r["cost_usd"].is_null()).count(),
        "columns": columns.into_iter().collect::<serde_json::Map<String, Value>>(),
    })
}

#[test]
fn parquet_opens_in_polars() {
    use polars_io::SerReader;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().to_str().expect("UTF-8");
    run(&["export", "--to", "parquet", "-o", path, QUICKSTART]);
    let expected = expected();
    for table in Table::ALL {
        let file = folder.path().join(format!("{}.parquet", table.name()));
        let file = fs::File::open(file).expect("written");
        let frame = polars_io::parquet::read::ParquetReader::new(file).finish();
        let frame = frame.expect("a data frame");
        let names = frame.get_column_names().into_iter();
        let names: Vec<String> = names.map(ToString::to_string).collect();
        assert_eq!(Value::from(names), expected["columns"][table.name()]);
        if table.name() == "requests" {
            assert_eq!(Value::from(frame.height()), expected["requests"]);
            let cost = frame.column("cost_usd").expect("a column");
            assert_eq!(Value::from(cost.null_count()), expected["without_cost"]);
        }
    }
}

/// `AGENTDIAG_DUCKDB` names a Python after `pip install duckdb polars`.
#[test]
#[cfg_attr(
    not(duckdb),
    ignore = "needs AGENTDIAG_DUCKDB, a Python with duckdb and polars"
)]
fn parquet_opens_in_duckdb_and_in_polars_for_python() {
    const SCRIPT: &str = "
import duckdb, json, polars, sys
tables = ['requests', 'calls', 'spans', 'contributions']
for table in tables:
    duckdb.sql(f\"CREATE VIEW {table} AS SELECT * FROM '{sys.argv[1]}/{table}.parquet'\")
one = lambda text: duckdb.sql(text).fetchall()[0][0]
db = {
    'requests': one('SELECT count(*) FROM requests'),
    'causes': dict(duckdb.sql('SELECT cause, count(*) FROM requests WHERE slow GROUP BY cause').fetchall()),
    'excess_ms': round(one('SELECT sum(excess_ms) FROM requests WHERE slow')),
    'without_cost': one('SELECT count(*) FROM requests WHERE cost_usd IS NULL'),
    'columns': {t: duckdb.sql(f'SELECT * FROM {t}').columns for t in tables},
}
frames = {t: polars.read_parquet(f'{sys.argv[1]}/{t}.parquet') for t in tables}
requests = frames['requests']
slow = requests.filter(polars.col('slow'))
pl = {
    'requests': requests.height,
    'causes': dict(slow.group_by('cause').len().iter_rows()),
    'excess_ms': round(slow['excess_ms'].sum()),
    'without_cost': requests['cost_usd'].null_count(),
    'columns': {t: frame.columns for t, frame in frames.items()},
}
print(json.dumps([db, pl]))
";
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().to_str().expect("UTF-8");
    run(&["export", "--to", "parquet", "-o", path, QUICKSTART]);
    let python = std::env::var_os("AGENTDIAG_DUCKDB").expect("a Python");
    let output = std::process::Command::new(python)
        .args(["-c", SCRIPT, path])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let read: [Value; 2] = serde_json::from_slice(&output.stdout).expect("JSON");
    let expected = expected();
    assert_eq!(read[0], expected, "DuckDB");
    assert_eq!(read[1], expected, "polars");
}

#[test]
fn options_that_do_not_fit_are_usage_errors() {
    for args in [
        &["export", QUICKSTART][..],
        &["export", "--to", "parquet", QUICKSTART],
        &["export", "--to", "otlp", "--table", "spans", QUICKSTART],
        &["export", "--to", "xml", QUICKSTART],
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.len()), (2, 0), "{args:?}");
        assert!(!err.is_empty());
    }
}

/// What must survive: everything but the confidence's rounding and what only the first reading saw.
fn verdicts(report: &Value) -> Vec<Value> {
    let requests = report["requests"].as_array().expect("a list");
    let kept = requests.iter().map(|request| {
        let mut kept = request.clone();
        let map = kept.as_object_mut().expect("an object");
        // Repairs of clocks and duplicates are done for good in an export.
        map.remove("repairs");
        kept
    });
    kept.collect()
}

#[test]
fn exported_otlp_decodes_and_gives_the_same_verdicts() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("judged.jsonl");
    let path = path.to_str().expect("UTF-8");
    let dumps = [
        QUICKSTART,
        "fixtures/labelled/mixed-full-mixed",
        "fixtures/labelled/mixed2-tokens-genai",
        "fixtures/dialects/openllmetry",
        "fixtures/dialects/serving",
        // Calls that were read from logs stand in the export as spans and as records.
        "fixtures/dialects/claude_code",
        "fixtures/dialects/codex_cli",
        "fixtures/dialects/gemini_cli",
    ];
    for dump in dumps {
        let (code, out, err) = run(&["export", "--to", "otlp", "-o", path, dump]);
        assert_eq!((code, out.len(), err.as_str()), (0, 0, ""), "{dump}");
        let text = fs::read_to_string(path).expect("written");
        text.lines().for_each(decodes);
        let (before, after) = (analyzed(dump), analyzed(path));
        let (before, after) = (verdicts(&before), verdicts(&after));
        assert_eq!(before.len(), after.len(), "{dump}");
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "{dump}");
        }
    }
}

fn decodes(line: &str) {
    let value: Value = serde_json::from_str(line).expect("JSON");
    let key = value
        .as_object()
        .and_then(|map| map.keys().next())
        .expect("a key");
    let done = match key.as_str() {
        "resourceSpans" => serde_json::from_str::<ExportTraceServiceRequest>(line).map(|_| ()),
        "resourceMetrics" => serde_json::from_str::<ExportMetricsServiceRequest>(line).map(|_| ()),
        _ => serde_json::from_str::<ExportLogsServiceRequest>(line).map(|_| ()),
    };
    done.unwrap_or_else(|error| panic!("{error}: {line}"));
}

#[test]
fn verdicts_stand_on_the_root_spans() {
    let (_, out, _) = run(&["export", "--to", "otlp", QUICKSTART]);
    let text = String::from_utf8(out).expect("UTF-8");
    let verdicts = text.matches("{\"key\":\"agentdiag.cause\"").count() as u64;
    assert_eq!(
        Some(verdicts),
        analyzed(QUICKSTART)["summary"]["slow"].as_u64()
    );
}
