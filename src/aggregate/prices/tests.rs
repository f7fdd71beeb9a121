//! Prices against the genai-prices calculator, and against files.

use genai_prices::{Calculator, PriceRequest, Usage as OracleUsage, UsageKey};
use proptest::prelude::*;
use std::time::{Duration, UNIX_EPOCH};

use super::*;

/// Midday of 2026-11-20.
const NOW: u64 = 1_795_176_000;

fn at(seconds: u64) -> Nanos {
    Nanos(seconds * 1_000_000_000)
}

fn on(seconds: u64) -> Terms {
    Terms::standard(at(seconds))
}

const SERVICES: [Service; 5] = [
    Service::Standard,
    Service::Batch,
    Service::Flex,
    Service::Priority,
    Service::Fast,
];

/// A call whose parts fit into each other, from nine free numbers.
fn usage(input: u64, output: u64, shares: [u64; 4]) -> Usage {
    let [cached, write, hour, reasoning] = shares;
    let cached = input * cached / 100;
    let cache_write = (input - cached) * write / 100;
    Usage {
        input,
        cached,
        cache_write,
        cache_write_1h: cache_write * hour / 100,
        output,
        reasoning: output * reasoning / 100,
    }
}

fn oracle(provider: &str, model: &str, terms: Terms, usage: Usage) -> Option<(f64, String)> {
    let seconds = terms.at.0 / 1_000_000_000;
    let count = |n: u64| n as f64;
    let reported = OracleUsage::from([
        (UsageKey::INPUT_TOKENS, count(usage.input)),
        (UsageKey::CACHE_READ_TOKENS, count(usage.cached)),
        (UsageKey::CACHE_WRITE_TOKENS, count(usage.cache_write)),
        (UsageKey::CACHE_WRITE_1H_TOKENS, count(usage.cache_write_1h)),
        (UsageKey::OUTPUT_TOKENS, count(usage.output)),
        (UsageKey::OUTPUT_REASONING_TOKENS, count(usage.reasoning)),
    ]);
    let mut request = PriceRequest::new(model, &reported)
        .with_provider_id(provider)
        .with_timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
    request = match terms.service {
        Service::Standard => request,
        Service::Batch => request.with_price_context("processing", "batch"),
        special => request.with_price_context("service_tier", special.label()),
    };
    let priced = Calculator::bundled().calculate(&request).ok()?;
    Some((priced.total_price, priced.model_id))
}

/// Compares one call; true when there was something to compare.
fn agrees(provider: &str, model: &str, terms: Terms, usage: Usage) -> Result<bool, String> {
    let Some((expected, id)) = oracle(provider, model, terms, usage) else {
        return Ok(false);
    };
    let prices = Prices::builtin();
    let found = prices.find(provider, &[model]);
    let Some(found) = found.filter(|t| t.source == Source::GenaiPrices) else {
        return Err(format!("{provider} {model}: {id} not found"));
    };
    if found.model != id {
        return Err(format!("{provider} {model}: {} for {id}", found.model));
    }
    // Models without a price per token are unknown here and free there.
    let Some(cost) = found.cost(terms, usage) else {
        return Ok(false);
    };
    let off = (cost.as_dollars() - expected).abs();
    if off > 1e-9 * (1.0 + 1e-9 * expected) {
        return Err(format!("{provider} {model}: {cost:?} for {expected}"));
    }
    Ok(true)
}

