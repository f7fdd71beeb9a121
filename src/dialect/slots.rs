//! What one span says, gathered in one pass: for each field the most trusted usable value.

use std::sync::LazyLock;

use super::DIALECTS;
use super::field::{Field, NUMBERS, NumberField, RAWS, RawField, TEXTS, TextField, Unit};
use super::keys::{Binding, KEYS, KeyMemo, Meaning, rank};
use super::number::parse;
use super::vocabulary::Role;
use crate::ingest::{RawAttr, RawValue, Text};
use crate::model::Op;

const UNSET: u16 = u16::MAX;

/// The dialects that say something deeper than in one attribute, one bit each.
static WITH_DETAILS: LazyLock<u32> = LazyLock::new(|| {
    let bits = DIALECTS.iter().enumerate();
    bits.filter(|(_, d)| d.details.is_some())
        .fold(0, |all, (index, _)| all | 1 << index)
});

/// Values by field, each with its precedence and the dialect that gave it. Apart from each other, so that
/// all are emptied in a few instructions.
struct Table<T, const N: usize> {
    ranks: [u16; N],
    dialects: [u8; N],
    values: [T; N],
}

/// A field of a table that was given.
struct Slot<T> {
    rank: u16,
    dialect: u8,
    value: T,
}

impl<T: Copy, const N: usize> Table<T, N> {
    #[inline]
    fn new(blank: T) -> Self {
        Self {
            ranks: [UNSET; N],
            dialects: [0; N],
            values: [blank; N],
        }
    }

    #[inline]
    fn get(&self, field: usize) -> Option<Slot<T>> {
        let rank = self.ranks[field];
        (rank != UNSET).then(|| Slot {
            rank,
            dialect: self.dialects[field],
            value: self.values[field],
        })
    }

    /// Sets a field unless it holds a value of higher precedence.
    #[inline]
    fn offer(&mut self, field: usize, rank: u16, dialect: u8, value: T) {
        if rank <= self.ranks[field] {
            self.ranks[field] = rank;
            self.dialects[field] = dialect;
            self.values[field] = value;
        }
    }
}

/// Everything one span says.
pub(super) struct Slots<'a> {
    texts: Table<Option<Text<'a>>, TEXTS>,
    numbers: Table<f64, NUMBERS>,
    raws: Table<Option<&'a RawValue<'a>>, RAWS>,
    role: Option<(u8, Role)>,
    home: Option<u8>,
    spoken: u32,
    keyed: u32,
    /// Numbers that were not finite or negative.
    pub(super) bad_numbers: u16,
    /// Values of a type their field cannot have.
    pub(super) wrong_types: u16,
    /// Token figures on which two dialects disagree.
    pub(super) conflicts: u16,
}

impl<'a> Slots<'a> {
    /// Nothing said; `home` is the dialect that owns the span's scope.
    pub(super) fn new(home: Option<u8>) -> Self {
        Self {
            texts: Table::new(None),
            numbers: Table::new(0.0),
            raws: Table::new(None),
            role: None,
            home,
            spoken: home.map_or(0, |h| 1 << h),
            keyed: 0,
            bad_numbers: 0,
            wrong_types: 0,
            conflicts: 0,
        }
    }

