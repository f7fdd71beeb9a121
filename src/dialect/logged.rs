//! Calls that coding agents write to their log: Claude Code, Codex CLI, Gemini CLI. Each record becomes
//! a span. Where the dump also holds the spans of the same emitter, these are the calls, and the log
//! repeats them: [`choose_signal`] leaves it out.

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};

use crate::ingest::{RawAttr, RawLog, RawSpan, RawValue};
use crate::model::{
    CallIx, Dataset, Digest, IssueKind, Op, Place, Record, Span, SpanFlags, SpanId, SpanKind,
    Status, TaskFacts, TraceId,
};
use crate::units::{Nanos, Sym};

/// One that logs its calls.
struct Emitter {
    /// Beginning of its record names.
    prefix: &'static str,
    /// Scope that its records are counted under.
    scope: &'static str,
    /// Beginnings of the scopes of its spans.
    spans: [&'static str; 2],
    /// Attributes that together name one turn of one conversation.
    turn: [&'static str; 2],
    agent: &'static str,
}

const EMITTERS: [Emitter; 3] = [
    Emitter {
        prefix: "claude_code.",
        scope: "com.anthropic.claude_code.log",
        spans: ["com.anthropic.claude_code", "claude_code"],
        turn: ["session.id", "prompt.id"],
        agent: "claude-code",
    },
    Emitter {
        prefix: "codex.",
        scope: "codex.log",
        spans: ["codex", "codex_"],
        turn: ["conversation.id", "turn.id"],
        agent: "codex-cli",
    },
    Emitter {
        prefix: "gemini_cli.",
        scope: "gemini_cli.log",
        spans: ["gemini-cli", "gemini_cli"],
        turn: ["session.id", "prompt_id"],
        agent: "gemini-cli",
    },
];

/// Records that stand for a call, or for the prompt that begins a turn.
const RECORDS: [&str; 10] = [
    "claude_code.api_request",
    "claude_code.api_error",
    "claude_code.tool_result",
    "codex.api_request",
    "codex.sse_event",
    "codex.tool_result",
    PROMPT,
    "gemini_cli.api_response",
    "gemini_cli.api_error",
    "gemini_cli.tool_call",
];

/// Codex names no turn: one begins with each prompt.
const PROMPT: &str = "codex.user_prompt";
/// An attempt, whose usage stands in the record of its answer.
const ATTEMPT: &str = "codex.api_request";
const ANSWER: &str = "codex.sse_event";

/// The span that a log record stands for, and its scope; `None` for any other record.
pub(super) fn span_of<'a>(log: &RawLog<'a>) -> Option<(RawSpan<'a>, &'static str)> {
    let said = match &log.body {
        _ if log.event.contains('.') => log.event.clone(),
        RawValue::Str(text) if text.raw().len() < 64 => text.get(),
        _ => return None,
    };
    let name = RECORDS.into_iter().find(|name| *name == said)?;
    let emitter = EMITTERS.iter().find(|e| name.starts_with(e.prefix))?;
    let text = |key: &str| text_of(&log.attributes, key);
    if name == ANSWER && text("event.kind").as_deref() != Some("response.completed") {
        return None;
    }
    let end = log.time?;
    let length = number_of(&log.attributes, "duration_ms").and_then(Nanos::from_millis);
    let [session, turn] = emitter.turn.map(|key| text(key).unwrap_or_default());
    let own = ["request_id", "tool_use_id", "call_id", "attempt"]
        .map(|key| text(key).unwrap_or_default())
        .join(" ");
    let failed = name.ends_with("_error")
        || number_of(&log.attributes, "http.response.status_code").is_some_and(|s| s >= 400.0);
    let span = RawSpan {
        trace: match log.trace.0 {
            0 => trace_of(&[emitter.prefix, &session, &turn]),
            _ => log.trace,
        },
        id: SpanId(digest(&[name, &own, &end.0.to_string()])),
        name: Cow::Borrowed(name),
        kind: SpanKind::Client,
        start: Some(end.since(length.unwrap_or_default())),
        end: Some(end),
        status: if failed { Status::Error } else { Status::Unset },
        attributes: log.attributes.clone(),
        place: log.place,
        ..RawSpan::default()
    };
    Some((span, emitter.scope))
}

fn text_of(attributes: &[RawAttr<'_>], key: &str) -> Option<String> {
    let found = attributes.iter().find(|a| a.key == key)?;
    match &found.value {
        RawValue::Str(text) => Some(text.get().into_owned()),
        RawValue::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number_of(attributes: &[RawAttr<'_>], key: &str) -> Option<f64> {
    let found = attributes.iter().find(|a| a.key == key)?;
    match &found.value {
        RawValue::Str(text) => text.get().parse().ok(),
        RawValue::Int(number) => Some(*number as f64),
        RawValue::Double(number) => Some(*number),
        _ => None,
    }
}

fn digest(parts: &[&str]) -> u64 {
    Digest::of(parts.join("\n").as_bytes()).0.get()
}

fn trace_of(parts: &[&str]) -> TraceId {
    let both = [digest(parts), digest(&[&["trace"], parts].concat())];
    TraceId(u128::from(both[0]) << 64 | u128::from(both[1]))
}

/// Keeps one signal of each emitter that logs its calls: its spans where the dump has them, else what
/// the log says, put together turn by turn. Call it once, when everything was read.
pub fn choose_signal(data: &mut Dataset) {
    Signals::of(data).choose(data);
}

/// Which emitters a dump holds log records of, and which spans. Those of parts add up to those of the whole.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Signals([Signal; EMITTERS.len()]);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Signal {
    logged: bool,
    traced: bool,
}

impl Signals {
    /// Those of `data`.
    #[must_use]
    pub fn of(data: &Dataset) -> Self {
        let names = scope_names(data);
        Self(EMITTERS.each_ref().map(|emitter| Signal {
            logged: !emitter.logged(&names).is_empty(),
            traced: emitter.is_traced(data, &names),
        }))
    }

    /// Takes in those of another part.
    pub fn absorb(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            own.logged |= other.logged;
            own.traced |= other.traced;
        }
    }

    /// True where something is logged.
    #[must_use]
    pub fn any_logged(&self) -> bool {
        self.0.iter().any(|signal| signal.logged)
    }

    /// Leaves in `data` what they say is to be kept.
    pub fn choose(&self, data: &mut Dataset) {
        let names = scope_names(data);
        for (emitter, signal) in EMITTERS.iter().zip(&self.0) {
            let logged = emitter.logged(&names);
            if logged.is_empty() {
                continue;
            }
            if signal.traced {
                leave_out(data, &logged);
            } else {
                pair_answers(data, &logged);
                divide_turns(data, &logged);
                add_roots(data, &logged, emitter);
            }
        }
    }
}

fn scope_names(data: &Dataset) -> Vec<String> {
    let scopes = data.scopes.iter();
    scopes.map(|s| data.text(s.name).to_owned()).collect()
}

impl Emitter {
    /// The scopes of its log records.
    fn logged(&self, names: &[String]) -> HashSet<u32> {
        let scopes = names.iter().zip(0..);
        let own = scopes.filter(|(name, _)| *name == self.scope);
        own.map(|(_, scope)| scope).collect()
    }

    /// True where spans of it are in `data`.
    fn is_traced(&self, data: &Dataset, names: &[String]) -> bool {
        let own = |name: &str| {
            // What this program exported holds the calls as spans, and their records once more.
            let plain = name.strip_prefix("agentdiag/").unwrap_or(name);
            name != self.scope && self.spans.iter().any(|start| plain.starts_with(start))
        };
        let scopes: HashSet<u32> = names
            .iter()
            .zip(0..)
            .filter(|(name, _)| own(name))
            .map(|(_, scope)| scope)
            .collect();
        let mut calls = data.records.iter().filter(|span| span.op == Op::Llm);
        !scopes.is_empty() && calls.any(|span| of(data, span, &scopes))
    }
}

/// True for a span of one of these scopes.
fn of(data: &Dataset, span: &Span, scopes: &HashSet<u32>) -> bool {
    scopes.contains(&data.emitter_of(span).scope)
}

fn leave_out(data: &mut Dataset, logged: &HashSet<u32>) {
    let repeated: Vec<Place> = data
        .records
        .iter()
        .filter(|s| of(data, s, logged))
        .map(|s| s.place)
        .collect();
    for place in repeated {
        data.ledger.note(IssueKind::TwinCall, place, || {
            "a log record of a call that a span records as well".into()
        });
    }
    let mut spans = std::mem::take(&mut data.records);
    spans.retain(|s| !of(data, s, logged));
    data.records = spans;
}

/// Spans of these scopes, by trace and time.
fn in_order(data: &Dataset, logged: &HashSet<u32>) -> Vec<u32> {
    let mut found: Vec<u32> = (0..data.records.len() as u32)
        .filter(|&i| of(data, &data.records[i as usize], logged))
        .collect();
    found.sort_by_key(|&i| {
        let span = &data.records[i as usize];
        (data.trace_of(span), span.start, span.end, span.id)
    });
    found
}

/// The answer of a request holds its usage, the request its duration: one call. An attempt that
/// failed has no answer and stays.
fn pair_answers(data: &mut Dataset, logged: &HashSet<u32>) {
    let mut gone = HashSet::new();
    let mut open: Option<u32> = None;
    for i in in_order(data, logged) {
        let span = data.records[i as usize];
        let attempt = open.filter(|&a| data.records[a as usize].trace == span.trace);
        match data.text(span.name) {
            ATTEMPT if !span.failed() => open = Some(i),
            ANSWER => {
                if let Some(attempt) = attempt {
                    data.records[i as usize].start = data.records[attempt as usize].start;
                    gone.insert(attempt);
                    open = None;
                }
            }
            _ => {}
        }
    }
    let mut index = 0;
    data.records.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

/// Where prompts are records of their own, each begins a trace.
fn divide_turns(data: &mut Dataset, logged: &HashSet<u32>) {
    let mut turn: Option<(TraceId, Nanos)> = None;
    for i in in_order(data, logged) {
        let span = data.records[i as usize];
        if data.text(span.name) == PROMPT {
            turn = Some((data.trace_of(&span), span.start));
        }
        if let Some((trace, start)) = turn.filter(|t| t.0 == data.trace_of(&span)) {
            let parts = [trace.to_string(), start.0.to_string()];
            let own = data.traces.number(trace_of(&[&parts[0], &parts[1]]));
            data.records[i as usize].trace = own;
        }
    }
}

/// One agent span around the calls of each turn.
fn add_roots(data: &mut Dataset, logged: &HashSet<u32>, emitter: &Emitter) {
    let mut turns: HashMap<TraceId, (Record, Sym)> = HashMap::new();
    for i in in_order(data, logged) {
        let span = data.records[i as usize];
        let conversation = data.llm_of(&span).map_or(Sym::NONE, |c| c.conversation);
        let trace = data.trace_of(&span);
        let (root, known) = turns.entry(trace).or_insert((
            Record {
                id: SpanId(digest(&["turn", &trace.to_string()])),
                parent: SpanId::NONE,
                place: span.place,
                span: Span {
                    kind: SpanKind::Internal,
                    status: Status::Unset,
                    flags: SpanFlags::default(),
                    error: None,
                    op: Op::Agent,
                    call: CallIx::NONE,
                    ..span.span
                },
            },
            conversation,
        ));
        root.start = root.start.min(span.start);
        root.end = root.end.max(span.end);
        *known = known.or(conversation);
        let id = root.id;
        data.records[i as usize].parent = id;
    }
    let agent = data.names.intern(emitter.agent);
    let mut turns: Vec<(Record, Sym)> = turns.into_values().collect();
    turns.sort_by_key(|(root, _)| data.trace_of(root));
    for (mut root, conversation) in turns {
        data.tasks.push(TaskFacts {
            agent,
            conversation,
            ..TaskFacts::default()
        });
        root.call = CallIx(data.tasks.len() as u32 - 1);
        root.name = agent;
        data.records.push(root);
    }
}
