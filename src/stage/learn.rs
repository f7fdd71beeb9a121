//! Facts of whole traces to requests, and what they say about traces elsewhere.

use super::across::{Across, Evidence, Step};
use super::facts::Facts;
use super::file::take_out;
use super::gather::Gather;
use super::part::Part;
use super::row::{Kind, Row, StreamError};
use crate::dialect::Signals;
use crate::model::{Dataset, TraceId};
use crate::trace::{self, Loose, Options, Sorted, Wanted};

/// Traces of one partition, as far as the question concerns them.
#[derive(Debug, Default)]
pub struct Asked {
    gather: Gather,
    /// Requests that were rebuilt before.
    parts: Vec<Part>,
    /// How many traces were taken of each row of traces that waited, by its key.
    taken: Vec<(u128, u32)>,
    any: bool,
}

impl Asked {
    /// Takes in traces of one file.
    pub fn add(&mut self, facts: Facts) {
        self.any = true;
        self.gather.add(facts);
    }

    /// Takes in traces that waited, those that lie with others (`joined`) or those that do not.
    pub fn add_waiting(&mut self, key: u128, waiting: Waiting, state: &Across, joined: bool) {
        self.any = true;
        let facts = waiting.1.only(|id| is_joined(state, id) == joined);
        self.taken.push((key, facts.traces.len() as u32));
        self.gather.add(facts);
    }

    /// Takes in requests that were rebuilt before.
    pub fn add_part(&mut self, part: Part) {
        self.any = true;
        self.parts.push(part);
    }
}

/// How many traces wait, and what is known of them.
pub type Waiting = (u32, Facts);

fn is_joined(state: &Across, trace: TraceId) -> bool {
    state.joined.binary_search(&trace).is_ok()
}

/// Answers the question of `state` over the traces asked about: with requests, with what they say about others, or
/// with both. `joined` says that they are those that may belong together.
///
/// # Errors
/// Never in practice: memory is what encoding needs.
pub fn learn(
    asked: Asked,
    state: &Across,
    joined: bool,
    options: &Options,
) -> Result<Vec<Row>, StreamError> {
    let mut rows = Vec::new();
    if !asked.any {
        return Ok(rows);
    }
    let mut data = asked.gather.finish();
    let mut said = Evidence::default();
    if state.step == Step::Find {
        said.found = found(&mut data, &asked.parts, state);
    } else {
        if state.step.needs_facts() && !joined && !state.joined.is_empty() {
            rows.push(waiting(take_out(&mut data, |id| is_joined(state, id)))?);
        }
        said.signals = Signals::of(&data);
        if state.step == Step::Hint && state.signals.is_none() && said.signals.any_logged() {
            // What all partitions log decides what is kept: they will be asked again.
            return Ok(vec![Row::new(Kind::Evidence, None, &said)?]);
        }
        let signals = state.signals.as_ref().unwrap_or(&said.signals);
        signals.choose(&mut data);
        let (sorted, apart) = sort(&mut data, state, options, &mut said);
        if let Some(apart) = apart {
            rows.push(waiting(apart)?);
        }
        rows.extend(rebuild(
            data,
            sorted,
            state,
            options,
            &mut said,
            asked.taken,
        )?);
    }
    rows.push(Row::new(Kind::Evidence, None, &said)?);
    Ok(rows)
}

/// Sorts the traces. At the first question, those that are not evidently whole are put apart.
fn sort(
    data: &mut Dataset,
    state: &Across,
    options: &Options,
    said: &mut Evidence,
) -> (Sorted, Option<Facts>) {
    if state.step != Step::Hint {
        return (Sorted::of(data), None);
    }
    let (traces, parents, mut broken) = match &state.signals {
        // Choosing what is kept twice would change it.
        Some(_) => (trace::sort(data), None, Vec::new()),
        None => {
            let (traces, parents, broken) = trace::broken(data);
            (traces, Some(parents), broken)
        }
    };
    if broken.is_empty() {
        let sorted = Sorted::over(data, traces, parents);
        said.loose = sorted.loose(data, options);
        return (sorted, None);
    }
    broken.sort_unstable();
    let apart = take_out(data, |id| broken.binary_search(&id).is_ok());
    said.waiting = broken;
    hear(apart.clone(), options, said);
    let sorted = Sorted::of(data);
    said.loose.absorb(sorted.loose(data, options));
    (sorted, Some(apart))
}

/// What traces that wait say about others.
fn hear(facts: Facts, options: &Options, said: &mut Evidence) {
    let mut gather = Gather::default();
    gather.add(facts);
    let mut data = gather.finish();
    let sorted = Sorted::of(&mut data);
    said.loose = sorted.loose(&data, options);
    said.waiting_habits = sorted.habits(&data);
}

fn rebuild(
    mut data: Dataset,
    sorted: Sorted,
    state: &Across,
    options: &Options,
    said: &mut Evidence,
    taken: Vec<(u128, u32)>,
) -> Result<Option<Row>, StreamError> {
    let joined = sorted.join(&mut data, options);
    if state.step == Step::Hint {
        said.broken = joined.needs_habits(&data, options);
    }
    if state.step.counts() {
        said.habits = joined.sorted.habits(&data);
    }
    if !state.step.rebuilds() {
        return Ok(None);
    }
    let habits = state.habits.as_ref().map(|counts| counts.habits(&mut data));
    let order = joined.sorted.order.clone();
    let forest = joined.grow(&mut data, options, habits.as_ref());
    Part::row(&data, &forest, &order, taken).map(Some)
}

fn waiting(facts: Facts) -> Result<Row, StreamError> {
    let key = facts.traces.iter().min().copied().unwrap_or_default();
    let body: Waiting = (facts.traces.len() as u32, facts);
    Row::new(Kind::Waiting, Some(key.0), &body)
}

/// Where these traces hold what others look for.
fn found(data: &mut Dataset, parts: &[Part], state: &Across) -> Loose {
    let wanted = Wanted::new(&state.wanted.0, &state.wanted.1);
    let mut found = Loose::default();
    parts.iter().for_each(|part| part.look(&wanted, &mut found));
    // As they will be rebuilt, without copies.
    let _ = Sorted::of(data);
    for span in &data.records {
        let answer = data.llm_of(span).and_then(|call| call.response_id);
        wanted.look(data.trace_of(span), span.id, answer, &mut found);
    }
    found
}
