//! Facts of whole traces to requests, and what they say about traces elsewhere.

use super::across::{Across, Evidence, Step};
use super::gather::Gather;
use super::part::Part;
use super::row::{Kind, Row, StreamError};
use crate::dialect::Signals;
use crate::trace::{Options, Sorted};

/// Answers the question of `state` over the traces gathered: with requests, with what they say about others, or
/// with both.
///
/// # Errors
/// Never in practice: memory is what encoding needs.
pub fn learn(gather: Gather, state: &Across, options: &Options) -> Result<Vec<Row>, StreamError> {
    let mut data = gather.finish();
    let mut said = Evidence {
        signals: Signals::of(&data),
        ..Evidence::default()
    };
    state
        .signals
        .as_ref()
        .unwrap_or(&said.signals)
        .choose(&mut data);
    let sorted = Sorted::of(&mut data);
    match state.step {
        Step::Hint => said.loose = sorted.loose(&data, options),
        Step::Find => said.found = sorted.found(&data, &state.wanted.0, &state.wanted.1),
        _ => {}
    }
    if state.step == Step::Find {
        return Ok(vec![Row::new(Kind::Evidence, None, &said)?]);
    }
    let joined = sorted.join(&mut data, options);
    if state.step != Step::Grow {
        said.broken = joined.needs_habits(&data, options);
        said.habits = joined.habits(&data);
    }
    let mut rows = vec![Row::new(Kind::Evidence, None, &said)?];
    if state.step != Step::Count {
        let habits = state.habits.as_ref().map(|counts| counts.habits(&mut data));
        let order = joined.sorted.order.clone();
        let forest = joined.grow(&mut data, options, habits.as_ref());
        rows.push(Row::new(
            Kind::Part,
            None,
            &Part::of(&data, &forest, &order),
        )?);
    }
    Ok(rows)
}
