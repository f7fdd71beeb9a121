//! The page in Chromium.

use serde_json::{Value, json};

use super::devtools::Browser;
use super::{hostile, mixed};

/// Texts of one column of the visible rows of the slow requests.
fn column(browser: &mut Browser, index: usize) -> Vec<String> {
    let cells = browser.eval(&format!(
        "[...document.querySelectorAll('#slow tbody tr')].filter(r => !r.hidden).map(r => r.cells[{index}].textContent)"
    ));
    let cells = cells.as_array().expect("a list").iter();
    cells
        .map(|cell| cell.as_str().expect("text").to_owned())
        .collect()
}

/// Exact values of one column.
fn values(browser: &mut Browser, index: usize) -> Vec<f64> {
    let cells = browser.eval(&format!(
        "[...document.querySelectorAll('#slow tbody tr')].map(r => +r.cells[{index}].dataset.v)"
    ));
    cells
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_f64)
        .collect()
}

#[test]
#[cfg_attr(not(browser), ignore = "needs Chromium")]
fn tables_are_sorted_filtered_and_searched() {
    let page = mixed();
    let mut browser = Browser::open(&page.path, true);
    let all = column(&mut browser, 0).len();
    assert!(all > 20, "{all} slow requests");

    browser.eval("document.querySelectorAll('#slow thead th')[3].querySelector('button').click()");
    let took = values(&mut browser, 3);
    assert!(took.is_sorted_by(|a, b| a >= b), "longest first: {took:?}");
    browser.eval("document.querySelectorAll('#slow thead th')[3].querySelector('button').click()");
    let took = values(&mut browser, 3);
    assert!(took.is_sorted(), "then shortest first: {took:?}");
    let sorted = "document.querySelectorAll('#slow thead th')[3].getAttribute('aria-sort')";
    assert_eq!(browser.eval(sorted), "ascending");
    assert_eq!(
        browser.eval("document.querySelectorAll('#slow [aria-sort]').length"),
        1
    );

    let cause = browser.eval("(() => { const chip = document.querySelector('button.chip'); chip.click(); return chip.dataset.cause })()");
    let cause = cause.as_str().expect("a cause").to_owned();
    let shown = column(&mut browser, 0);
    assert!(
        !shown.is_empty() && shown.len() < all && shown.iter().all(|c| c.contains(&cause)),
        "{shown:?}"
    );
    let faded = browser.eval("document.querySelectorAll('.wide .chart .faded').length");
    assert!(faded.as_u64() > Some(0), "marks of other causes fade");
    let said = browser.eval("document.getElementById('shown').textContent");
    assert!(said.as_str().is_some_and(|s| s.contains(&cause)), "{said}");
    browser.eval("document.querySelector('button.chip').click()");
    assert_eq!(
        column(&mut browser, 0).len(),
        all,
        "a second press shows all"
    );

    let trace = column(&mut browser, 9).swap_remove(7);
    let search = format!(
        "(() => {{ const s = document.getElementById('search'); s.value = '{trace}'; s.dispatchEvent(new Event('input')) }})()"
    );
    browser.eval(&search);
    assert_eq!(column(&mut browser, 9), [trace]);
    browser.eval("document.getElementById('clear').click()");
    assert_eq!(column(&mut browser, 0).len(), all);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[cfg_attr(not(browser), ignore = "needs Chromium")]
fn requests_open_and_charts_are_linked() {
    let page = mixed();
    let mut browser = Browser::open(&page.path, true);
    let open = "document.querySelectorAll('#cards > details[open]').length";
    assert_eq!(browser.eval(open), 0);
    browser.eval("document.querySelector('#slow a.trace').click()");
    browser.eval("new Promise(done => setTimeout(done, 50))");
    assert_eq!(browser.eval(open), 1, "a link opens what it points to");
    browser.eval("document.getElementById('open-all').click()");
    assert_eq!(
        browser.eval("document.querySelectorAll('#cards > details:not([open])').length"),
        0
    );
    browser.eval("document.getElementById('close-all').click()");
    assert_eq!(browser.eval(open), 0);

    // A stretch of time, by dragging over the left half of the timeline.
    let all = column(&mut browser, 0).len();
    // A browser drops input until the page's first frame is on the screen, and says to nobody when that is; until then the
    // chart may still move.
    for _ in 0..40 {
        let place = browser.eval(
            "(() => { const svg = document.querySelector('.wide .chart'); svg.scrollIntoView({block: 'center', behavior: 'instant'}); const b = svg.getBoundingClientRect(); return [b.left, b.top, b.width, b.height] })()",
        );
        let [left, top, width, height] = [0, 1, 2, 3].map(|i| place[i].as_f64().expect("a number"));
        browser.drag(
            (left + width * 0.1, top + height * 0.5),
            (left + width * 0.5, top + height * 0.5),
        );
        if column(&mut browser, 0).len() < all {
            break;
        }
        browser.eval("new Promise(done => setTimeout(done, 250))");
    }
    let some = column(&mut browser, 0).len();
    assert!(some < all, "{some} of {all}");
    browser.eval("document.getElementById('clear').click()");

    // A cell of the heat map in which something was slow.
    let click = "(() => { const cell = document.querySelector('[data-chart=\"slow-by-task-and-time\"] .wide rect.f-h5'); cell.dispatchEvent(new MouseEvent('click', {bubbles: true})) })()";
    browser.eval(click);
    let some = column(&mut browser, 0).len();
    assert!(some > 0 && some < all, "{some} of {all}");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[cfg_attr(not(browser), ignore = "needs Chromium")]
fn without_scripts_everything_can_be_read() {
    let page = mixed();
    let mut browser = Browser::open(&page.path, false);
    // The protocol may still look at the page; the page itself runs nothing.
    assert_eq!(browser.eval("document.documentElement.className"), "");
    let hidden = "[...document.querySelectorAll('main section')].filter(s => s.getBoundingClientRect().height < 20).length";
    assert_eq!(browser.eval(hidden), 0);
    let dead = "[...document.querySelectorAll('button, input')].filter(b => b.offsetParent !== null).length";
    assert_eq!(
        browser.eval(dead),
        0,
        "nothing is offered that does not work"
    );
    assert!(column(&mut browser, 0).len() > 20);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[cfg_attr(not(browser), ignore = "needs Chromium")]
fn hostile_names_are_inert() {
    let page = hostile();
    let mut browser = Browser::open(&page.path, true);
    browser.eval("document.querySelectorAll('details').forEach(d => { d.open = true })");
    assert_eq!(browser.eval("typeof window.owned"), "undefined");
    assert_eq!(
        browser.eval(
            "document.querySelectorAll('img, iframe, object, embed, link[rel=stylesheet]').length"
        ),
        0
    );
    assert_eq!(browser.eval("document.scripts.length"), 2);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[cfg_attr(not(browser), ignore = "needs Chromium")]
fn nothing_sticks_out_at_any_width() {
    let page = mixed();
    let mut browser = Browser::open(&page.path, true);
    browser.eval("document.querySelectorAll('details').forEach(d => { d.open = true })");
    for width in [390, 768, 1280, 2560, 3840] {
        let metrics =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        browser.call("Emulation.setDeviceMetricsOverride", metrics);
        let over = browser.eval("document.documentElement.scrollWidth - innerWidth");
        assert!(
            over.as_i64() <= Some(0),
            "{over} pixels too wide at {width}"
        );
    }
}

#[test]
#[cfg_attr(not(all(browser, axe)), ignore = "needs Chromium and axe-core")]
fn accessibility_checks_find_nothing_serious() {
    let axe = std::env::var("AGENTDIAG_AXE").expect("axe-core, as when this was built");
    let axe = std::fs::read_to_string(axe).expect("axe.min.js");
    let page = mixed();
    let mut browser = Browser::open(&page.path, true);
    browser.eval("document.querySelectorAll('details').forEach((d, i) => { d.open = i < 12 })");
    browser.eval(&format!("{axe}; 0"));
    for scheme in ["light", "dark"] {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.call("Emulation.setEmulatedMedia", media);
        let found = browser.eval(
            "axe.run({resultTypes: ['violations']}).then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + v.nodes.slice(0, 5).map(n => n.html.slice(0, 200) + ' ' + n.any.map(a => a.message).join()).join(' | ')))",
        );
        assert_eq!(found, json!([]), "{scheme}");
    }
}
