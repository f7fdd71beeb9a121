//! Records cut down to the limits before anybody keeps them.

use super::limits::Limits;
use super::raw::{RawAttr, RawLog, RawMetric, RawSpan, RawValue};

/// What was left out of a record.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Excess {
    /// Attributes beyond the limit.
    pub(super) attributes: u64,
    /// Names and texts beyond the limit.
    pub(super) texts: u64,
}

impl Excess {
    /// True when there was any.
    pub(super) fn is_any(self) -> bool {
        self != Self::default()
    }

    /// Adds what exceeds the limits in `list`.
    pub(super) fn list(&mut self, list: &[RawAttr<'_>], limits: Limits) {
        let most = limits.attributes as usize;
        self.attributes += list.len().saturating_sub(most) as u64;
        let long = |attr: &&RawAttr<'_>| is_long(&attr.value, limits) || name(&attr.key, limits);
        self.texts += list.iter().take(most).filter(long).count() as u64;
    }

    fn name(&mut self, text: &str, limits: Limits) {
        self.texts += u64::from(name(text, limits));
    }

    /// What exceeds the limits in `span`.
    pub(super) fn of_span(span: &RawSpan<'_>, limits: Limits) -> Self {
        let mut excess = Self::default();
        excess.name(&span.name, limits);
        excess.texts += u64::from(span.status_message.raw().len() as u64 > limits.text);
        excess.list(&span.attributes, limits);
        for event in &span.events {
            excess.name(&event.name, limits);
            excess.list(&event.attributes, limits);
        }
        excess
    }
}

fn name(text: &str, limits: Limits) -> bool {
    text.len() as u64 > limits.text
}

fn is_long(value: &RawValue<'_>, limits: Limits) -> bool {
    match value {
        RawValue::Str(text) => text.raw().len() as u64 > limits.text,
        RawValue::Bytes(bytes) => bytes.len() as u64 > limits.text,
        RawValue::List(list) => list.iter().any(|value| is_long(value, limits)),
        RawValue::Map(map) => {
            let long = |attr: &RawAttr<'_>| name(&attr.key, limits) || is_long(&attr.value, limits);
            map.iter().any(long)
        }
        _ => false,
    }
}

fn cut_list(list: &mut Vec<RawAttr<'_>>, limits: Limits) {
    list.truncate(limits.attributes as usize);
    for attr in list {
        if is_long(&attr.value, limits) {
            attr.value = RawValue::Null;
        }
        if name(&attr.key, limits) {
            attr.key = "".into();
        }
    }
}

/// What is within the limits of `list`.
pub(super) fn list<'a>(list: &[RawAttr<'a>], limits: Limits) -> Vec<RawAttr<'a>> {
    let mut list = list.to_vec();
    cut_list(&mut list, limits);
    list
}

/// Leaves out of `span` what exceeds the limits.
pub(super) fn span(span: &mut RawSpan<'_>, limits: Limits) {
    if name(&span.name, limits) {
        span.name = "".into();
    }
    if span.status_message.raw().len() as u64 > limits.text {
        span.status_message = Default::default();
    }
    cut_list(&mut span.attributes, limits);
    span.hints.truncate(span.attributes.len());
    for event in &mut span.events {
        if name(&event.name, limits) {
            event.name = "".into();
        }
        cut_list(&mut event.attributes, limits);
    }
}

/// Leaves out of `log` what exceeds the limits, and says what that was.
pub(super) fn log(log: &mut RawLog<'_>, limits: Limits) -> Excess {
    let mut excess = Excess::default();
    excess.name(&log.event, limits);
    excess.list(&log.attributes, limits);
    if is_long(&log.body, limits) {
        excess.texts += 1;
        log.body = RawValue::Null;
    }
    if excess.is_any() {
        if name(&log.event, limits) {
            log.event = "".into();
        }
        cut_list(&mut log.attributes, limits);
    }
    excess
}

/// Leaves out of `metric` what exceeds the limits, and says what that was.
pub(super) fn metric(metric: &mut RawMetric<'_>, limits: Limits) -> Excess {
    let mut excess = Excess::default();
    for point in &mut metric.points {
        let before = excess;
        excess.list(&point.attributes, limits);
        if excess != before {
            cut_list(&mut point.attributes, limits);
        }
    }
    excess
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::raw::{RawEvent, Text};

    fn attr(value: &str) -> RawAttr<'_> {
        RawAttr {
            key: "k".into(),
            value: RawValue::Str(Text::plain(value.as_bytes())),
        }
    }

    #[test]
    fn what_exceeds_a_limit_is_counted_and_left_out() {
        let limits = Limits {
            text: 4,
            attributes: 2,
            ..Limits::default()
        };
        let mut raw = RawSpan {
            name: "12345".into(),
            status_message: Text::plain(b"12345"),
            attributes: vec![attr("1234"), attr("12345"), attr("1")],
            hints: vec![1, 2, 3],
            events: vec![RawEvent {
                attributes: vec![attr("12345")],
                ..RawEvent::default()
            }],
            ..RawSpan::default()
        };
        let expected = Excess {
            attributes: 1,
            texts: 4,
        };
        assert_eq!(Excess::of_span(&raw, limits), expected);
        span(&mut raw, limits);
        assert_eq!(Excess::of_span(&raw, limits), Excess::default());
        assert_eq!((raw.attributes.len(), raw.hints.len()), (2, 2));
        assert!(matches!(raw.attributes[1].value, RawValue::Null));
        assert_eq!(Excess::of_span(&raw, Limits::default()), Excess::default());
    }
}
