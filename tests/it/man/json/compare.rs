//! Keys of `agentdiag.compare.v1`.

pub(in crate::man) const COMPARE: &[(&str, &str, &str)] = &[
    ("schema", "string", "agentdiag.compare.v1"),
    ("tool_version", "string", "version of the program"),
    ("inputs[].INPUT", "", "see INPUT"),
    ("integrity.INTEGRITY", "", "see INTEGRITY"),
    ("base", "string", "the earlier set as named"),
    ("new", "string", "the later set as named"),
    ("requests_base", "number", "requests of the earlier set"),
    ("requests_new", "number", "requests of the later set"),
    (
        "changed",
        "true or false",
        "something changed by more than chance explains",
    ),
    ("headline[]", "string", "what changed, in sentences"),
    (
        "alpha",
        "number",
        "accepted chance of calling anything changed when nothing did",
    ),
    ("comparisons", "number", "comparisons that were tested"),
    ("correction", "string", "Holm"),
    (
        "rows[].section",
        "string",
        "requests, phases, causes, tools, models or cost",
    ),
    (
        "rows[].name",
        "string or null",
        "tool, model, cause or phase",
    ),
    ("rows[].what", "string", "what is measured, as in budgets"),
    ("rows[].statistic", "string", "mean, rate, median or p95"),
    ("rows[].unit", "string", "ms, usd, tokens, count or share"),
    (
        "rows[].base",
        "number",
        "number of the earlier set, in the mix of tasks of the later one",
    ),
    ("rows[].new", "number", "number of the later set"),
    ("rows[].difference", "number", "new less base"),
    (
        "rows[].low",
        "number or null",
        "lower end of its 95 % interval",
    ),
    ("rows[].high", "number or null", "upper end"),
    ("rows[].change", "number or null", "difference over base"),
    (
        "rows[].p_value",
        "number or null",
        "corrected chance of so large a difference when nothing changed; null with too few values",
    ),
    (
        "rows[].changed",
        "true or false",
        "p_value is at most alpha",
    ),
    (
        "rows[].n_base",
        "number",
        "values of the earlier set compared",
    ),
    ("rows[].n_new", "number", "values of the later set compared"),
    (
        "rows[].left_out",
        "number",
        "values of the later set whose kind of task the earlier one lacks",
    ),
    ("notes[]", "string", "what cannot be compared, and why"),
];
