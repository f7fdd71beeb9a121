//! agentdiag-budget(5): the budget file, from the tables that its reader uses.

use agentdiag::budget::{DRIFTS, FALSE_ALARMS, LEAST, STATISTICS};
use agentdiag::quantity::{Condition, KEYS, QUANTITIES};
use clap_mangen::roff::{Roff, bold, italic, roman};

const ABOUT: &str = "A budget says what a set of requests must keep to. agentdiag check reads budgets from a TOML file, \
    agentdiag.toml in the working directory unless --budget names another; the table [prices] may stand in the same file. \
    Whatever is wrong in it is reported with line and column, and what was expected.";

const EXAMPLE: &str = r#"[check]
false_alarms = "1%"

[[budget]]
name = "tail latency"
match = { task = ["research*", "faq"], model = "gpt-*" }
expect = "p95(latency) < 8s"

[[budget]]
name = "cost of a task"
expect = "mean(cost_per_task) <= baseline * 1.10"
level = "warn"
min_n = 50

[[budget]]
expect = "rate(cause=retry_cascade) < 2%"

[[budget]]
expect = "max(llm_calls) <= 12"

[[budget]]
expect = "drift(tools) p > 0.01""#;

fn settings() -> Vec<(&'static str, String)> {
    vec![
        ("check.false_alarms", format!("How often a healthy set may fail, all budgets of the file together: a share such as \"1%\". Default {FALSE_ALARMS}. Each budget whose value is an estimate gets an equal part of it.")),
        ("name", "What the budget is called, in every report. Default: its expectation. No two are alike.".to_owned()),
        ("expect", "The expectation, see below. The only setting that must be there.".to_owned()),
        ("match", format!("Which requests and calls are meant: names by {}, one or a list; * stands for any characters. A request fits by task, service and tenant, when one of its agents fits, and when it has a model call and a tool call that fit; a call also fits by its own agent, model and tool.", KEYS.join(", "))),
        ("level", "error (the default) fails the run, warn only says so, off does not look.".to_owned()),
        ("min_n", format!("Values needed to judge; with fewer the budget cannot be told. Default {LEAST} for quantiles, means and rates, else 1. Quantiles in the tail need more in any case.")),
        ("baseline", "What baseline means in this budget, instead of --baseline: a dump, or a file saved by agentdiag baseline; a path from where the budget file lies.".to_owned()),
        ("test", "interval (the default) allows for noise, point compares the value alone.".to_owned()),
        ("confidence", "How sure a breach must be for this budget, two-sided, instead of what false_alarms gives: 0.95.".to_owned()),
    ]
}

const VERDICTS: &[(&str, &str)] = &[
    (
        "broken",
        "even the better end of the value's interval breaks the limit; warned at level warn",
    ),
    (
        "within_noise",
        "the value breaks the limit, the better end of its interval does not",
    ),
    ("kept", "the value keeps to the limit"),
    (
        "cannot_tell",
        "the dump does not show it, or too little of it; the reason is said. Never taken for kept. agentdiag check --strict exits with 3",
    ),
    ("off", "not looked at"),
];

const NOISE: &[&str] = &[
    "A quantile has an interval from order statistics, a mean one by bootstrap (seeded: the same input gives the same \
     bytes), a rate Wilson's. The calls of one request are not independent, which widens the interval. Extremes, sums \
     and counts are exact. drift(...) p is itself a chance: its limit is the accepted rate of false alarms.",
    "Against a baseline, each kind of task is compared with itself, in the mix of the new set (calls of tools: each tool \
     with itself), and the noise of both sides counts. Kinds that the baseline lacks are left out, and it is said how many \
     values that are; where they are more than half, the budget cannot be told.",
    "What noise cannot show is that one day differs from another: leave room for it in the limit. How small a change can \
     be seen depends on how much values vary. A mean latency or cost that varies by half of itself within each kind of task \
     needs some 800 requests for 15 % to be seen in 95 of 100 runs. slowdown is held against what the baseline expects of the same \
     calls and tokens, and needs a few dozen.",
];

pub(super) fn sections() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(ABOUT)]);
    roff.control("SH", ["EXAMPLE"]);
    roff.control("nf", []);
    roff.text(
        EXAMPLE
            .lines()
            .map(|line| roman(format!("{line}\n")))
            .collect::<Vec<_>>(),
    );
    roff.control("fi", []);
    roff.control("SH", ["SETTINGS"]);
    for (name, about) in settings() {
        entry(&mut roff, name, "", &about);
    }
    roff.control("SH", ["EXPECTATIONS"]);
    roff.text([
        italic("subject"),
        roman(" "),
        bold("< <= > >="),
        roman(" "),
        italic("limit"),
        roman(", where the subject is one of"),
    ]);
    for (form, about) in [
        (
            "STATISTIC(QUANTITY)",
            "a number made of many, such as p95(latency)",
        ),
        (
            "rate(CONDITION)",
            "the share of what the condition is true of, such as rate(cause=cold_cache)",
        ),
        ("count(CONDITION)", "how often it is true"),
        (
            "drift(WHAT) p",
            "the chance of so large a change when nothing changed: against the baseline, else in the course of the dump",
        ),
        (
            "drift(WHAT) bits",
            "how far the shares are apart, Jensen-Shannon divergence; broken only where chance does not explain it",
        ),
    ] {
        entry(&mut roff, form, "", about);
    }
    roff.control("PP", []);
    roff.text([roman(
        "The limit is a number with a unit (8s, 500ms, 2m, $0.05, 2%, 12, 8k, 1.2x), or reckoned with + - * / and parentheses \
         from such numbers and baseline: the same number of the baseline. Extremes, sums, counts and drift take no baseline.",
    )]);
    roff.control("SH", ["STATISTICS"]);
    for (name, about) in STATISTICS {
        entry(&mut roff, name, "", about);
    }
    roff.control("SH", ["QUANTITIES"]);
    for meta in QUANTITIES {
        let of = format!("({}, per {})", meta.unit.name(), meta.per.noun());
        let about = format!("{}. Needs {}.", meta.about, meta.needs);
        entry(&mut roff, meta.name, &of, &about);
    }
    roff.control("SH", ["CONDITIONS"]);
    for kind in Condition::KINDS {
        let name = match kind.value {
            Some(value) => format!("{}={value}", kind.name),
            None => kind.name.to_owned(),
        };
        entry(
            &mut roff,
            &name,
            "",
            &format!("{}. Needs {}.", kind.about, kind.needs),
        );
    }
    roff.control("SH", ["DRIFT"]);
    for (name, _, about) in DRIFTS {
        entry(&mut roff, name, "", about);
    }
    roff.control("SH", ["NOISE"]);
    for text in NOISE {
        roff.control("PP", []);
        roff.text([roman(*text)]);
    }
    roff.control("SH", ["VERDICTS"]);
    for (name, about) in VERDICTS {
        entry(&mut roff, name, "", about);
    }
    roff
}

fn entry(roff: &mut Roff, name: &str, kind: &str, about: &str) {
    roff.control("TP", []);
    roff.text([bold(name), roman(" "), italic(kind)]);
    roff.text([roman(about)]);
}

/// The example of the page is a budget file.
#[test]
fn the_example_can_be_read() {
    let read = agentdiag::budget::read("example", EXAMPLE);
    assert_eq!(read.map(|budgets| budgets.budgets.len()), Ok(5));
}
