//! Charts, looked at as a reader of the file would: decoded, never compared byte by byte.

use std::path::Path;

use assert_cmd::Command;
use roxmltree::{Document, Node};
use tiny_skia::Pixmap;

/// Charts that the recording has something to show for.
const NAMES: [&str; 6] = [
    "latency-over-time",
    "latency-distribution",
    "phases",
    "slow-by-task-and-time",
    "tool-shares",
    "concurrency",
];

fn charts() -> tempfile::TempDir {
    charts_of(Path::new("fixtures/labelled/mixed-full-mixed"))
}

fn charts_of(input: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut command = Command::cargo_bin("agentdiag").expect("the binary is built");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command
        .arg("report")
        .arg(input)
        .args(["--budget", "fixtures/budgets/agentdiag.toml"])
        .args(["--chart-format", "svg,png", "-o"])
        .arg(folder.path().join("report.html"))
        .arg("--charts")
        .arg(folder.path().join("charts"))
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder
}

fn text_of(node: Node<'_, '_>) -> String {
    node.descendants().filter_map(|n| n.text()).collect()
}

#[test]
fn svg_files_are_titled_themable_and_inert() {
    let folder = charts();
    for name in NAMES {
        let path = folder
            .path()
            .join("charts")
            .join(name)
            .with_extension("svg");
        let source = std::fs::read_to_string(&path).expect(name);
        let document = Document::parse(&source).expect("well-formed XML");
        let root = document.root_element();
        assert!(
            root.has_tag_name(("http://www.w3.org/2000/svg", "svg")),
            "{name}"
        );
        assert_eq!(root.attribute("role"), Some("img"), "{name}");
        let child = |tag: &str| root.children().find(|n| n.tag_name().name() == tag);
        for tag in ["title", "desc"] {
            let told = child(tag).unwrap_or_else(|| panic!("{name} has no {tag}"));
            assert!(text_of(told).len() > 10, "{name}");
            let id = told.attribute("id").expect("an id");
            assert!(
                root.attribute("aria-labelledby")
                    .is_some_and(|l| l.contains(id)),
                "{name}"
            );
        }
        let style = text_of(child("style").expect("a style sheet"));
        assert!(
            style.contains("prefers-color-scheme:dark") && style.contains("var(--ink)"),
            "{name}"
        );
        for node in document.descendants().filter(Node::is_element) {
            let tag = node.tag_name().name();
            assert!(
                [
                    "svg", "title", "desc", "style", "rect", "path", "circle", "text"
                ]
                .contains(&tag),
                "{name}: {tag}"
            );
            if ["rect", "path", "circle", "text"].contains(&tag) {
                assert!(
                    node.attribute("class").is_some(),
                    "{name}: a {tag} that no theme reaches"
                );
            }
        }
    }
}

#[test]
fn limits_of_budgets_are_drawn_over_the_distribution() {
    let folder = charts();
    let path = folder.path().join("charts/latency-distribution.svg");
    let source = std::fs::read_to_string(path).expect("a chart");
    let document = Document::parse(&source).expect("well-formed XML");
    let texts: Vec<String> = document
        .descendants()
        .filter(|n| n.has_tag_name("text"))
        .map(text_of)
        .collect();
    let drawn = |start: &str| texts.iter().any(|text| text.trim().starts_with(start));
    assert!(drawn("budget p95 1m30s") && drawn("95% "), "{texts:?}");
    assert!(text_of(document.root_element()).contains("budget of p95"));
}

