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
