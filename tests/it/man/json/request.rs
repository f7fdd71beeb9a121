//! Keys of one request.

/// One element of `requests` of `agentdiag.analyze.v1`, a line of ndjson, and `request` of
/// `agentdiag.trace.v1`.
pub(in crate::man) const REQUEST: &[(&str, &str, &str)] = &[
    ("trace_id", "string", "32 lower-case hex digits"),
    (
        "root_span_id",
        "string",
        "root span, or the first span where the root is missing",
    ),
    ("name", "string", "name of the root span"),
    (
        "task",
        "string",
        "kind of task: task type, else agent, else the name of the root",
    ),
    (
        "root",
        "string",
        "complete, unfinished or missing; only complete ones are judged",
    ),
    ("start", "string", "RFC 3339, UTC"),
    ("duration_ms", "number", "wall time"),
    ("slow", "bool", "slow by the rule in force"),
    (
        "expected_ms",
        "number or null",
        "what it should have taken; null when not judged",
    ),
    (
        "excess_ms",
        "number",
        "duration less expectation, never negative",
    ),
    ("cause", "string or null", "the verdict; null when not slow"),
    (
        "confidence",
        "number",
        "how sure the verdict is, from 0 to 1",
    ),
    (
        "parts_ms.NAME",
        "number",
        "the duration divided along the critical path; sums to duration_ms",
    ),
    (
        "contributions_ms.NAME",
        "number",
        "the excess divided among causes; sums to excess_ms",
    ),
    ("evidence[].cause", "string", "the cause it speaks for"),
    ("evidence[].span_id", "string or null", "where it was seen"),
    (
        "evidence[].fact",
        "string",
        "what was measured, a stable name",
    ),
    ("evidence[].observed", "number", "the value seen"),
    (
        "evidence[].expected",
        "number or null",
        "the value this step normally has",
    ),
    ("evidence[].unit", "string", "unit of both"),
    (
        "evidence[].via",
        "string",
        "how it became known: attribute, event, child, derived, fit, metric, log",
    ),
    ("evidence[].note", "string", "one sentence"),
    (
        "missing_signals[]",
        "string",
        "signals that would have decided or sharpened the verdict",
    ),
    ("next_checks[]", "string", "what to look at next"),
    ("rivals[].cause", "string", "a cause that was considered"),
    (
        "rivals[].outcome",
        "string",
        "holds, refuted or cannot_tell",
    ),
    (
        "rivals[].explains_ms",
        "number or null",
        "time it explains, where it holds",
    ),
    (
        "rivals[].reason.NAME",
        "as in evidence",
        "why it lost; null where it cannot be told",
    ),
    (
        "rivals[].missing_signals[]",
        "string",
        "what would have told",
    ),
    (
        "cost_usd",
        "number or null",
        "cost of the calls that have a price",
    ),
    (
        "cost_priced_share",
        "number or null",
        "share of tokens that have a price",
    ),
    (
        "input_tokens",
        "number or null",
        "prompt tokens, cached ones included; null when no call shows any",
    ),
    (
        "cached_tokens",
        "number or null",
        "prompt tokens from a cache",
    ),
    (
        "output_tokens",
        "number or null",
        "generated tokens, reasoning included",
    ),
    (
        "tokens_via",
        "string or null",
        "calls: summed over calls; rollup: as the root says, since no call shows any",
    ),
    (
        "llm_calls",
        "number",
        "model calls, failed attempts included",
    ),
    ("llm_calls_failed", "number", "failed attempts"),
    ("tool_calls", "number", "tool calls"),
    (
        "retries",
        "number",
        "failed attempts, hidden resends and repeated identical tool calls",
    ),
    ("spans", "number", "spans, duplicates not counted"),
    ("errors", "number", "spans that ended in error"),
    (
        "repairs[]",
        "string",
        "what had to be mended: dedupe, unfinished, cycle, stitch, orphan, missing_root, skew, clamp",
    ),
];