#[test]
fn every_request_is_a_mark_in_the_timeline() {
    let folder = charts();
    let source = std::fs::read_to_string(folder.path().join("charts/latency-over-time.svg"))
        .expect("a chart");
    let document = Document::parse(&source).expect("well-formed XML");
    let class = |n: &Node<'_, '_>| n.attribute("class").unwrap_or_default().to_owned();
    let marks = document
        .descendants()
        .filter(|n| match n.tag_name().name() {
            "circle" => true,
            "path" => class(n).starts_with("f-c"),
            _ => false,
        });
    let marks = marks.count();
    let told = text_of(
        document
            .root_element()
            .children()
            .find(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "desc")))
            .expect("a description"),
    );
    let requests: usize = told
        .split(' ')
        .next()
        .and_then(|n| n.replace(',', "").parse().ok())
        .expect("a number");
    // The legend has one mark per cause and one for requests that were not slow.
    assert!(
        marks > requests && marks <= requests + 11,
        "{marks} marks, {told}"
    );
}

/// Utilisation of two devices over ten minutes, as OpenTelemetry's hardware conventions name it.
fn devices() -> String {
    let point = |device: u64, minute: u64| {
        let (time, value) = (
            1_777_795_200 + 60 * minute,
            (device * 40 + minute) as f64 / 100.0,
        );
        format!(
            r#"{{"timeUnixNano":"{time}000000000","asDouble":{value},"attributes":[{{"key":"hw.id","value":{{"stringValue":"GPU-{device}"}}}}]}}"#
        )
    };
    let points: Vec<String> = (0..20).map(|n| point(n / 10, n % 10)).collect();
    format!(
        r#"{{"resourceMetrics":[{{"resource":{{}},"scopeMetrics":[{{"metrics":[{{"name":"hw.gpu.utilization","gauge":{{"dataPoints":[{}]}}}}]}}]}}]}}"#,
        points.join(",")
    )
}

#[test]
fn devices_have_a_line_each_where_the_dump_holds_their_metrics() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let input = folder.path().join("gpu.jsonl");
    std::fs::write(&input, devices()).expect("written");
    let charts = charts_of(&input);
    let source = std::fs::read_to_string(charts.path().join("charts/gpu.svg")).expect("a chart");
    let document = Document::parse(&source).expect("well-formed XML");
    let lines = document.descendants().filter(|n| {
        let corners = n.attribute("d").map_or(0, |d| d.matches('L').count());
        n.attribute("class").is_some_and(|c| c.starts_with("s-c")) && corners == 9
    });
    assert_eq!(lines.count(), 2, "ten values each");
    let words = text_of(document.root_element());
    assert!(
        words.contains("GPU-0") && words.contains("GPU-1") && words.contains("GPU utilisation, %")
    );
    // 49 % is the highest value; the scale goes to 100.
    assert!(words.contains("100"));
}

#[test]
fn png_files_show_the_palette_on_white() {
    let folder = charts();
    for name in NAMES {
        let path = folder
            .path()
            .join("charts")
            .join(name)
            .with_extension("png");
        let picture = decode(&path);
        assert_eq!(picture.width(), 2_240, "{name}");
        assert!(picture.height() > 400, "{name}");
        let pixels = picture.pixels();
        assert!(pixels.iter().all(|p| p.alpha() == 255), "{name} has holes");
        let count = |r: u8, g: u8, b: u8| {
            pixels
                .iter()
                .filter(|p| (p.red(), p.green(), p.blue()) == (r, g, b))
                .count()
        };
        let white = count(255, 255, 255);
        assert!(
            white > pixels.len() / 10 && white < pixels.len(),
            "{name}: {white} white pixels"
        );
        // Text in the ink of the palette: more than a line, less than a blot.
        let ink = count(0x16, 0x19, 0x1d);
        assert!(
            ink > 500 && ink < pixels.len() / 10,
            "{name}: {ink} pixels of ink"
        );
        let smooth = pixels
            .iter()
            .filter(|p| p.red() != p.green() || p.green() != p.blue())
            .count();
        assert!(smooth > 1_000, "{name} has no colour");
    }
}

fn decode(path: &Path) -> Pixmap {
    let bytes = std::fs::read(path).expect("a picture");
    Pixmap::decode_png(&bytes).expect("a PNG file")
}
