//! Text at 80 and at 120 columns: whole pages of subcommands that have no test of their own at that width, and
//! that no line of any of them is wider than it may be.

use assert_cmd::Command;
use unicode_width::UnicodeWidthStr;

const QUICKSTART: &str = "fixtures/quickstart/traces.jsonl.gz";
const SPIKE: &str = "fixtures/alerts/spike/traces.jsonl.gz";

/// Name and arguments.
const PAGES: [(&str, &[&str]); 8] = [
    ("analyze", &["analyze", QUICKSTART]),
    ("input", &["analyze", "--explain-input", QUICKSTART]),
    ("trace", &["trace", "9b53286f", QUICKSTART]),
    (
        "cost",
        &[
            "cost",
            "--by",
            "model,task,agent,tool,tenant,day",
            "--prices",
            "fixtures/quickstart/prices.json",
            QUICKSTART,
        ],
    ),
    ("drift", &["drift", "fixtures/drift/traces.jsonl.gz"]),
    ("replay", &["replay", SPIKE]),
    ("explain", &["explain", "noisy_neighbour"]),
    ("causes", &["explain"]),
];

fn page(args: &[&str], width: &str) -> String {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command
        .env("NO_COLOR", "1")
        .args(args)
        .args(["--width", width])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn pages_at_80_columns() {
    for (name, args) in PAGES {
        // The others have a test of their own.
        if ["analyze", "input", "replay", "explain", "causes"].contains(&name) {
            insta::assert_snapshot!(format!("{name}_at_80_columns"), page(args, "80"));
        }
    }
}

#[test]
fn pages_at_120_columns() {
    for (name, args) in PAGES {
        if name != "trace" {
            insta::assert_snapshot!(format!("{name}_at_120_columns"), page(args, "120"));
        }
    }
}

/// Where a table has no room, its rows are paragraphs.
#[test]
fn tables_without_room_are_paragraphs() {
    let cost = PAGES.iter().find(|(name, _)| *name == "cost");
    let (_, args) = cost.expect("there is a page about cost");
    insta::assert_snapshot!("cost_at_60_columns", page(args, "60"));
}

#[test]
fn no_line_is_wider_than_it_may_be() {
    let more: [(&str, &[&str]); 3] = [
        (
            "gpu",
            &["gpu", "--once", "--session", "fixtures/gpu/session.jsonl"],
        ),
        ("formats", &["formats"]),
        ("prices", &["prices", "show", "gpt-5"]),
    ];
    for (name, args) in PAGES.into_iter().chain(more) {
        for width in ["60", "66", "72", "79", "80", "120"] {
            let most: usize = width.parse().expect("a number");
            for line in page(args, width).lines() {
                assert!(line.width() <= most, "{name} at {width}: {line}");
                assert_eq!(line, line.trim_end(), "{name} at {width}");
                assert!(!line.contains('\x1b'), "{name}: colour into a pipe");
            }
        }
    }
}
