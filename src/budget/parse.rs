//! The grammar of expectations:
//!
//! ```text
//! expect    = subject ( "<" | "<=" | ">" | ">=" ) limit
//! subject   = statistic "(" quantity ")" | ( "rate" | "count" ) "(" condition ")" | "drift" "(" what ")" ( "p" | "bits" )
//! condition = name [ "=" value ]
//! limit     = term { ( "+" | "-" ) term }          term = factor { ( "*" | "/" ) factor }
//! factor    = number [ unit ] | "$" number | "baseline" | "(" limit ")"
//! ```

use winnow::Parser;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, delimited, opt, preceded};
use winnow::error::{ErrMode, ParserError};
use winnow::token::take_while;

use super::expect::{Comparison, DRIFTS, DriftBy, Expect, Limit, Statistic, Subject};
use crate::quantity::{Condition, QUANTITIES, Quantity, Unit};
use crate::units::Nanos;

/// What is wrong in an expectation, and at which byte of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) at: usize,
    pub(super) why: String,
}

/// Reads an expectation.
pub(super) fn expect(text: &str) -> Result<Expect, Refusal> {
    let mut rest = text;
    whole(&mut rest).map_err(|error| {
        let stop = error.into_inner().unwrap_or_else(|_| Stop {
            left: rest.len(),
            why: "this cannot be read".to_owned(),
        });
        Refusal {
            at: text.len().saturating_sub(stop.left),
            why: stop.why,
        }
    })
}

/// Where reading stopped: bytes left, and what was expected.
#[derive(Clone, Debug)]
struct Stop {
    left: usize,
    why: String,
}

impl ParserError<&str> for Stop {
    type Inner = Self;

    fn from_input(input: &&str) -> Self {
        let why = "this cannot be read".to_owned();
        let left = input.len();
        Self { left, why }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

type Parsed<T> = Result<T, ErrMode<Stop>>;

fn refuse<T>(left: usize, why: impl Into<String>) -> Parsed<T> {
    let why = why.into();
    Err(ErrMode::Cut(Stop { left, why }))
}

fn whole(input: &mut &str) -> Parsed<Expect> {
    blank(input)?;
    let subject = subject(input)?;
    let comparison = comparison(input)?;
    blank(input)?;
    let start = input.len();
    let term = sum(subject.unit()).parse_next(input)?;
    if !input.is_empty() {
        return refuse(input.len(), "expected the end, or one of + - * /");
    }
    term.fits(subject.unit(), start)?;
    let estimate = subject.is_estimate();
    if term.per_baseline != 0.0 && !estimate {
        return refuse(
            start,
            "`baseline` can limit a quantile, a mean or a rate, not an extreme, a sum, a count or drift",
        );
    }
    Ok(Expect {
        subject,
        comparison,
        limit: Limit {
            per_baseline: term.per_baseline,
            constant: term.constant,
        },
    })
}

fn subject(input: &mut &str) -> Parsed<Subject> {
    let start = input.len();
    let is_head = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let head = opt(take_while(1.., is_head)).parse_next(input)?;
    let expected = "expected a statistic such as p95(latency), mean(cost_per_task), max(llm_calls), rate(error), count(slow) or drift(tools) p";
    match head {
        Some("rate") => Ok(Subject::Rate(in_parens(condition, input)?)),
        Some("count") => {
            let inner = input.len();
            let condition = in_parens(condition, input)?;
            match condition {
                Condition::Cached | Condition::Wasted => refuse(
                    inner,
                    "this is a share and cannot be counted: expected rate(...)",
                ),
                condition => Ok(Subject::Count(condition)),
            }
        }
        Some("drift") => {
            let what = in_parens(drift, input)?;
            let by = preceded(blank, opt(alt(("bits", "p")))).parse_next(input)?;
            match by {
                Some("p") => Ok(Subject::Drift(what, DriftBy::P)),
                Some(_) => Ok(Subject::Drift(what, DriftBy::Bits)),
                None => refuse(
                    input.len(),
                    "expected `p` (chance) or `bits` (distance) after drift(...)",
                ),
            }
        }
        Some(name) => match Statistic::named(name) {
            Some(statistic) => Ok(Subject::Of(statistic, in_parens(quantity, input)?)),
            None => refuse(start, format!("`{name}` is no statistic; {expected}")),
        },
        None => refuse(start, expected),
    }
}

fn in_parens<T>(mut inner: impl FnMut(&mut &str) -> Parsed<T>, input: &mut &str) -> Parsed<T> {
    punctuation('(', input)?;
    blank(input)?;
    let found = inner(input)?;
    punctuation(')', input)?;
    Ok(found)
}

fn punctuation(sign: char, input: &mut &str) -> Parsed<()> {
    match preceded(blank, opt(sign)).parse_next(input)? {
        Some(_) => Ok(()),
        None => refuse(input.len(), format!("expected `{sign}`")),
    }
}

fn word<'t>(input: &mut &'t str) -> Parsed<Option<&'t str>> {
    opt(take_while(1.., |c: char| {
        c.is_ascii_alphanumeric() || c == '_'
    }))
    .parse_next(input)
}

