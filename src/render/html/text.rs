//! Text from the dump: it may hold anything. Markup is escaped by maud; here is what is left to do.

use maud::{Markup, html};

use crate::units::human::is_inert;

/// Characters of one value at most: a page is no place for a megabyte of name.
const LONGEST: usize = 160;

/// Characters of a sentence at most.
const LONGEST_SENTENCE: usize = 600;

/// A name without what reorders or hides the text around it, cut where it is too long to read.
pub(super) fn safe(text: &str) -> String {
    cut(text, LONGEST)
}

/// The same for sentences, with what stands between backticks as code.
pub(super) fn sentence(text: &str) -> Markup {
    let text = cut(text, LONGEST_SENTENCE);
    let pieces: Vec<&str> = text.split('`').collect();
    let last = pieces.len() - 1;
    html! {
        @for (index, piece) in pieces.into_iter().enumerate() {
            @match (index % 2, index == last) {
                (0, _) => { (piece) }
                // Nothing closes it.
                (_, true) => { "`" (piece) }
                (_, false) => { code { (piece) } }
            }
        }
    }
}

fn cut(text: &str, longest: usize) -> String {
    let cut = text.chars().nth(longest).is_some();
    let shown = text.chars().take(longest);
    let mut safe: String = shown
        .map(|c| if is_inert(c) { c } else { '\u{fffd}' })
        .collect();
    if cut {
        safe.push('…');
    }
    safe
}

/// A name, or that there is none.
pub(super) fn named(name: &str) -> String {
    if name.is_empty() {
        "(not named)".to_owned()
    } else {
        safe(name)
    }
}

/// `2 of 5` of a list that is cut, or nothing.
pub(super) fn some_of(shown: usize, all: usize, noun: &str) -> Option<String> {
    use crate::units::human::{count, counted};
    (shown < all).then(|| {
        format!(
            "Shown are {} of {}.",
            count(shown as u64),
            counted(all as u64, noun)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_inert_and_short() {
        assert_eq!(safe("a\u{202e}b\u{0}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(safe(&"x".repeat(1_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn what_stands_between_backticks_is_code_and_escaped() {
        let shown = |text| sentence(text).into_string();
        assert_eq!(shown("run `a <b>` now"), "run <code>a &lt;b&gt;</code> now");
        assert_eq!(shown("`a` and `b`"), "<code>a</code> and <code>b</code>");
        assert_eq!(shown("an open ` one"), "an open ` one");
        assert_eq!(shown("plain"), "plain");
    }
}
