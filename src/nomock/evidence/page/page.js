// The page of a run's evidence: a list of tests, and of the chosen one its time axis and all that
// was seen. What it shows comes from services: it is only ever text, never HTML.
"use strict";

const run = JSON.parse(document.getElementById("run").textContent);
const tests = run.tests;
const list = document.querySelector("nav ol");
const filter = document.querySelector("nav input");
const main = document.querySelector("main");
const SEVERE = new Set(["error", "critical", "fatal", "panic", "exception", "emergency", "alert"]);
const MARKS = { failed: "✗", passed: "✓", skipped: "–" };
let chosen = -1;
let onlyOwn = false;

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) made.append(child);
  return made;
}

function seconds(value) {
  if (value === null || value === undefined) return "";
  return Math.abs(value) < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

function recordOf(number) {
  const test = tests[number];
  if (!test.record) {
    const data = document.getElementById(`t${number}`);
    test.record = data ? JSON.parse(data.textContent) : null;
  }
  return test.record;
}

function entryOf(test, number) {
  return el("li", { role: "option", id: `o${number}`, "aria-selected": "false", onclick: () => choose(number) },
    el("div", { class: "id" }, el("span", { class: test.outcome }, `${MARKS[test.outcome] || "…"}\u00a0`), test.id.split(/(?<=::|_|\/)/).map((part) => [part, el("wbr", {})])),
    el("div", { class: "why" }, [test.cause || test.message, seconds(test.took_s)].filter(Boolean).join(" · ")));
}

function showList() {
  list.replaceChildren(...tests.map(entryOf));
  applyFilter();
}

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  tests.forEach((test, number) => {
    const text = `${test.id} ${test.outcome} ${test.message} ${test.cause || ""} ${test.worker || ""}`.toLowerCase();
    const hidden = !words.every((word) => text.includes(word));
    list.children[number].hidden = hidden;
    shown += hidden ? 0 : 1;
  });
  document.getElementById("count").textContent = `${shown} of ${tests.length} tests`;
}

function choose(number, keepFocus) {
  if (chosen >= 0 && list.children[chosen]) list.children[chosen].setAttribute("aria-selected", "false");
  chosen = number;
  const entry = list.children[number];
  entry.setAttribute("aria-selected", "true");
  list.setAttribute("aria-activedescendant", entry.id);
  if (!keepFocus) entry.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `#${encodeURIComponent(tests[number].id)}`);
  show(number);
}

function step(by) {
  let next = chosen;
  do next += by; while (next >= 0 && next < tests.length && list.children[next].hidden);
  if (next >= 0 && next < tests.length) choose(next);
}

function show(number) {
  const test = tests[number];
  const record = recordOf(number);
  if (!record) {
    main.replaceChildren(el("h2", {}, test.id), el("p", { class: "facts" }, test.outcome === "running" ? "is running" : "left no evidence: it passed"), liveLines(test));
    return;
  }
  const about = record.test;
  const facts = [about.outcome, seconds(about.took_s), about.worker && `worker ${about.worker}`, about.stack && `stack ${about.stack}`, about.began, about.seeds && about.seeds.length ? `seeds ${about.seeds.join(", ")}` : null].filter(Boolean);
  main.replaceChildren(el("div", {},
    el("h2", {}, about.id),
    el("div", { class: "facts" }, facts.map((fact) => el("span", {}, fact)), el("span", {}, el("a", { href: test.file }, "evidence.json")), el("span", {}, el("code", {}, `nomock replay '${about.id}'`))),
    causes(test),
    record.failures.map((failure) => [el("h3", {}, `Failure in ${failure.phase}`), el("pre", { class: "failure" }, failure.text || failure.message)]),
    (record.pages || []).map(browserPage),
    record.missing.length ? [el("h3", {}, "Missing"), record.missing.map((text) => el("pre", {}, text))] : null,
    el("h3", {}, "Time axis"), axis(record),
    el("h3", {}, "What happened"), happenings(record, test),
    sinceGreen(record),
    el("h3", {}, "Services"), el("table", { class: "headers" }, record.services.map((service) => el("tr", {}, el("td", {}, service.name), el("td", { class: "mono" }, service.image), el("td", { class: "mono" }, (service.image_id || "").slice(7, 19)), el("td", {}, [service.state, service.health].filter(Boolean).join(", "))))),
    about.order && about.order.length ? [el("h3", {}, "Tests before it"), el("pre", {}, about.order.slice(-20).join("\n"))] : null));
  main.scrollTop = 0;
  for (const failure of main.querySelectorAll(".failure")) failure.scrollTop = failure.scrollHeight;  // the error is its end
}

