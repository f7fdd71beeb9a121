//! Head of the page: nothing may be loaded, and only the script and style sheet of this program run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::text;
use crate::render::palette;
use crate::report::Report;

const SCRIPT: &str = include_str!("page.js");
const SHEET: &str = include_str!("page.css");

/// Title, policy and style.
pub(super) fn head(report: &Report<'_>) -> Markup {
    let sheet = sheet();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(&sheet)
    );
    let title = report
        .headline()
        .happened
        .first()
        .map_or("", String::as_str);
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="generator" content={ "agentdiag " (report.tool_version()) };
            meta name="referrer" content="no-referrer";
            title { "agentdiag: " (text::safe(title)) }
            link rel="icon" href="data:,";
            style { (PreEscaped(sheet)) }
        }
    }
}

/// The script, last in the page.
pub(super) fn script() -> Markup {
    html! { script { (PreEscaped(SCRIPT)) } }
}

/// Colours of the palette, then the layout.
fn sheet() -> String {
    let light = palette::variables(|tone| tone.light);
    let dark = palette::variables(|tone| tone.dark);
    let classes = palette::classes();
    format!(
        ":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}{classes}\n{SHEET}"
    )
}

/// As a content security policy names what may run.
fn hash(source: &str) -> String {
    format!(
        "'sha256-{}'",
        STANDARD.encode(Sha256::digest(source.as_bytes()))
    )
}
