//! Classes of failures, from status codes and type names; error texts are looked at, never kept.

use super::field::{NumberField, TextField};
use super::slots::Slots;
use crate::ingest::{RawEvent, RawSpan, Text};
use crate::model::{ErrorKind, Op, Status};

/// What is known of a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    /// Its class; `None` when nothing failed.
    pub(super) kind: Option<ErrorKind>,
    /// The HTTP status behind it, or of the answer.
    pub(super) status: Option<u16>,
    /// True when the span itself does not say that it failed.
    pub(super) silent: bool,
}

/// Looks for a failure in everything the span says.
pub(super) fn find(raw: &RawSpan<'_>, slots: &Slots<'_>, op: Op) -> Fault {
    let mut status = slots.number(NumberField::HttpStatus).and_then(http_status);
    let named = slots.text(TextField::ErrorType);
    let marked = slots.is(TextField::Level, "ERROR");
    let failed = raw.status == Status::Error || marked || named.is_some();
    if !failed && status.is_none_or(|s| s < 400) {
        return Fault {
            kind: None,
            status,
            silent: false,
        };
    }
    let exception = raw.events.iter().find(|e| e.name == "exception");
    let texts = [
        named,
        exception.and_then(|e| text_of(e, "exception.type")),
        exception.and_then(|e| text_of(e, "exception.message")),
        slots.text(TextField::ErrorText),
        Some(raw.status_message),
    ];
    let mut class = None;
    for text in texts.into_iter().flatten().filter(|t| !t.is_empty()) {
        let mut buffer = [0u8; LOOKED_AT];
        let lower = lower_start(text, &mut buffer);
        status = status.or_else(|| status_in(lower));
        class = match (class, by_words(lower)) {
            (None | Some(ErrorKind::BadRequest | ErrorKind::Server), Some(found)) => Some(found),
            (known, _) => known,
        };
    }
    let too_long = class == Some(ErrorKind::ContextLength);
    let kind = match status.and_then(by_status) {
        Some(ErrorKind::BadRequest) if too_long => ErrorKind::ContextLength,
        Some(kind) => kind,
        None => class.unwrap_or(if op.is_tool() {
            ErrorKind::Tool
        } else {
            ErrorKind::Other
        }),
    };
    Fault {
        kind: Some(kind),
        status,
        silent: raw.status != Status::Error,
    }
}

/// How much of an error text is looked at.
const LOOKED_AT: usize = 512;

fn text_of<'a>(event: &'a RawEvent<'a>, key: &str) -> Option<Text<'a>> {
    event
        .attributes
        .iter()
        .find(|a| a.key == key)
        .and_then(|a| match &a.value {
            crate::ingest::RawValue::Str(text) => Some(*text),
            _ => None,
        })
}

fn lower_start<'b>(text: Text<'_>, buffer: &'b mut [u8; LOOKED_AT]) -> &'b [u8] {
    let bytes = text.raw();
    let len = bytes.len().min(LOOKED_AT);
    buffer[..len].copy_from_slice(&bytes[..len]);
    buffer[..len].make_ascii_lowercase();
    &buffer[..len]
}

/// A status code as a number, when it can be one.
pub(super) fn http_status(number: f64) -> Option<u16> {
    (100.0..600.0).contains(&number).then_some(number as u16)
}

/// The class of an HTTP status; `None` below 400.
pub(super) fn by_status(status: u16) -> Option<ErrorKind> {
    Some(match status {
        ..400 => return None,
        429 => ErrorKind::RateLimit,
        503 | 529 => ErrorKind::Overloaded,
        408 | 504 => ErrorKind::Timeout,
        401 | 403 => ErrorKind::Auth,
        499 => ErrorKind::Cancelled,
        400..500 => ErrorKind::BadRequest,
        _ => ErrorKind::Server,
    })
}

/// A status code inside an error text: the whole text, or after a phrase that announces one.
fn status_in(lower: &[u8]) -> Option<u16> {
    if lower.len() == 3 {
        return code_at(lower, 0);
    }
    let phrases: [&[u8]; 5] = [
        b"error code: ",
        b"status_code: ",
        b"status code: ",
        b"status code ",
        b"http ",
    ];
    phrases.iter().find_map(|phrase| {
        let at = memchr::memmem::find(lower, phrase)?;
        code_at(lower, at + phrase.len())
    })
}

fn code_at(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 3)?;
    if bytes.get(at + 3).is_some_and(u8::is_ascii_digit) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits
        .iter()
        .fold(0u16, |n, d| n * 10 + u16::from(d - b'0'));
    (400..600).contains(&code).then_some(code)
}