function browserPage(page) {
  return [el("h3", {}, "The browser: ", page.title), el("p", { class: "mono" }, page.url),
    page.picture ? el("img", { class: "picture", src: `data:image/jpeg;base64,${page.picture}`, alt: "the page when the test failed" }) : null,
    page.console.length ? el("pre", {}, page.console.map((line) => `${seconds(line.at_s)}  ${line.level}  ${line.text}`).join("\n")) : null];
}

function causes(test) {
  if (!test.causes || !test.causes.length) return null;
  return test.causes.map((cause, n) => el("div", { class: n ? "cause less" : "cause" }, el("strong", {}, cause.text), el("ul", {}, cause.proof.map((text) => el("li", {}, text)))));
}

function sinceGreen(record) {
  const lines = record.lines;
  if (!lines) return null;
  const row = (sign, what) => Object.entries(what).map(([file, ranges]) => `${sign} ${file}: ${ranges}`);
  const text = [...row("+", lines.only_now), ...row("-", lines.only_when_green), ...lines.changed.map((file) => `~ ${file} was changed since`)];
  return [el("h3", {}, "Lines against its last green run"), el("pre", {}, text.length ? text.join("\n") : "the same lines")];
}

function axis(record) {
  const spans = record.trace || [];
  const locks = (record.database || {}).lock_waits || [];
  const ends = [record.test.took_s || 0.001, ...record.exchanges.map((x) => x.at_s + (x.took_s || 0)), ...spans.map((s) => s.until_s || 0), ...record.logs.map((l) => l.at_s)];
  const begins = [0, ...record.logs.map((l) => l.at_s), ...record.events.map((e) => e.at_s)].filter((at) => at > -30);
  const from = Math.min(...begins), to = Math.max(...ends, from + 0.001);
  const at = (s) => `${Math.max(0, Math.min(100, (100 * (s - from)) / (to - from)))}%`;
  const width = (a, b) => `${Math.max(0, (100 * (Math.min(b, to) - Math.max(a, from))) / (to - from))}%`;
  const bands = () => record.faults.map((f) => el("div", { class: "band", style: `left:${at(f.at_s)};width:${width(f.at_s, f.until_s === null ? to : f.until_s)}`, title: f.name }));
  const row = (name, ...parts) => el("div", { class: "row" }, el("div", { class: "name", title: name }, name), el("div", { class: "track" }, bands(), parts));
  const scale = el("div", { class: "row scale" }, el("div", { class: "track" }, [0, 1, 2, 3, 4].map((n) => el("i", { style: `left:${n * 20}%` }, seconds(from + (n * (to - from)) / 5)))));
  const rows = [scale];
  for (const f of record.faults) rows.push(row(f.name, el("div", { class: "bar bad", style: `left:${at(f.at_s)};width:${width(f.at_s, f.until_s === null ? to : f.until_s)}`, title: f.name })));
  if (record.events.length) rows.push(row("events", record.events.map((e) => el("div", { class: "bar event", style: `left:${at(e.at_s)}`, title: e.text }))));
  if (locks.length) rows.push(row("locks", locks.map((w, n) => el("div", { class: "bar bad", style: `left:${at(w.at_s)};width:${width(w.at_s, w.until_s)}`, title: lockText(w), onclick: () => flash(`w${n}`) }, w.service))));
  record.exchanges.slice(0, 60).forEach((x, n) => {
    const end = x.took_s === null ? to : x.at_s + x.took_s;
    const label = `${x.status || x.error.split(":")[0] || "…"}`;
    rows.push(row(`${x.method} ${pathOf(x.url)}`, el("div", { class: `bar${x.status && x.status < 400 ? "" : " bad"}`, style: `left:${at(x.at_s)};width:${width(x.at_s, end)}`, title: `${x.method} ${x.url} ${label} ${seconds(x.took_s)}`, onclick: () => flash(`x${n}`) }, label)));
  });
  for (const s of spans) rows.push(row(`${s.service} ${s.name}`, el("div", { class: `bar${s.status === "ERROR" ? " bad" : ""}`, style: `left:${at(s.at_s)};width:${width(s.at_s, s.until_s)}`, title: [`${s.service} ${s.name} ${seconds(s.until_s - s.at_s)}`, s.statement].filter(Boolean).join("\n") }, s.statement ? s.statement.replace(/\s+/g, " ").slice(0, 120) : null)));
  const services = [...new Set(record.logs.map((l) => l.service))];
  for (const service of services) rows.push(row(service, record.logs.filter((l) => l.service === service).slice(-400).map((l) => el("div", { class: `tick ${l.whose === "own" ? "own" : ""} ${SEVERE.has(l.level) ? "severe" : ""}`, style: `left:${at(l.at_s)}`, title: l.message }))));
  return el("div", { class: "axis", role: "img", "aria-label": "time axis" }, rows);
}

