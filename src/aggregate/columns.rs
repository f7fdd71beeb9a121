//! What tables are made of: columns of a type, and cells.

/// Type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// A 64-bit float.
    Number,
    /// True or false.
    Truth,
}

impl Kind {
    /// The type as documentation names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "double",
            Self::Truth => "boolean",
        }
    }
}

/// One value; absent is `Null` and never zero.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Not known.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Truth(bool),
}
