//! The outline of the first JSON value of a file: which keys stand where. Formats are told by it.

use std::borrow::Cow;

use super::{Json, Step, Token};

/// How deep the outline goes.
const DEPTH: usize = 6;
/// How many keys are noted.
const KEYS: usize = 2_000;
/// Values longer than this are content and not noted.
const SHORT: usize = 40;

/// Paths of keys (`data.spans.traceID`; arrays are transparent) in the first bytes of a file, with
/// the short texts found there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape<'a> {
    paths: Vec<(String, Option<Cow<'a, str>>)>,
    outermost: Vec<String>,
    list: bool,
    end: Option<usize>,
}

impl<'a> Shape<'a> {
    /// The outline of the first value in `bytes`, which may be cut off; `None` when it does not
    /// begin like an object or an array.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut json = Json::new(bytes);
        let first = json.peek();
        if !matches!(first, b'{' | b'[') {
            return None;
        }
        let mut shape = Self {
            list: first == b'[',
            ..Self::default()
        };
        // An outline of the beginning is all that is needed: the end may be missing.
        let whole = shape.value(&mut json, "", 0).is_ok();
        shape.end = whole.then(|| json.at());
        Some(shape)
    }

    /// Offset just after the first value, where it is whole.
    pub(crate) fn end(&self) -> Option<usize> {
        self.end
    }

    /// True when the first value is an array.
    pub(crate) fn is_list(&self) -> bool {
        self.list
    }

    /// True when there is a key at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|(p, _)| p == path)
    }

    /// True when there are keys at all of `paths`.
    pub(crate) fn has_all(&self, paths: &[&str]) -> bool {
        paths.iter().all(|p| self.has(p))
    }

    /// True when there is a key at a path that ends so, wherever it begins.
    pub(crate) fn ends_with(&self, path: &str) -> bool {
        self.paths.iter().any(|(p, _)| p.ends_with(path))
    }

    /// True when a short text stands at `path` and is `value`.
    pub(crate) fn says(&self, path: &str, value: &str) -> bool {
        self.paths
            .iter()
            .any(|(p, v)| p == path && v.as_deref() == Some(value))
    }

    /// The keys of the outermost object, for messages.
    pub(crate) fn outermost(&self) -> &[String] {
        &self.outermost
    }

    fn value(&mut self, json: &mut Json<'a>, path: &str, depth: usize) -> Step<()> {
        if depth > DEPTH || self.paths.len() >= KEYS {
            return json.skip();
        }
        match json.token()? {
            Token::Object => self.object(json, path, depth),
            Token::Array => self.array(json, path, depth),
            Token::Str(text) if text.raw().len() <= SHORT => {
                if let Some((last, value)) = self.paths.last_mut()
                    && last == path
                {
                    *value = Some(text.get());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn object(&mut self, json: &mut Json<'a>, path: &str, depth: usize) -> Step<()> {
        let mut more = json.enter_object()?;
        while more {
            let key = String::from_utf8_lossy(json.key()?);
            let inner = match path {
                "" => {
                    self.outermost.push(key.chars().take(SHORT).collect());
                    key.into_owned()
                }
                _ => format!("{path}.{key}"),
            };
            self.paths.push((inner.clone(), None));
            self.value(json, &inner, depth + 1)?;
            more = json.more_keys()?;
        }
        Ok(())
    }

    /// Only the first elements: the others look alike.
    fn array(&mut self, json: &mut Json<'a>, path: &str, depth: usize) -> Step<()> {
        let mut more = json.enter_array()?;
        let mut seen = 0;
        while more {
            match seen < 3 {
                true => self.value(json, path, depth + 1)?,
                false => json.skip()?,
            }
            seen += 1;
            more = json.more_elements()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_pass_through_arrays_and_survive_a_cut() {
        let shape =
            Shape::of(br#"{"kind":"List","items":[{"kind":"Event","x":{"y":1}},{"z"#).unwrap();
        assert!(shape.has_all(&["kind", "items", "items.x.y"]));
        assert!(shape.says("items.kind", "Event") && shape.says("kind", "List"));
        assert!(!shape.has("x"));
        assert_eq!(shape.outermost(), ["kind", "items"]);
        assert!(Shape::of(b"text").is_none());
    }
}
