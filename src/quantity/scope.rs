//! Which requests and calls are meant: names, with `*` and `?` as in file names.

use globset::{GlobBuilder, GlobMatcher};

/// By what requests and calls can be chosen.
pub const KEYS: [&str; 6] = ["task", "agent", "model", "tool", "service", "tenant"];

/// Patterns by key; what is chosen fits one pattern of every key that has any.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    patterns: [Vec<GlobMatcher>; KEYS.len()],
    texts: Vec<(&'static str, String)>,
}

/// Why a pattern was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a pattern: {0}; expected a name, with * for any characters")]
pub struct BadPattern(String);

impl Scope {
    /// Adds an alternative for number `key` of [`KEYS`].
    ///
    /// # Errors
    /// When it is no pattern.
    pub fn add(&mut self, key: usize, pattern: &str) -> Result<(), BadPattern> {
        let glob = GlobBuilder::new(pattern).literal_separator(false).build();
        let glob = glob.map_err(|error| BadPattern(error.kind().to_string()))?;
        if let (Some(patterns), Some(name)) = (self.patterns.get_mut(key), KEYS.get(key)) {
            patterns.push(glob.compile_matcher());
            self.texts.push((name, pattern.to_owned()));
        }
        Ok(())
    }

    /// Exactly one name of number `key` of [`KEYS`], whatever characters are in it.
    #[must_use]
    pub fn exactly(key: usize, name: &str) -> Self {
        let mut scope = Self::default();
        // An escaped name is always a pattern.
        let _ = scope.add(key, &globset::escape(name));
        scope
    }

    /// True when everything is meant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.texts.is_empty()
    }

    /// Keys and patterns as they were given.
    #[must_use]
    pub fn texts(&self) -> &[(&'static str, String)] {
        &self.texts
    }

    pub(super) fn task(&self, name: &str) -> bool {
        self.fits(0, name)
    }

    pub(super) fn agent(&self, name: &str) -> bool {
        self.fits(1, name)
    }

    pub(super) fn model(&self, name: &str) -> bool {
        self.fits(2, name)
    }

    pub(super) fn tool(&self, name: &str) -> bool {
        self.fits(3, name)
    }

    pub(super) fn service(&self, name: &str) -> bool {
        self.fits(4, name)
    }

    pub(super) fn tenant(&self, name: &str) -> bool {
        self.fits(5, name)
    }

    /// True when number `key` of [`KEYS`] is restricted.
    pub(super) fn has(&self, key: usize) -> bool {
        self.patterns.get(key).is_some_and(|p| !p.is_empty())
    }

    fn fits(&self, key: usize, name: &str) -> bool {
        let patterns = self.patterns.get(key).map(Vec::as_slice);
        let patterns = patterns.unwrap_or_default();
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.is_match(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pattern_of_each_key_has_to_fit() {
        let mut scope = Scope::default();
        assert!(scope.is_all() && scope.model("") && scope.task("x"));
        scope.add(2, "gpt-4o*").unwrap();
        scope.add(2, "org/model-?").unwrap();
        assert!(scope.model("gpt-4o-mini") && scope.model("org/model-a"));
        assert!(!scope.model("gpt-4") && !scope.model("") && scope.task("x"));
        assert!(scope.has(2) && !scope.has(0));
        assert!(scope.add(0, "a[").is_err());
        let odd = Scope::exactly(3, "a*[b]{c}");
        assert!(odd.tool("a*[b]{c}") && !odd.tool("axb"));
    }
}
