//! One dialect as data: whose spans it speaks for, what its keys mean, what its names mean.

use super::field::{Field, NumberField, RawField, TextField, Unit};
use super::slots::Slots;
use crate::model::Op;

/// A text to compare with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pattern {
    /// The whole text.
    Is(&'static str),
    /// Somewhere in it.
    Has(&'static str),
    /// Its beginning.
    Starts(&'static str),
    /// Its end.
    Ends(&'static str),
}

impl Pattern {
    /// True when `text` fits.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::Is(whole) => text == whole,
            Self::Has(part) => text.contains(part),
            Self::Starts(start) => text.starts_with(start),
            Self::Ends(end) => text.ends_with(end),
        }
    }
}

/// What a role key or a span name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// This operation.
    Is(Op),
    /// A workflow around agents: it has a name of its own, which is no agent's.
    Workflow,
    /// A link of a chain: an agent when it is the root, else one step of one.
    Chain,
    /// Not an operation at all.
    Noise,
}

/// How close to the emitter a dialect's keys are: the smaller, the less translated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(super) enum Trust {
    /// Keys of one vendor's emitter.
    Vendor = 1,
    /// OpenTelemetry's own conventions.
    GenAi = 2,
    /// OpenInference.
    OpenInference = 3,
    /// OpenLLMetry.
    Traceloop = 4,
    /// General keys, and guesses by the form of a key.
    General = 6,
}

/// One key of a dialect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// The attribute's name.
    pub(super) name: &'static str,
    /// What it means.
    pub(super) field: Field,
    /// True for a name so plain (`usage`, `input`) that it counts only in the dialect's own spans.
    pub(super) own_only: bool,
}

impl Key {
    /// The same key, valid only in spans of the dialect's own scopes.
    pub(super) const fn own(mut self) -> Self {
        self.own_only = true;
        self
    }
}

const fn key(name: &'static str, field: Field) -> Key {
    Key {
        name,
        field,
        own_only: false,
    }
}

/// A key that holds a text.
pub(super) const fn text(name: &'static str, field: TextField) -> Key {
    key(name, Field::Text(field))
}

/// A key that holds a count, an amount or a truth value.
pub(super) const fn number(name: &'static str, field: NumberField) -> Key {
    key(name, Field::Number(field, Unit::One))
}

/// A key that holds seconds.
pub(super) const fn seconds(name: &'static str, field: NumberField) -> Key {
    key(name, Field::Number(field, Unit::Seconds))
}

/// A key that holds milliseconds.
pub(super) const fn millis(name: &'static str, field: NumberField) -> Key {
    key(name, Field::Number(field, Unit::Millis))
}

/// A key that holds a duration as Rust prints it.
pub(super) const fn printed(name: &'static str, field: NumberField) -> Key {
    key(name, Field::Number(field, Unit::Printed))
}

/// A key whose value is looked into later.
pub(super) const fn raw(name: &'static str, field: RawField) -> Key {
    key(name, Field::Raw(field))
}

/// A key that names the role of the span; `order` is its place among all such keys.
pub(super) const fn role(name: &'static str, order: u8) -> Key {
    key(name, Field::Role(order))
}

/// A resource attribute.
pub(super) const fn resource(name: &'static str) -> Key {
    key(name, Field::Resource)
}

/// A key that is understood and not needed.
pub(super) const fn unused(name: &'static str) -> Key {
    key(name, Field::Unused)
}

/// Who counted the tokens of a span.
pub(super) struct Counter<'a> {
    /// Instrumentation scope.
    pub(super) scope: &'a str,
    /// Provider, canonical.
    pub(super) provider: &'a str,
    /// Everything the span says.
    pub(super) slots: &'a Slots<'a>,
}

/// One dialect.
pub(super) struct Dialect {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// What a diagnosis gets from it.
    pub(super) gives: &'static str,
    /// What its emitters do not record.
    pub(super) loses: &'static str,
    /// How close to the emitter its keys are.
    pub(super) trust: Trust,
    /// Instrumentation scopes that speak it natively.
    pub(super) scopes: &'static [Pattern],
    /// Its keys, the more trusted first where several mean the same.
    pub(super) keys: &'static [Key],
    /// Beginnings of keys that are understood and not needed (content, settings).
    pub(super) unused: &'static [&'static str],
    /// What the value of a role key means; `None` for values that say nothing.
    pub(super) roles: fn(&str) -> Option<Role>,
    /// Span names in any scope, consulted where no role key decides.
    pub(super) names: &'static [(Pattern, Role)],
    /// Span names in the dialect's own scopes.
    pub(super) own_names: &'static [(Pattern, Role)],
    /// Events that mark the first token.
    pub(super) first_token_events: &'static [&'static str],
    /// Whether its input counts include cached tokens; `None` where it depends.
    pub(super) includes_cache: fn(&Counter<'_>) -> Option<bool>,
    /// True where its output counts always leave out reasoning tokens.
    pub(super) reasoning_apart: bool,
    /// Reads what lies deeper than one attribute; runs on spans that speak the dialect.
    pub(super) details: Option<fn(&mut Slots<'_>)>,
}

impl Dialect {
    /// A dialect that says nothing yet; each file overrides what it has.
    pub(super) const SILENT: Self = Self {
        name: "",
        gives: "",
        loses: "",
        trust: Trust::General,
        scopes: &[],
        keys: &[],
        unused: &[],
        roles: |_| None,
        names: &[],
        own_names: &[],
        first_token_events: &[],
        includes_cache: |_| None,
        reasoning_apart: false,
        details: None,
    };
}