/// Words of error types and messages, in lower case, and their class. The first that occurs wins.
const WORDS: [(&[u8], ErrorKind); 46] = [
    (b"context_length", ErrorKind::ContextLength),
    (b"contextwindow", ErrorKind::ContextLength),
    (b"context window", ErrorKind::ContextLength),
    (b"maximum context", ErrorKind::ContextLength),
    (b"prompt is too long", ErrorKind::ContextLength),
    (b"input is too long", ErrorKind::ContextLength),
    (b"ratelimit", ErrorKind::RateLimit),
    (b"rate_limit", ErrorKind::RateLimit),
    (b"rate limit", ErrorKind::RateLimit),
    (b"too many requests", ErrorKind::RateLimit),
    (b"throttl", ErrorKind::RateLimit),
    (b"insufficient_quota", ErrorKind::RateLimit),
    (b"resource_exhausted", ErrorKind::RateLimit),
    (b"overloaded", ErrorKind::Overloaded),
    (b"serviceunavailable", ErrorKind::Overloaded),
    (b"service unavailable", ErrorKind::Overloaded),
    (b"upstream unavailable", ErrorKind::Overloaded),
    (b"timeout", ErrorKind::Timeout),
    (b"timed out", ErrorKind::Timeout),
    (b"timed_out", ErrorKind::Timeout),
    (b"deadline", ErrorKind::Timeout),
    (b"connectionerror", ErrorKind::Connection),
    (b"connection error", ErrorKind::Connection),
    (b"connection_error", ErrorKind::Connection),
    (b"connecterror", ErrorKind::Connection),
    (b"remoteprotocolerror", ErrorKind::Connection),
    (b"peer closed connection", ErrorKind::Connection),
    (b"connection reset", ErrorKind::Connection),
    (b"econnreset", ErrorKind::Connection),
    (b"econnrefused", ErrorKind::Connection),
    (b"connection refused", ErrorKind::Connection),
    (b"cancel", ErrorKind::Cancelled),
    (b"aborterror", ErrorKind::Cancelled),
    (b"authentication", ErrorKind::Auth),
    (b"permissiondenied", ErrorKind::Auth),
    (b"permission_denied", ErrorKind::Auth),
    (b"unauthorized", ErrorKind::Auth),
    (b"badrequest", ErrorKind::BadRequest),
    (b"bad request", ErrorKind::BadRequest),
    (b"invalid_request", ErrorKind::BadRequest),
    (b"unprocessable", ErrorKind::BadRequest),
    (b"tool_error", ErrorKind::Tool),
    (b"internalservererror", ErrorKind::Server),
    (b"internal server error", ErrorKind::Server),
    (b"server had an error", ErrorKind::Server),
    (b"api_error", ErrorKind::Server),
];

fn by_words(lower: &[u8]) -> Option<ErrorKind> {
    WORDS
        .iter()
        .find(|(word, _)| memchr::memmem::find(lower, word).is_some())
        .map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_classes() {
        assert_eq!(by_status(200), None);
        assert_eq!(by_status(429), Some(ErrorKind::RateLimit));
        assert_eq!(by_status(529), Some(ErrorKind::Overloaded));
        assert_eq!(by_status(504), Some(ErrorKind::Timeout));
        assert_eq!(by_status(422), Some(ErrorKind::BadRequest));
        assert_eq!(by_status(500), Some(ErrorKind::Server));
    }

    #[test]
    fn statuses_are_found_in_texts() {
        assert_eq!(status_in(b"503"), Some(503));
        assert_eq!(status_in(b"error code: 429 - slow down"), Some(429));
        assert_eq!(status_in(b"status_code: 5000"), None);
        assert_eq!(status_in(b"http 200"), None);
    }

    fn fault_of(status: Status, message: &[u8], kind: &str) -> Fault {
        let attributes = [crate::ingest::RawAttr {
            key: "error.type".into(),
            value: crate::ingest::RawValue::Str(Text::plain(kind.as_bytes())),
        }];
        let raw = RawSpan {
            status,
            status_message: Text::plain(message),
            ..RawSpan::default()
        };
        let mut slots = Slots::new(None);
        slots.gather(
            &attributes,
            &[],
            &mut super::super::keys::KeyMemo::default(),
            |_| (),
        );
        find(&raw, &slots, Op::Llm)
    }

    #[test]
    fn types_and_messages_have_classes() {
        let class = |message: &[u8], kind| fault_of(Status::Error, message, kind).kind;
        assert_eq!(class(b"", "RateLimitError"), Some(ErrorKind::RateLimit));
        assert_eq!(
            class(
                b"Error code: 400 - maximum context length is 8",
                "BadRequestError"
            ),
            Some(ErrorKind::ContextLength)
        );
        assert_eq!(class(b"Gateway Timeout", ""), Some(ErrorKind::Timeout));
        assert_eq!(class(b"", "503"), Some(ErrorKind::Overloaded));
        assert_eq!(class(b"odd", "Odd"), Some(ErrorKind::Other));
        assert_eq!(fault_of(Status::Unset, b"", ""), Fault::default());
        assert!(fault_of(Status::Unset, b"", "timeout").silent);
    }
}
