//! What an input may ask of the machine before it is taken for hostile or damaged.

/// Limits of one run. What exceeds one is left out and counted, with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Levels of lists and maps in the value of an attribute, and of spans inside spans.
    pub nesting: u16,
    /// Bytes of one name or text.
    pub text: u64,
    /// Attributes of one span, event, log record or metric point, of those that some stage needs.
    pub attributes: u32,
    /// Unpacked bytes for each stored byte of an input, once [`Limits::UNCHECKED`] are unpacked.
    pub ratio: u32,
}

impl Limits {
    /// Unpacked bytes up to which no ratio is suspicious: short inputs of one repeated line pack very well.
    pub const UNCHECKED: u64 = 1 << 28;
    /// The deepest nesting that may be allowed; beyond it the stack of a thread would not do.
    pub const DEEPEST: u16 = 250;

    /// The most bytes that may come out of `stored` ones.
    #[must_use]
    pub(crate) fn unpacked(self, stored: u64) -> u64 {
        stored
            .saturating_mul(u64::from(self.ratio))
            .max(Self::UNCHECKED)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nesting: 100,
            text: 1 << 26,
            attributes: 1 << 16,
            ratio: 250,
        }
    }
}
