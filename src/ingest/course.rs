//! What usually comes next: exporters write the same keys in the same order, record after record, so
//! that comparing with the expected key replaces looking for its end and for its meaning.

use hashbrown::HashMap;

/// Longest texts and most of them that are remembered.
const LONGEST: usize = 128;
const MOST: usize = 1024;

/// An attribute's key as it stands, and what the sink says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) text: &'a str,
    pub(crate) hint: Option<u16>,
}

/// Texts seen, each with what it means and with the texts that came after it last.
#[derive(Debug)]
pub(crate) struct Course<'a, T> {
    known: Vec<Stop<'a, T>>,
    places: HashMap<&'a [u8], u32, foldhash::fast::FixedState>,
    last: usize,
}

#[derive(Debug)]
struct Stop<'a, T> {
    text: &'a [u8],
    means: T,
    /// Places of the texts after it, the most recent first; zero for none.
    next: [u32; 2],
}

impl<'a, T: Copy + Default> Course<'a, T> {
    /// Nothing seen.
    pub(crate) fn new() -> Self {
        let start = Stop {
            text: &[],
            means: T::default(),
            next: [0; 2],
        };
        Self {
            known: Vec::from([start]),
            places: HashMap::default(),
            last: 0,
        }
    }

    /// A record begins.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.last = 0;
    }

    /// The text that `rest` starts with and what it means, when it is one that was expected.
    #[inline]
    pub(crate) fn expected(&mut self, rest: &[u8]) -> Option<(&'a [u8], T)> {
        let next = self.known.get(self.last)?.next;
        for (way, place) in next.into_iter().enumerate() {
            let stop = self.known.get(place as usize)?;
            if place != 0 && begins(rest, stop.text) {
                let found = (stop.text, stop.means);
                if way > 0 {
                    self.known.get_mut(self.last)?.next.swap(0, 1);
                }
                self.last = place as usize;
                return Some(found);
            }
        }
        None
    }

    /// Remembers a text that was not expected: whole tokens up to one that ends them, so that no other text
    /// can start alike.
    pub(crate) fn learn(&mut self, text: &'a [u8], means: T) {
        let place = match self.places.get(text) {
            Some(&place) => place,
            None if text.len() > LONGEST || self.known.len() > MOST => {
                self.last = 0;
                return;
            }
            None => {
                let place = self.known.len() as u32;
                self.places.insert(text, place);
                let next = [0; 2];
                self.known.push(Stop { text, means, next });
                place
            }
        };
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = [place, last.next[0]];
        }
        self.last = place as usize;
    }
}

/// True when `rest` begins with `text`. Most texts are shorter than what calling a general comparison costs.
#[inline]
fn begins(rest: &[u8], text: &[u8]) -> bool {
    let Some(rest) = rest.get(..text.len()) else {
        return false;
    };
    let (Some(end), Some(expected)) = (rest.last_chunk::<8>(), text.last_chunk::<8>()) else {
        return rest == text;
    };
    let mut words = rest.as_chunks::<8>().0.iter().zip(text.as_chunks::<8>().0);
    end == expected && words.all(|(word, expected)| word == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_any_length_are_told() {
        let text = b"{\"key\":\"gen_ai.usage.output_tokens\",\"value\":";
        for length in 0..text.len() {
            let (begun, rest) = (&text[..length], &text[..]);
            assert!(begins(rest, begun) && begins(begun, begun), "{length}");
            assert!(!begins(begun, rest));
            for wrong in 0..length {
                let mut other = text.to_vec();
                other[wrong] ^= 1;
                assert!(!begins(&other, begun), "{length} {wrong}");
            }
        }
    }

    #[test]
    fn the_two_latest_followers_are_expected() {
        let mut course = Course::new();
        for pair in [["a:", "b:"], ["a:", "c:"]] {
            course.begin();
            for text in pair {
                if course.expected(text.as_bytes()).is_none() {
                    course.learn(text.as_bytes(), text.len());
                }
            }
        }
        for follower in [&b"b:1"[..], b"c:1", b"b:2"] {
            course.begin();
            assert_eq!(course.expected(b"a:x"), Some((&b"a:"[..], 2)));
            assert_eq!(course.expected(follower), Some((&follower[..2], 2)));
        }
        course.begin();
        assert_eq!(course.expected(b"b:"), None);
        assert_eq!(course.expected(b"a"), None);
    }
}