function lockText(w) {
  const held = w.blocked_by ? `, held by ${[w.blocked_by, w.blocked_by_state].filter(Boolean).join(", ")}: ${w.blocked_by_text}` : "";
  return `${w.service} waited ${seconds(w.until_s - w.at_s)} for a lock: ${w.text}${held}`;
}

function pathOf(url) {
  return url.replace(/^[a-z]+:\/\/[^/]*/i, "") || "/";
}

function flash(id) {
  const line = document.getElementById(id);
  if (!line) return;
  document.querySelectorAll(".flash").forEach((other) => other.classList.remove("flash"));
  line.classList.add("flash");
  const details = line.querySelector("details");
  if (details) details.open = true;
  line.scrollIntoView({ block: "center" });
}

function happenings(record, test) {
  const anyOwn = record.logs.some((l) => l.whose === "own");
  const all = [
    ...record.exchanges.map((x, n) => [x.at_s, () => exchangeLine(x, n), true]),
    ...record.logs.map((l) => [l.at_s, () => logLine(l), l.whose === "own" || (l.whose === "" && SEVERE.has(l.level))]),
    ...record.fault_story.map((f) => [f.at_s, () => simpleLine(f.at_s, "fault", f.text), true]),
    ...((record.database || {}).lock_waits || []).map((w, n) => [w.at_s, () => lockLine(w, n), true]),
    ...((record.database || {}).statements || []).map((s) => [s.at_s, () => statementLine(s), false]),
    ...record.events.map((e) => [e.at_s, () => simpleLine(e.at_s, "event", [e.text, ...e.details].join("\n")), true]),
  ].sort((a, b) => a[0] - b[0]);
  const box = el("div", {});
  const toggle = el("input", { type: "checkbox", onchange: () => { onlyOwn = toggle.checked; draw(); } });
  toggle.checked = onlyOwn;
  const search = el("input", { type: "search", placeholder: "in these lines", "aria-label": "search these lines", oninput: () => draw() });
  const note = el("span", {});
  function draw() {
    const word = search.value.toLowerCase();
    let lines = all.filter(([, , matters]) => !toggle.checked || matters || !anyOwn).map(([, make]) => make);
    let made = lines.slice(0, word ? lines.length : 3000).map((make) => make());
    if (word) made = made.filter((line) => line.textContent.toLowerCase().includes(word));
    note.textContent = `${made.length} of ${all.length} lines`;
    box.replaceChildren(...made);
  }
  draw();
  const cut = [record.logs_cut && `${record.logs_cut} log lines`, record.exchanges_cut && `${record.exchanges_cut} exchanges`].filter(Boolean).join(" and ");
  return [
    el("div", { class: "tools" }, el("label", {}, toggle, " only what names this test, and errors (o)"), search, note,
      test.is_trimmed ? el("span", {}, "the page has a part of it: all is in ", el("a", { href: test.file }, "evidence.json")) : null,
      cut ? el("span", {}, `not kept: ${cut}`) : null),
    box];
}

function simpleLine(at, kind, text) {
  return el("div", { class: `line ${kind}` }, el("span", { class: "at" }, seconds(at)), el("span", { class: "who" }, kind), el("span", { class: "level" }), el("span", { class: "what", style: "white-space:pre-wrap" }, text));
}

function lockLine(w, n) {
  const line = simpleLine(w.at_s, "lock", lockText(w));
  line.id = `w${n}`;
  return line;
}

function statementLine(s) {
  return el("div", { class: "line nobody" }, el("span", { class: "at" }, seconds(s.at_s)), el("span", { class: "who" }, s.service), el("span", { class: "level" }, s.state === "active" ? "sql" : "sql idle"),
    el("details", { class: "exchange" }, el("summary", {}, s.text.replace(/\s+/g, " ").slice(0, 120), el("span", { class: "field" }, ` ${s.state}, longest ${seconds(s.longest_s)}, in ${s.looks} looks`)), el("pre", {}, s.text)));
}

function logLine(l) {
  const fields = Object.entries(l.fields).map(([name, value]) => value.includes("\n") ? el("pre", {}, value) : el("span", { class: "field" }, " ", el("b", {}, name), "=", value));
  return el("div", { class: `line ${l.whose || "nobody"} ${SEVERE.has(l.level) ? "severe" : l.level}` },
    el("span", { class: "at" }, seconds(l.at_s)), el("span", { class: "who" }, l.service), el("span", { class: "level" }, l.level), el("span", { class: "what" }, l.message, fields));
}

