//! HTTP client and server spans, stable and older attribute names.

use super::field::{NumberField as N, TextField as T};
use super::vocabulary::{Dialect, Key, Trust, number, text, unused};

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "http",
    gives: "hosts, status codes, resends below a call",
    loses: "what was asked",
    trust: Trust::General,
    keys: KEYS,
    unused: &["http.", "url.", "net.", "network.", "server.", "client."],
    ..Dialect::SILENT
};

const KEYS: &[Key] = &[
    text("http.request.method", T::Method),
    text("http.method", T::Method),
    text("http.route", T::Route),
    text("http.target", T::Route),
    number("http.response.status_code", N::HttpStatus),
    number("http.status_code", N::HttpStatus),
    number("http.request.resend_count", N::Resends),
    text("url.full", T::Url),
    text("http.url", T::Url),
    unused("url.path"),
    unused("url.query"),
];
