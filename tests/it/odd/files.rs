//! Files besides the dump that say anything at all.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{GOOD, folder, run};

/// Names of the members that are numbers, or lists and maps of numbers.
fn numbers(value: &Value, name: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Number(_) => drop(into.insert(name.to_owned())),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, name, into)),
        Value::Object(map) => map.iter().for_each(|(key, item)| numbers(item, key, into)),
        _ => {}
    }
}

/// Puts `new` in the place of every number called `name`.
fn replace(value: &mut Value, own: &str, name: &str, new: &Value) {
    match value {
        Value::Number(_) if own == name => *value = new.clone(),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| replace(item, own, name, new)),
        Value::Object(map) => map
            .iter_mut()
            .for_each(|(key, item)| replace(item, key, name, new)),
        _ => {}
    }
}

#[test]
fn a_baseline_with_numbers_beyond_all_bounds() {
    let folder = folder(&[("d.jsonl", GOOD.as_bytes())]);
    let quick = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/quickstart/traces.jsonl.gz");
    let quick = quick.to_str().expect("UTF-8");
    let learned = run(folder.path(), &["baseline", quick, "-o", "base.json"]);
    assert_eq!(learned.code, Some(0), "{}", learned.err);
    let text = fs::read(folder.path().join("base.json")).expect("it is there");
    let base: Value = serde_json::from_slice(&text).expect("JSON");
    let mut names = BTreeSet::new();
    numbers(&base, "", &mut names);
    assert!(names.len() > 10, "{names:?}");
    for name in &names {
        for new in [u64::MAX.into(), i64::MIN.into(), Value::from(1e300)] {
            let mut wrong = base.clone();
            replace(&mut wrong, "", name, &new);
            let path = folder.path().join("wrong.json");
            fs::write(path, wrong.to_string()).expect("written");
            for args in [
                &["analyze", "--baseline", "wrong.json", "d.jsonl"][..],
                &["drift", "--baseline", "wrong.json", "d.jsonl"],
                &["baseline", "wrong.json", "base.json"],
            ] {
                let said = run(folder.path(), args);
                let well = matches!(said.code, Some(0 | 2));
                assert!(well, "{name} {new}: {args:?}: {}", said.err);
            }
        }
    }
}
