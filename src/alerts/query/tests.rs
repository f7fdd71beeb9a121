use std::sync::Arc;

use super::*;
use crate::alerts::labels::NAME;
use crate::alerts::store::Version;

/// Name, labels, and one value a minute.
type Line<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [f64]);

/// A store with one series per line.
fn store(version: Version, lines: &[Line<'_>]) -> Store {
    let mut store = Store::new(version);
    for (name, labels, values) in lines {
        let pairs = labels.iter().copied().chain([(NAME, *name)]);
        let labels = store.labels.intern(pairs);
        let times = (0..values.len() as i64).map(|i| i * 60_000).collect();
        store.insert(labels, Arc::new(times), values.to_vec());
    }
    store
}

fn ask(store: &mut Store, text: &str, minute: i64) -> Vec<(String, f64)> {
    let mut query = Query::parse(text, store).unwrap();
    let now = Instant {
        at: minute * 60_000,
        step: 60_000,
    };
    let samples = query.eval(store, now).unwrap().into_vector(store);
    let named = |(labels, value): (LabelId, f64)| (store.labels.show(labels), value);
    samples.into_iter().map(named).collect()
}

fn counter() -> Vec<f64> {
    (0..11).map(f64::from).map(|i| i * 60.0).collect()
}

#[test]
fn rates_reach_to_the_edges_of_their_range() {
    let values = counter();
    let mut v3 = store(Version::V3, &[("c_total", &[("a", "b")], &values)]);
    let one = |value| vec![("{a=\"b\"}".to_owned(), value)];
    // Five samples over four minutes, carried on to five.
    assert_eq!(ask(&mut v3, "increase(c_total[5m])", 10), one(300.0));
    assert_eq!(ask(&mut v3, "rate(c_total[5m])", 10), one(1.0));
    // Before the series is five minutes old, the zero of the counter is where it began.
    assert_eq!(ask(&mut v3, "increase(c_total[5m])", 2), one(120.0));
    assert_eq!(ask(&mut v3, "rate(c_total[1m])", 10), []);
    let mut v2 = store(Version::V2, &[("c_total", &[("a", "b")], &values)]);
    assert_eq!(ask(&mut v2, "rate(c_total[1m])", 10), one(1.0));
}

#[test]
fn a_reset_loses_nothing() {
    let values = [0.0, 60.0, 120.0, 30.0, 90.0];
    let mut store = store(Version::V2, &[("c_total", &[], &values)]);
    let found = ask(&mut store, "increase(c_total[4m])", 4);
    assert_eq!(found, [("{}".to_owned(), 210.0)]);
    assert_eq!(ask(&mut store, "resets(c_total[4m])", 4)[0].1, 1.0);
}

#[test]
fn vectors_match_on_what_they_are_told_to() {
    let lines: &[Line<'_>] = &[
        ("err", &[("job", "a"), ("code", "500")], &[1.0]),
        ("err", &[("job", "a"), ("code", "404")], &[3.0]),
        ("all", &[("job", "a")], &[4.0]),
        ("all", &[("job", "b")], &[9.0]),
    ];
    let mut store = store(Version::V3, lines);
    let mut show = |text: &str| ask(&mut store, text, 0);
    let pair = |labels: &str, value| (labels.to_owned(), value);
    assert_eq!(show("sum by (job) (err) / all"), [pair("{job=\"a\"}", 1.0)]);
    assert_eq!(
        show("err / on (job) group_left () all"),
        [
            pair("{code=\"500\",job=\"a\"}", 0.25),
            pair("{code=\"404\",job=\"a\"}", 0.75)
        ]
    );
    assert_eq!(
        show("all unless on (job) err"),
        [pair("all{job=\"b\"}", 9.0)]
    );
    assert_eq!(show("all > 4"), [pair("all{job=\"b\"}", 9.0)]);
    assert_eq!(show("4 >= bool all")[0].1, 1.0);
    assert_eq!(show("absent(all{job=\"c\"})"), [pair("{job=\"c\"}", 1.0)]);
    assert_eq!(
        show("topk(1, err)"),
        [pair("err{code=\"404\",job=\"a\"}", 3.0)]
    );
    let mut wrong = Query::parse("all / on (job) err", &mut store).unwrap();
    let now = Instant { at: 0, step: 1 };
    let why = wrong.eval(&mut store, now).unwrap_err();
    assert!(why.starts_with("found duplicate series"), "{why}");
}

#[test]
fn subqueries_lie_at_multiples_of_their_step() {
    let values = counter();
    let mut store = store(Version::V2, &[("c_total", &[], &values)]);
    let found = ask(&mut store, "max_over_time(c_total[5m:2m])", 9);
    assert_eq!(found[0].1, 480.0);
    let since = ask(&mut store, "min_over_time(timestamp(c_total)[1h:1m])", 10);
    assert_eq!(since[0].1, 0.0);
}

#[test]
fn what_is_not_supported_is_named() {
    let mut store = Store::default();
    for (text, why, at) in [
        ("1 + holt_winters(x[5m], 0.5, 0.5)", "", 4),
        (
            "count_values(\"v\", x) > 1",
            "the aggregation `count_values` is not supported",
            0,
        ),
        (
            "rate(x[5m]) > sin(y)",
            "the function `sin` is not supported",
            14,
        ),
        ("x[5m]", "", 1),
        ("no_such(x)", "unknown function with name 'no_such'", 0),
    ] {
        let refusal = Query::parse(text, &mut store).unwrap_err();
        assert!(refusal.why.starts_with(why), "{text}: {}", refusal.why);
        assert_eq!(refusal.offset(text), at, "{text}: {}", refusal.why);
    }
}

#[test]
fn functions_of_numbers_are_those_of_prometheus() {
    let lines: &[Line<'_>] = &[
        ("v", &[], &[-2.4]),
        ("w", &[], &[8.0]),
        ("n", &[], &[f64::NAN]),
    ];
    let mut store = store(Version::V3, lines);
    for (text, expected) in [
        ("abs(v)", 2.4),
        ("ceil(v)", -2.0),
        ("floor(v)", -3.0),
        ("sgn(v)", -1.0),
        ("sgn(w)", 1.0),
        ("sgn(w - 8)", 0.0),
        ("sqrt(w * 2)", 4.0),
        ("log2(w)", 3.0),
        ("log10(w * 125)", 3.0),
        ("ln(exp(w))", 8.0),
        ("round(v)", -2.0),
        ("round(w / 3, 0.5)", 2.5),
        ("clamp(v, -1, 1)", -1.0),
        ("clamp(w, -1, 1)", 1.0),
        ("clamp_min(v, 0)", 0.0),
        ("clamp_max(w, 3)", 3.0),
        ("vector(scalar(w))", 8.0),
        ("vector(time())", 0.0),
        ("timestamp(w)", 0.0),
        ("absent(nothing)", 1.0),
        ("-w", -8.0),
        ("w % 3", 2.0),
        ("w ^ 2", 64.0),
        ("w atan2 w", std::f64::consts::FRAC_PI_4),
        ("w > bool 9", 0.0),
        ("w <= bool 8", 1.0),
        ("w != bool 8", 0.0),
        ("w == bool 8", 1.0),
        ("w < bool 8", 0.0),
        ("w >= bool 8", 1.0),
        ("(w) unless v > 0", 8.0),
        ("minute(vector(1778572824))", 0.0),
        ("hour(vector(1778572824))", 8.0),
        ("day_of_week(vector(1778572824))", 2.0),
        ("day_of_month(vector(1778572824))", 12.0),
        ("day_of_year(vector(1778572824))", 132.0),
        ("days_in_month(vector(1778572824))", 31.0),
        ("month(vector(1778572824))", 5.0),
        ("year(vector(1778572824))", 2026.0),
        ("w @ 0", 8.0),
        ("max(w)", 8.0),
        ("group(w)", 1.0),
        ("stddev(w)", 0.0),
        ("stdvar(w)", 0.0),
        ("quantile(0.5, w)", 8.0),
        ("topk(1, w)", 8.0),
        ("bottomk(1, w)", 8.0),
    ] {
        let found = ask(&mut store, text, 0);
        assert!(
            found.len() == 1 && (found[0].1 - expected).abs() < 1e-9,
            "{text}: {found:?}"
        );
    }
    for text in ["clamp_min(n, 0)", "clamp_max(n, 0)"] {
        assert!(ask(&mut store, text, 0)[0].1.is_nan(), "{text}");
    }
    assert_eq!(ask(&mut store, "w and v > 0", 0), []);
}

#[test]
fn offsets_reach_back_and_ahead() {
    let values: Vec<f64> = (0..10).map(f64::from).collect();
    let mut store = store(Version::V3, &[("v", &[], &values)]);
    for (text, expected) in [
        ("v offset 2m", 3.0),
        ("v offset -2m", 7.0),
        ("v @ 60", 1.0),
        ("max_over_time(v[3m] offset 2m)", 3.0),
        ("max_over_time((v * 2)[3m:1m])", 10.0),
        ("max_over_time((v * 2)[3m:1m] offset 1m)", 8.0),
    ] {
        assert_eq!(ask(&mut store, text, 5)[0].1, expected, "{text}");
    }
}

#[test]
fn labels_are_replaced_by_fixed_texts() {
    let mut store = store(Version::V3, &[("v", &[("host", "a:80")], &[1.0])]);
    let found = ask(
        &mut store,
        "label_replace(v, \"name\", \"$1\", \"host\", \"(.*):.*\")",
        0,
    );
    assert_eq!(found[0].0, "v{host=\"a:80\",name=\"a\"}");
}

#[test]
fn ranges_and_functions_that_cannot_be_are_named() {
    let mut store = store(Version::V3, &[]);
    for (text, why) in [
        ("v[5m]", "a range must stand inside a function"),
        ("v[5m:1m]", "a range must stand inside a function"),
        (
            "count_values(\"x\", v)",
            "the aggregation `count_values` is not supported",
        ),
        (
            "label_join(v, \"a\", \"b\", \"c\")",
            "the function `label_join` is not supported",
        ),
        ("v @ start()", "mean nothing in a rule"),
        ("v @ end()", "mean nothing in a rule"),
        ("rate(v)", "expected"),
    ] {
        let refused = Query::parse(text, &mut store).err();
        let refused = refused.unwrap_or_else(|| panic!("{text} is taken"));
        assert!(refused.why.contains(why), "{text}: {}", refused.why);
    }
}
