//! The order of the keys of an object says nothing, in any format.

use std::fs;

use agentdiag::ingest::Source;
use serde_json::Value;

use super::fixtures::folder;
use crate::pipeline::run;

/// Walks over well-formed JSON and writes it with the keys of every object in reverse.
struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl Walk<'_> {
    fn skip(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        bytes[self.at]
    }

    fn value(&mut self) -> String {
        match self.skip() {
            b'{' => format!("{{{}}}", self.entries(b'}', true)),
            b'[' => format!("[{}]", self.entries(b']', false)),
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        if bytes[start] == b'"' {
            self.at += 1;
            while bytes[self.at] != b'"' {
                self.at += 1 + usize::from(bytes[self.at] == b'\\');
            }
            self.at += 1;
        } else {
            let ends = |b: u8| b.is_ascii_whitespace() || b",]}".contains(&b);
            while self.at < bytes.len() && !ends(bytes[self.at]) {
                self.at += 1;
            }
        }
        self.text[start..self.at].to_owned()
    }

    fn entries(&mut self, close: u8, keys: bool) -> String {
        self.at += 1;
        let mut entries = Vec::new();
        while self.skip() != close {
            let key = keys.then(|| self.scalar());
            if key.is_some() {
                assert_eq!(self.skip(), b':');
                self.at += 1;
            }
            let value = self.value();
            entries.push(key.map_or(value.clone(), |key| format!("{key}:{value}")));
            if self.skip() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        if keys {
            entries.reverse();
        }
        entries.join(",")
    }
}

/// Every document of `text`, one to a line.
fn reversed(text: &str) -> String {
    let mut walk = Walk { text, at: 0 };
    let mut documents = Vec::new();
    while !walk.text[walk.at..].trim().is_empty() {
        documents.push(walk.value());
    }
    documents.join("\n")
}

/// What is found in `text`, without sizes and places.
fn findings(text: &str) -> Value {
    let run = run(vec![Source::from_bytes("t", text.as_bytes().to_vec())], 1);
    let mut found: Value = serde_json::from_str(&run.pages()[0]).unwrap();
    for key in ["format", "why", "bytes", "unpacked_bytes"] {
        found["inputs"][0][key] = Value::Null;
    }
    for issue in found["integrity"]["issues"].as_array_mut().unwrap() {
        issue["byte_offset"] = Value::Null;
        issue["detail"] = Value::Null;
    }
    found
}

#[test]
fn the_order_of_keys_changes_nothing_in_any_format() {
    let mut checked = 0;
    for entry in fs::read_dir(folder("formats")).unwrap() {
        for file in fs::read_dir(entry.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let json = path
                .extension()
                .is_some_and(|e| e == "json" || e == "jsonl");
            let text = fs::read_to_string(&path).unwrap_or_default();
            let whole = serde_json::Deserializer::from_str(&text)
                .into_iter::<serde::de::IgnoredAny>()
                .all(|document| document.is_ok());
            if json && whole {
                let (plain, turned) = (findings(&text), findings(&reversed(&text)));
                assert_eq!(plain, turned, "{}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "{checked} files");
}
