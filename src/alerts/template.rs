//! Labels and annotations with `{{ … }}`: the part of Go's templates that alert rules use.
//!
//! Source: Prometheus, `template/template.go`; Go, `text/template`.

use super::labels::{LabelId, Labels};

/// A text with places to fill in.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// What is shown, then the functions it goes through.
    Show(Subject, Vec<Step>),
}

#[derive(Clone, Debug, PartialEq)]
enum Subject {
    Value,
    Label(String),
    Text(String),
    /// Of an alertmanager or server nobody knows offline.
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Humanize,
    Humanize1024,
    HumanizeDuration,
    HumanizePercentage,
    Printf(String),
    Title,
    Upper,
    Lower,
    /// Marked as safe, quoted for no one: shown as it is.
    Same,
}

/// What the places are filled with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'l> {
    pub(super) labels: &'l Labels,
    pub(super) of: LabelId,
    pub(super) value: f64,
}

impl Template {
    /// Understands `text`. The error says what is not supported, and at which byte.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            let at = text.len() - rest.len() + open;
            let (before, inside) = (&rest[..open], &rest[open + 2..]);
            let Some(close) = inside.find("}}") else {
                return Err((at, "`{{` is never closed by `}}`".to_owned()));
            };
            let (action, after) = (&inside[..close], &inside[close + 2..]);
            let (trim_before, trim_after) = (action.starts_with("- "), action.ends_with(" -"));
            let before = if trim_before {
                before.trim_end()
            } else {
                before
            };
            parts.push(Part::Text(before.to_owned()));
            let action = action.strip_prefix('-').unwrap_or(action);
            let action = action.strip_suffix('-').unwrap_or(action).trim();
            if !action.starts_with("/*") {
                parts.push(self::action(action).map_err(|why| (at, why))?);
            }
            rest = if trim_after {
                after.trim_start()
            } else {
                after
            };
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|p| !matches!(p, Part::Text(t) if t.is_empty()));
        Ok(Self { parts })
    }

    /// The text with its places filled in.
    pub(super) fn fill(&self, with: Context<'_>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out += text,
                Part::Show(subject, steps) => out += &show(subject, steps, with),
            }
        }
        out
    }
}

fn show(subject: &Subject, steps: &[Step], with: Context<'_>) -> String {
    let mut number = None;
    let mut text = match subject {
        Subject::Value => {
            number = Some(with.value);
            go_float(with.value)
        }
        Subject::Label(name) => with.labels.value(with.of, name).to_owned(),
        Subject::Text(text) => text.clone(),
        Subject::Nothing => String::new(),
    };
    for step in steps {
        let value = number.take().or_else(|| text.trim().parse().ok());
        text = match (step, value) {
            (Step::Humanize, Some(v)) => humanize(v, 1000.0),
            (Step::Humanize1024, Some(v)) => humanize(v, 1024.0),
            (Step::HumanizeDuration, Some(v)) => humanize_duration(v),
            (Step::HumanizePercentage, Some(v)) => format!("{}%", general(v * 100.0, 4)),
            (Step::Printf(format), value) => printf(format, value, &text),
            (Step::Title, _) => title(&text),
            (Step::Upper, _) => text.to_uppercase(),
            (Step::Lower, _) => text.to_lowercase(),
            (_, _) => text,
        };
    }
    text
}

/// One action: a subject, or a function of it, then a pipeline.
fn action(text: &str) -> Result<Part, String> {
    let mut stages = text.split('|').map(str::trim);
    let first = stages.next().unwrap_or_default();
    let mut steps = Vec::new();
    let subject = match subject(first) {
        Some(subject) => subject,
        None => {
            // `humanize $value`, `printf "%.2f" $value`
            let (function, argument) = head(first);
            let last = argument
                .rsplit(char::is_whitespace)
                .next()
                .unwrap_or_default();
            let subject = subject(last).ok_or_else(|| unsupported(first))?;
            let format = argument[..argument.len() - last.len()].trim();
            steps.push(step(function, format).ok_or_else(|| unsupported(function))?);
            subject
        }
    };
    for stage in stages {
        let (function, argument) = head(stage);
        steps.push(step(function, argument).ok_or_else(|| unsupported(stage))?);
    }
    Ok(Part::Show(subject, steps))
}