#[test]
fn every_model_at_every_tier_costs_what_the_oracle_says() {
    let (mut compared, mut failures) = (0, Vec::new());
    for provider in Calculator::bundled().providers() {
        for model in provider.models() {
            for (index, input) in [0, 900, 40_000, 200_000, 200_001, 273_000, 1_100_000]
                .into_iter()
                .enumerate()
            {
                let shares = [[0; 4], [50, 20, 30, 10], [90, 100, 100, 60]][index % 3];
                let call = usage(input, 700 + input / 9, shares);
                let terms = Terms {
                    service: SERVICES[index % 5],
                    ..on(NOW - 2_000_000 * (index % 2) as u64)
                };
                match agrees(provider.id(), model.id(), terms, call) {
                    Ok(done) => compared += usize::from(done),
                    Err(failure) => failures.push(failure),
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(compared > 13_000, "only {compared} calls could be compared");
}

proptest! {
    #[test]
    fn any_call_costs_what_the_oracle_says(
        pick in any::<prop::sample::Index>(),
        input in 0_u64..2_000_000,
        output in 0_u64..200_000,
        shares in prop::array::uniform4(0_u64..=100),
        seconds in 1_680_000_000_u64..1_830_000_000,
        service in prop::sample::select(SERVICES.as_slice()),
        upper in any::<bool>(),
    ) {
        let providers: Vec<_> = Calculator::bundled().providers().collect();
        let models: Vec<_> = providers
            .iter()
            .flat_map(|p| p.models().map(move |m| (p.id(), m.id())))
            .collect();
        let (provider, model) = *pick.get(&models);
        let model = if upper { model.to_uppercase() } else { model.to_owned() };
        let terms = Terms { service, ..on(seconds) };
        let outcome = agrees(provider, &model, terms, usage(input, output, shares));
        prop_assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[test]
fn names_reach_the_model_the_oracle_reaches() {
    for (provider, model) in [
        ("github-copilot", "gpt-5-mini-2026-01-09"),
        ("openai", "gpt-4o-20240806"),
        ("anthropic", "claude-sonnet-4-20250514"),
        ("anthropic", "claude-opus-5@20261101"),
        ("azure", "gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("vertex_ai", "gemini-2.5-flash"),
        ("mistral_ai", "mistral-large-latest"),
        ("openrouter", "openai/gpt-4o"),
        ("groq", "llama-3.3-70b-versatile"),
    ] {
        let call = usage(1000, 100, [10, 0, 0, 0]);
        assert_eq!(
            agrees(provider, model, on(NOW), call),
            Ok(true),
            "{provider} {model}"
        );
    }
}

#[test]
fn providers_of_the_conventions_are_known_under_other_names() {
    let prices = Prices::builtin();
    for (said, listed, model) in [
        ("azure.ai.openai", "azure", "gpt-4o"),
        ("azure.ai.inference", "azure", "gpt-4o"),
        ("gcp.gemini", "google", "gemini-2.5-flash"),
        ("x_ai", "x-ai", "grok-4"),
        ("gcp.vertex_ai", "google", "gemini-2.5-flash"),
        ("moonshot_ai", "moonshotai", "kimi-k2-0905-preview"),
    ] {
        let call = usage(1000, 100, [10, 0, 0, 0]);
        let cost = prices.cost(said, model, at(NOW), call);
        assert!(cost.is_some(), "{said}");
        assert_eq!(cost, prices.cost(listed, model, at(NOW), call), "{said}");
    }
}

#[test]
fn a_model_is_found_without_its_provider_and_says_so() {
    let prices = Prices::builtin();
    for (provider, model, id) in [
        ("", "gpt-4o", "gpt-4o"),
        ("", "openai/gpt-4o", "gpt-4o"),
        (
            "my-gateway",
            "anthropic/claude-sonnet-4-20250514",
            "claude-sonnet-4-0",
        ),
        ("", "models/gemini-2.5-flash", "gemini-2.5-flash"),
    ] {
        let found = prices
            .find(provider, &[model])
            .map(|t| (t.model, t.provider_assumed));
        assert_eq!(found, Some((id, true)), "{provider} {model}");
    }
}

#[test]
fn unknown_models_and_own_machines_have_no_price() {
    let prices = Prices::builtin();
    let call = usage(1000, 100, [0; 4]);
    for (provider, model) in [
        ("openai", "llama-3.3-70b-instruct"),
        ("", "my-finetune"),
        ("", ""),
        ("vllm", "gpt-4o"),
        ("openai", "whisper-1"),
        ("openrouter", "cloudflare/clef"),
    ] {
        assert_eq!(
            prices.cost(provider, model, at(NOW), call),
            None,
            "{provider} {model}"
        );
    }
}

#[test]
fn what_is_listed_as_free_is_free() {
    let call = usage(1000, 100, [0; 4]);
    let cost = Prices::builtin().cost(
        "openrouter",
        "bytedance-research/ui-tars-72b:free",
        at(NOW),
        call,
    );
    assert_eq!(cost, Some(Usd::ZERO));
}

#[test]
fn the_second_table_fills_gaps_of_the_first() {
    let prices = Prices::builtin();
    let found = prices.find("aws.bedrock", &["ai21.jamba-1-5-mini-v1:0"]);
    assert_eq!(found.map(|t| t.source), Some(Source::LiteLlm));
    let call = usage(1_000_000, 1_000_000, [0; 4]);
    let cost = found.and_then(|t| t.cost(on(NOW), call));
    assert_eq!(cost, Some(Usd(600_000_000)));
}

const SIMPLE: &str = r#"{"currency": "USD", "unit": "per 1M tokens", "models": {
  "GPT-4o": {"input": 2.5, "cached_input": 1.0, "output": 10.0},
  "own-model": {"input": 0.88, "output": 0.88}}}"#;

fn with(text: &str) -> Result<Prices, String> {
    Prices::with_bytes("prices.json", text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_file_wins_over_the_tables_under_any_name_of_the_model() {
    let prices = with(SIMPLE).expect("a good file");
    let call = usage(1_000_000, 0, [100, 0, 0, 0]);
    for (provider, model) in [
        ("openai", "gpt-4o"),
        ("azure", "gpt-4o-2024-08-06"),
        ("", "openai/gpt-4o"),
    ] {
        assert_eq!(
            prices.cost(provider, model, at(NOW), call),
            Some(Usd(1_000_000_000))
        );
    }
    // cached tokens without a price of their own are paid as input, and the tariff says so
    let own = prices
        .find("vllm", &["unheard-of", "own-model"])
        .expect("named in the file");
    assert_eq!(own.cost(on(NOW), call), Some(Usd(880_000_000)));
    assert!(!own.discounts_cache(at(NOW)));
    assert_eq!(own.source, Source::File);
    // others still come from the tables
    assert!(prices.find("anthropic", &["claude-sonnet-4-0"]).is_some());
}

#[test]
fn litellm_files_are_read_with_their_tiers() {
    let prices = with(
        r#"{"sample_spec": {"input_cost_per_token": 0.0, "max_tokens": "text"},
            "azure/mine": {"litellm_provider": "azure", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6,
                           "input_cost_per_token_above_200k_tokens": 3e-6, "input_cost_per_token_flex": 1e-9}}"#,
    )
    .expect("a good file");
    let cost = |input| prices.cost("azure", "mine", at(NOW), usage(input, 1000, [0; 4]));
    assert_eq!(cost(200_000), Some(Usd(202_000_000)));
    assert_eq!(cost(300_000), Some(Usd(902_000_000)));
    assert!(prices.find("", &["sample_spec"]).is_none());
}

#[test]
fn errors_name_the_place_and_what_was_expected() {
    let error = |text: &str| with(text).expect_err("a bad file");
    let bad_price = error("{\"models\": {\n \"m\": {\"input\": \"cheap\", \"output\": 1}}}");
    assert!(bad_price.starts_with("prices.json:2:"), "{bad_price}");
    assert!(
        bad_price.contains("invalid type: string \"cheap\""),
        "{bad_price}"
    );
    assert!(error(r#"{"models": {"m": {"input": -1, "output": 1}}}"#).contains("zero or more"));
    assert!(error(r#"{"models": {"m": {"input": 1}}}"#).contains("missing field `output`"));
    assert!(error(r#"{"unit": "per page", "models": {}}"#).contains("per 1M tokens"));
    assert!(error(r#"{"currency": "EUR", "models": {}}"#).contains("USD"));
    assert!(error("[1]").contains("a provider of the genai-prices table"));
    assert!(error("{").contains("prices.json:1:1"));
    assert!(error("{}").contains("LiteLLM"));
    assert!(
        error(r#"{"models": {"m": {"input": 1, "output": 1, "cache_input": 1}}}"#)
            .contains("unknown field")
    );
    assert!(error(r#"{"a": {"input_cost_per_token": "x"}}"#).contains("prices.json:1:"));
}

#[test]
fn the_committed_table_is_the_one_of_the_oracle() {
    let ours: Vec<_> = table::PROVIDERS
        .iter()
        .flat_map(|p| p.models.iter().map(|m| (p.id, m.id)))
        .collect();
    let theirs: Vec<_> = Calculator::bundled()
        .providers()
        .flat_map(|p| p.models().map(move |m| (p.id(), m.id())))
        .collect();
    assert_eq!(ours, theirs);
}

#[test]
fn a_class_of_service_has_its_own_price_from_its_day_on() {
    let prices = Prices::builtin();
    let found = prices.find("openai", &["gpt-5"]).expect("listed");
    let cost = |service, at| {
        let terms = Terms { at, service };
        (
            found.cost(terms, usage(1_000_000, 0, [0; 4])),
            found.knows(terms),
        )
    };
    let (standard, _) = cost(Service::Standard, at(NOW));
    let (batch, known) = cost(Service::Batch, at(NOW));
    assert!(batch < standard && known, "{batch:?} {standard:?}");
    assert_eq!(
        cost(Service::Batch, at(NOW - 90 * 86_400)),
        (standard, false)
    );
}

#[test]
fn a_model_served_in_a_region_is_found_by_its_regional_name() {
    let prices = Prices::builtin();
    for (provider, model) in [
        (
            "aws.bedrock",
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
        ),
        ("aws.bedrock", "apac.amazon.nova-pro-v1:0"),
        (
            "gcp.vertex_ai",
            "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash",
        ),
        ("azure", "eu/gpt-4o"),
    ] {
        assert!(
            prices.find(provider, &[model]).is_some(),
            "{provider} {model}"
        );
    }
    let price = |model| {
        let found = prices.find("aws.bedrock", &[model]);
        found.and_then(|t| t.cost(on(NOW), usage(1_000_000, 0, [0; 4])))
    };
    let (global, europe) = (
        price("global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        price("eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    );
    assert!(
        europe > global,
        "a region costs more: {europe:?} {global:?}"
    );
    let own = with(r#"{"models": {"nova-x": {"input": 1, "output": 1}}}"#).expect("a good file");
    assert!(own.find("aws.bedrock", &["eu.nova-x"]).is_some());
}

const MODELS_DEV: &str = include_str!("../../../fixtures/prices/models-dev.json");

const OPENROUTER: &str = include_str!("../../../fixtures/prices/openrouter.json");

const GENAI: &str = include_str!("../../../fixtures/prices/genai-prices.json");

const LITELLM: &str = include_str!("../../../fixtures/prices/litellm.json");

#[test]
fn the_same_price_is_read_from_every_public_table() {
    for (form, text) in [
        ("models.dev", MODELS_DEV),
        ("openrouter", OPENROUTER),
        ("genai-prices", GENAI),
        ("litellm", LITELLM),
    ] {
        let prices = with(text).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(prices.vintages()[0].form, form);
        let found = prices
            .find("acme", &["m-1"])
            .unwrap_or_else(|| panic!("{form}"));
        assert_eq!(found.source, Source::File, "{form}");
        // 100,000 at the full price, 100,000 from the cache, 1,000 generated
        let cost = found.cost(on(NOW), usage(200_000, 1000, [50, 0, 0, 0]));
        assert_eq!(cost, Some(Usd(345_000_000)), "{form}");
    }
    let long = usage(300_000, 0, [0; 4]);
    for text in [MODELS_DEV, GENAI, LITELLM] {
        let cost = with(text)
            .expect("a good file")
            .cost("acme", "m-1", at(NOW), long);
        assert_eq!(cost, Some(Usd(1_800_000_000)));
    }
    for text in [GENAI, LITELLM] {
        let prices = with(text).expect("a good file");
        let found = prices.find("acme", &["m-1"]).expect("listed");
        let batch = Terms {
            service: Service::Batch,
            ..on(NOW)
        };
        assert_eq!(
            found.cost(batch, usage(100_000, 0, [0; 4])),
            Some(Usd(150_000_000))
        );
    }
    let dated = with(GENAI).expect("a good file");
    let may = at(1_779_000_000);
    assert_eq!(
        dated.cost("acme", "m-one", may, usage(100_000, 0, [0; 4])),
        Some(Usd(500_000_000))
    );
    let hour = with(LITELLM).expect("a good file");
    let kept = usage(100_000, 0, [0, 100, 100, 0]);
    assert_eq!(
        hour.cost("acme", "m-1", at(NOW), kept),
        Some(Usd(600_000_000))
    );
}

#[test]
fn of_several_prices_a_bare_name_means_none() {
    let prices = with(MODELS_DEV).expect("a good file");
    assert!(prices.find("", &["m-1"]).is_none());
    assert!(prices.find("other", &["m-1"]).is_some());
    assert!(
        with(GENAI)
            .expect("a good file")
            .find("", &["m-1"])
            .is_some()
    );
}

#[test]
fn what_is_written_is_read_again() {
    for text in [MODELS_DEV, OPENROUTER, GENAI, LITELLM] {
        let prices = with(text).expect("a good file");
        let written = serde_json::to_string(&prices.written(&prices.own_entries())).expect("JSON");
        let again = with(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        let plans = |prices: &Prices| -> Vec<(String, Plan)> {
            prices
                .own_entries()
                .into_iter()
                .map(|e| (e.name, e.plan))
                .collect()
        };
        assert_eq!(plans(&again), plans(&prices), "{written}");
    }
}

#[test]
fn the_command_line_goes_first_and_the_tables_last() {
    let mut prices = Prices::builtin();
    prices.add_given(&["gpt-4o=1/1".parse().expect("a price")]);
    prices.add(
        file::parse("p.json", SIMPLE.as_bytes()).expect("a good file"),
        Some("p.json"),
        Source::File,
    );
    let source = |model| prices.find("openai", &[model]).map(|t| t.source);
    assert_eq!(source("gpt-4o"), Some(Source::Flag));
    assert_eq!(source("own-model"), Some(Source::File));
    assert_eq!(source("gpt-4.1"), Some(Source::GenaiPrices));
}

#[test]
fn two_tables_are_compared_price_by_price() {
    let (left, right) = (
        with(LITELLM).expect("a good file"),
        with(MODELS_DEV).expect("a good file"),
    );
    let changes = Changes::between(&left, &right, NOW);
    let named: Vec<&str> = changes.changed.iter().map(|c| c.price.as_str()).collect();
    assert_eq!(
        named,
        [
            "cache_write_1h",
            "cached_input above 200000",
            "cache_write_1h above 200000",
            "output above 200000"
        ]
    );
    assert_eq!(changes.only_right, ["other/m-1"]);
    assert!(Changes::between(&left, &left, NOW).changed.is_empty());
}
