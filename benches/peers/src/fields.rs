//! The fields of OTLP/JSON that a diagnosis needs, borrowed from the input wherever they can be.

use std::borrow::Cow;

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Request<'a> {
    #[serde(borrow, rename = "resourceSpans")]
    resource_spans: Vec<ResourceSpans<'a>>,
}

#[derive(Deserialize)]
struct ResourceSpans<'a> {
    #[serde(borrow)]
    resource: Resource<'a>,
    #[serde(borrow, rename = "scopeSpans")]
    scope_spans: Vec<ScopeSpans<'a>>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    attributes: Vec<Attribute<'a>>,
}

#[derive(Deserialize)]
struct ScopeSpans<'a> {
    #[serde(borrow)]
    scope: Scope<'a>,
    #[serde(borrow)]
    spans: Vec<Span<'a>>,
}

#[derive(Deserialize)]
struct Scope<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    #[serde(borrow)]
    trace_id: &'a str,
    #[serde(borrow)]
    span_id: &'a str,
    #[serde(borrow, default)]
    parent_span_id: &'a str,
    #[serde(borrow)]
    name: Cow<'a, str>,
    kind: u8,
    #[serde(borrow)]
    start_time_unix_nano: &'a str,
    #[serde(borrow)]
    end_time_unix_nano: &'a str,
    #[serde(borrow)]
    attributes: Vec<Attribute<'a>>,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize, Default)]
struct Status {
    #[serde(default)]
    code: u8,
}

#[derive(Deserialize)]
struct Attribute<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: Value<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value<'a> {
    #[serde(borrow, default)]
    string_value: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    int_value: Option<&'a str>,
    double_value: Option<f64>,
    bool_value: Option<bool>,
}

impl Request<'_> {
    /// Touches what was read, so that none of it can be left out.
    pub fn weight(&self) -> usize {
        let attribute = |a: &Attribute<'_>| {
            let value = &a.value;
            a.key.len()
                + value.string_value.as_ref().map_or(0, |s| s.len())
                + value.int_value.map_or(0, str::len)
                + usize::from(value.bool_value == Some(true))
                + usize::from(value.double_value.is_some())
        };
        let span = |s: &Span<'_>| {
            let ids = s.trace_id.len() + s.span_id.len() + s.parent_span_id.len();
            let times = s.start_time_unix_nano.len() + s.end_time_unix_nano.len();
            let rest = s.name.len() + usize::from(s.kind) + usize::from(s.status.code);
            ids + times + rest + s.attributes.iter().map(attribute).sum::<usize>()
        };
        let scope = |s: &ScopeSpans<'_>| s.scope.name.len() + s.spans.iter().map(span).sum::<usize>();
        let resources = self.resource_spans.iter().map(|r| {
            let own: usize = r.resource.attributes.iter().map(attribute).sum();
            own + r.scope_spans.iter().map(scope).sum::<usize>()
        });
        resources.sum()
    }
}
