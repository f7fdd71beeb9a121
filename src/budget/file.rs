//! The budget file: TOML, with the line and column of whatever is wrong in it.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::expect::{Expect, Subject};
use super::fault::{Fault, Place};
use super::parse;
use crate::quantity::{KEYS, Quantity, Scope};
use crate::units::Nanos;
use crate::units::human::in_words;

/// How often a healthy set may fail, all budgets of a file together, where the file does not say.
pub const FALSE_ALARMS: f64 = 0.01;

/// Values that an estimate needs where a budget does not say.
pub const LEAST: u64 = 20;

/// How much a broken budget matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    /// It is not looked at.
    Off,
    /// It is said.
    Warn,
    /// It fails the run.
    #[default]
    Error,
}

/// How value and limit are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Test {
    /// Broken where the better end of the value's interval breaks the limit.
    #[default]
    Interval,
    /// Broken where the value itself breaks the limit, noise or not.
    Point,
}

/// One budget.
#[derive(Clone, Debug)]
pub struct Budget {
    /// What it is called; its expectation where it has no name.
    pub name: String,
    /// The expectation as written.
    pub text: String,
    /// The expectation as understood.
    pub expect: Expect,
    /// Which requests and calls it is about.
    pub scope: Scope,
    /// How much it matters.
    pub level: Level,
    /// Values it needs to be judged.
    pub min_n: Option<u64>,
    /// What it is compared with, instead of the baseline of the run; as found from where the file lies.
    pub baseline: Option<PathBuf>,
    /// How value and limit are compared.
    pub test: Test,
    /// How sure a breach must be, instead of what the file's share of false alarms gives: 0.5 to 1.
    pub confidence: Option<f64>,
    /// Where the expectation stands.
    pub place: Place,
}

/// A whole file.
#[derive(Clone, Debug)]
pub struct Budgets {
    /// The file as the user named it.
    pub file: String,
    /// How often a healthy set may fail, all budgets together.
    pub false_alarms: f64,
    /// Its budgets, in order.
    pub budgets: Vec<Budget>,
}

