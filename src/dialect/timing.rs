//! Times inside a call: first token, queue, prefill, decode.

use super::DIALECTS;
use super::field::{NumberField as N, RawField, TextField};
use super::serving;
use super::slots::Slots;
use crate::ingest::{RawEvent, RawSpan};
use crate::model::{Known, LlmCall, Op, Span, Via};
use crate::units::Nanos;

/// Fills the times of `call`. The answer counts figures that cannot be true: a first token after
/// the end is a mixed-up unit, and is left out rather than rescaled.
pub(super) fn fill(call: &mut LlmCall, raw: &RawSpan<'_>, slots: &Slots<'_>, span: &Span) -> u32 {
    let mut refused = 0;
    let longest = if span.is_open() {
        f64::INFINITY
    } else {
        span.duration().0 as f64 * 1.05
    };
    let mut within = |number: Option<f64>| -> Option<Known<Nanos>> {
        let number = number.filter(|n| *n > 0.0)?;
        if number <= longest {
            return Some(Known::attribute(Nanos(number as u64)));
        }
        refused += 1;
        None
    };
    call.first_token = within(first_token(slots));
    call.model_time = within(slots.number(N::ModelTime));
    if call.first_token.is_none() {
        call.first_token =
            from_instant(slots, span, longest).or_else(|| from_events(raw, slots, span));
    }
    if span.op == Op::Engine {
        let known = |field| {
            slots
                .number(field)
                .map(|n| Known::attribute(Nanos(n as u64)))
        };
        call.queue = known(N::Queue);
        call.prefill = known(N::Prefill);
        call.decode = known(N::Decode);
        let (queue, compute) = serving::marked(raw);
        let event = |value| Known {
            value,
            via: Via::Event,
        };
        call.queue = call.queue.or(queue.map(event));
        call.decode = call.decode.or(compute.map(event));
        call.model_time = None;
    }
    refused
}

/// Takes the queue out of a prefill time that contains it.
pub(super) fn take_queue_out(call: &mut LlmCall) {
    if let (Some(prefill), Some(queue)) = (&mut call.prefill, call.queue) {
        prefill.value = prefill.value.since(queue.value);
    }
}

/// The attribute, in nanoseconds. One name is used with seconds by most and with milliseconds by
/// Strands.
fn first_token(slots: &Slots<'_>) -> Option<f64> {
    slots.number(N::FirstToken).or_else(|| {
        let seconds = slots.number(N::ServerFirstToken)?;
        let strands = slots.is(TextField::Provider, "strands-agents");
        Some(if strands { seconds / 1e3 } else { seconds })
    })
}

/// The instant of the first token written as text, less the start of the span.
fn from_instant(slots: &Slots<'_>, span: &Span, longest: f64) -> Option<Known<Nanos>> {
    let text = slots.raw_text(RawField::FirstTokenAt)?.get().into_owned();
    let instant: jiff::Timestamp = text
        .trim_matches(|c| matches!(c, '"' | '\\' | ' '))
        .parse()
        .ok()?;
    let at = Nanos(u64::try_from(instant.as_nanosecond()).ok()?);
    // Such an instant comes from the client's wall clock, cut to microseconds.
    checked(at, span, longest).map(|value| Known {
        value,
        via: Via::Attribute,
    })
}

/// The first event that marks a token. It is the span's own clock and has no unit to be mixed up: where the
/// emitter ended the span when the stream opened, it comes after the end.
fn from_events(raw: &RawSpan<'_>, slots: &Slots<'_>, span: &Span) -> Option<Known<Nanos>> {
    let at = raw
        .events
        .iter()
        .filter(|event| marks_first_token(event, slots))
        .filter_map(|event| event.time)
        .min()?;
    checked(at, span, f64::INFINITY).map(|value| Known {
        value,
        via: Via::Event,
    })
}

fn checked(at: Nanos, span: &Span, longest: f64) -> Option<Nanos> {
    let value = at.since(span.start);
    (value > Nanos::ZERO && value.0 as f64 <= longest).then_some(value)
}

fn marks_first_token(event: &RawEvent<'_>, slots: &Slots<'_>) -> bool {
    let name = event.name.as_ref();
    if name == "gen_ai.choice" {
        return slots.number(N::Streamed) == Some(1.0);
    }
    DIALECTS
        .iter()
        .any(|d| d.first_token_events.contains(&name))
}
