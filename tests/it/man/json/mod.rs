//! agentdiag-json(5): every key of every versioned JSON shape. A test compares it with what the
//! program prints.

mod analyze;
mod check;
mod compare;
mod cost;
mod drift;
mod replay;
mod request;
mod trace;

pub(super) use analyze::{INPUT, INTEGRITY, SPREAD};
pub(super) use request::REQUEST;

use analyze::ANALYZE;
use check::CHECK;
use clap_mangen::roff::{Roff, bold, italic, roman};
use compare::COMPARE;
use cost::COST;
use drift::DRIFT;
use replay::REPLAY;
use trace::TRACE;

/// One versioned shape.
pub(super) struct Shape {
    /// Value of `schema`.
    pub(super) schema: &'static str,
    /// Arguments that have it printed, and show as many of its keys as one run can.
    pub(super) args: &'static [&'static str],
    /// Who prints it.
    about: &'static str,
    /// Path, type, meaning. `[]` is any element of a list, `NAME` any key.
    pub(super) keys: &'static [(&'static str, &'static str, &'static str)],
}

/// All shapes there are.
pub(super) const SHAPES: &[Shape] = &[
    Shape {
        schema: "agentdiag.analyze.v1",
        args: &["analyze", "--json", "fixtures/quickstart"],
        about: "Printed by agentdiag analyze --format json. With --format ndjson, each line is one element of requests.",
        keys: ANALYZE,
    },
    Shape {
        schema: "agentdiag.trace.v1",
        args: &["trace", "9b53286f", "--json", "fixtures/quickstart"],
        about: "Printed by agentdiag trace --format json.",
        keys: TRACE,
    },
    Shape {
        schema: "agentdiag.replay.v1",
        args: &["replay", "--json", "fixtures/alerts/spike"],
        about: "Printed by agentdiag replay --format json.",
        keys: REPLAY,
    },
    Shape {
        schema: "agentdiag.cost.v1",
        args: &[
            "cost",
            "--json",
            "--prices",
            "fixtures/quickstart/prices.json",
            "fixtures/quickstart",
        ],
        about: "Printed by agentdiag cost --json.",
        keys: COST,
    },
    Shape {
        schema: "agentdiag.drift.v1",
        args: &["drift", "--json", "fixtures/drift/traces.jsonl.gz"],
        about: "Printed by agentdiag drift --json.",
        keys: DRIFT,
    },
    Shape {
        schema: "agentdiag.check.v1",
        args: &[
            "check",
            "--json",
            "--budget",
            "fixtures/budgets/against-baseline.toml",
            "--baseline",
            "fixtures/labelled/healthy-client-genai/traces.jsonl.gz",
            "fixtures/labelled/mixed-full-mixed/traces.jsonl.gz",
        ],
        about: "Printed by agentdiag check --format json; agentdiag-budget(5) describes budgets.",
        keys: CHECK,
    },
    Shape {
        schema: "agentdiag.compare.v1",
        args: &[
            "compare",
            "--json",
            "fixtures/labelled/healthy-client-genai/traces.jsonl.gz",
            "fixtures/labelled/mixed-full-mixed/traces.jsonl.gz",
        ],
        about: "Printed by agentdiag compare --format json.",
        keys: COMPARE,
    },
];

const STYLE: &str = "Every object names its shape in schema. Keys may be added to a shape; none is renamed, \
    retyped or removed without a new version. Times are milliseconds as numbers, instants RFC 3339 in UTC, \
    money US dollars, shares from 0 to 1. Null means that the dump does not show it, and is never zero. The \
    same input gives the same bytes.";

pub(super) fn sections() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(STYLE)]);
    for shape in SHAPES {
        roff.control("SH", [shape.schema]);
        roff.text([roman(shape.about)]);
        keys(&mut roff, shape.keys);
        if shape.schema == "agentdiag.analyze.v1" {
            roff.control("SS", ["requests[]"]);
            keys(&mut roff, REQUEST);
            roff.control("SS", ["SPREAD"]);
            keys(&mut roff, SPREAD);
            roff.control("SS", ["INPUT"]);
            keys(&mut roff, INPUT);
            roff.control("SS", ["INTEGRITY"]);
            keys(&mut roff, INTEGRITY);
        }
    }
    roff.control("SH", ["agentdiag.baseline.v1"]);
    roff.text([roman(
        "Written by agentdiag baseline, and read by it and by --baseline; agentdiag-baseline(1) describes it.",
    )]);
    roff
}

fn keys(roff: &mut Roff, keys: &[(&str, &str, &str)]) {
    for (path, kind, meaning) in keys {
        roff.control("TP", []);
        roff.text([bold(*path), roman(" "), italic(*kind)]);
        roff.text([roman(*meaning)]);
    }
}
