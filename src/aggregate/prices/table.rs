//! The built-in prices: static tables made by `build.rs`, and how a model is found in them.
//!
//! The matching follows genai-prices (<https://github.com/pydantic/genai-prices>): providers by id,
//! then by their alias rule; models by the first rule that fits.

use super::rates::{Overlay, Partial, Rates, Tier};
use super::service::Service;

/// How a name is recognised; names are compared in lower case.
#[derive(Debug)]
pub(super) enum Rule {
    And(&'static [Rule]),
    Or(&'static [Rule]),
    Not(&'static Rule),
    Equals(&'static str),
    StartsWith(&'static str),
    EndsWith(&'static str),
    Contains(&'static str),
    /// Literal text where `#` stands for a digit; of the whole name or of its beginning.
    Shape {
        shape: &'static str,
        whole: bool,
    },
}

impl Rule {
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::And(rules) => rules.iter().all(|rule| rule.matches(name)),
            Self::Or(rules) => rules.iter().any(|rule| rule.matches(name)),
            Self::Not(rule) => !rule.matches(name),
            Self::Equals(text) => name == *text,
            Self::StartsWith(text) => name.starts_with(text),
            Self::EndsWith(text) => name.ends_with(text),
            Self::Contains(text) => name.contains(text),
            Self::Shape { shape, whole } => {
                let fits = |(s, n): (u8, u8)| s == n || (s == b'#' && n.is_ascii_digit());
                let lengths = name.len() == shape.len() || (!whole && name.len() > shape.len());
                lengths && shape.bytes().zip(name.bytes()).all(fits)
            }
        }
    }
}

/// When prices hold, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    Always,
    /// From this Unix second on.
    From(i64),
    /// Between two seconds of the day; past midnight when `to` comes first.
    Daily {
        from: u32,
        to: u32,
    },
}

impl When {
    fn holds(self, seconds: u64) -> bool {
        match self {
            Self::Always => true,
            Self::From(start) => i64::try_from(seconds).is_ok_and(|now| now >= start),
            Self::Daily { from, to } => {
                let now = (seconds % 86_400) as u32;
                if to < from {
                    now >= from || now < to
                } else {
                    now >= from && now < to
                }
            }
        }
    }
}

/// The last entry that is in force, else the first.
pub(super) fn in_force<T>(entries: &[T], seconds: u64, when: impl Fn(&T) -> When) -> Option<&T> {
    let active = |entry: &&T| when(entry).holds(seconds);
    entries.iter().rev().find(active).or(entries.first())
}

/// What a class of service changes, from a Unix second on.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) service: Service,
    pub(super) from: i64,
    pub(super) tiers: &'static [Overlay],
}

/// Prices and when they hold.
#[derive(Debug)]
pub(super) struct Dated {
    pub(super) when: When,
    pub(super) tiers: &'static [Tier],
}

/// A model of a provider.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) id: &'static str,
    pub(super) rule: Rule,
    pub(super) prices: &'static [Dated],
    pub(super) variants: &'static [Variant],
}

/// A provider and its models, in the order their rules are tried.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) id: &'static str,
    pub(super) aliases: Option<Rule>,
    pub(super) owns: Option<Rule>,
    pub(super) fallback: &'static [u16],
    pub(super) models: &'static [Model],
}

/// A model known from the second table only.
#[derive(Debug)]
pub(super) struct Extra {
    pub(super) model: &'static str,
    pub(super) provider: &'static str,
    pub(super) tiers: &'static [Tier],
}

include!(concat!(env!("OUT_DIR"), "/prices.rs"));

/// The provider of exactly this id.
pub(super) fn provider_of_id(id: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.id == id)
}

/// The provider of this id, else the first whose alias rule fits.
pub(super) fn provider(name: &str) -> Option<&'static Provider> {
    let alias = |rule: &Rule| rule.matches(name);
    let aliased = |provider: &&Provider| provider.aliases.as_ref().is_some_and(alias);
    provider_of_id(name).or_else(|| PROVIDERS.iter().find(aliased))
}

/// The provider that is known for models of this name.
pub(super) fn owner(model: &str) -> Option<&'static Provider> {
    let owns = |rule: &Rule| rule.matches(model);
    PROVIDERS
        .iter()
        .find(|provider| provider.owns.as_ref().is_some_and(owns))
}