impl Budgets {
    /// What is allowed of the latency of all requests: of which statistic, as it is written, and how long.
    #[must_use]
    pub fn of_latency(&self) -> Vec<(String, Nanos)> {
        let limit = |budget: &Budget| {
            let Subject::Of(_, Quantity::Latency) = budget.expect.subject else {
                return None;
            };
            let expect = &budget.expect;
            let plain = budget.scope.is_all() && budget.level != Level::Off;
            let ceiling = expect.comparison.is_ceiling() && !expect.limit.is_relative();
            let statistic = budget.text.split('(').next().unwrap_or_default().trim();
            let limit = Nanos::from_millis(expect.limit.constant)?;
            (plain && ceiling).then(|| (statistic.to_owned(), limit))
        };
        self.budgets.iter().filter_map(limit).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    check: Section,
    #[serde(default)]
    budget: Vec<Spanned<Entry>>,
    /// The rest of the configuration file is read elsewhere.
    #[serde(default, rename = "prices")]
    _prices: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Section {
    false_alarms: Option<Spanned<Share>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Option<Spanned<String>>,
    #[serde(default, rename = "match")]
    matching: Matching,
    expect: Spanned<String>,
    level: Option<Spanned<String>>,
    min_n: Option<Spanned<i64>>,
    baseline: Option<PathBuf>,
    test: Option<Spanned<String>>,
    confidence: Option<Spanned<Share>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Matching {
    task: Option<Spanned<Names>>,
    agent: Option<Spanned<Names>>,
    model: Option<Spanned<Names>>,
    tool: Option<Spanned<Names>>,
    service: Option<Spanned<Names>>,
    tenant: Option<Spanned<Names>>,
}

/// Reads the text of a file called `file`.
///
/// # Errors
/// Names line and column of the first thing that is not TOML, no budget, or not understood.
pub fn read(file: &str, text: &str) -> Result<Budgets, Fault> {
    let reader = Reader { file, text };
    let document: Document = toml::from_str(text).map_err(|error| reader.toml(&error))?;
    let false_alarms = match document.check.false_alarms {
        None => FALSE_ALARMS,
        Some(share) if (0.0..0.5).contains(&share.get_ref().0) && share.get_ref().0 > 0.0 => {
            share.get_ref().0
        }
        Some(share) => {
            let why = "expected a share above 0 and below 50%, such as \"1%\" or 0.01";
            return Err(reader.at(share.span().start, why));
        }
    };
    let mut budgets: Vec<Budget> = Vec::new();
    for entry in document.budget {
        let span = entry.span();
        let budget = reader.budget(entry.into_inner(), &span, &budgets)?;
        budgets.push(budget);
    }
    if budgets.is_empty() {
        let why = "no budget; expected at least one table [[budget]] with `expect = \"...\"`";
        return Err(reader.at(0, why));
    }
    Ok(Budgets {
        file: file.to_owned(),
        false_alarms,
        budgets,
    })
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
}

impl Reader<'_> {
    fn budget(
        &self,
        entry: Entry,
        table: &Range<usize>,
        before: &[Budget],
    ) -> Result<Budget, Fault> {
        let text = entry.expect.get_ref().clone();
        let at = entry.expect.span();
        let expect = parse::expect(&text)
            .map_err(|refusal| self.at(self.inside(&at, &text, refusal.at), &refusal.why))?;
        let name = entry.name.as_ref().map_or(&text, |name| name.get_ref());
        let place = entry.name.as_ref().map_or(table.start, |n| n.span().start);
        if name.trim().is_empty() {
            return Err(self.at(place, "expected a name that is not empty"));
        }
        if before.iter().any(|known| known.name == *name) {
            let why = format!("a second budget named `{name}`; expected another name");
            return Err(self.at(place, &why));
        }
        let min_n = entry.min_n.map(|n| match u64::try_from(*n.get_ref()) {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(self.at(n.span().start, "expected a whole number from 1 on")),
        });
        let confidence = entry.confidence.map(|c| match c.get_ref().0 {
            share if (0.5..1.0).contains(&share) => Ok(share),
            _ => Err(self.at(
                c.span().start,
                "expected a share from 50% to below 100%, such as 0.95",
            )),
        });
        Ok(Budget {
            name: name.clone(),
            level: self.word(
                entry.level.as_ref(),
                &[
                    ("error", Level::Error),
                    ("warn", Level::Warn),
                    ("off", Level::Off),
                ],
            )?,
            test: self.word(
                entry.test.as_ref(),
                &[("interval", Test::Interval), ("point", Test::Point)],
            )?,
            scope: self.scope(entry.matching)?,
            min_n: min_n.transpose()?,
            confidence: confidence.transpose()?,
            baseline: entry.baseline,
            place: Place::of(self.text, at.start),
            text,
            expect,
        })
    }

    fn scope(&self, matching: Matching) -> Result<Scope, Fault> {
        let mut scope = Scope::default();
        let by_key = [
            matching.task,
            matching.agent,
            matching.model,
            matching.tool,
            matching.service,
            matching.tenant,
        ];
        for (key, names) in by_key.into_iter().enumerate() {
            let Some(names) = names else { continue };
            let start = names.span().start;
            if names.get_ref().0.is_empty() {
                return Err(self.at(start, "expected at least one name"));
            }
            for pattern in &names.get_ref().0 {
                let added = scope.add(key, pattern);
                added.map_err(|error| self.at(start, &error.to_string()))?;
            }
        }
        Ok(scope)
    }

    fn word<T: Copy + Default>(
        &self,
        given: Option<&Spanned<String>>,
        known: &[(&str, T)],
    ) -> Result<T, Fault> {
        let Some(given) = given else {
            return Ok(T::default());
        };
        let found = known.iter().find(|(word, _)| word == given.get_ref());
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let why = format!(
                "`{}` is not known here; expected one of {}",
                given.get_ref(),
                words.join(", ")
            );
            self.at(given.span().start, &why)
        })
    }

    /// The byte of the file at which byte `at` of a string stands; the start of the string where escapes hide it.
    fn inside(&self, span: &Range<usize>, value: &str, at: usize) -> usize {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let quote = ["\"\"\"\n", "'''\n", "\"\"\"", "'''", "\"", "'"];
        let quote = quote.into_iter().find(|quote| written.starts_with(quote));
        let open = quote.map_or(0, str::len);
        match written
            .get(open..)
            .is_some_and(|inner| inner.starts_with(value))
        {
            true => span.start + open + at,
            false => span.start,
        }
    }

    fn at(&self, byte: usize, why: &str) -> Fault {
        Fault {
            file: self.file.to_owned(),
            place: Place::of(self.text, byte),
            why: why.to_owned(),
        }
    }

    fn toml(&self, error: &toml::de::Error) -> Fault {
        let byte = error.span().map_or(0, |span| span.start);
        // Messages of the reader may be several lines: what is wrong, then what was expected.
        let why: Vec<&str> = error.message().lines().map(str::trim).collect();
        self.at(byte, &in_words(&why.join("; ")))
    }
}

/// A share, as a number or as text in percent.
#[derive(Clone, Copy)]
struct Share(f64);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 0.01 or \"1%\"")
            }

            fn visit_f64<E: serde::de::Error>(self, share: f64) -> Result<Share, E> {
                Ok(Share(share))
            }

            fn visit_i64<E: serde::de::Error>(self, share: i64) -> Result<Share, E> {
                Ok(Share(share as f64))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Share, E> {
                let percent = text
                    .strip_suffix("%")
                    .map(|number| number.trim().parse::<f64>());
                match percent {
                    Some(Ok(percent)) => Ok(Share(percent / 100.0)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }

        from.deserialize_any(Either)
    }
}

/// One name or several.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        from.deserialize_any(Either)
    }
}

