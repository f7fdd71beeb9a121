//! The protobuf wire format, read in place: nothing is built, what is not needed is passed over by its
//! length, and damage costs only what it hits.
//! <https://protobuf.dev/programming-guides/encoding/>

/// A varint at the start of `bytes` and how many bytes it took; `None` when it is cut off or longer
/// than ten bytes.
#[inline]
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    match *bytes {
        [low, ..] if low < 0x80 => Some((low.into(), 1)),
        [low, high, ..] if high < 0x80 => Some((u64::from(low & 0x7f) | u64::from(high) << 7, 2)),
        _ => long_varint(bytes),
    }
}

fn long_varint(bytes: &[u8]) -> Option<(u64, usize)> {
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
    Fixed64(u64),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire type 2, but the message ends inside it.
    Cut(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
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

    /// True when the message holds no field from here on.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self.value, Value::Broken | Value::Cut(_))
    }
}

/// The fields of a message, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

/// The fields of a message, in order.
#[inline]
pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { message, at: 0 }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    // The loop over the fields of spans is the hot one.
    #[inline(always)]
    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.message.get(self.at..).filter(|r| !r.is_empty())?;
        let begin = self.at;
        let Some((number, start, end, value)) = field(rest) else {
            self.at = self.message.len();
            return Some(Field {
                number: 0,
                at: begin,
                value: Value::Broken,
            });
        };
        self.at += end;
        Some(Field {
            number,
            at: begin + start,
            value,
        })
    }
}

/// Number, start and end of the value, and the value of the field at the start of `rest`.
#[inline]
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
            let value = u64::from_le_bytes(*after.first_chunk()?);
            (number, start, start + 8, Value::Fixed64(value))
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
            let value = u32::from_le_bytes(*after.first_chunk()?);
            (number, start, start + 4, Value::Fixed32(value))
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
                (3, 8, Value::Fixed64(0x0807_0605_0403_0201)),
                (4, 17, Value::Fixed32(0x0403_0201)),
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
