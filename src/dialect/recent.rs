//! The last text of each field and its symbol: spans in a row repeat most of what they say.

use std::borrow::Cow;

use super::field::{TEXTS, TextField};
use crate::ingest::Text;
use crate::units::{Interner, Sym};

/// How a text is made comparable before it is interned; `None` makes it absent.
pub(super) type Change = fn(&str) -> Option<Cow<'_, str>>;

/// One remembered text per field.
#[derive(Debug)]
pub(super) struct Recent {
    last: [(Vec<u8>, Sym); TEXTS + 2],
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            last: std::array::from_fn(|_| (Vec::new(), Sym::NONE)),
        }
    }
}

/// Longest text remembered.
const LONGEST: usize = 256;

impl Recent {
    /// The symbol of `text` as it stands.
    pub(super) fn plain(
        &mut self,
        names: &mut Interner,
        field: TextField,
        text: Option<Text<'_>>,
    ) -> Sym {
        self.changed(names, field as usize, text, |said| {
            Some(Cow::Borrowed(said))
        })
    }

    /// The symbol of what `change` makes of `text`; `slot` must always go with the same `change`.
    pub(super) fn changed(
        &mut self,
        names: &mut Interner,
        slot: usize,
        text: Option<Text<'_>>,
        change: Change,
    ) -> Sym {
        let (Some(text), Some((last, sym))) = (text, self.last.get_mut(slot)) else {
            return Sym::NONE;
        };
        if last.as_slice() == text.raw() {
            return *sym;
        }
        let found = change(&text.get()).map_or(Sym::NONE, |name| names.intern(&name));
        if text.raw().len() <= LONGEST {
            last.clear();
            last.extend_from_slice(text.raw());
            *sym = found;
        }
        found
    }
}

/// The slot of finish reasons, which are no text field.
pub(super) const FINISH: usize = TEXTS;

/// The slot of [`TextField::Entity`] where it names a tool.
pub(super) const ENTITY_TOOL: usize = TEXTS + 1;