fn unsupported(text: &str) -> String {
    format!(
        "the template action `{text}` is not supported: expected $value, $labels.NAME, or one of \
         them through humanize, humanize1024, humanizeDuration, humanizePercentage, printf, title, \
         toUpper, toLower"
    )
}

fn head(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((head, rest)) => (head, rest.trim()),
        None => (text, ""),
    }
}

fn subject(text: &str) -> Option<Subject> {
    let name = |prefix: &str| text.strip_prefix(prefix);
    let is_name = |n: &&str| n.chars().all(|c| c.is_alphanumeric() || c == '_') && !n.is_empty();
    match text {
        "$value" | ".Value" => return Some(Subject::Value),
        "$externalURL" | ".ExternalURL" => return Some(Subject::Nothing),
        _ => {}
    }
    if let Some(label) = name("$labels.")
        .or_else(|| name(".Labels."))
        .filter(is_name)
    {
        return Some(Subject::Label(label.to_owned()));
    }
    let external = name("$externalLabels.").or_else(|| name(".ExternalLabels."));
    if external.filter(is_name).is_some() {
        return Some(Subject::Nothing);
    }
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    quoted.map(|t| Subject::Text(t.to_owned()))
}

fn step(function: &str, argument: &str) -> Option<Step> {
    Some(match (function, argument) {
        ("humanize", "") => Step::Humanize,
        ("humanize1024", "") => Step::Humanize1024,
        ("humanizeDuration", "") => Step::HumanizeDuration,
        ("humanizePercentage", "") => Step::HumanizePercentage,
        ("title", "") => Step::Title,
        ("toUpper", "") => Step::Upper,
        ("toLower", "") => Step::Lower,
        ("safeHtml" | "html" | "print" | "toString", "") => Step::Same,
        ("printf", format) => {
            let format = format.strip_prefix('"')?.strip_suffix('"')?;
            (format.matches('%').count() == 1).then(|| Step::Printf(format.to_owned()))?
        }
        _ => return None,
    })
}

/// `%v` of Go: the shortest text, with an exponent for very small and very large numbers.
fn go_float(value: f64) -> String {
    if !value.is_finite() {
        return special(value);
    }
    let exponent = if value == 0.0 {
        0
    } else {
        value.abs().log10().floor() as i32
    };
    match exponent {
        -4..21 => value.to_string(),
        _ => go_exponent(&format!("{value:e}")),
    }
}

fn special(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN",
        v if v > 0.0 => "+Inf",
        _ => "-Inf",
    }
    .to_owned()
}

/// Rust writes `1e-7`, Go `1e-07`.
fn go_exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((number, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{number}e{sign}{digits:0>2}")
        }
        None => text.to_owned(),
    }
}

/// `%.{digits}g` of C and Go.
fn general(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return special(value);
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let (number, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return go_exponent(&format!("{}e{power}", trim(number)));
    }
    let places = (digits as i32 - 1 - exponent).max(0) as usize;
    trim(&format!("{value:.places$}"))
}

fn humanize(value: f64, base: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return general(value, 4);
    }
    let large: &[&str] = if base == 1000.0 {
        &["k", "M", "G", "T", "P", "E", "Z", "Y"]
    } else {
        &["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]
    };
    let (mut value, mut prefix) = (value, "");
    if value.abs() >= 1.0 {
        for unit in large {
            if value.abs() < base {
                break;
            }
            prefix = unit;
            value /= base;
        }
    } else if base == 1000.0 {
        for unit in ["m", "u", "n", "p", "f", "a", "z", "y"] {
            if value.abs() >= 1.0 {
                break;
            }
            prefix = unit;
            value *= base;
        }
    }
    format!("{}{prefix}", general(value, 4))
}