const _: () = assert!(KEYS.len() == 6, "a key that `Matching` does not read");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_budget() {
        let text = "[check]\nfalse_alarms = \"5%\"\n[prices]\nfile = \"p.json\"\n\n[[budget]]\nname = \"tail\"\nmatch = { task = [\"faq\", \"re*\"], model = \"gpt*\" }\nexpect = \"p95(latency) < 8s\"\nlevel = \"warn\"\nmin_n = 50\nbaseline = \"base.json\"\ntest = \"point\"\nconfidence = 0.9\n";
        let found = read("b.toml", text).unwrap();
        let budget = &found.budgets[0];
        assert!((found.false_alarms - 0.05).abs() < 1e-12);
        assert_eq!((budget.name.as_str(), budget.level), ("tail", Level::Warn));
        assert_eq!((budget.min_n, budget.confidence), (Some(50), Some(0.9)));
        assert_eq!(budget.test, Test::Point);
        assert_eq!(
            budget.place,
            Place {
                line: 9,
                column: 10
            }
        );
        assert_eq!(budget.scope.texts().len(), 3);
    }

    #[test]
    fn limits_on_the_latency_of_all_requests() {
        let text = [
            ("p95(latency) < 8s", ""),
            ("max( latency ) <= 1min", ""),
            ("mean(latency) < baseline", ""),
            ("p95(ttft) < 2s", ""),
            ("p50(latency) > 1ms", ""),
            ("p90(latency) < 9s", "level = \"off\"\n"),
            ("p90(latency) < 9s", "match = { task = \"faq\" }\n"),
        ];
        let text = text.map(|(expect, more)| {
            format!(
                "[[budget]]\nname = \"{expect}{}\"\nexpect = \"{expect}\"\n{more}",
                more.len()
            )
        });
        let found = read("b.toml", &text.concat()).unwrap().of_latency();
        let limit = |name: &str, secs| (name.to_owned(), Nanos(secs * Nanos::SECOND.0));
        assert_eq!(found, [limit("p95", 8), limit("max", 60)]);
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        for (text, place, why) in [
            (
                "[[budget]]\nexpect = \"p95(latency) < 8\"\n",
                "2:26",
                "expected a time",
            ),
            (
                "[[budget]]\nexpect = '''p95(latncy) < 8s'''\n",
                "2:17",
                "expected `latency`?",
            ),
            (
                "[[budget]]\nexpect = \"p95(latency) \\u003c 8\"\n",
                "2:10",
                "expected a time",
            ),
            (
                "[[budget]]\n\nexpects = \"x\"\n",
                "3:1",
                "unknown field `expects`",
            ),
            (
                "[[budget]]\nname = \"x\"\n",
                "1:1",
                "missing field `expect`",
            ),
            ("[[budgets]]\n", "1:3", "unknown field `budgets`"),
            ("[[budget]]\nexpect = 3\n", "2:10", "expected a string"),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\nlevel = \"fatal\"\n",
                "3:9",
                "expected one of error, warn, off",
            ),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\ntest = \"t\"\n",
                "3:8",
                "expected one of interval, point",
            ),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\nmin_n = 0\n",
                "3:9",
                "expected a whole number from 1",
            ),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\nconfidence = 2\n",
                "3:14",
                "expected a share from 50%",
            ),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\nmatch = { tools = \"x\" }\n",
                "3:11",
                "unknown field `tools`",
            ),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\nmatch = { tool = 4 }\n",
                "3:18",
                "expected a name or a list of names",
            ),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\nmatch = { tool = \"a[\" }\n",
                "3:18",
                "not a pattern",
            ),
            (
                "[[budget]]\nexpect = \"max(retries) < 3\"\n[[budget]]\nexpect = \"max(retries) < 3\"\n",
                "3:1",
                "a second budget named",
            ),
            (
                "[check]\nfalse_alarms = 0.9\n[[budget]]\nexpect = \"max(retries) < 3\"\n",
                "2:16",
                "expected a share above 0",
            ),
            ("[prices]\n", "1:1", "no budget"),
            ("", "1:1", "no budget"),
            ("[[budget]\n", "1:10", ""),
        ] {
            let fault = read("b.toml", text).expect_err(text).to_string();
            let start = format!("b.toml:{place}: ");
            assert!(fault.starts_with(&start), "{text}\n{fault}");
            assert!(
                fault.contains(why) && fault.len() > start.len(),
                "{text}\n{fault}"
            );
        }
    }
}
