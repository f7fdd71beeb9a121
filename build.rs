//! Reduces the price tables under `src/aggregate/data` to static Rust tables, so that starting up
//! decodes nothing. Anything in the data that is not understood stops the build.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fmt::Write as _;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::str::Chars;
use std::{env, fs};

use serde_json::Value;

const DATA: &str = "src/aggregate/data";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    tools_of_tests();
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    println!("cargo::rerun-if-changed=src");
    println!(
        "cargo::rustc-env=AGENTDIAG_SOURCES={:016x}",
        digest(&package.join("src"))
    );
    let root = package.join(DATA);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("prices.rs");
    let mut code = String::new();
    genai_prices(&root.join("genai-prices.json"), &mut code);
    litellm(&root.join("litellm.tsv"), &mut code);
    fs::write(out, code).expect("OUT_DIR is writable");
    fixed_address();
}

/// A digest of all sources below `folder` (Fowler, Noll and Vo's FNV-1a): builds of one version whose sources differ do not
/// read each other's streams.
fn digest(folder: &Path) -> u64 {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("sources") {
            let path = entry.expect("sources").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let contents = files
        .iter()
        .flat_map(|file| fs::read(file).expect("a source"));
    contents.fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The program is linked for a fixed address: adjusting the tables of the data frame library to wherever it
/// would be loaded instead takes most of the time of a short run.
fn fixed_address() {
    let target = |key: &str| env::var(key).unwrap_or_default();
    if target("CARGO_CFG_TARGET_OS") == "linux" && target("CARGO_CFG_TARGET_ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}

/// Says which tests can run: those of the HTML report need a browser, one of them axe-core as well, that of
/// system calls strace, one of exported tables a Python with duckdb and polars, that of a cluster one with pyspark, those
/// of further dumps a folder of them. A test that cannot is reported as ignored.
fn tools_of_tests() {
    println!("cargo::rustc-check-cfg=cfg(browser, axe, strace, duckdb, spark, corpora)");
    println!("cargo::rerun-if-env-changed=AGENTDIAG_BROWSER");
    println!("cargo::rerun-if-env-changed=AGENTDIAG_AXE");
    println!("cargo::rerun-if-env-changed=AGENTDIAG_DUCKDB");
    println!("cargo::rerun-if-env-changed=AGENTDIAG_SPARK");
    println!("cargo::rerun-if-env-changed=AGENTDIAG_CORPORA");
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |names: &[&str]| {
        env::split_paths(&path).any(|folder| names.iter().any(|n| folder.join(n).is_file()))
    };
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    if is_there(&browsers) || env::var_os("AGENTDIAG_BROWSER").is_some() {
        println!("cargo::rustc-cfg=browser");
    }
    if env::var_os("AGENTDIAG_AXE").is_some() {
        println!("cargo::rustc-cfg=axe");
    }
    if env::var_os("AGENTDIAG_DUCKDB").is_some() {
        println!("cargo::rustc-cfg=duckdb");
    }
    if env::var_os("AGENTDIAG_SPARK").is_some() {
        println!("cargo::rustc-cfg=spark");
    }
    if env::var_os("AGENTDIAG_CORPORA").is_some() {
        println!("cargo::rustc-cfg=corpora");
    }
    // Where tracing is forbidden, as in some containers, it is of no use.
    let traces = || {
        let tried = std::process::Command::new("strace")
            .args(["-o", "/dev/null", "true"])
            .output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if is_there(&["strace"]) && traces() {
        println!("cargo::rustc-cfg=strace");
    }
}

// ---- genai-prices.json: providers, each with models, each with a rule and dated prices ----

fn genai_prices(path: &Path, code: &mut String) {
    let text = fs::read_to_string(path).expect("genai-prices.json");
    let root: Value = serde_json::from_str(&text).expect("genai-prices.json is JSON");
    let providers = list(&root);
    let ids: Vec<&str> = providers.iter().map(|p| string(&p["id"])).collect();
    code.push_str("pub(super) static PROVIDERS: &[Provider] = &[\n");
    for provider in providers {
        let optional = |key: &str| match &provider[key] {
            Value::Null => "None".to_owned(),
            value => format!("Some({})", rule(value)),
        };
        let fallback: Vec<usize> = provider["fallback_model_providers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|id| ids.iter().position(|known| *known == string(id)))
            .collect();
        let _ = writeln!(
            code,
            "Provider {{ id: {:?}, aliases: {}, owns: {}, fallback: &{fallback:?}, models: &[",
            string(&provider["id"]),
            optional("provider_match"),
            optional("model_match"),
        );
        for model in list(&provider["models"]) {
            let _ = writeln!(
                code,
                "Model {{ id: {:?}, rule: {}, prices: &[{}], variants: &[{}] }},",
                string(&model["id"]),
                rule(&model["match"]),
                dated(string(&model["id"]), &model["prices"]),
                variants(&model["price_variants"]),
            );
        }
        code.push_str("] },\n");
    }
    code.push_str("];\n");
}

fn rule(value: &Value) -> String {
    let (operation, argument) = value
        .as_object()
        .and_then(|o| o.iter().next())
        .expect("a match rule");
    let name = match operation.as_str() {
        "and" => return group("And", list(argument).iter().map(rule)),
        "or" => return group("Or", list(argument).iter().map(rule)),
        "regex" => return regex(string(argument)),
        "equals" => "Equals",
        "starts_with" => "StartsWith",
        "ends_with" => "EndsWith",
        "contains" => "Contains",
        other => panic!("match rule {other:?} is not known"),
    };
    format!("Rule::{name}({:?})", string(argument).to_lowercase())
}

fn group(name: &str, rules: impl Iterator<Item = String>) -> String {
    let rules: Vec<String> = rules.collect();
    match rules.as_slice() {
        [one] => one.clone(),
        many => format!("Rule::{name}(&[{}])", many.join(", ")),
    }
}

/// Turns the few kinds of regular expression in the table into fixed shapes: `#` is a digit.
fn regex(pattern: &str) -> String {
    const NOT_SPEECH: &str = "^(?!.*-[tT][tT][sS](?:$|-))";
    const NO_SLASH: &str = "^(?![^/]+/)";
    if pattern == NOT_SPEECH {
        return "Rule::Not(&Rule::Or(&[Rule::EndsWith(\"-tts\"), Rule::Contains(\"-tts-\")]))"
            .into();
    }
    if let Some(rest) = pattern.strip_prefix(NO_SLASH) {
        return format!(
            "Rule::And(&[Rule::Not(&Rule::Contains(\"/\")), {}])",
            regex(&format!("^{rest}"))
        );
    }
    let body = pattern.strip_prefix('^').expect("an anchored pattern");
    let (body, whole) = match body.strip_suffix('$') {
        Some(body) => (body, true),
        None => (body, false),
    };
    let mut rest = body.chars().peekable();
    let shapes = alternatives(&mut rest);
    assert!(rest.next().is_none(), "regex {pattern:?} is not understood");
    group(
        "Or",
        shapes
            .iter()
            .map(|shape| format!("Rule::Shape {{ shape: {shape:?}, whole: {whole} }}")),
    )
}

fn alternatives(rest: &mut Peekable<Chars<'_>>) -> Vec<String> {
    let mut all = sequence(rest);
    while rest.next_if_eq(&'|').is_some() {
        all.extend(sequence(rest));
    }
    all
}

fn sequence(rest: &mut Peekable<Chars<'_>>) -> Vec<String> {
    let mut all = vec![String::new()];
    while let Some(next) = rest.next_if(|c| !matches!(c, '|' | ')')) {
        let atom = quantified(atom(next, rest), rest);
        all = all
            .iter()
            .flat_map(|head| atom.iter().map(move |tail| format!("{head}{tail}")))
            .collect();
    }
    all
}

fn atom(first: char, rest: &mut Peekable<Chars<'_>>) -> Vec<String> {
    match first {
        '\\' => match rest.next() {
            Some('d') => vec!["#".into()],
            Some(literal) if !literal.is_alphanumeric() => vec![literal.into()],
            other => panic!("escape {other:?} is not understood"),
        },
        '[' => {
            let members = std::iter::from_fn(|| rest.next_if(|c| *c != ']'))
                .map(String::from)
                .collect();
            assert_eq!(rest.next(), Some(']'));
            members
        }
        '(' => {
            assert_eq!((rest.next(), rest.next()), (Some('?'), Some(':')));
            let all = alternatives(rest);
            assert_eq!(rest.next(), Some(')'));
            all
        }
        '^' | '$' | '*' | '+' | '.' | '#' | '?' => panic!("{first:?} is not understood"),
        literal => vec![literal.into()],
    }
}

fn quantified(mut atom: Vec<String>, rest: &mut Peekable<Chars<'_>>) -> Vec<String> {
    if rest.next_if_eq(&'?').is_some() {
        atom.push(String::new());
    } else if rest.next_if_eq(&'{').is_some() {
        let times: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
        assert_eq!(rest.next(), Some('}'));
        let times = times.parse().expect("a repeat count");
        atom = atom.iter().map(|text| text.repeat(times)).collect();
    }
    atom
}

fn dated(id: &str, prices: &Value) -> String {
    match prices {
        Value::Object(none) if none.is_empty() && id.ends_with(":free") => {
            let free = serde_json::json!({"input_mtok": 0, "output_mtok": 0});
            entry("When::Always", &free)
        }
        Value::Array(all) => all
            .iter()
            .map(|one| entry(&when(&one["constraint"]), &one["prices"]))
            .collect(),
        one => entry("When::Always", one),
    }
}

fn entry(when: &str, prices: &Value) -> String {
    format!("Dated {{ when: {when}, tiers: &[{}] }}, ", tiers(prices))
}

fn when(constraint: &Value) -> String {
    if constraint.is_null() {
        return "When::Always".into();
    }
    if let Some(date) = constraint["start_date"].as_str() {
        return format!("When::From({})", midnight(date));
    }
    let time = |key: &str| seconds_of_day(string(&constraint[key]));
    format!(
        "When::Daily {{ from: {}, to: {} }}",
        time("start_time"),
        time("end_time")
    )
}

/// Unix seconds of a date (days from civil, H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn midnight(date: &str) -> i64 {
    let part = |range| -> i64 {
        date.get(range)
            .and_then(|text: &str| text.parse().ok())
            .expect("a date")
    };
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468) * 86_400
}

fn seconds_of_day(time: &str) -> u32 {
    let time = time.strip_suffix('Z').expect("a UTC time of day");
    let part = |range| -> u32 {
        time.get(range)
            .and_then(|text: &str| text.parse().ok())
            .expect("a time of day")
    };
    assert_eq!(time.len(), 8, "whole seconds only");
    part(0..2) * 3600 + part(3..5) * 60 + part(6..8)
}

/// One row of rates per tier; no row at all where the model has no price per input token.
fn tiers(prices: &Value) -> String {
    if prices["input_mtok"].is_null() {
        return String::new();
    }
    tier_starts(prices)
        .into_iter()
        .map(|start| {
            let mtok = |key: &str| at_tier(&prices[key], start);
            let requests = at_tier(&prices["requests_kcount"], start).map(|usd| usd * 1e3);
            tier(
                start,
                [
                    mtok("input_mtok"),
                    mtok("output_mtok"),
                    mtok("cache_read_mtok"),
                    mtok("cache_write_mtok"),
                    mtok("cache_write_1h_mtok"),
                    mtok("output_reasoning_mtok"),
                    requests,
                ],
            )
        })
        .collect()
}

/// Prices of other classes of service. Variants by search type or route concern no token price of a
/// call that a dump describes, and are left out.
fn variants(variants: &Value) -> String {
    let mut code = String::new();
    for variant in variants.as_array().into_iter().flatten() {
        let conditions = variant["when"].as_object().expect("conditions");
        let (key, value) = conditions.iter().next().expect("a condition");
        assert_eq!(conditions.len(), 1, "one condition per variant");
        let service = match (key.as_str(), string(value)) {
            ("processing", "batch") => "Batch",
            ("service_tier", "flex") => "Flex",
            ("service_tier", "priority") => "Priority",
            ("service_tier", "fast") => "Fast",
            ("service_tier", "default") if variant["prices"] == serde_json::json!({}) => continue,
            ("route" | "search_type", _) => continue,
            other => panic!("price variant {other:?} is not known"),
        };
        let from = variant["constraint"]["start_date"].as_str();
        let from = from.map_or("i64::MIN".to_owned(), |date| midnight(date).to_string());
        let _ = write!(
            code,
            "Variant {{ service: Service::{service}, from: {from}, tiers: &[{}] }}, ",
            overlays(&variant["prices"])
        );
    }
    code
}

fn overlays(prices: &Value) -> String {
    let keys = [
        "input_mtok",
        "output_mtok",
        "cache_read_mtok",
        "cache_write_mtok",
        "cache_write_1h_mtok",
        "output_reasoning_mtok",
    ];
    let one = |start: u64| {
        let [input, output, read, write, write_1h, reasoning] =
            keys.map(|key| femto(at_tier(&prices[key], start)));
        format!(
            "Overlay {{ above: {start}, rates: Partial {{ input: {input:?}, output: {output:?}, cache_read: {read:?}, \
             cache_write: {write:?}, cache_write_1h: {write_1h:?}, reasoning: {reasoning:?} }} }}, "
        )
    };
    tier_starts(prices).into_iter().map(one).collect()
}

/// Where tiers start, the first at zero.
fn tier_starts(prices: &Value) -> Vec<u64> {
    let mut starts: Vec<u64> = vec![0];
    for price in prices.as_object().into_iter().flat_map(|o| o.values()) {
        for tier in price["tiers"].as_array().into_iter().flatten() {
            starts.push(tier["start"].as_u64().expect("a tier start"));
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

fn at_tier(price: &Value, start: u64) -> Option<f64> {
    match price {
        Value::Null => None,
        Value::Number(flat) => flat.as_f64(),
        tiered => list(&tiered["tiers"])
            .iter()
            .filter(|tier| tier["start"].as_u64().is_some_and(|at| at <= start))
            .max_by_key(|tier| tier["start"].as_u64())
            .map_or(&tiered["base"], |tier| &tier["price"])
            .as_f64(),
    }
}

/// From USD per million to femto-dollars each.
fn femto(usd: Option<f64>) -> Option<u64> {
    usd.map(|usd| (usd * 1e9).round() as u64)
}

/// Prices arrive in USD per million and leave in femto-dollars each.
fn tier(above: u64, prices: [Option<f64>; 7]) -> String {
    let [input, output, read, write, write_1h, reasoning, request] = prices.map(femto);
    format!(
        "Tier {{ above: {above}, rates: Rates {{ input: {}, output: {output:?}, cache_read: {read:?}, \
         cache_write: {write:?}, cache_write_1h: {write_1h:?}, reasoning: {reasoning:?}, request: {} }} }}, ",
        input.expect("an input price"),
        request.unwrap_or(0),
    )
}

// ---- litellm.tsv: model, provider, prices per tier ----

fn litellm(path: &Path, code: &mut String) {
    let text = fs::read_to_string(path).expect("litellm.tsv");
    let mut rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
        .collect();
    rows.sort();
    code.push_str("pub(super) static EXTRA: &[Extra] = &[\n");
    for row in rows {
        let [model, provider, prices] = row[..] else {
            panic!("litellm.tsv: {row:?} does not have three fields");
        };
        let tiers: String = prices.split(';').map(extra_tier).collect();
        let _ = writeln!(
            code,
            "Extra {{ model: {model:?}, provider: {provider:?}, tiers: &[{tiers}] }},"
        );
    }
    code.push_str("];\n");
}

fn extra_tier(text: &str) -> String {
    let mut words = text.split(' ').peekable();
    let above = words
        .next_if(|word| word.starts_with('>'))
        .map_or(0, |word| word[1..].parse().expect("a tier start"));
    let mut prices = [None; 7];
    for (slot, word) in prices.iter_mut().zip(words) {
        *slot = (word != "-").then(|| word.parse().expect("a price"));
    }
    tier(above, prices)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn string(value: &Value) -> &str {
    value.as_str().expect("a text")
}
