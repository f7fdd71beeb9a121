//! Price tables, as text.

use std::io::{self, Write};

use super::Page;
use super::table::{Column, Table};
use crate::render::style::Style;
use crate::report::cost::table as described;
use crate::report::prices::{Compared, Imported, Listing};
use crate::units::human::{compact, count, counted};

/// Names shown of those that only one side knows.
const NAMES: usize = 10;

/// Lists prices.
///
/// # Errors
/// When `out` cannot be written.
pub fn prices(listing: &Listing<'_>, style: Style, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(style, out);
    page.title("PRICES", "US dollars per million tokens")?;
    for table in &listing.tables {
        let text = format!(
            "{}, {}",
            described(table),
            counted(table.models as u64, "model")
        );
        page.hanging("", 2, &text)?;
    }
    if listing.rows.is_empty() {
        return finish(page, "No model of that name has a price.");
    }
    page.line("")?;
    let columns = [
        Column::Name("model"),
        Column::Number("input"),
        Column::Number("cached"),
        Column::Number("write"),
        Column::Number("1h"),
        Column::Number("output"),
        Column::Name(""),
    ];
    let mut table = Table::new(style, &columns);
    for row in &listing.rows {
        let [input, cached, write, hour, output] = row.prices.map(dollars);
        let name = match row.above {
            0 => row.model.to_owned(),
            above => format!("  above {} tokens", compact(above)),
        };
        table.row([name, input, cached, write, hour, output, row.remark.clone()]);
    }
    page.table(table)?;
    page.finish()
}

/// Says what was imported.
///
/// # Errors
/// When `out` cannot be written.
pub fn imported(imported: &Imported, style: Style, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(style, out);
    let form = imported.table.as_ref().map_or("", |table| table.form);
    page.hanging(
        "",
        0,
        &format!(
            "{} of a {form} table written to {}",
            counted(imported.models, "name"),
            imported.path
        ),
    )?;
    for (reason, entries) in &imported.skipped {
        let verb = if *entries == 1 { "entry" } else { "entries" };
        page.hanging(
            "",
            2,
            &format!("{} {verb} left out: {reason}", count(*entries)),
        )?;
    }
    page.finish()
}

/// Lists what differs.
///
/// # Errors
/// When `out` cannot be written.
pub fn price_changes(compared: &Compared, style: Style, out: impl Write) -> io::Result<()> {
    let mut page = Page::new(style, out);
    let changes = &compared.changes;
    page.title(
        "PRICES COMPARED",
        &format!("{} against {}", compared.left, compared.right),
    )?;
    let text = format!(
        "{} with the same prices, {} differ, {} only in the first, {} only in the second",
        counted(changes.same, "model"),
        counted(changes.changed.len() as u64, "price"),
        count(changes.only_left.len() as u64),
        count(changes.only_right.len() as u64)
    );
    page.hanging("", 2, &text)?;
    if !changes.changed.is_empty() {
        page.line("")?;
        let columns = [
            Column::Name("model"),
            Column::Word("price"),
            Column::Number("first"),
            Column::Number("second"),
        ];
        let mut table = Table::new(style, &columns);
        for change in &changes.changed {
            let (left, right) = (dollars(change.left), dollars(change.right));
            table.row([change.model.clone(), change.price.clone(), left, right]);
        }
        page.table(table)?;
    }
    for (title, names) in [
        ("ONLY IN THE FIRST", &changes.only_left),
        ("ONLY IN THE SECOND", &changes.only_right),
    ] {
        if !names.is_empty() {
            page.heading(title, "")?;
            let shown: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
            page.hanging("", 2, &shown.join(", "))?;
            if names.len() > NAMES {
                page.hanging(
                    "",
                    2,
                    &format!("and {} more", count((names.len() - NAMES) as u64)),
                )?;
            }
        }
    }
    page.finish()
}

fn finish<W: Write>(mut page: Page<W>, text: &str) -> io::Result<()> {
    page.line("")?;
    page.hanging("", 2, text)?;
    page.finish()
}

/// A price without more zeros than needed.
fn dollars(price: Option<f64>) -> String {
    let Some(price) = price else {
        return "-".to_owned();
    };
    let text = format!("{price:.6}");
    let text = text.trim_end_matches('0');
    text.trim_end_matches('.').to_owned()
}