function exchangeLine(x, n) {
  const outcome = x.status ? String(x.status) : x.error || "no answer yet";
  const bad = !x.status || x.status >= 400;
  const headers = (pairs) => el("table", { class: "headers" }, pairs.map(([name, value]) => el("tr", {}, el("td", {}, name), el("td", { class: "mono" }, value))));
  const body = (b) => b && (b.text ? el("pre", {}, pretty(b.text)) : el("p", { class: "facts" }, b.bytes === null ? "a stream, not kept" : b.bytes ? `${b.bytes} bytes${b.is_binary ? ", binary" : ""}` : "no body"));
  const more = (b) => b && b.is_cut ? ` (${b.bytes} bytes, the first are kept)` : "";
  const details = el("details", { class: "exchange" },
    el("summary", {}, el("strong", { class: bad ? "failed" : "passed" }, `${x.method} ${pathOf(x.url)} `), `→ ${outcome} `, el("span", { class: "field" }, seconds(x.took_s))));
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    details.append(el("p", { class: "mono" }, x.url), headers(x.headers), body(x.body), el("strong", {}, `Answer ${outcome}${more(x.answer)}`), headers(x.answer_headers), body(x.answer) || "",
      el("p", {}, el("button", { onclick: (event) => copy(event.target, x.curl) }, "copy as curl")), el("pre", {}, x.curl));
  });
  return el("div", { class: "line", id: `x${n}` }, el("span", { class: "at" }, seconds(x.at_s)), el("span", { class: "who" }, "test"), el("span", { class: "level" }), details);
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 1); } catch { return text; }
}

function copy(button, text) {
  const done = () => { button.textContent = "copied"; };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => {});
}

function liveLines(test) {
  return el("div", { id: "live-lines" }, (test.lines || []).map((l) => logLine(l)));
}

function indexOf(id) {
  return tests.findIndex((test) => test.id === id);
}

function put(test) {
  const known = indexOf(test.id);
  const number = known >= 0 ? known : tests.push(test) - 1;
  if (known >= 0) tests[known] = { ...tests[known], ...test };
  const entry = entryOf(tests[number], number);
  if (list.children[number]) list.children[number].replaceWith(entry);
  else list.append(entry);
  applyFilter();
  if (chosen === number || (chosen < 0 && test.outcome === "failed")) choose(number);
}

function listen() {
  const stream = new EventSource("events");
  const state = document.getElementById("state");
  stream.addEventListener("start", (event) => put({ ...JSON.parse(event.data), outcome: "running", message: "", lines: [] }));
  stream.addEventListener("end", (event) => put(JSON.parse(event.data)));
  stream.addEventListener("log", (event) => {
    const { id, line } = JSON.parse(event.data);
    const number = indexOf(id);
    if (number < 0) return;
    (tests[number].lines ||= []).push(line);
    const shown = document.getElementById("live-lines");
    if (number === chosen && shown) shown.append(logLine(line));
  });
  stream.addEventListener("finish", (event) => { state.textContent = `ended with ${JSON.parse(event.data).exit_status}`; stream.close(); });
  stream.onerror = () => { state.textContent = "the run has ended"; };
}

filter.addEventListener("input", applyFilter);
document.addEventListener("keydown", (event) => {
  const typing = event.target.tagName === "INPUT" && event.target.type !== "checkbox";
  if (event.key === "Escape" && typing) { event.target.value = ""; applyFilter(); event.target.blur(); return; }
  if (typing && !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { filter.focus(); event.preventDefault(); }
  else if (event.key === "j" || (event.key === "ArrowDown" && (typing || event.target === list))) { step(1); event.preventDefault(); }
  else if (event.key === "k" || (event.key === "ArrowUp" && (typing || event.target === list))) { step(-1); event.preventDefault(); }
  else if (event.key === "o") { onlyOwn = !onlyOwn; if (chosen >= 0) show(chosen); }
});

document.querySelector("nav h1").textContent = `nomock ${run.name}`;
document.getElementById("command").textContent = [run.command, run.commit && `commit ${run.commit.slice(0, 10)}${run.is_changed ? " and changes" : ""}`].filter(Boolean).join(" · ");
showList();
const wanted = indexOf(decodeURIComponent(location.hash.slice(1)));
const first = wanted >= 0 ? wanted : Math.max(0, tests.findIndex((test) => test.outcome === "failed"));
if (tests.length) choose(first);
if (run.is_live) listen();
