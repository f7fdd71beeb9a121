//! Where and why bytes stop being JSON.

/// What should stand at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    Text,
    TextEnd,
    Object,
    Array,
    Key,
    Colon,
    ObjectEnd,
    ArrayEnd,
    Value,
    ValueEnd,
}

impl Expected {
    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::TextEnd => "the end of a string",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Key => "a key",
            Self::Colon => "a colon",
            Self::ObjectEnd => "a comma or the end of the object",
            Self::ArrayEnd => "a comma or the end of the array",
            Self::Value => "a value",
            Self::ValueEnd => "the end of a value",
        }
    }
}

/// The bytes stop being JSON here. Small enough to be returned in registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    /// Offset in the slice.
    pub(crate) at: usize,
    /// What should have stood there.
    pub(crate) expected: Expected,
    /// True when the slice ends here: more bytes might have completed it.
    pub(crate) cut: bool,
}

/// What reading one element gives.
pub(crate) type Step<T> = Result<T, Broken>;
