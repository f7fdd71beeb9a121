//! The manual pages are made from the same definitions as the help texts, and committed. When they
//! differ, `AGENTDIAG_BLESS=1 cargo test man` writes them anew.

use std::path::{Path, PathBuf};
use std::{env, fs};

use agentdiag::cli::Cli;
use agentdiag::diagnose::Cause;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

#[test]
fn pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages = pages();
    if env::var_os("AGENTDIAG_BLESS").is_some() {
        fs::create_dir_all(&folder).expect("a folder");
        for (name, page) in &pages {
            fs::write(folder.join(name), page).expect("written");
        }
    }
    for (name, page) in &pages {
        let committed = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            committed == *page,
            "man/{name} is not current: AGENTDIAG_BLESS=1 writes it anew"
        );
    }
    assert_eq!(
        files(&folder).len(),
        pages.len(),
        "a page without a command in man/"
    );
}

fn pages() -> Vec<(String, String)> {
    let mut command = Cli::command();
    command.build();
    let mut pages = vec![("agentdiag.1".to_owned(), page(&command))];
    let real = command.get_subcommands().filter(|c| c.get_name() != "help");
    pages.extend(real.map(|sub| (format!("agentdiag-{}.1", sub.get_name()), page(sub))));
    pages
}

fn page(command: &Command) -> String {
    let name = command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let man = Man::new(command.clone())
        .title(name.clone())
        .source(format!("agentdiag {}", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    man.render(&mut out).expect("written to memory");
    if name == "agentdiag-explain" {
        causes().to_writer(&mut out).expect("written to memory");
    }
    String::from_utf8(out).expect("UTF-8")
}

/// The ten causes: the heading is the label, as in the JSON output.
fn causes() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["CAUSES"]);
    for cause in Cause::ALL {
        let meta = cause.meta();
        roff.control("SS", [cause.label()]);
        roff.text([roman(meta.what)]);
        for (title, items) in [
            ("Recognised by:", &[meta.seen_by][..]),
            ("Look-alikes:", meta.look_alikes),
            ("What to do:", meta.next_checks),
        ] {
            roff.control("PP", []);
            roff.text([bold(title), roman(" "), roman(items.join(" | "))]);
        }
    }
    roff
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}