fn humanize_duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return general(seconds, 4);
    }
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    if seconds.abs() >= 1.0 {
        let (sign, whole) = (if seconds < 0.0 { "-" } else { "" }, seconds.abs() as i64);
        let (d, h, m, s) = (
            whole / 86_400,
            whole / 3600 % 24,
            whole / 60 % 60,
            whole % 60,
        );
        return match (d, h, m) {
            (0, 0, 0) => format!("{sign}{}s", general(seconds.abs(), 4)),
            (0, 0, _) => format!("{sign}{m}m {s}s"),
            (0, _, _) => format!("{sign}{h}h {m}m {s}s"),
            _ => format!("{sign}{d}d {h}h {m}m {s}s"),
        };
    }
    let (mut value, mut prefix) = (seconds, "");
    for unit in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = unit;
        value *= 1000.0;
    }
    format!("{}{prefix}s", general(value, 4))
}

/// `printf` with one verb: `%s`, `%v`, `%d`, `%f`, `%g` with a precision.
fn printf(format: &str, value: Option<f64>, text: &str) -> String {
    let Some(at) = format.find('%') else {
        return format.to_owned();
    };
    let rest = &format[at + 1..];
    let end = rest.find(char::is_alphabetic).unwrap_or(0);
    let (flags, verb) = (&rest[..end], rest[end..].chars().next().unwrap_or('v'));
    let after = rest.get(end + verb.len_utf8()..).unwrap_or_default();
    let precision = flags
        .split_once('.')
        .map(|(_, p)| p.parse::<usize>().unwrap_or(0));
    let shown = match (verb, value) {
        ('f', Some(v)) => format!("{v:.*}", precision.unwrap_or(6)),
        ('g', Some(v)) => precision.map_or_else(|| go_float(v), |p| general(v, p)),
        ('d', Some(v)) => format!("{v:.0}"),
        _ => text.to_owned(),
    };
    format!("{}{shown}{after}", &format[..at])
}

fn title(text: &str) -> String {
    let mut start = true;
    let upper = |c: char| -> String {
        let up = start;
        start = !c.is_alphanumeric();
        if up {
            c.to_uppercase().collect()
        } else {
            c.to_string()
        }
    };
    text.chars().map(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, value: f64) -> String {
        let mut labels = Labels::default();
        let of = labels.intern([("agent_id", "support-agent"), ("region", "eu")]);
        let with = Context {
            labels: &labels,
            of,
            value,
        };
        Template::parse(text).unwrap().fill(with)
    }

    #[test]
    fn places_are_filled_as_go_fills_them() {
        for (text, value, out) in [
            ("plain", 1.0, "plain"),
            (
                "{{ $labels.agent_id }} at {{$value}}",
                0.25,
                "support-agent at 0.25",
            ),
            ("{{ $value | humanizePercentage }}", 0.072_12, "7.212%"),
            ("{{ humanizePercentage $value }}", 1.0, "100%"),
            ("{{ $value | humanize }}", 1_234_567.0, "1.235M"),
            ("{{ .Value | humanizeDuration }}", 3725.0, "1h 2m 5s"),
            ("{{ printf \"%.2f\" $value }}s", 1.005, "1.00s"),
            ("{{ $value | printf \"%.1f\" }}", 2.25, "2.2"),
            ("{{ $value }}", 1e-7, "1e-07"),
            ("{{ $labels.region | toUpper }}", 0.0, "EU"),
            ("{{ $labels.nothing }}", 0.0, ""),
        ] {
            assert_eq!(filled(text, value), out, "{text}");
        }
    }

    #[test]
    fn what_is_not_supported_is_named_with_its_place() {
        let (at, why) = Template::parse("x {{ range query \"up\" }}").unwrap_err();
        assert_eq!(at, 2);
        assert!(why.contains("`range`"), "{why}");
        assert_eq!(Template::parse("{{ $value").unwrap_err().0, 0);
    }
}
