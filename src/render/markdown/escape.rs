//! Text from a dump in Markdown: a name may hold anything, and must neither end a table cell, nor
//! become a link, a mention or HTML.

use crate::render::terminal::clean;

/// As code: nothing in it is read as Markdown, nor as a mention. Fit for table cells.
pub(super) fn code(text: &str) -> String {
    let text = clean(text).replace('|', "\\|");
    if text.trim().is_empty() {
        return "(not named)".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A backtick at an edge needs a space between it and the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// As running text. What Markdown would obey is escaped; a zero-width space keeps `@name`, `#1` and
/// addresses from becoming mentions and links.
pub(super) fn prose(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    let mut ticks = false;
    for c in clean(text).chars() {
        // Our own sentences name commands between backticks; those stay as they are.
        ticks ^= c == '`';
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' if !ticks => {
                safe.push('\\');
                safe.push(c);
            }
            '@' | '#' => {
                safe.push(c);
                safe.push('\u{200b}');
            }
            _ => safe.push(c),
        }
    }
    let safe = safe.replace("://", ":\u{200b}//");
    safe.replace("www.", "www\u{200b}.")
}

/// Inside HTML, as code.
pub(super) fn html_code(text: &str) -> String {
    let text = clean(text);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', "&quot;");
    format!("<code>{text}</code>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_pipes_ticks_and_lines() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\nb"), "`a?b`");
        assert_eq!(code("  "), "(not named)");
    }

    #[test]
    fn prose_is_inert() {
        assert_eq!(prose("<img src=x>"), "&lt;img src=x&gt;");
        assert_eq!(prose("[a](b) *c*"), "\\[a\\](b) \\*c\\*");
        assert!(!prose("@octocat").contains("@o"));
        assert!(!prose("http://example.com").contains("://"));
    }

    #[test]
    fn summaries_hold_no_tags() {
        assert_eq!(html_code("</summary>"), "<code>&lt;/summary&gt;</code>");
    }
}
