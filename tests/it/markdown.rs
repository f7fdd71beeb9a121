//! The report as Markdown: whole pages, the size that a comment may have, and names that try to
//! break out.

use agentdiag::render;

use crate::sample::{self, Sample};

fn markdown(sample: &Sample, top: usize) -> String {
    let mut out = Vec::new();
    render::markdown(&sample.report(), top, &mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn mixed() {
    insta::assert_snapshot!(markdown(&sample::mixed(), 5));
}

#[test]
fn healthy() {
    insta::assert_snapshot!(markdown(&sample::healthy(), 5));
}

#[test]
fn no_model_calls() {
    insta::assert_snapshot!(markdown(&sample::no_model_calls(), 5));
}

#[test]
fn damaged() {
    insta::assert_snapshot!(markdown(&sample::damaged(), 5));
}

#[test]
fn empty() {
    insta::assert_snapshot!(markdown(&Sample::default(), 5));
}

#[test]
fn it_stays_below_the_size_of_a_comment_and_says_what_it_left_out() {
    let mut sample = sample::mixed();
    let incident = sample.incidents.first().expect("an incident").clone();
    sample.incidents = vec![incident; 500];
    for top in [5, 100_000] {
        let page = markdown(&sample, top);
        assert!(page.len() <= render::MARKDOWN_LIMIT, "{}", page.len());
        assert!(page.contains("further incidents are left out"), "top {top}");
        assert_eq!(
            page.matches("<details>").count(),
            page.matches("</details>").count()
        );
    }
}

#[test]
fn hostile_names_are_inert() {
    let mut sample = sample::mixed();
    let evil = "<script>alert(1)</script>|[x](http://evil) @everyone #1 ``` **b**\n# h";
    let name = sample.data.names.intern(evil);
    for span in &mut sample.data.spans {
        span.name = name;
    }
    for request in &mut sample.forest.requests {
        request.kind = name;
    }
    for incident in &mut sample.incidents {
        incident.scope = name;
    }
    let page = markdown(&sample, 5);
    let lines = page.lines();
    let outside_code: String = lines
        .map(|line| format!("{}\n", without_code(line)))
        .collect();
    for bad in ["<script", "@everyone", "](http", "**b**", "\n# h"] {
        assert!(!outside_code.contains(bad), "{bad}:\n{page}");
    }
    // Every row of a table has as many cells as its head.
    for table in page.split("\n\n").filter(|block| block.starts_with("| ")) {
        let cells = |row: &str| row.replace("\\|", "").matches('|').count();
        let head = table.lines().next().map(cells);
        assert!(table.lines().all(|row| Some(cells(row)) == head), "{table}");
    }
}

/// A line without what stands between equal runs of backticks, or in code elements.
fn without_code(line: &str) -> String {
    let mut rest = line.replace("<code>", "\u{1}").replace("</code>", "\u{2}");
    while let (Some(from), Some(to)) = (rest.find('\u{1}'), rest.find('\u{2}')) {
        rest.replace_range(from..=to, "");
    }
    let mut plain = String::new();
    let mut rest = rest.as_str();
    while let Some(at) = rest.find('`') {
        plain.push_str(&rest[..at]);
        let fence = rest[at..].bytes().take_while(|b| *b == b'`').count();
        let after = &rest[at + fence..];
        let close = closing(after, fence);
        rest = close.map_or("", |end| &after[end..]);
    }
    plain.push_str(rest);
    plain
}

/// Where the run of exactly `fence` backticks ends.
fn closing(text: &str, fence: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = text[at..].find('`') {
        let start = at + next;
        let run = text[start..].bytes().take_while(|b| *b == b'`').count();
        at = start + run;
        if run == fence {
            return Some(at);
        }
    }
    None
}
