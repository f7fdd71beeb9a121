//! Rule files: the YAML of Prometheus, with the line and column of whatever is wrong in it.
//!
//! Source: Prometheus, `model/rulefmt`; the Kubernetes `PrometheusRule` holds the same under `spec`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::duration;
use super::query::Query;
use super::rule::{Group, Rule, RuleKind};
use super::store::Store;
use super::template::Template;

/// What is wrong with a rule file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file as the user named it.
    pub file: String,
    /// Line, the first is 1; 0 where the fault concerns the whole file.
    pub line: usize,
    /// Column in characters, the first is 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, line, column, ..
        } = self;
        write!(f, "{file}:{line}:{column}: {}", self.why)
    }
}

impl std::error::Error for Fault {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileYaml {
    #[serde(default)]
    groups: Option<Vec<Spanned<GroupYaml>>>,
    #[serde(default)]
    spec: Option<SpecYaml>,
    #[serde(default, rename = "apiVersion")]
    _api_version: Option<serde::de::IgnoredAny>,
    #[serde(default, rename = "kind")]
    _kind: Option<serde::de::IgnoredAny>,
    #[serde(default, rename = "metadata")]
    _metadata: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecYaml {
    groups: Vec<Spanned<GroupYaml>>,
}

type Texts = BTreeMap<String, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupYaml {
    name: Spanned<String>,
    interval: Option<Spanned<String>>,
    query_offset: Option<Spanned<String>>,
    limit: Option<usize>,
    #[serde(default)]
    labels: Texts,
    #[serde(default)]
    rules: Vec<Spanned<RuleYaml>>,
    #[serde(default, rename = "partial_response_strategy")]
    _partial_response_strategy: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleYaml {
    alert: Option<Spanned<String>>,
    record: Option<Spanned<String>>,
    expr: Option<Spanned<String>>,
    r#for: Option<Spanned<String>>,
    keep_firing_for: Option<Spanned<String>>,
    #[serde(default)]
    labels: Texts,
    #[serde(default)]
    annotations: Texts,
}

/// Reads the rules of one file.
///
/// # Errors
/// Names line and column of the first thing that is not YAML, not a rule, not `PromQL`, or not supported.
pub fn read(file: &str, text: &str, store: &mut Store) -> Result<Vec<Group>, Fault> {
    let reader = Reader { file, text };
    let yaml: FileYaml = serde_saphyr::from_str(text).map_err(|error| reader.yaml(&error))?;
    let groups = match (yaml.groups, yaml.spec) {
        (Some(groups), _) => groups,
        (None, Some(spec)) => spec.groups,
        (None, None) => {
            return Err(reader.fault(0, 1, 1, "no rules: expected a list under `groups:`"));
        }
    };
    let mut read: Vec<Group> = Vec::new();
    for group in groups {
        let name = &group.value.name;
        if read.iter().any(|known| known.name == name.value) {
            return Err(reader.at(name, format!("a second group named `{}`", name.value)));
        }
        read.push(reader.group(group.value, store)?);
    }
    Ok(read)
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
}

impl Reader<'_> {
    fn group(&self, yaml: GroupYaml, store: &mut Store) -> Result<Group, Fault> {
        if yaml.name.value.is_empty() {
            return Err(self.at(&yaml.name, "a group needs a name"));
        }
        let interval = self.duration(yaml.interval.as_ref())?;
        if interval == Some(0) {
            let place = yaml.interval.unwrap_or(yaml.name);
            return Err(self.at(&place, "expected an interval longer than zero"));
        }
        let mut rules = Vec::new();
        for rule in &yaml.rules {
            rules.push(self.rule(rule, &yaml.labels, store)?);
        }
        Ok(Group {
            interval,
            offset: self.duration(yaml.query_offset.as_ref())?.unwrap_or(0),
            limit: yaml.limit.unwrap_or(0),
            name: yaml.name.value,
            rules,
        })
    }

    fn rule(
        &self,
        place: &Spanned<RuleYaml>,
        shared: &Texts,
        store: &mut Store,
    ) -> Result<Rule, Fault> {
        let yaml = &place.value;
        let (name, is_alert) = match (&yaml.alert, &yaml.record) {
            (Some(name), None) => (name, true),
            (None, Some(name)) => (name, false),
            (Some(_), Some(record)) => {
                return Err(self.at(record, "a rule has either `alert` or `record`, not both"));
            }
            (None, None) => {
                return Err(self.at(place, "expected `alert` or `record` in a rule"));
            }
        };
        let Some(expr) = &yaml.expr else {
            return Err(self.at(name, format!("the rule `{}` has no `expr`", name.value)));
        };
        if name.value.is_empty() || (!is_alert && !is_metric_name(&name.value)) {
            let why = format!("`{}` is not a name for a rule", name.value);
            return Err(self.at(name, why));
        }
        let query = Query::parse(&expr.value, store).map_err(|refusal| {
            let (line, column) = self.inside(expr, refusal.offset(&expr.value));
            let why = format!("in the expression of `{}`: {}", name.value, refusal.why);
            self.fault(line, line, column, &why)
        })?;
        let kind = match is_alert {
            true => RuleKind::Alert {
                hold: self.duration(yaml.r#for.as_ref())?.unwrap_or(0),
                keep: self.duration(yaml.keep_firing_for.as_ref())?.unwrap_or(0),
                annotations: self.texts(&yaml.annotations)?,
            },
            false => {
                let not_here = [&yaml.r#for, &yaml.keep_firing_for];
                if let Some(place) = not_here.into_iter().flatten().next() {
                    let why = "only a rule with `alert` has `for` and `keep_firing_for`";
                    return Err(self.at(place, why));
                }
                if let Some(place) = yaml.annotations.values().next() {
                    return Err(self.at(place, "only a rule with `alert` has annotations"));
                }
                RuleKind::Record
            }
        };
        let own = &yaml.labels;
        let inherited = shared.iter().filter(|(label, _)| !own.contains_key(*label));
        let mut labels = self.texts(&inherited.map(|(k, v)| (k.clone(), v.clone())).collect())?;
        labels.extend(self.texts(own)?);
        if let Some((label, place)) = own.iter().find(|(label, _)| !is_label(label)) {
            return Err(self.at(place, format!("`{label}` is not a name for a label")));
        }
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Rule {
            name: name.value.clone(),
            kind,
            expr: expr.value.trim().to_owned(),
            line: line(&place.referenced),
            query,
            labels,
        })
    }

    fn texts(&self, texts: &Texts) -> Result<Vec<(String, Template)>, Fault> {
        let read = texts.iter().map(|(name, text)| {
            let template = Template::parse(&text.value).map_err(|(offset, why)| {
                let (line, column) = self.inside(text, offset);
                self.fault(line, line, column, &why)
            })?;
            Ok((name.clone(), template))
        });
        read.collect()
    }

    fn duration(&self, text: Option<&Spanned<String>>) -> Result<Option<i64>, Fault> {
        let Some(text) = text else {
            return Ok(None);
        };
        match duration::parse(&text.value) {
            Some(millis) => Ok(Some(millis)),
            None => {
                let why = format!(
                    "`{}` is not a duration: expected a number and a unit such as 5m or 1h30m",
                    text.value
                );
                Err(self.at(text, why))
            }
        }
    }

    fn at<T>(&self, place: &Spanned<T>, why: impl AsRef<str>) -> Fault {
        let at = &place.referenced;
        self.fault(line(at), 1, at.column() as usize, why.as_ref())
    }

    fn fault(&self, line: usize, least: usize, column: usize, why: &str) -> Fault {
        Fault {
            file: self.file.to_owned(),
            line: line.max(least),
            column: column.max(1),
            why: why.to_owned(),
        }
    }

    fn yaml(&self, error: &serde_saphyr::Error) -> Fault {
        let plain = error.without_snippet();
        let place = plain.location();
        let (line, column) = place.map_or((1, 1), |at| (line(&at), at.column() as usize));
        // The message repeats the place at its end.
        let said = plain.to_string();
        let said = said.lines().next().unwrap_or_default();
        let why = said.split(" at line ").next().unwrap_or(said);
        self.fault(line, 1, column, why)
    }

    /// Line and column of byte `offset` of a text that may be quoted or a block: found by counting
    /// characters that are not blank, which every style of YAML keeps.
    fn inside(&self, place: &Spanned<String>, offset: usize) -> (usize, usize) {
        let (first, column) = (line(&place.referenced), place.referenced.column() as usize);
        let before = place.value.get(..offset).unwrap_or_default();
        let mut left = before.chars().filter(|c| !c.is_whitespace()).count();
        let lines = self.text.lines().enumerate().skip(first.saturating_sub(1));
        let mut block = false;
        for (index, text) in lines {
            let start = if index + 1 == first { column - 1 } else { 0 };
            let mut opening = index + 1 == first;
            for (at, c) in text.chars().enumerate().skip(start) {
                if opening && matches!(c, '|' | '>') {
                    block = true;
                }
                if block && index + 1 == first {
                    break;
                }
                if c.is_whitespace() || (opening && matches!(c, '"' | '\'')) {
                    opening = false;
                    continue;
                }
                opening = false;
                if left == 0 {
                    return (index + 1, at + 1);
                }
                left -= 1;
            }
        }
        (first, column)
    }
}

fn line(at: &Location) -> usize {
    at.line() as usize
}

fn is_label(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name != super::labels::NAME
}

fn is_metric_name(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | ':'))
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}