fn quantity(input: &mut &str) -> Parsed<Quantity> {
    let start = input.len();
    let name = word(input)?.unwrap_or_default();
    match Quantity::named(name) {
        Some(quantity) => Ok(quantity),
        None => {
            let names: Vec<&str> = QUANTITIES.iter().map(|meta| meta.name).collect();
            refuse(start, unknown(name, "quantity", &names))
        }
    }
}

fn drift(input: &mut &str) -> Parsed<usize> {
    let start = input.len();
    let name = word(input)?.unwrap_or_default();
    match DRIFTS.iter().position(|(known, ..)| *known == name) {
        Some(what) => Ok(what),
        None => {
            let names: Vec<&str> = DRIFTS.iter().map(|(name, ..)| *name).collect();
            refuse(start, unknown(name, "thing that drifts", &names))
        }
    }
}

/// What was meant, as far as can be guessed.
fn unknown(name: &str, what: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|known| (strsim::osa_distance(name, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 2 && !name.is_empty());
    match near {
        Some((_, known)) => format!("`{name}` is no {what}; expected `{known}`?"),
        None => format!("expected a {what}: one of {}", known.join(", ")),
    }
}

fn condition(input: &mut &str) -> Parsed<Condition> {
    let start = input.len();
    let name = word(input)?.unwrap_or_default();
    let quoted = |quote: char| delimited(quote, take_while(1.., move |c| c != quote), quote);
    let bare = take_while(1.., |c: char| !matches!(c, ')' | '"' | '\'')).map(str::trim);
    let mut value = opt(preceded(
        (blank, '=', blank),
        alt((quoted('"'), quoted('\''), bare)),
    ));
    let value: Option<&str> = value.parse_next(input)?;
    match Condition::named(name, value) {
        Ok(condition) => Ok(condition),
        Err(why) => refuse(start, why),
    }
}

fn comparison(input: &mut &str) -> Parsed<Comparison> {
    let sign = opt(alt(("<=", "≤", ">=", "≥", "<", ">")));
    match preceded(blank, sign).parse_next(input)? {
        Some("<=" | "≤") => Ok(Comparison::AtMost),
        Some(">=" | "≥") => Ok(Comparison::AtLeast),
        Some("<") => Ok(Comparison::Below),
        Some(_) => Ok(Comparison::Above),
        None => refuse(input.len(), "expected one of < <= > >="),
    }
}

/// What kind of number a term is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Plain,
    Percent,
    Times,
    Time,
    Money,
    /// Something of the baseline: whatever the subject is.
    Baseline,
}

#[derive(Clone, Copy, Debug)]
struct Term {
    kind: Kind,
    per_baseline: f64,
    constant: f64,
}

