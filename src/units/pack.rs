//! Numbers in few bytes: seven bits a byte, least first (LEB128, DWARF 5 section 7.6), signed ones in zigzag
//! (<https://protobuf.dev/programming-guides/encoding>).

/// In eight bytes: the bits that say that more follow.
const MORE: u64 = 0x8080_8080_8080_8080;

/// A number of 56 bits, seven to a byte.
#[inline]
fn spread(number: u64) -> u64 {
    let halves = number & 0x0fff_ffff | (number & 0xff_ffff_f000_0000) << 4;
    let quarters = halves & 0x3fff_0000_3fff | (halves & 0xfff_c000_0fff_c000) << 2;
    quarters & 0x7f_007f_007f_007f | (quarters & 0x3f80_3f80_3f80_3f80) << 1
}

/// The number that [`spread`] made these bytes of; other bits are passed over.
#[inline]
fn gather(bytes: u64) -> u64 {
    let quarters = bytes & 0x7f_007f_007f_007f | (bytes & 0x7f00_7f00_7f00_7f00) >> 1;
    let halves = quarters & 0x3fff_0000_3fff | (quarters & 0x3fff_0000_3fff_0000) >> 2;
    halves & 0x0fff_ffff | (halves & 0x0fff_ffff_0000_0000) >> 4
}

/// Writes numbers.
#[derive(Debug, Default)]
pub struct Pack(pub Vec<u8>);

impl Pack {
    /// Room for so many bytes.
    #[must_use]
    pub fn roomy(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// A number that is usually small.
    #[inline]
    pub fn number(&mut self, mut number: u64) {
        if number < 1 << 56 {
            let len = (number | 1).ilog2() / 7 + 1;
            let more = MORE & !(u64::MAX << (8 * (len - 1)));
            let end = self.0.len() + len as usize;
            self.0
                .extend_from_slice(&(spread(number) | more).to_le_bytes());
            self.0.truncate(end);
            return;
        }
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// How far `to` is from `from`, in either direction; afterwards `from` is `to`.
    #[inline]
    pub fn step(&mut self, from: &mut u64, to: u64) {
        let step = to.wrapping_sub(*from) as i64;
        *from = to;
        self.number(((step << 1) ^ (step >> 63)) as u64);
    }

    /// A number of any size, in eight bytes.
    #[inline]
    pub fn whole(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }
}

impl serde::Serialize for Pack {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// Reads what [`Pack`] wrote; `None` where it is cut off.
#[derive(Debug)]
pub struct Unpack<'a>(pub &'a [u8]);

impl Unpack<'_> {
    /// See [`Pack::number`].
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        if let Some(bytes) = self.0.first_chunk() {
            let word = u64::from_le_bytes(*bytes);
            let stop = !word & MORE;
            if stop != 0 {
                let len = stop.trailing_zeros() / 8 + 1;
                self.0 = &self.0[len as usize..];
                return Some(gather(word & (u64::MAX >> (64 - 8 * len))));
            }
        }
        let (mut number, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }

    /// The same, cut to 32 bits.
    #[inline]
    pub fn short(&mut self) -> Option<u32> {
        self.number().map(|number| number as u32)
    }

    /// See [`Pack::step`].
    #[inline]
    pub fn step(&mut self, from: &mut u64) -> Option<u64> {
        let step = self.number()?;
        let step = (step >> 1) as i64 ^ -((step & 1) as i64);
        *from = from.wrapping_add(step as u64);
        Some(*from)
    }

    /// See [`Pack::whole`].
    #[inline]
    pub fn whole(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bytes))
    }
}

/// What lies in so many words, all of them written as they are: for tables of millions of rows that are put away for a
/// while, where time is dearer than room.
pub trait Words<const N: usize>: Copy {
    /// Its words.
    fn words(self) -> [u32; N];

    /// What these words are of.
    fn from_words(words: [u32; N]) -> Self;
}

/// The lower and the upper half of a number.
#[inline]
#[must_use]
pub fn halves(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

/// The number of which these are the [`halves`].
#[inline]
#[must_use]
pub fn whole([low, high]: [u32; 2]) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

impl Words<1> for u32 {
    #[inline]
    fn words(self) -> [u32; 1] {
        [self]
    }

    #[inline]
    fn from_words([word]: [u32; 1]) -> Self {
        word
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_and_what_is_cut_off_does_not(numbers: Vec<u64>, cut: usize) {
            let mut pack = Pack::default();
            let mut last = 7;
            for number in &numbers {
                pack.number(*number);
                pack.step(&mut last, *number);
                pack.whole(*number);
            }
            let read = |bytes: &[u8]| {
                let (mut unpack, mut last) = (Unpack(bytes), 7);
                let mut next = || {
                    let number = unpack.number()?;
                    let same = unpack.step(&mut last)? == number && unpack.whole()? == number;
                    same.then_some(number)
                };
                std::iter::from_fn(&mut next).collect::<Vec<u64>>()
            };
            prop_assert_eq!(&read(&pack.0), &numbers);
            let cut = cut % (pack.0.len() + 1);
            prop_assert!(numbers.starts_with(&read(&pack.0[..cut])));
        }
    }
}
