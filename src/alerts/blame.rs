//! Where in an expression that cannot be parsed the mistake is: the parser itself does not say.

use super::query::{Blame, Refusal};

/// What may stand at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Operand,
    Operator,
    /// After a list of labels: `sum by (a) (x)`, `sum(x) by (a) / y`.
    Either,
}

/// A piece of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece<'t> {
    Word(&'t str),
    Number(&'t str),
    Text(&'t str),
    Open(&'t str),
    Close(&'t str),
    Operator(&'t str),
    Comma(&'t str),
    Unfinished(&'t str),
    Strange(&'t str),
}

const WORDS_AS_OPERATORS: [&str; 4] = ["and", "or", "unless", "atan2"];
/// Words after which a list of labels or a duration follows.
const MODIFIERS: [&str; 9] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "bool",
    "@",
];

/// Says why `text` is not `PromQL`, as exactly as can be told.
pub(super) fn syntax(text: &str, said: &str) -> Refusal {
    if let Some(refusal) = structure(text) {
        return refusal;
    }
    // The parser names functions and labels in quotes.
    let word = said.split('\'').nth(1).filter(|w| text.contains(*w));
    let why = match said {
        "invalid promql query" => "not a PromQL expression".to_owned(),
        other => other.trim().to_owned(),
    };
    Refusal {
        why,
        at: word.map_or(Blame::Whole, |word| Blame::Word(word.to_owned())),
    }
}

/// An offset without a unit, which Prometheus refuses and the parser does not.
pub(super) fn bare_offset(text: &str) -> Option<Refusal> {
    let (mut rest, mut after_offset) = (text, false);
    while let Some((piece, after)) = next(rest) {
        rest = after;
        match piece {
            Piece::Number(p) if after_offset && p.bytes().all(|b| b.is_ascii_digit()) => {
                return Some(Refusal {
                    why: format!("expected a duration such as {p}m after `offset`"),
                    at: Blame::At(p.as_ptr() as usize - text.as_ptr() as usize),
                });
            }
            Piece::Open(p @ ("{" | "[")) => {
                let end = closing(rest, p).map_or(rest.len(), |end| end + 1);
                rest = rest.get(end..).unwrap_or_default();
            }
            _ => {}
        }
        let sign = after_offset && matches!(piece, Piece::Operator("-" | "+"));
        after_offset = sign || matches!(piece, Piece::Word(w) if w.eq_ignore_ascii_case("offset"));
    }
    None
}

/// A mistake that the order of the pieces shows.
fn structure(text: &str) -> Option<Refusal> {
    let mut open: Vec<&str> = Vec::new();
    let mut expected = Expected::Operand;
    let mut rest = text;
    let mut last = None;
    let refuse = |piece: &str, why: String| {
        let at = Blame::At(piece.as_ptr() as usize - text.as_ptr() as usize);
        Some(Refusal { why, at })
    };
    while let Some((piece, after)) = next(rest) {
        rest = after;
        match piece {
            Piece::Strange(p) => {
                return refuse(p, format!("unexpected character `{p}`"));
            }
            Piece::Unfinished(p) => {
                return refuse(p, format!("a text that starts with {} has no end", &p[..1]));
            }
            Piece::Open(p) => {
                // Labels and ranges are left to the parser.
                if p != "(" {
                    let Some(end) = closing(rest, p) else {
                        return refuse(p, format!("`{p}` is never closed"));
                    };
                    rest = rest.get(end + 1..).unwrap_or_default();
                    expected = Expected::Operator;
                } else {
                    open.push(p);
                    expected = Expected::Operand;
                }
            }
            Piece::Close(p) => {
                if open.pop().is_none() {
                    return refuse(p, format!("`{p}` closes nothing"));
                }
                if expected == Expected::Operand && matches!(last, Some(Piece::Operator(_))) {
                    return refuse(p, format!("expected an operand before `{p}`"));
                }
                expected = Expected::Operator;
            }
            Piece::Operator(p) => {
                let sign = matches!(p, "-" | "+");
                if expected == Expected::Operand && !sign {
                    return refuse(p, format!("expected an operand before `{p}`"));
                }
                expected = Expected::Operand;
            }
            Piece::Comma(_) => expected = Expected::Operand,
            Piece::Word(p) | Piece::Number(p) | Piece::Text(p) => {
                let modifies = MODIFIERS.contains(&p);
                let after_modifier = matches!(last, Some(Piece::Word(w)) if MODIFIERS.contains(&w));
                if expected == Expected::Operator && !modifies && !after_modifier {
                    return refuse(p, format!("expected an operator before `{p}`"));
                }
                // A list of labels after `by` may be followed by the operand itself.
                expected = match (modifies, piece) {
                    (true, _) => Expected::Operand,
                    _ => Expected::Operator,
                };
            }
        }
        if matches!(piece, Piece::Close(_)) && closes_labels(text, rest) {
            expected = Expected::Either;
        }
        last = Some(piece);
    }
    if let Some(p) = open.last() {
        return refuse(p, format!("`{p}` is never closed"));
    }
    match last {
        None => Some(Refusal {
            why: "expected an expression, found nothing".to_owned(),
            at: Blame::Whole,
        }),
        Some(Piece::Operator(p)) => refuse(p, format!("expected an operand after `{p}`")),
        _ => None,
    }
}

/// True when the parenthesis just closed held the labels of `by`, `on` or the like.
fn closes_labels(text: &str, rest: &str) -> bool {
    let before = &text[..text.len() - rest.len()];
    let Some(open) = before.rfind('(') else {
        return false;
    };
    let word = before[..open].trim_end();
    let start = word.rfind(|c: char| !c.is_alphanumeric() && c != '_');
    MODIFIERS.contains(&&word[start.map_or(0, |at| at + 1)..])
}

fn closing(rest: &str, open: &str) -> Option<usize> {
    let close = if open == "{" { '}' } else { ']' };
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"' | '\'') if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == close => return Some(at),
            None => {}
        }
    }
    None
}

fn next(text: &str) -> Option<(Piece<'_>, &str)> {
    let mut text = text.trim_start();
    while text.starts_with('#') {
        text = text.find('\n').map_or("", |end| &text[end..]).trim_start();
    }
    let first = text.chars().next()?;
    let split = |len: usize| text.split_at_checked(len).unwrap_or((text, ""));
    let word_end = |part: fn(char) -> bool| text.find(|c| !part(c)).unwrap_or(text.len());
    Some(match first {
        '(' | '{' | '[' => (Piece::Open(split(1).0), split(1).1),
        ')' | '}' | ']' => (Piece::Close(split(1).0), split(1).1),
        ',' => (Piece::Comma(split(1).0), split(1).1),
        '@' => (Piece::Word(split(1).0), split(1).1),
        '"' | '\'' | '`' => quoted(text, first),
        c if c.is_ascii_digit() || c == '.' => {
            let end = word_end(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
            (Piece::Number(split(end).0), split(end).1)
        }
        c if c.is_ascii_alphabetic() || matches!(c, '_' | ':') => {
            let end = word_end(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
            let (word, rest) = split(end);
            match WORDS_AS_OPERATORS.contains(&word.to_lowercase().as_str()) {
                true => (Piece::Operator(word), rest),
                false => (Piece::Word(word), rest),
            }
        }
        '=' | '!' | '>' | '<' => {
            let end = if text[1..].starts_with('=') { 2 } else { 1 };
            let (op, rest) = split(end);
            match op {
                "=" | "!" => (Piece::Strange(op), rest),
                _ => (Piece::Operator(op), rest),
            }
        }
        '+' | '-' | '*' | '/' | '%' | '^' => (Piece::Operator(split(1).0), split(1).1),
        c => (Piece::Strange(split(c.len_utf8()).0), split(c.len_utf8()).1),
    })
}

fn quoted(text: &str, quote: char) -> (Piece<'_>, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => {
                let (text, rest) = text.split_at(at + 1);
                return (Piece::Text(text), rest);
            }
            _ => {}
        }
    }
    (Piece::Unfinished(text), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(text: &str) -> (String, String) {
        let refusal = syntax(text, "invalid promql query");
        let word = match refusal.at {
            Blame::At(at) => text[at..].to_owned(),
            Blame::Word(word) => word,
            Blame::Whole => String::new(),
        };
        (refusal.why, word)
    }

    #[test]
    fn the_first_wrong_piece_is_named() {
        for (text, why, word) in [
            ("rate(x[5m]) / / y", "expected an operand before `/`", "/ y"),
            (
                "sum(rate(x[5m]) > 1",
                "`(` is never closed",
                "(rate(x[5m]) > 1",
            ),
            ("x > 1)", "`)` closes nothing", ")"),
            ("x y", "expected an operator before `y`", "y"),
            ("x >", "expected an operand after `>`", ">"),
            ("x = 1", "unexpected character `=`", "= 1"),
            ("x{a=\"b}", "`{` is never closed", "{a=\"b}"),
            ("", "expected an expression, found nothing", ""),
        ] {
            assert_eq!(blamed(text), (why.to_owned(), word.to_owned()), "{text}");
        }
    }

    #[test]
    fn an_offset_needs_a_unit() {
        let text = "rate(x{a=\"offset 5\"}[5m] offset -7) > 1";
        let refusal = bare_offset(text).map(|found| found.at);
        assert_eq!(refusal, text.find("7)").map(Blame::At));
        for right in [
            "x offset 5m",
            "x offset -1h30m > 5",
            "offset > 5",
            "x{offset=\"5\"}",
        ] {
            assert_eq!(bare_offset(right), None, "{right}");
        }
    }

    #[test]
    fn right_expressions_are_not_blamed() {
        for text in [
            "sum by (a, b) (rate(x{a=\"}\"}[5m] offset 1h)) > 2 * y",
            "a / on (x) group_left (y) b",
            "sum(x) by (a) / ignoring(b) sum without (b) (y) > bool 1",
            "-x + time() - 5m",
            "x @ 1600000000 and y unless z or absent(w)",
            "max_over_time(rate(x[5m])[1h:1m]) # remark\n > 3",
        ] {
            assert_eq!(structure(text), None, "{text}");
        }
    }
}
