//! Seeded dumps of any size: agents as exporters write them, OTLP/JSON, one export request a line.
//!
//! The same profile, size and seed give the same bytes; no clock is read.

mod dialects;
mod random;

use std::io::{self, Write};

use dialects::{Dialect, Fields, Kind, Step};
use random::Random;

/// What the spans carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    /// GenAI conventions without content: some 800 bytes a span.
    Lean,
    /// The same with prompts and answers of several kilobytes.
    Content,
    /// Four vocabularies side by side, a tenth of the requests with content.
    Mixed,
}

impl Profile {
    /// By name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Lean, Self::Content, Self::Mixed]
            .into_iter()
            .find(|profile| profile.name() == name)
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lean => "lean",
            Self::Content => "content",
            Self::Mixed => "mixed",
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) spans: u64,
    pub(crate) requests: u64,
}

/// 2026-05-12 08:00 UTC.
const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;
/// Requests of one service that are under way together and share export batches.
const TOGETHER: u64 = 24;

/// Writes whole lines until `size` bytes are reached.
pub(crate) fn write(
    out: &mut impl Write,
    profile: Profile,
    size: u64,
    seed: u64,
) -> io::Result<Written> {
    let mut maker = Maker {
        random: Random::new(seed),
        profile,
        prose: random::prose(64 * 1024),
        now: BEGIN,
        spans: Vec::new(),
    };
    let mut written = Written::default();
    let mut line = String::new();
    while written.bytes < size {
        let service = maker.random.below(dialects::SERVICES.len() as u64) as usize;
        let dialect = match profile {
            Profile::Mixed => Dialect::ALL[service % Dialect::ALL.len()],
            _ => Dialect::GenAi,
        };
        for _ in 0..TOGETHER {
            maker.request(dialect, service);
        }
        written.requests += TOGETHER;
        // Exporters send spans as they end: children before their parents.
        maker.spans.sort_by_key(|(end, _)| *end);
        let mut rest = maker.spans.as_slice();
        while !rest.is_empty() && written.bytes < size {
            let count = (50 + maker.random.below(151) as usize).min(rest.len());
            let (batch, later) = rest.split_at(count);
            rest = later;
            line.clear();
            export(&mut line, dialect, service, batch);
            out.write_all(line.as_bytes())?;
            written.bytes += line.len() as u64;
            written.lines += 1;
            written.spans += count as u64;
        }
        maker.spans.clear();
    }
    Ok(written)
}

fn export(line: &mut String, dialect: Dialect, service: usize, batch: &[(u64, String)]) {
    line.push_str(r#"{"resourceSpans":[{"resource":{"attributes":["#);
    let mut fields = Fields::new(line);
    fields.text("service.name", dialects::SERVICES[service]);
    fields.text("service.version", "1.5.0");
    fields.text("deployment.environment.name", "production");
    fields.text("telemetry.sdk.language", "python");
    fields.text("telemetry.sdk.name", "opentelemetry");
    fields.text("telemetry.sdk.version", "1.38.0");
    fields.text("cloud.region", "eu-west-1");
    line.push_str(r#"]},"scopeSpans":[{"scope":{"name":""#);
    line.push_str(dialect.scope());
    line.push_str(r#"","version":"0.43.0"},"spans":["#);
    for (index, (_, span)) in batch.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        line.push_str(span);
    }
    line.push_str("]}]}]}\n");
}

struct Maker {
    random: Random,
    profile: Profile,
    prose: String,
    now: u64,
    /// Rendered spans and their ends.
    spans: Vec<(u64, String)>,
}

impl Maker {
    /// One request: root, agent, one to eight rounds of a model call and its tools.
    fn request(&mut self, dialect: Dialect, service: usize) {
        self.now += self.random.below(2000) * MS;
        let trace = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
        let (root, agent) = (self.random.next(), self.random.next());
        let content = match self.profile {
            Profile::Lean => false,
            Profile::Content => true,
            Profile::Mixed => self.random.below(10) == 0,
        };
        let slow = self.random.below(30) == 0;
        let mut step = Step {
            dialect,
            service,
            trace,
            conversation: self.random.next(),
            ..Step::default()
        };
        let start = self.now;
        let mut at = start + MS;
        let (mut prompt, mut cached) = (1500 + self.random.below(6000), 0);
        let rounds = 1 + self.random.below(8);
        for round in 0..rounds {
            let last = round + 1 == rounds;
            let output = 20 + self.random.below(if last { 700 } else { 120 });
            step.tokens = (prompt, cached, output);
            step.last = last;
            if self.random.below(40) == 0 {
                step.failed = true;
                at = self.model_call(&mut step, agent, at, content) + 500 * MS;
                step.failed = false;
            }
            at = self.model_call(&mut step, agent, at, content);
            cached = prompt / 64 * 64;
            prompt += output;
            if !last {
                for _ in 0..=self.random.below(3) {
                    at = self.tool_call(&mut step, agent, at, slow, content);
                    prompt += 100 + self.random.below(900);
                }
            }
        }
        let end = at + self.random.below(5) * MS;
        self.emit(&step, Kind::Agent, (agent, root), (start + MS, end), "");
        self.emit(&step, Kind::Root, (root, 0), (start, end + MS), "");
    }

    fn model_call(&mut self, step: &mut Step, parent: u64, at: u64, content: bool) -> u64 {
        let (prompt, cached, output) = step.tokens;
        let noise = 80 + self.random.below(60);
        step.first_token = (120 + (prompt - cached) / 40) * noise / 100 * MS;
        let end = at + step.first_token + output * 14 * MS * noise / 100;
        let text = if content { prompt.min(9000) } else { 0 };
        self.step(step, Kind::Model, parent, (at, end), text as usize);
        end + self.random.below(8) * MS
    }

    fn tool_call(
        &mut self,
        step: &mut Step,
        parent: u64,
        at: u64,
        slow: bool,
        content: bool,
    ) -> u64 {
        step.tool = self.random.below(dialects::TOOLS.len() as u64) as usize;
        step.argument = self.random.next() as u32;
        let usual = 40 + self.random.below(60) + 90 * step.tool as u64;
        let end = at + usual * MS * if slow { 25 } else { 1 };
        let text = if content { 1200 } else { 0 };
        self.step(step, Kind::Tool, parent, (at, end), text);
        end + self.random.below(4) * MS
    }

    fn step(&mut self, step: &Step, kind: Kind, parent: u64, times: (u64, u64), text: usize) {
        let from = self.random.below((self.prose.len() - text) as u64) as usize;
        let text = self.prose[from..from + text].to_owned();
        let id = self.random.next();
        self.emit(step, kind, (id, parent), times, &text);
    }

    fn emit(&mut self, step: &Step, kind: Kind, ids: (u64, u64), times: (u64, u64), text: &str) {
        let mut span = String::with_capacity(1024 + 2 * text.len());
        dialects::render(&mut span, step, kind, ids, times, text);
        self.spans.push((times.1, span));
    }
}
