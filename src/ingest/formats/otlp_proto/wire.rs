//! Just enough of the protobuf wire format to walk the envelope of a request without building it,
//! so that memory stays at one span and damage costs only what it hits.

/// A varint at the start of `bytes` and how many bytes it took; `None` when it is cut off or longer
/// than ten bytes.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// A field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64,
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire type 2, but the message ends inside it.
    Cut(&'a [u8]),
    /// Wire type 5.
    Fixed32,
    /// Not a field; the last thing a walk gives.
    Broken,
}

/// A field of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Field<'a> {
    /// Field number.
    pub(super) number: u64,
    /// Offset of the value's first byte in the message.
    pub(super) at: usize,
    /// The value.
    pub(super) value: Value<'a>,
}

impl<'a> Field<'a> {
    /// The bytes of field `number`, also when cut off.
    pub(super) fn bytes(&self, number: u64) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) | Value::Cut(bytes) if self.number == number => Some(bytes),
            _ => None,
        }
    }
}

/// The fields of a message, in order.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut at = 0;
    let mut over = false;
    std::iter::from_fn(move || {
        let rest = message.get(at..).filter(|rest| !rest.is_empty() && !over)?;
        let field = field(rest).map(|(number, start, end, value)| {
            let field = Field {
                number,
                at: at + start,
                value,
            };
            at += end;
            field
        });
        over = !matches!(field, Some(Field { value, .. }) if !matches!(value, Value::Cut(_)));
        Some(field.unwrap_or(Field {
            number: 0,
            at,
            value: Value::Broken,
        }))
    })
}

/// Number, start and end of the value, and the value of the field at the start of `rest`.
fn field(rest: &[u8]) -> Option<(u64, usize, usize, Value<'_>)> {
    let (key, start) = varint(rest)?;
    let after = rest.get(start..)?;
    let number = Some(key >> 3).filter(|&n| n > 0)?;
    Some(match key & 7 {
        0 => {
            let (value, used) = varint(after)?;
            (number, start, start + used, Value::Varint(value))
        }
        1 => {
            after.get(..8)?;
            (number, start, start + 8, Value::Fixed64)
        }
        2 => {
            let (length, used) = varint(after)?;
            let inside = after.get(used..)?;
            let start = start + used;
            match usize::try_from(length).ok().and_then(|n| inside.get(..n)) {
                Some(bytes) => (number, start, start + bytes.len(), Value::Bytes(bytes)),
                None => (number, start, rest.len(), Value::Cut(inside)),
            }
        }
        5 => {
            after.get(..4)?;
            (number, start, start + 4, Value::Fixed32)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_type_and_every_way_to_end() {
        let message = [
            8, 0x96, 1, 0x12, 2, 7, 8, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4,
        ];
        let values: Vec<_> = fields(&message)
            .map(|f| (f.number, f.at, f.value))
            .collect();
        assert_eq!(
            values,
            [
                (1, 1, Value::Varint(150)),
                (2, 5, Value::Bytes(&[7, 8])),
                (3, 8, Value::Fixed64),
                (4, 17, Value::Fixed32),
            ]
        );
        let cut: Vec<_> = fields(&[0x0a, 9, 1, 2]).map(|f| f.value).collect();
        assert_eq!(cut, [Value::Cut(&[1, 2])]);
        for broken in [&[0u8][..], &[0x0b], &[0x80], &[0x09, 1], &[8]] {
            let values: Vec<_> = fields(broken).map(|f| f.value).collect();
            assert_eq!(values, [Value::Broken], "{broken:?}");
        }
        assert_eq!(varint(&[0xff; 11]), None);
    }
}