impl Term {
    fn is_scalar(self) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Percent)
    }

    /// Refuses a number that is no value of `unit`.
    fn fits(self, unit: Unit, left: usize) -> Parsed<()> {
        let fits = match unit {
            Unit::Time => self.kind == Kind::Time,
            Unit::Money => self.kind == Kind::Money,
            Unit::Tokens | Unit::Count => self.kind == Kind::Plain,
            Unit::Factor => matches!(self.kind, Kind::Plain | Kind::Times),
            Unit::Share => self.is_scalar(),
        };
        if fits || self.kind == Kind::Baseline {
            return Ok(());
        }
        let expected = match unit {
            Unit::Time => "expected a time such as 8s or 500ms",
            Unit::Money => "expected money such as $0.05",
            Unit::Tokens | Unit::Count => "expected a number such as 12 or 8k",
            Unit::Factor => "expected a multiple such as 1.2",
            Unit::Share => "expected a share such as 2% or 0.02",
        };
        refuse(left, expected)
    }
}

fn sum<'t>(unit: Unit) -> impl FnMut(&mut &'t str) -> Parsed<Term> {
    move |input| {
        let start = input.len();
        let mut all = product(unit, input)?;
        while let Some(sign) = preceded(blank, opt(alt(('+', '-')))).parse_next(input)? {
            blank(input)?;
            let at = input.len();
            let next = product(unit, input)?;
            all.fits(unit, start)?;
            next.fits(unit, at)?;
            let sign = if sign == '+' { 1.0 } else { -1.0 };
            all.per_baseline += sign * next.per_baseline;
            all.constant += sign * next.constant;
            if next.kind == Kind::Baseline {
                all.kind = Kind::Baseline;
            }
        }
        Ok(all)
    }
}

fn product(unit: Unit, input: &mut &str) -> Parsed<Term> {
    let mut all = factor(unit, input)?;
    while let Some(sign) = preceded(blank, opt(alt(('*', '/')))).parse_next(input)? {
        blank(input)?;
        let at = input.len();
        let next = factor(unit, input)?;
        let (mut of, by) = match (sign, all.is_scalar(), next.is_scalar()) {
            (_, _, true) => (all, next.constant),
            ('*', true, false) => (next, all.constant),
            ('*', ..) => return refuse(at, "expected a plain number to multiply with"),
            _ => return refuse(at, "expected a plain number to divide by"),
        };
        let by = if sign == '/' { 1.0 / by } else { by };
        if !by.is_finite() {
            return refuse(at, "expected a number other than zero to divide by");
        }
        of.per_baseline *= by;
        of.constant *= by;
        all = of;
    }
    Ok(all)
}

fn factor(unit: Unit, input: &mut &str) -> Parsed<Term> {
    blank(input)?;
    if opt('(').parse_next(input)?.is_some() {
        let inner = sum(unit).parse_next(input)?;
        punctuation(')', input)?;
        return Ok(inner);
    }
    if opt("baseline").parse_next(input)?.is_some() {
        return Ok(Term {
            kind: Kind::Baseline,
            per_baseline: 1.0,
            constant: 0.0,
        });
    }
    number(input)
}

fn number(input: &mut &str) -> Parsed<Term> {
    let start = input.len();
    let dollar = opt(('$', blank)).parse_next(input)?.is_some();
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_');
    let digits = opt(take_while(1.., is_digit)).parse_next(input)?;
    let number = digits.and_then(|digits: &str| digits.replace('_', "").parse::<f64>().ok());
    let Some(number) = number.filter(|number| number.is_finite()) else {
        return refuse(
            start,
            "expected a limit: a number with its unit, or `baseline`",
        );
    };
    blank(input)?;
    let at = input.len();
    let is_unit = |c: char| c.is_ascii_alphabetic() || c == '%';
    let unit = opt(take_while(1.., is_unit)).parse_next(input)?;
    let (kind, number) = match (dollar, unit) {
        (true, None) | (false, Some("usd" | "USD")) => (Kind::Money, number),
        (false, None) => (Kind::Plain, number),
        (false, Some("%")) => (Kind::Percent, number / 100.0),
        (false, Some("x")) => (Kind::Times, number),
        (false, Some("k")) => (Kind::Plain, number * 1e3),
        (false, Some("M")) => (Kind::Plain, number * 1e6),
        (false, Some("tokens" | "calls")) => (Kind::Plain, number),
        (false, Some(unit)) => match format!("{number}{unit}").parse::<Nanos>() {
            Ok(time) => (Kind::Time, time.as_millis()),
            Err(_) => {
                return refuse(
                    at,
                    format!("`{unit}` is no unit; expected one of ms s min h, $, %, k, M, x"),
                );
            }
        },
        (true, Some(_)) => return refuse(at, "expected no unit after an amount in $"),
    };
    Ok(Term {
        kind,
        per_baseline: 0.0,
        constant: number,
    })
}

