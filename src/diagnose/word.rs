//! Words of the program's own vocabulary, read back: each is kept once, for as long as the program runs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// More words, or longer ones, this program does not have.
const MOST: usize = 4096;
const LONGEST: usize = 256;

/// One of them.
pub(super) type Word = &'static str;

static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

pub(super) fn word<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    let word = String::deserialize(from)?;
    kept(&word).ok_or_else(|| D::Error::custom("a word that no version of this program uses"))
}

pub(super) fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<&'static str>, D::Error> {
    let words: Vec<String> = Vec::deserialize(from)?;
    let kept = words.iter().map(|word| kept(word));
    let kept: Option<Vec<&'static str>> = kept.collect();
    kept.ok_or_else(|| D::Error::custom("words that no version of this program uses"))
}

fn kept(word: &str) -> Option<&'static str> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = known.get(word) {
        return Some(kept);
    }
    if known.len() >= MOST || word.len() > LONGEST {
        return None;
    }
    let kept: &'static str = Box::leak(word.into());
    known.insert(kept);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::Value;

    fn read(value: Value) -> Option<&'static str> {
        word(value).ok()
    }

    #[test]
    fn a_word_is_kept_once() {
        let long = "x".repeat(LONGEST);
        let first = read("released_together".into()).unwrap();
        let again = read("released_together".into()).unwrap();
        assert_eq!(first, "released_together");
        assert!(std::ptr::eq(first, again));
        assert_eq!(read(long.clone().into()), Some(long.as_str()));
    }

    #[test]
    fn what_no_version_says_is_refused() {
        assert_eq!(read("x".repeat(LONGEST + 1).into()), None);
        assert_eq!(read(5.into()), None);
        let list = Value::from(vec!["a".to_owned(), "x".repeat(LONGEST + 1)]);
        assert!(words(list).is_err());
        assert_eq!(words(Value::from(vec!["a", "b"])).unwrap(), ["a", "b"]);
    }
}
