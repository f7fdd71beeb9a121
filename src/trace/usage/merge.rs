//! What one record of a call knows goes to the record that owns it.

use crate::model::{Dataset, Known, LlmCall, Op, Span, SpanIx, Via};

/// Fills what `owner` lacks from `twin`, marked as measured elsewhere.
pub(super) fn into(dataset: &mut Dataset, owner: SpanIx, twin: SpanIx) {
    let spans = (dataset.spans[owner as usize], dataset.spans[twin as usize]);
    between(dataset, spans, twin);
}

/// The same between the spans of two records, of which the second is number `twin`.
pub(in crate::trace) fn between(dataset: &mut Dataset, (o, t): (Span, Span), twin: SpanIx) {
    let (Some(at), Some(from)) = (o.call.get(), t.call.get()) else {
        return;
    };
    let Some(from) = dataset.llm.get(from) else {
        return;
    };
    dataset
        .llm
        .change(at, |into| fill(into, &from, twin, (&o, &t)));
}

/// `spans` are those of the owner and of the twin, which is number `twin`.
fn fill(into: &mut LlmCall, from: &LlmCall, twin: SpanIx, (o, t): (&Span, &Span)) {
    for (mine, theirs) in [
        (&mut into.provider, from.provider),
        (&mut into.requested, from.requested),
        (&mut into.answered, from.answered),
        (&mut into.endpoint, from.endpoint),
        (&mut into.fingerprint, from.fingerprint),
        (&mut into.tier, from.tier),
        (&mut into.finish, from.finish),
        (&mut into.conversation, from.conversation),
    ] {
        *mine = mine.or(theirs);
    }
    for (mine, theirs) in [
        (&mut into.input, from.input),
        (&mut into.output, from.output),
        (&mut into.cached, from.cached),
        (&mut into.cache_write, from.cache_write),
        (&mut into.cache_write_1h, from.cache_write_1h),
        (&mut into.reasoning, from.reasoning),
    ] {
        *mine = mine.or(theirs.map(child));
    }
    for (mine, theirs) in [
        (&mut into.queue, from.queue),
        (&mut into.prefill, from.prefill),
        (&mut into.decode, from.decode),
    ] {
        *mine = mine.or(theirs.map(child));
    }
    into.response_id = into.response_id.or(from.response_id);
    into.http_status = into.http_status.or(from.http_status);
    into.reported_cost = into.reported_cost.or(from.reported_cost.map(child));
    into.streamed = into.streamed.or(from.streamed);
    into.resends = into.resends.max(from.resends);
    if t.op == Op::Engine {
        into.engine = twin;
        return;
    }
    if from.engine != u32::MAX && into.engine == u32::MAX {
        into.engine = from.engine;
    }
    into.model_time = into.model_time.or(from.model_time.map(child));
    // The twin counted from its own start.
    let late = t.start.since(o.start);
    into.first_token = into.first_token.or(from.first_token.map(|first| Known {
        value: first.value + late,
        via: Via::Child,
    }));
}

fn child<T>(known: Known<T>) -> Known<T> {
    Known {
        value: known.value,
        via: Via::Child,
    }
}
