// How long a page of `agentdiag report` takes to become interactive, in headless Chromium over its devtools.
// node --experimental-websocket benches/page.mjs /absolute/path/of/report.html [loads]
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [, , page, loads = "5"] = process.argv;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const port = 9300 + (process.pid % 500);
const profile = mkdtempSync(join(tmpdir(), "page-"));
const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", `--remote-debugging-port=${port}`, `--user-data-dir=${profile}`, "about:blank"];
const browser = spawn(process.env.AGENTDIAG_BROWSER ?? "chromium", flags, { stdio: "ignore" });
process.on("exit", () => browser.kill("SIGKILL"));

let socket;
for (let tries = 0; !socket && tries < 100; tries++) {
  try {
    const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    socket = new WebSocket(targets.find((target) => target.type === "page").webSocketDebuggerUrl);
  } catch { await pause(100); }
}
await new Promise((done) => { socket.onopen = done; });
const answers = new Map();
let [number, loaded] = [0, false];
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.id) answers.get(message.id)(message.result ?? message.error);
  else if (message.method === "Page.loadEventFired") loaded = true;
};
const call = (method, params = {}) => new Promise((done) => {
  answers.set(++number, done);
  socket.send(JSON.stringify({ id: number, method, params }));
});

// Milliseconds: since navigation began; then from a click until the frame after it.
const MEASURE = `(async () => {
  const act = async (query) => {
    const start = performance.now();
    document.querySelector(query).click();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return Math.round(performance.now() - start);
  };
  const { domInteractive, loadEventEnd } = performance.getEntriesByType("navigation")[0];
  const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  return {
    painted: Math.round(painted), interactive: Math.round(domInteractive), loaded: Math.round(loadEventEnd),
    sorting: await act("#slow th button"), filtering: await act("button.chip"),
    elements: document.querySelectorAll("*").length,
  };
})()`;
await call("Page.enable");
await call("Performance.enable", { timeDomain: "threadTicks" });
await call("Emulation.setDeviceMetricsOverride", { width: 1280, height: 900, deviceScaleFactor: 1, mobile: false });
for (let load = 0; load < Number(loads); load++) {
  loaded = false;
  await call("Page.navigate", { url: `file://${page}` });
  while (!loaded) await pause(10);
  await pause(300);
  const { metrics } = await call("Performance.getMetrics");
  const busy = metrics.find((metric) => metric.name === "TaskDuration").value;
  const { result } = await call("Runtime.evaluate", { awaitPromise: true, returnByValue: true, expression: MEASURE });
  console.log(JSON.stringify({ ...result.value, main_thread_cpu: Math.round(busy * 1000) }));
}
socket.close();
browser.kill();