/// A model of `provider`, with true, or of those it falls back to; dates are tried as written, then
/// dashed.
pub(super) fn model(provider: &'static Provider, name: &str) -> Option<(&'static Model, bool)> {
    direct(provider, name).or_else(|| direct(provider, &dashed_dates(name)?))
}

fn direct(provider: &'static Provider, name: &str) -> Option<(&'static Model, bool)> {
    let own = |p: &'static Provider| p.models.iter().find(|model| model.rule.matches(name));
    own(provider).map(|model| (model, true)).or_else(|| {
        let mut fallback = provider.fallback.iter();
        let found = fallback.find_map(|&index| own(PROVIDERS.get(usize::from(index))?));
        found.map(|model| (model, false))
    })
}

/// `-20251211` as `-2025-12-11`, wherever it ends a part of the name; `None` when nothing changes.
fn dashed_dates(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len() + 2);
    let mut rest = name;
    let mut changed = false;
    while let Some(dash) = rest.find('-') {
        let (head, tail) = rest.split_at(dash + 1);
        out.push_str(head);
        rest = tail;
        if let Some((date, after)) = compact_date(tail) {
            out.push_str(&format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]));
            rest = after;
            changed = true;
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

fn compact_date(text: &str) -> Option<(&str, &str)> {
    let (date, rest) = text.split_at_checked(8)?;
    let digits = date.bytes().all(|b| b.is_ascii_digit());
    let ends = rest.is_empty() || rest.starts_with(['-', ':']);
    if !digits || !ends || !date.starts_with("20") {
        return None;
    }
    let part = |range: std::ops::Range<usize>| date.get(range)?.parse::<i16>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    jiff::civil::Date::new(year, month as i8, day as i8).ok()?;
    Some((date, rest))
}

/// All entries of the second table for a model, one per provider.
pub(super) fn extras(model: &str) -> &'static [Extra] {
    let start = EXTRA.partition_point(|extra| extra.model < model);
    let len = EXTRA[start..].partition_point(|extra| extra.model == model);
    &EXTRA[start..start + len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_table_is_sorted_and_each_tier_list_rises() {
        assert!(EXTRA.is_sorted_by(|a, b| (a.model, a.provider) < (b.model, b.provider)));
        let dated = PROVIDERS
            .iter()
            .flat_map(|p| p.models)
            .flat_map(|m| m.prices);
        for tiers in dated.map(|d| d.tiers).chain(EXTRA.iter().map(|e| e.tiers)) {
            assert!(tiers.is_sorted_by(|a, b| a.above < b.above));
            assert!(tiers.first().is_none_or(|tier| tier.above == 0));
        }
    }

    #[test]
    fn shapes_stand_for_the_regular_expressions_they_came_from() {
        let rule = Rule::Shape {
            shape: "gpt-5-####-##-##",
            whole: true,
        };
        assert!(rule.matches("gpt-5-2026-01-31"));
        assert!(!rule.matches("gpt-5-2026-01-31x"));
        assert!(!rule.matches("gpt-5-2026-01-3a"));
        let begin = Rule::Shape {
            shape: "o#",
            whole: false,
        };
        assert!(begin.matches("o3-mini") && !begin.matches("o") && !begin.matches("ox"));
    }

    #[test]
    fn only_real_dates_are_dashed() {
        let dashed = |name| dashed_dates(name);
        assert_eq!(
            dashed("gpt-5.2-20251211").as_deref(),
            Some("gpt-5.2-2025-12-11")
        );
        assert_eq!(
            dashed("m-20251211:free").as_deref(),
            Some("m-2025-12-11:free")
        );
        for same in ["model-20250230", "model-202512110", "model", "naïve-2025é"] {
            assert_eq!(dashed(same), None, "{same}");
        }
    }

    #[test]
    fn a_day_may_wrap_past_midnight() {
        const NIGHT: &[Dated] = &[
            Dated {
                when: When::Always,
                tiers: &[],
            },
            Dated {
                when: When::Daily {
                    from: 80_000,
                    to: 3600,
                },
                tiers: &[],
            },
        ];
        let night =
            |s| in_force(NIGHT, s, |d| d.when).is_some_and(|d| !matches!(d.when, When::Always));
        assert!(night(0) && night(86_400 + 80_000) && !night(3600) && !night(79_999));
    }
}
