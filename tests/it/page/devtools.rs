//! Drives Chromium over its debugging pipe: JSON messages that end in a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A page in a browser of its own.
pub(super) struct Browser {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    sent: u64,
    /// Everything the browser said unasked.
    pub(super) events: Vec<Value>,
    _profile: TempDir,
}

/// The browser that the build script found.
fn binary() -> PathBuf {
    let named = env::var_os("AGENTDIAG_BROWSER").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let found = || {
        let folders = env::split_paths(&path);
        let mut files = folders
            .flat_map(|f| ["chromium", "chromium-browser", "google-chrome"].map(|n| f.join(n)));
        files.find(|file| file.is_file())
    };
    named
        .or_else(found)
        .expect("a browser, as when this was built")
}

impl Browser {
    /// Opens a page and waits until it is loaded.
    pub(super) fn open(page: &Path, scripts: bool) -> Self {
        let profile = tempfile::tempdir().expect("a scratch folder");
        // The pipe is file descriptors 3 and 4; a shell puts them there. A browser that hangs is ended.
        let mut process = Command::new("sh")
            .args([
                "-c",
                r#"exec timeout -k 5 120 "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#,
            ])
            .arg(binary())
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
            ])
            .args([
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
            ])
            .args([
                "--disable-component-update",
                "--disable-sync",
                "--window-size=1280,900",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut browser = Self {
            to: process.stdin.take().expect("piped"),
            from: BufReader::new(process.stdout.take().expect("piped")),
            process,
            session: None,
            sent: 0,
            events: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        browser.load(page, scripts);
        browser
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let params = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", params);
        self.session = session["sessionId"].as_str().map(str::to_owned);
    }

    fn load(&mut self, page: &Path, scripts: bool) {
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let off = json!({"value": !scripts});
        self.call("Emulation.setScriptExecutionDisabled", off);
        let page = fs::canonicalize(page).expect("a page");
        self.call(
            "Page.navigate",
            json!({"url": format!("file://{}", page.display())}),
        );
        while !self
            .events
            .iter()
            .any(|e| e["method"] == "Page.loadEventFired")
        {
            let event = self.read();
            self.events.push(event);
        }
    }

    /// Calls a method and waits for its answer.
    pub(super) fn call(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        write!(self.to, "{message}\0")
            .and_then(|()| self.to.flush())
            .expect("the browser listens");
        loop {
            let answer = self.read();
            if answer["id"] == self.sent {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn read(&mut self) -> Value {
        let mut message = Vec::new();
        self.from
            .read_until(0, &mut message)
            .expect("the browser answers");
        assert_eq!(message.pop(), Some(0), "the browser has gone away");
        serde_json::from_slice(&message).expect("JSON")
    }

    /// The value of an expression in the page.
    pub(super) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", params);
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Presses, moves and releases the mouse.
    pub(super) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        for (kind, (x, y), buttons) in [
            ("mousePressed", from, 1),
            ("mouseMoved", to, 1),
            ("mouseReleased", to, 0),
        ] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            self.call(
                "Input.dispatchMouseEvent",
                json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1}),
            );
        }
    }

    /// What went wrong in the page: exceptions, messages, and every address but the page's own.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for event in &self.events {
            let params = &event["params"];
            match event["method"].as_str() {
                Some("Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled") => {
                    complaints.push(params.to_string());
                }
                Some("Network.requestWillBeSent") => {
                    let address = params["request"]["url"].as_str().unwrap_or_default();
                    if !address.starts_with("file://")
                        && !address.starts_with("data:")
                        && address != "about:blank"
                    {
                        complaints.push(format!("a request to {address}"));
                    }
                }
                _ => {}
            }
        }
        complaints
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = None;
        let _ = write!(self.to, "{}\0", json!({"id": 0, "method": "Browser.close"}));
        let _ = self.to.flush();
        let _ = self.process.wait();
    }
}
