//! What the README shows is what the program prints, and the commands it gives run.
//! `AGENTDIAG_BLESS=1 cargo test readme` renews what is shown.

use std::path::Path;
use std::{env, fs};

use agentdiag::diagnose::Cause;
use assert_cmd::Command;

const FIRST_SCREEN: &str =
    "<!-- first screen: kept current by `AGENTDIAG_BLESS=1 cargo test readme` -->\n";

/// The command that the README gives, after `cargo run --release --`.
const ARGUMENTS: &str = "analyze --prices fixtures/quickstart/prices.json fixtures/quickstart";

/// Lines of the first screen that are shown.
const LINES: usize = 24;

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn readme() -> String {
    fs::read_to_string(path()).expect("README.md")
}

fn run(arguments: &[String], folder: &Path) -> (i32, String, String) {
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let output = command
        .current_dir(folder)
        .env_clear()
        .args(arguments)
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("it exits");
    (code, text(output.stdout), text(output.stderr))
}

fn printed(line: &str) -> String {
    let (code, out, err) = run(&words(line), Path::new(env!("CARGO_MANIFEST_DIR")));
    assert_eq!((code, err.as_str()), (0, ""), "{line}");
    out
}

/// Words of a shell line without expansions: quotes keep spaces together.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut quote, mut open) = (None, false);
    for c in line.chars() {
        if c == ' ' && quote.is_none() {
            open = false;
            continue;
        }
        if !open {
            words.push(String::new());
            open = true;
        }
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (c, _) => words.last_mut().expect("just opened").push(c),
        }
    }
    words
}

/// Puts `shown` into the block after `mark`, or checks that it stands there.
fn holds(text: &str, mark: &str, shown: &str) -> String {
    let open = format!("{mark}```text\n");
    let (before, rest) = text.split_once(open.as_str()).expect("the opening mark");
    let (old, after) = rest
        .split_once("```\n<!-- end -->")
        .expect("the closing mark");
    if env::var_os("AGENTDIAG_BLESS").is_none() {
        assert!(
            old == shown,
            "README.md shows an old page: AGENTDIAG_BLESS=1 renews it"
        );
    }
    format!("{before}{open}{shown}```\n<!-- end -->{after}")
}

#[test]
fn readme_shows_what_is_printed() {
    let page = printed(ARGUMENTS);
    let screen: Vec<&str> = page.lines().take(LINES).collect();
    let mut text = holds(&readme(), FIRST_SCREEN, &format!("{}\n", screen.join("\n")));
    // `<!-- ARGUMENTS | FROM | TO -->`: from the line that begins with FROM to before that with TO.
    let marks: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("<!-- ") && line.matches(" | ").count() == 2)
        .map(str::to_owned)
        .collect();
    assert!(!marks.is_empty());
    for mark in marks {
        let inner = mark.trim_start_matches("<!-- ").trim_end_matches(" -->");
        let parts: Vec<&str> = inner.split(" | ").collect();
        let page = printed(parts[0]);
        let lines = page.lines().skip_while(|line| !line.starts_with(parts[1]));
        let lines: Vec<&str> = lines
            .take_while(|line| !line.starts_with(parts[2]))
            .collect();
        let shown = lines.join("\n");
        assert!(!shown.is_empty(), "{mark}");
        text = holds(
            &text,
            &format!("{mark}\n"),
            &format!("{}\n", shown.trim_end()),
        );
    }
    if env::var_os("AGENTDIAG_BLESS").is_some() {
        fs::write(path(), text).expect("written");
    }
}

/// Charts that the README shows.
const PICTURES: [&str; 2] = ["latency-over-time.svg", "phases.svg"];

#[test]
fn readme_pictures_are_what_the_program_draws() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let to = |name: &str| folder.path().join(name).display().to_string();
    let line = format!(
        "report --prices fixtures/quickstart/prices.json fixtures/quickstart -o {} --charts {}",
        to("page.html"),
        to("charts")
    );
    printed(&line);
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/pictures");
    for name in PICTURES {
        let drawn = fs::read(folder.path().join("charts").join(name)).expect("a chart");
        let shown = pictures.join(name);
        if env::var_os("AGENTDIAG_BLESS").is_some() {
            fs::create_dir_all(&pictures).expect("a folder");
            fs::write(&shown, &drawn).expect("written");
        }
        let shown = fs::read(shown).unwrap_or_default();
        assert!(shown == drawn, "{name} is old: AGENTDIAG_BLESS=1 renews it");
        assert!(
            readme().contains(&format!("(man/pictures/{name})")),
            "{name}"
        );
    }
}

/// Lines of shell blocks that run the program on shipped fixtures, up to a pipe or a redirection.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => {
                let starts = ["cargo run --release -- ", "agentdiag "];
                let rest = starts.iter().find_map(|start| line.strip_prefix(start));
                let ours = rest.filter(|rest| rest.contains("fixtures/"));
                let alone = ours.and_then(|rest| rest.split(" | ").next());
                let alone = alone.and_then(|rest| rest.split(" > ").next());
                commands.extend(alone.map(str::to_owned));
            }
            _ => {}
        }
    }
    commands
}

#[test]
fn readme_commands_run() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    std::os::unix::fs::symlink(fixtures, folder.path().join("fixtures")).expect("a link");
    let commands = commands(&readme());
    assert!(commands.len() >= 5, "{commands:?}");
    for line in commands {
        let (code, _, err) = run(&words(&line), folder.path());
        assert_eq!((code, err.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn readme_gives_the_command_whose_screen_it_shows() {
    let command = format!("cargo run --release -- {ARGUMENTS}\n");
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

#[test]
fn words_are_split_as_a_shell_does() {
    assert_eq!(words("a  'b c' d\"e f\""), ["a", "b c", "de f"]);
}
