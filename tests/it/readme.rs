//! What the README shows is what the program prints. `AGENTDIAG_BLESS=1 cargo test readme` renews it.

use std::path::Path;
use std::{env, fs};

use agentdiag::diagnose::Cause;
use assert_cmd::Command;

const OPEN: &str = "cargo test readme` -->\n```text\n";
const CLOSE: &str = "```\n<!-- end -->";

/// The command that the README gives, after `cargo run --release --`.
const ARGUMENTS: [&str; 4] = [
    "analyze",
    "--prices",
    "fixtures/quickstart/prices.json",
    "fixtures/quickstart",
];

/// Lines of the first screen that are shown.
const LINES: usize = 24;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).expect("README.md")
}

#[test]
fn readme_shows_the_first_screen() {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command.args(ARGUMENTS).output().expect("it runs");
    let page = String::from_utf8(output.stdout).expect("UTF-8");
    let screen: String = page
        .lines()
        .take(LINES)
        .flat_map(|line| [line, "\n"])
        .collect();
    let text = readme();
    let (before, rest) = text.split_once(OPEN).expect("the opening mark");
    let (shown, after) = rest.split_once(CLOSE).expect("the closing mark");
    if env::var_os("AGENTDIAG_BLESS").is_some() {
        let renewed = format!("{before}{OPEN}{screen}{CLOSE}{after}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        return fs::write(path, renewed).expect("written");
    }
    assert!(
        shown == screen,
        "README.md shows an old screen: AGENTDIAG_BLESS=1 renews it"
    );
}

#[test]
fn readme_gives_the_command_whose_screen_it_shows() {
    let command = format!("cargo run --release -- {}\n", ARGUMENTS.join(" "));
    assert!(readme().contains(&command), "{command}");
}

#[test]
fn readme_names_every_cause() {
    let text = readme();
    for cause in Cause::ALL {
        assert!(
            text.contains(&format!("| `{}` |", cause.label())),
            "{}",
            cause.label()
        );
    }
}
