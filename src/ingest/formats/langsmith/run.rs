//! One run.

use super::{Runs, order};
use crate::ingest::fields::Fields;
use crate::ingest::formats::plain::attr;
use crate::ingest::formats::record::Reader;
use crate::ingest::json::Step;
use crate::ingest::lenient;
use crate::ingest::raw::{RawAttr, RawEvent, RawSpan, RawValue, Text};
use crate::model::Status;
use crate::units::Nanos;

/// Token counts of one run, each from the best place that has it.
#[derive(Default)]
struct Usage {
    input: Option<i64>,
    output: Option<i64>,
    cached: Option<i64>,
    cache_write: Option<i64>,
    reasoning: Option<i64>,
    /// The totals beside the run: those of a chain sum up what is below it.
    beside: (Option<i64>, Option<i64>),
}

impl<'a> Reader<'a, '_, '_> {
    /// One run and those nested in it.
    pub(super) fn run(&mut self, runs: &mut Runs<'a>, depth: usize) -> Step<()> {
        let at = self.here();
        let mut span = RawSpan::default();
        let (mut sort, mut path) = (Text::default(), Text::default());
        let (mut usage, mut children) = (Usage::default(), None);
        let found = self.object("a run", |r, key| {
            match key {
                b"id" => span.id = r.span_id()?,
                b"trace_id" => span.trace = r.trace_id()?,
                b"parent_run_id" => span.parent = r.span_id()?,
                b"dotted_order" => path = r.text("a dotted order")?.unwrap_or_default(),
                b"name" => span.name = r.name("a run name")?,
                b"run_type" => sort = r.text("a run type")?.unwrap_or_default(),
                b"start_time" => span.start = r.moment("a start time")?,
                b"end_time" => span.end = r.moment("an end time")?,
                b"first_token_time" => {
                    let time = r.moment("the time of the first token")?;
                    span.events.extend(time.map(first_token));
                }
                b"status" if r.json.peek() == b'"' => {
                    let status = r.name("a status")?;
                    if status == "error" {
                        span.status = Status::Error;
                    }
                }
                b"error" => r.run_error(&mut span)?,
                b"inputs" => r.as_it_stands("gen_ai.tool.call.arguments", &mut span.attributes)?,
                b"outputs" => r.run_outputs(&mut usage, &mut span.attributes)?,
                b"extra" => r.run_extra(&mut usage, &mut span.attributes)?,
                b"events" => r.run_events(&mut span.events)?,
                b"prompt_tokens" => usage.beside.0 = r.number("tokens", lenient::integer)?,
                b"completion_tokens" => usage.beside.1 = r.number("tokens", lenient::integer)?,
                b"child_runs" => children = Some(r.later()?),
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if !found {
            return Ok(());
        }
        let order = order::read(&path.get());
        if span.trace.0 == 0 {
            span.trace = order.trace;
        }
        if span.parent.is_none() {
            span.parent = order.parent;
        }
        span.start = span.start.or(order.start);
        describe(&mut span, sort, &usage);
        span.place = self.out.place(at);
        runs.add(span, at, self);
        match children {
            Some(_) if depth == 0 => {
                self.out.too_deep("runs", at);
                Ok(())
            }
            Some(place) => self.back(place, |r| {
                r.list("a list of runs", |r| r.run(runs, depth - 1))
            }),
            None => Ok(()),
        }
    }

    fn run_error(&mut self, span: &mut RawSpan<'a>) -> Step<()> {
        if let Some(text) = self.text("an error")?.filter(|t| !t.is_empty()) {
            (span.status, span.status_message) = (Status::Error, text);
        }
        Ok(())
    }

    fn run_outputs(&mut self, usage: &mut Usage, into: &mut Vec<RawAttr<'a>>) -> Step<()> {
        if self.json.peek() != b'{' {
            return self.json.skip();
        }
        self.object("outputs", |r, key| {
            match (key, r.json.peek()) {
                (b"usage_metadata" | b"usage" | b"token_usage", b'{') => r.usage(usage)?,
                (b"llm_output", b'{') => r.run_outputs(usage, into)?,
                (b"model" | b"model_name", b'"') => {
                    r.as_it_stands("gen_ai.response.model", into)?;
                }
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    fn run_extra(&mut self, usage: &mut Usage, into: &mut Vec<RawAttr<'a>>) -> Step<()> {
        if self.json.peek() != b'{' {
            return self.json.skip();
        }
        self.object("extra", |r, key| {
            if (key, r.json.peek()) != (b"metadata", b'{') {
                return r.json.skip();
            }
            let place = r.json.at();
            r.as_it_stands("metadata", into)?;
            r.back(place, |r| {
                r.object("metadata", |r, key| {
                    match (key, r.json.peek()) {
                        (b"ls_model_name", b'"') => {
                            r.as_it_stands("gen_ai.request.model", into)?;
                        }
                        (b"ls_provider", b'"') => r.as_it_stands("gen_ai.provider.name", into)?,
                        (b"usage_metadata", b'{') => r.usage(usage)?,
                        _ => r.json.skip()?,
                    }
                    Ok(())
                })
            })
            .map(drop)
        })
        .map(drop)
    }

    /// Token counts in the spelling of LangChain or of OpenAI.
    fn usage(&mut self, usage: &mut Usage) -> Step<()> {
        self.object("usage", |r, key| {
            let slot = match key {
                b"input_tokens" | b"prompt_tokens" => &mut usage.input,
                b"output_tokens" | b"completion_tokens" => &mut usage.output,
                b"cache_read" | b"cached_tokens" => &mut usage.cached,
                b"cache_creation" => &mut usage.cache_write,
                b"reasoning" | b"reasoning_tokens" => &mut usage.reasoning,
                b"input_token_details"
                | b"output_token_details"
                | b"prompt_tokens_details"
                | b"completion_tokens_details"
                | b"input_tokens_details"
                | b"output_tokens_details"
                    if r.json.peek() == b'{' =>
                {
                    return r.usage(usage);
                }
                _ => return r.json.skip(),
            };
            *slot = r.number("tokens", lenient::integer)?.or(*slot);
            Ok(())
        })
        .map(drop)
    }

    /// Events: of those that stand for a token, the first.
    fn run_events(&mut self, into: &mut Vec<RawEvent<'a>>) -> Step<()> {
        if self.json.peek() != b'[' {
            return self.json.skip();
        }
        self.list("a list of events", |r| {
            let mut event = RawEvent::default();
            r.object("an event", |r, key| {
                match key {
                    b"name" => event.name = r.name("an event name")?,
                    b"time" => event.time = r.moment("an event time")?,
                    _ => r.json.skip()?,
                }
                Ok(())
            })?;
            let repeated = event.name == "new_token" && into.iter().any(|e| e.name == "new_token");
            if !repeated {
                into.push(event);
            }
            Ok(())
        })
    }
}

fn first_token<'a>(time: Nanos) -> RawEvent<'a> {
    RawEvent {
        name: "new_token".into(),
        time: Some(time),
        attributes: Vec::new(),
    }
}

/// The attributes that dialects know.
fn describe<'a>(span: &mut RawSpan<'a>, sort: Text<'a>, usage: &Usage) {
    let model = matches!(sort.raw(), b"llm" | b"embedding");
    let totals = match model {
        true => usage.beside,
        false => (None, None),
    };
    let counts = [
        ("gen_ai.usage.input_tokens", usage.input.or(totals.0)),
        ("gen_ai.usage.output_tokens", usage.output.or(totals.1)),
        ("gen_ai.usage.cache_read.input_tokens", usage.cached),
        (
            "gen_ai.usage.cache_creation.input_tokens",
            usage.cache_write,
        ),
        ("gen_ai.usage.reasoning_tokens", usage.reasoning),
    ];
    let into = &mut span.attributes;
    if !sort.is_empty() {
        into.push(attr("langsmith.span.kind", RawValue::Str(sort)));
        // What goes into anything but a tool is content.
        into.retain(|a| a.key != "gen_ai.tool.call.arguments" || sort.raw() == b"tool");
    }
    for (name, count) in counts {
        into.extend(count.map(|n| attr(name, RawValue::Int(n))));
    }
}
