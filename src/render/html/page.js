// Sorting, filtering, search and links between charts and tables. Everything it shows is in the page already.
"use strict";
(() => {
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const one = (id) => document.getElementById(id);
  const data = JSON.parse(one("data").textContent);
  document.documentElement.classList.add("js");

  // What is looked at. Absent means everything.
  const look = { cause: null, kind: null, from: null, to: null, text: "" };

  const rows = all("#slow tbody tr").map((row) => ({
    row, cause: row.dataset.cause, kind: row.dataset.kind, start: +row.dataset.start,
    text: row.textContent.toLowerCase(),
  }));
  const cards = all("#cards > details").map((row) => ({
    row, cause: row.dataset.cause, kind: row.dataset.kind, start: +row.dataset.start,
    text: row.querySelector("summary").textContent.toLowerCase() + " " + row.id,
  }));
  // A legend, and with scripts the buttons of a filter.
  const chips = all(".chip[data-cause]").map((chip) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.dataset.cause = chip.dataset.cause;
    button.append(...chip.childNodes);
    chip.replaceWith(button);
    return button;
  });
  const lines = all('[data-chart="latency-over-time"] svg').map((svg, index) => {
    const [left, right] = index === 0 ? data.wide : data.narrow;
    return { svg, left, right, marks: all(':scope > circle, :scope > path[class^="f-"]', svg) };
  });

  const fits = (item) =>
    (look.cause === null || item.cause === look.cause) &&
    (look.kind === null || item.kind === look.kind) &&
    (look.from === null || (item.start >= look.from && item.start < look.to)) &&
    (look.text === "" || item.text.includes(look.text));

  const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);

  function show() {
    let shown = 0;
    for (const item of rows) {
      const fit = fits(item);
      item.row.hidden = !fit;
      shown += fit;
    }
    for (const item of cards) item.row.hidden = !fits(item);
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.dataset.cause === look.cause));
    for (const line of lines) {
      line.marks.forEach((mark, index) => {
        const [, start, , cause] = data.marks[index] || [];
        const out = (look.cause !== null && cause !== look.cause) ||
          (look.from !== null && (start < look.from || start >= look.to));
        mark.classList.toggle("faded", out);
      });
    }
    const said = [];
    if (look.cause !== null) said.push(look.cause);
    if (look.kind !== null) said.push("task " + (look.kind || "(not named)"));
    if (look.from !== null) said.push(clock(look.from) + " to " + clock(look.to) + " UTC");
    if (look.text !== "") said.push("\u201c" + look.text + "\u201d");
    if (one("shown")) {
      const some = said.length > 0;
      one("shown").textContent = shown + " of " + rows.length + (some ? ": " + said.join(", ") : " requests");
      one("clear").hidden = !some;
    }
  }

  function toggle(change) {
    const same = Object.keys(change).every((key) => look[key] === change[key]);
    for (const key of Object.keys(change)) look[key] = same ? null : change[key];
    show();
  }

  for (const chip of chips) chip.addEventListener("click", () => toggle({ cause: chip.dataset.cause }));
  if (one("search")) {
    one("search").addEventListener("input", (event) => {
      look.text = event.target.value.trim().toLowerCase();
      show();
    });
    one("clear").addEventListener("click", () => {
      Object.assign(look, { cause: null, kind: null, from: null, to: null, text: "" });
      one("search").value = "";
      all(".brush").forEach((brush) => brush.remove());
      show();
      one("search").focus();
    });
  }

  // Sorting: a button in each heading, numbers by their exact value.
  const value = (cell) => ("v" in cell.dataset ? +cell.dataset.v : cell.textContent.trim());
  for (const table of all("table[data-sortable]")) {
    const body = table.tBodies[0];
    all("thead th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const numeric = head.classList.contains("n");
        const now = head.getAttribute("aria-sort");
        const up = now ? now === "descending" : !numeric;
        all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const keyed = all("tr", body).map((row) => {
          const key = value(row.cells[column]);
          return { row, key: typeof key === "string" && numeric ? parseFloat(key) : key };
        });
        const order = (a, b) => (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0);
        keyed.sort((a, b) => (up ? 1 : -1) * order(a.key, b.key));
        body.append(...keyed.map((item) => item.row));
      });
    });
  }

  // Cards: open the one a link points to, or all.
  function openTarget() {
    const target = location.hash.length > 1 && one(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  }
  addEventListener("hashchange", openTarget);
  openTarget();
  const setAll = (open) => cards.forEach((item) => { if (!item.row.hidden) item.row.open = open; });
  if (one("open-all")) {
    one("open-all").addEventListener("click", () => setAll(true));
    one("close-all").addEventListener("click", () => setAll(false));
  }
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])").filter((item) => !item.classList.contains("request"));
    closed.forEach((item) => { item.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((item) => { item.open = false; }));

  // Timeline: say what a mark is, find its request, and look at a stretch of time.
  const tip = one("tip");
  function say(text, event) {
    if (!tip) return;
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = Math.max(event.clientY - tip.offsetHeight - 10, 8) + "px";
  }
  function find(trace) {
    const item = rows.find((each) => each.row.dataset.trace === trace);
    if (!item) return;
    all(".chosen").forEach((row) => row.classList.remove("chosen"));
    item.row.hidden = false;
    item.row.classList.add("chosen");
    item.row.scrollIntoView({ block: "center" });
  }
  for (const { svg, left, right, marks } of lines) {
    const index = new Map(marks.map((mark, at) => [mark, at]));
    const scale = () => svg.viewBox.baseVal.width / svg.getBoundingClientRect().width;
    const at = (event) => (event.clientX - svg.getBoundingClientRect().left) * scale();
    const time = (x) => data.from + ((Math.min(Math.max(x, left), right) - left) / (right - left)) * (data.to - data.from);
    let start = null;
    let brush = null;
    svg.addEventListener("pointerdown", (event) => {
      start = at(event);
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      const mark = data.marks[index.get(event.target)];
      if (start === null) return say(mark && mark[2], event);
      const x = at(event);
      if (Math.abs(x - start) < 5 && !brush) return undefined;
      if (!brush) {
        all(".brush").forEach((old) => old.remove());
        brush = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        brush.setAttribute("class", "brush");
        brush.setAttribute("height", svg.viewBox.baseVal.height - 34);
        svg.append(brush);
      }
      const [low, high] = [Math.min(start, x), Math.max(start, x)].map((v) => Math.min(Math.max(v, left), right));
      brush.setAttribute("x", low);
      brush.setAttribute("width", Math.max(high - low, 1));
      return undefined;
    });
    svg.addEventListener("pointerup", (event) => {
      const x = at(event);
      if (brush) {
        look.from = time(Math.min(start, x));
        look.to = Math.max(time(Math.max(start, x)), look.from + 1e-6);
        show();
      } else {
        const hit = document.elementFromPoint(event.clientX, event.clientY);
        const mark = data.marks[index.get(hit)];
        if (mark && mark[3]) find(mark[0]);
        else if (look.from !== null) {
          all(".brush").forEach((old) => old.remove());
          toggle({ from: look.from, to: look.to });
        }
      }
      start = null;
      brush = null;
    });
    svg.addEventListener("pointercancel", () => { start = null; brush = null; });
    svg.addEventListener("pointerleave", (event) => say("", event));
  }

  // Heat map: one cell is one kind of task in one stretch of time.
  for (const svg of all('[data-chart="slow-by-task-and-time"] svg')) {
    const heat = data.heat;
    const index = new Map(all(":scope > rect", svg).map((cell, at) => [cell, at]));
    const place = (event) => index.get(event.target);
    svg.addEventListener("pointermove", (event) => {
      const at = place(event);
      if (at === undefined) return say("", event);
      const [kind, bin] = [heat.kinds[Math.floor(at / heat.bins)], at % heat.bins];
      return say((kind === null ? "all others" : kind || "(not named)") + ", " + heat.starts[bin] + " UTC: " + heat.cells[at], event);
    });
    svg.addEventListener("pointerleave", (event) => say("", event));
    svg.addEventListener("click", (event) => {
      const at = place(event);
      if (at === undefined) return;
      const from = heat.from + (at % heat.bins) * heat.step;
      toggle({ kind: heat.kinds[Math.floor(at / heat.bins)], from, to: from + heat.step });
      if (one("slow")) one("slow").scrollIntoView({ block: "start" });
    });
  }
  for (const row of all("#incidents tbody tr")) {
    row.addEventListener("click", () => {
      toggle({ cause: row.dataset.cause, from: +row.dataset.from, to: +row.dataset.to + 1e-6 });
    });
  }
  show();
})();