fn blank(input: &mut &str) -> Parsed<()> {
    multispace0.void().parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> (f64, f64) {
        let found = expect(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        (found.limit.per_baseline, found.limit.constant)
    }

    #[test]
    fn expectations_of_every_kind() {
        let found = expect("p95(latency) < 8s").unwrap();
        assert_eq!(
            found.subject,
            Subject::Of(Statistic::Quantile(0.95), Quantity::Latency)
        );
        assert_eq!(found.comparison, Comparison::Below);
        assert_eq!(limit("p95(latency) < 8s"), (0.0, 8000.0));
        assert_eq!(limit("mean(cost_per_task) <= baseline * 1.10"), (1.1, 0.0));
        assert_eq!(limit("rate(cause=retry_cascade) < 2%"), (0.0, 0.02));
        assert_eq!(limit("max(llm_calls) <= 12"), (0.0, 12.0));
        assert_eq!(limit("drift(tools) p > 0.01"), (0.0, 0.01));
        assert_eq!(limit("drift(tools)bits<0.05"), (0.0, 0.05));
        assert_eq!(limit(" p99.9( ttft )≤(baseline+500ms)*110% "), (1.1, 550.0));
        assert_eq!(limit("sum(cost) < $5"), (0.0, 5.0));
        assert_eq!(limit("mean(input_tokens) < 8k"), (0.0, 8000.0));
        assert_eq!(limit("p50(slowdown) < 1.2x"), (0.0, 1.2));
        assert_eq!(limit("rate(tool=\"a (b)\") >= baseline / 2"), (0.5, 0.0));
        assert_eq!(limit("rate(finish = max_tokens) < 1_0%"), (0.0, 0.1));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, at, why) in [
            ("", 0, "expected a statistic"),
            ("p95 latency < 8s", 4, "expected `(`"),
            ("p95(latncy) < 8s", 4, "expected `latency`?"),
            ("p95(everything) < 8s", 4, "one of latency,"),
            ("p101(latency) < 8s", 0, "`p101` is no statistic"),
            ("p95(latency) 8s", 13, "expected one of <"),
            ("p95(latency) < 8", 15, "expected a time"),
            ("p95(latency) < 8 parsecs", 17, "`parsecs` is no unit"),
            ("p95(latency) < 8s 9", 18, "expected the end"),
            ("p95(latency) < baseline + 3", 26, "expected a time"),
            (
                "p95(latency) < baseline * 2s",
                26,
                "expected a plain number",
            ),
            (
                "p95(latency) < 1 / baseline",
                19,
                "plain number to divide by",
            ),
            ("p95(latency) < baseline / 0", 26, "other than zero"),
            ("mean(cost) < 5s", 13, "expected money"),
            ("rate(cause=bad luck) < 2%", 5, "expected a cause"),
            ("rate(odd) < 2%", 5, "expected a condition"),
            ("rate(error) < 2s", 14, "expected a share"),
            ("max(llm_calls) <= baseline", 18, "not an extreme"),
            ("drift(tools) > 0.01", 13, "expected `p`"),
            ("drift(tool) p > 0.01", 6, "expected `tools`?"),
            ("count(cached) < 3", 5, "cannot be counted"),
            ("p95(latency) < ", 15, "expected a limit"),
            ("p95(latency) < (8s", 18, "expected `)`"),
        ] {
            let refusal = expect(text).expect_err(text);
            assert_eq!(refusal.at, at, "{text}: {}", refusal.why);
            assert!(refusal.why.contains(why), "{text}: {}", refusal.why);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_the_reader_fall_over(text in "\\PC{0,60}", mixed in "[a-z0-9()<>=%$+*/. ]{0,40}") {
            for text in [text, mixed] {
                if let Err(refusal) = expect(&text) {
                    assert!(text.is_char_boundary(refusal.at), "{text}");
                }
            }
        }
    }
}