    /// Takes in all attributes; keys that look relevant and are unknown go to `strange`. `hints` are
    /// what [`KeyMemo::recognise`] said of the keys, as far as it was asked.
    pub(super) fn gather(
        &mut self,
        attributes: &'a [RawAttr<'a>],
        hints: &[u16],
        memo: &mut KeyMemo,
        mut strange: impl FnMut(&str),
    ) {
        for (index, attribute) in attributes.iter().enumerate() {
            let hinted = hints.get(index).and_then(|&hint| KEYS.hinted(hint));
            match hinted.unwrap_or_else(|| memo.meaning(attribute.key.as_bytes())) {
                Meaning::Known(start, len) => {
                    for binding in KEYS.bindings(start, len) {
                        self.take(binding, &attribute.value);
                    }
                }
                Meaning::Guessed(binding) => self.take(&binding, &attribute.value),
                Meaning::Strange => strange(&attribute.key),
                Meaning::Nothing => {}
            }
        }
        let mut deeper = self.spoken & *WITH_DETAILS;
        while deeper != 0 {
            let dialect = DIALECTS.get(deeper.trailing_zeros() as usize);
            if let Some(details) = dialect.and_then(|d| d.details) {
                details(self);
            }
            deeper &= deeper - 1;
        }
    }

    fn take(&mut self, binding: &Binding, value: &'a RawValue<'a>) {
        let home = self.home == Some(binding.dialect);
        if binding.own_only && !home {
            return;
        }
        let rank = if home {
            binding.rank & 0xff
        } else {
            binding.rank
        };
        let dialect = binding.dialect;
        let used = match binding.field {
            Field::Text(field) => self.put_text(field, rank, dialect, value),
            Field::Number(field, unit) => self.put_number(field, unit, rank, dialect, value),
            Field::Raw(field) => self.put_raw(field, rank, dialect, value),
            Field::Role(order) => self.put_role(order, dialect, value),
            Field::Resource | Field::Unused => false,
        };
        if used {
            self.spoken |= 1 << dialect;
            self.keyed |= 1 << dialect;
        }
    }

    fn put_text(
        &mut self,
        field: TextField,
        rank: u16,
        dialect: u8,
        value: &'a RawValue<'a>,
    ) -> bool {
        match value {
            RawValue::Str(text) if !text.is_empty() => {
                self.set_text(field, rank, dialect, *text);
                true
            }
            RawValue::List(items) => match items.first() {
                Some(first) => self.put_text(field, rank, dialect, first),
                None => false,
            },
            RawValue::Int(code) if field == TextField::ErrorType => {
                self.set_number(NumberField::HttpStatus, rank | 0x80, dialect, *code as f64);
                true
            }
            RawValue::Str(_) | RawValue::Null | RawValue::Int(_) => false,
            _ => {
                self.wrong_types += 1;
                false
            }
        }
    }

    fn set_text(&mut self, field: TextField, rank: u16, dialect: u8, value: Text<'a>) {
        self.texts.offer(field as usize, rank, dialect, Some(value));
    }

    fn put_number(
        &mut self,
        field: NumberField,
        unit: Unit,
        rank: u16,
        dialect: u8,
        value: &RawValue<'_>,
    ) -> bool {
        let number = match value {
            RawValue::Int(whole) => *whole as f64,
            RawValue::Double(number) => *number,
            RawValue::Bool(truth) => f64::from(u8::from(*truth)),
            RawValue::Str(text) if text.is_empty() => return false,
            RawValue::Str(text) => match parse(&text.get(), unit) {
                Some(number) => number,
                None => {
                    self.wrong_types += 1;
                    return false;
                }
            },
            RawValue::Null => return false,
            _ => {
                self.wrong_types += 1;
                return false;
            }
        };
        if !number.is_finite() || number < 0.0 {
            self.bad_numbers += 1;
            return false;
        }
        let scaled = match unit {
            Unit::One | Unit::Printed => number,
            Unit::Seconds => number * 1e9,
            Unit::Millis => number * 1e6,
        };
        self.set_number(field, rank, dialect, scaled);
        true
    }

    /// Offers a number, already in the field's own unit.
    fn set_number(&mut self, field: NumberField, rank: u16, dialect: u8, value: f64) {
        if matches!(field, NumberField::Input | NumberField::Output)
            && let Some(slot) = self.numbers.get(field as usize)
            && slot.dialect != dialect
            && (slot.value - value).abs() > (slot.value * 0.01).max(1.0)
        {
            self.conflicts += 1;
        }
        self.numbers.offer(field as usize, rank, dialect, value);
    }

    fn put_raw(
        &mut self,
        field: RawField,
        rank: u16,
        dialect: u8,
        value: &'a RawValue<'a>,
    ) -> bool {
        if matches!(value, RawValue::Null) {
            return false;
        }
        self.raws.offer(field as usize, rank, dialect, Some(value));
        true
    }

    fn put_role(&mut self, order: u8, dialect: u8, value: &RawValue<'_>) -> bool {
        let RawValue::Str(text) = value else {
            return false;
        };
        let said = DIALECTS
            .get(dialect as usize)
            .and_then(|d| (d.roles)(&text.get()));
        let Some(role) = said else {
            return true;
        };
        self.role = match self.role {
            Some((known, Role::Chain)) if role == Role::Is(Op::Agent) => {
                Some((known.min(order), role))
            }
            Some((known, agent @ Role::Is(Op::Agent))) if role == Role::Chain => {
                Some((known.min(order), agent))
            }
            Some((known, kept)) if known <= order => Some((known, kept)),
            _ => Some((order, role)),
        };
        true
    }

    /// Offers a number found inside another value of `source`, behind every plain attribute.
    pub(super) fn offer(&mut self, field: NumberField, source: RawField, value: f64) {
        let dialect = self.raws.dialects[source as usize];
        let rank = if self.home == Some(dialect) {
            0x80
        } else {
            rank(5, 0)
        };
        if value.is_finite() && value >= 0.0 {
            self.set_number(field, rank, dialect, value);
        } else {
            self.bad_numbers += 1;
        }
    }

    /// Offers a text found inside another value, behind every plain attribute of a dialect but
    /// before guesses.
    pub(super) fn offer_text(&mut self, field: TextField, source: RawField, value: Text<'a>) {
        if !value.is_empty() {
            let dialect = self.raws.dialects[source as usize];
            self.set_text(field, rank(5, 0), dialect, value);
        }
    }

    /// The text of a field.
    pub(super) fn text(&self, field: TextField) -> Option<Text<'a>> {
        self.texts.get(field as usize)?.value
    }

    /// The number of a field.
    pub(super) fn number(&self, field: NumberField) -> Option<f64> {
        self.numbers.get(field as usize).map(|slot| slot.value)
    }

    /// The dialect that gave a number.
    pub(super) fn number_from(&self, field: NumberField) -> Option<u8> {
        self.numbers.get(field as usize).map(|slot| slot.dialect)
    }

    /// The key that gave a number; `None` for one found inside another value.
    pub(super) fn number_key(&self, field: NumberField) -> Option<&'static str> {
        let slot = self.numbers.get(field as usize)?;
        let place = (slot.rank < rank(5, 0)).then_some(slot.rank as usize & 0xff)?;
        let dialect = DIALECTS.get(slot.dialect as usize)?;
        dialect.keys.get(place).map(|key| key.name)
    }

    /// The value of a field that is looked into.
    pub(super) fn raw(&self, field: RawField) -> Option<&'a RawValue<'a>> {
        self.raws.get(field as usize)?.value
    }

    /// The text behind a field that is looked into.
    pub(super) fn raw_text(&self, field: RawField) -> Option<Text<'a>> {
        match self.raw(field) {
            Some(RawValue::Str(text)) => Some(*text),
            _ => None,
        }
    }

    /// Takes what the span's name says for its role, where no key does.
    pub(super) fn take_named(&mut self, named: Option<Role>) {
        self.role = self.role.or(named.map(|role| (u8::MAX, role)));
    }

    /// What the role keys say, or the span's name.
    pub(super) fn role(&self) -> Option<Role> {
        self.role.map(|(_, role)| role)
    }

    /// True when the span carries keys of the dialect.
    pub(super) fn has_keys_of(&self, dialect: u8) -> bool {
        self.keyed & (1 << dialect) != 0
    }

    /// One bit per dialect spoken.
    pub(super) fn spoken(&self) -> u32 {
        self.spoken
    }

    /// The dialect that owns the span's scope.
    pub(super) fn home(&self) -> Option<u8> {
        self.home
    }

    /// True when the text of `field` is exactly `expected`.
    pub(super) fn is(&self, field: TextField, expected: &str) -> bool {
        self.text(field)
            .is_some_and(|t| t.raw() == expected.as_bytes())
    }
}
