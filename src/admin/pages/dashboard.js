"use strict";
// Asks /v1/status each second while it is looked at, and reads /v1/events as they come. What came from outside is set as text, never as markup.

const EVERY_MS = 1000, HISTORY = 120, MOST_ROWS = 200, COLOURS = 10, MOST_EVENTS = 100, LISTEN_AGAIN_MS = 2000;
const byId = (id) => document.getElementById(id);
const colours = new Map();
const history = [];
let token = takeToken();
let timer = 0;
let listening = null, lastEvent = 0;

function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("trims-token", given);
    window.history.replaceState(null, "", location.pathname);
  }
  return given || sessionStorage.getItem("trims-token") || "";
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value; else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; ++i; }
  return `${i === 0 ? n : n < 10 ? n.toFixed(2) : n < 100 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

function seconds(s) {
  if (s < 0.001) return `${Math.round(s * 1e6)} µs`;
  if (s < 1) return `${s < 0.01 ? (s * 1e3).toFixed(1) : Math.round(s * 1e3)} ms`;
  if (s < 120) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

const percent = (part, of) => of > 0 ? `${(100 * part / of).toFixed(part === of ? 0 : 1)} %` : "–";
const count = (n) => Number(n).toLocaleString("en");
const shortName = (reference) => reference.replace(/^default\//, "");

function colourOf(reference) {
  if (!colours.has(reference)) colours.set(reference, colours.size % COLOURS);
  return `c${colours.get(reference)}`;
}

function sparkline(values) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const most = Math.max(...values, 1e-9);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", values.map((value, i) =>
    `${i ? "L" : "M"}${(100 * i / Math.max(values.length - 1, 1)).toFixed(1)} ${(94 - 88 * value / most).toFixed(1)}`).join(""));
  svg.append(path);
  return svg;
}

function tile(name, value, note, values) {
  const element = make("div", { class: "tile" }, make("div", { class: "name" }, name), make("div", { class: "value" }, value),
    make("div", { class: "note" }, note || ""));
  if (values && values.length > 1) element.append(sparkline(values));
  return element;
}

// Opens a second between each two answers.
function rates() {
  return history.slice(1).map((now, i) => Math.max(0, (now.opens - history[i].opens) / ((now.at - history[i].at) / 1000)));
}

function remember(status) {
  const last = history[history.length - 1];
  const { opens, hits } = status.counters;
  if (last && opens < last.opens) history.length = 0;  // another daemon
  history.push({ at: performance.now(), opens, hits });
  if (history.length > HISTORY) history.shift();
}

function showTiles(status) {
  const counters = status.counters, first = history[0], now = history[history.length - 1];
  const perSecond = rates();
  const recent = now.opens - first.opens;
  byId("tiles").replaceChildren(
    tile("hit ratio", percent(counters.hits, counters.opens),
      recent > 0 ? `${percent(now.hits - first.hits, recent)} in the last ${seconds((now.at - first.at) / 1000)}` : "since the start"),
    tile("opens", count(counters.opens), perSecond.length ? `${count(Math.round(perSecond[perSecond.length - 1]))} a second` : "", perSecond),
    tile("leases", count(status.leases), `${count(status.server.connections)} connections`),
    tile("loads", count(counters.loads), `${bytes(counters.bytes_loaded)}, ${count(counters.load_failures)} failed`),
    tile("evicted", count(counters.evictions), bytes(counters.bytes_evicted)),
    tile("models", count(status.models), `${bytes(status.prepared_bytes)} on the disk`));
}

function partOf(segment, budget) {
  const kind = segment.state === "resident" ? (segment.leases > 0 ? "leased" : segment.pinned ? "pinned" : "idle")
    : segment.state === "draining" ? "draining" : "loading";
  const share = segment.bytes / budget;
  const part = make("div", { class: `part ${kind} ${colourOf(segment.reference)}`,
    title: `${shortName(segment.reference)} (${segment.kind}): ${bytes(segment.bytes)}, ${kind}` });
  part.style.width = `${100 * share}%`;
  if (share > 0.06) part.textContent = shortName(segment.reference).split(/[:@]/)[0]; else part.classList.add("thin");
  return part;
}

function showTiers(status) {
  byId("tiers").replaceChildren(...status.tiers.map((tier) => {
    const segments = status.segments.filter((one) => one.tier === tier.name && one.state !== "absent" && one.state !== "failed")
      .sort((a, b) => (b.leases > 0) - (a.leases > 0) || b.bytes - a.bytes || a.id - b.id);
    const bar = make("div", { class: "bar", role: "img",
      "aria-label": `${tier.name}: ${bytes(tier.used_bytes)} of ${bytes(tier.budget_bytes)} used` });
    bar.append(...segments.slice(0, MOST_ROWS).map((segment) => partOf(segment, tier.budget_bytes)));
    const head = make("div", { class: "tier-head" }, make("b", {}, tier.name),
      make("span", { class: "quiet" }, `${tier.eviction_policy}, ${tier.reclaim} reclaim, admits ${tier.admission}`),
      make("span", { class: "right" }, `${bytes(tier.used_bytes)} of ${bytes(tier.budget_bytes)} `,
        make("span", { class: "quiet" }, `${bytes(tier.leased_bytes)} leased, ${bytes(tier.idle_bytes)} idle${tier.lingering_bytes ? `, ${bytes(tier.lingering_bytes)} lingering` : ""}`)));
    return make("div", { class: "tier" }, head, bar);
  }));
}

function showLoads(status) {
  const loads = status.segments.filter((segment) => segment.load);
  if (loads.length === 0) {
    byId("loads").replaceChildren(make("span", { class: "quiet" }, "none"));
    return;
  }
  byId("loads").replaceChildren(...loads.slice(0, MOST_ROWS).map(({ reference, kind, state, waiters, load }) => {
    const rest = !load.remaining_ms ? "" : `, ${seconds(load.remaining_ms / 1000)} left`;
    const text = state === "reserved" ? `waits for room; ${waiters} waiting`
      : `${bytes(load.bytes_done)} of ${bytes(load.bytes_total)}, ${bytes(load.bytes_per_second)}/s${rest}; ${waiters} waiting`;
    return make("div", { class: "load" },
      make("div", { class: "load-head" }, make("span", {}, shortName(reference)),
        make("span", { class: "quiet" }, `${kind}, to ${load.tier}`), make("span", {}, text)),
      make("progress", { max: Math.max(load.bytes_total, 1), value: load.bytes_done, "aria-label": `load of ${reference}` }));
  }));
}

function within(bounds, counts, total, share) {
  let soFar = 0;
  for (let i = 0; i < counts.length; ++i) {
    soFar += counts[i];
    if (soFar >= share * total) return i < bounds.length ? `≤ ${seconds(bounds[i] / 1e6)}` : `> ${seconds(bounds[bounds.length - 1] / 1e6)}`;
  }
  return "–";
}

function rowOf(cells) {
  return make("tr", {}, ...cells.map(([text, kind]) => make("td", kind ? { class: kind } : {}, ...[].concat(text))));
}

function showLatency({ bounds_us: bounds, series } = { bounds_us: [], series: [] }) {
  byId("latency").tBodies[0].replaceChildren(...series.map(({ tier, outcome, sum_ns, counts }) => {
    const total = counts.reduce((a, b) => a + b, 0);
    return rowOf([[tier], [outcome], [count(total), "n"], [total ? seconds(sum_ns / 1e9 / total) : "–", "n"],
      [total ? within(bounds, counts, total, 0.5) : "–", "n"], [total ? within(bounds, counts, total, 0.99) : "–", "n"]]);
  }));
}

function showModels(status) {
  const wanted = byId("filter").value.toLowerCase();
  const found = status.segments.filter((segment) => segment.reference.toLowerCase().includes(wanted))
    .sort((a, b) => b.leases - a.leases || b.bytes - a.bytes || a.id - b.id);
  byId("models").tBodies[0].replaceChildren(...found.slice(0, MOST_ROWS).map((segment) => rowOf([
    [[make("span", { class: `dot ${colourOf(segment.reference)}` }), shortName(segment.reference)]],
    [segment.kind], [segment.tier],
    [segment.error ? `failed: ${segment.error.code}` : segment.removed ? `${segment.state}, removed` : segment.state,
      segment.error ? "state-failed" : ""],
    [bytes(segment.bytes), "n"], [count(segment.leases), "n"], [count(segment.opens), "n"],
    [segment.state === "resident" && segment.leases === 0 ? seconds(segment.idle_ms / 1000) : "–", "n"],
    [segment.load_ms ? seconds(segment.load_ms / 1000) : "–", "n"], [segment.pages || "–"]])));
  const more = byId("more");
  more.hidden = found.length > 0 && found.length <= MOST_ROWS;
  more.textContent = found.length === 0 ? (wanted ? "none of that name" : "nothing is resident: the first open of a model loads it")
    : `and ${count(found.length - MOST_ROWS)} more`;
}

function detailsOf(event) {
  const parts = [];
  if (event.bytes) parts.push(bytes(event.bytes));
  if (event.took_us !== undefined) parts.push(`in ${seconds(event.took_us / 1e6)}`);
  if (event.bytes_per_second) parts.push(`${bytes(event.bytes_per_second)}/s`);
  if (event.reason) parts.push(event.reason + (event.for ? ` for ${shortName(event.for)}` : ""));
  if (event.eviction_policy) parts.push(event.eviction_policy + (event.score === undefined ? "" : ` ${event.score.toPrecision(4)}`));
  if (event.reclaim) parts.push(`${event.reclaim} reclaim, admits ${event.admission}`);
  if (event.before) parts.push(`before: ${shortName(event.before)}`);
  if (event.leases) parts.push(`${count(event.leases)} leases`);
  if (event.pid) parts.push(`${event.client || "a client"}, pid ${event.pid}`);
  if (event.error) parts.push(`${event.error.code}: ${event.error.message}`);
  return parts.join(", ");
}

function eventRow(kind, event) {
  const model = event.model ? shortName(event.model) : "";
  const subject = [event.alias ? shortName(event.alias) : "", model].filter(Boolean).join(" → ");
  const bad = kind.endsWith("failed") || kind === "lost" || kind === "leases.ended";
  return rowOf([[event.time ? event.time.slice(11, 23) : "", "n"], [kind, bad ? "state-failed" : ""],
    [event.model ? [make("span", { class: `dot ${colourOf(event.model)}` }), subject] : subject],
    [[event.variant, event.tier].filter(Boolean).join(", ")],
    [kind === "lost" ? `${count(event.lost)} events came and went before they were read` : detailsOf(event)]]);
}

// The newest first.
function showEvents(messages) {
  const body = byId("events").tBodies[0];
  const newest = messages.slice(-MOST_EVENTS).reverse();
  body.prepend(...newest.map(({ event, data }) => eventRow(event, JSON.parse(data))));
  while (body.rows.length > MOST_EVENTS) body.deleteRow(-1);
  byId("no-events").hidden = body.rows.length > 0;
}

// One block of a text/event-stream; nothing where it is a comment.
function messageOf(block) {
  const message = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) message[line.slice(0, colon)] = line.slice(colon + 2);
  }
  if (message.id) lastEvent = message.id;
  return message.data ? message : null;
}

// As EventSource does, which can't send a token.
async function listen() {
  listening = new AbortController();
  const headers = { "Last-Event-ID": String(lastEvent) };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch("/v1/events", { headers, cache: "no-store", signal: listening.signal });
  if (!response.ok) throw new Error(`events: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    showEvents(blocks.map(messageOf).filter(Boolean));
  }
}

async function keepListening() {
  if (listening || document.hidden) return;
  try {
    await listen();
  } catch (error) {
    if (error.name !== "AbortError") console.debug(error.message);  // the status says what is wrong
  }
  listening = null;
  setTimeout(() => { if (byId("link").dataset.state === "live") keepListening(); }, LISTEN_AGAIN_MS);
}

function show(status) {
  remember(status);
  byId("daemon").textContent = `${status.server.version}, up ${seconds(status.server.uptime_ms / 1000)}`;
  showTiles(status);
  showTiers(status);
  showLoads(status);
  showLatency(status.open_latency);
  showModels(status);
}

function say(state, text, problem) {
  byId("link").dataset.state = state;
  byId("link").textContent = text;
  byId("problem").hidden = !problem;
  byId("problem").textContent = problem || "";
}

function askForToken(error) {
  byId("token-form").hidden = false;
  say("wait", "locked", token ? error.message : "");
}

async function ask() {
  const response = await fetch("/v1/status", { headers: token ? { Authorization: `Bearer ${token}` } : {}, cache: "no-store" });
  const answer = await response.json();
  if (response.status === 401) return askForToken(answer.error), false;
  byId("token-form").hidden = true;
  if (!response.ok) {
    say("away", "daemon away", `${answer.error.message}${answer.error.hint ? ` (try: ${answer.error.hint})` : ""}`);
  } else {
    show(answer);
    say("live", "live");
    keepListening();
  }
  return true;
}

async function turn() {
  clearTimeout(timer);
  let again = true;
  try {
    again = await ask();
  } catch (error) {
    say("away", "no answer", `trims-http does not answer: ${error.message}`);
  }
  if (again && !document.hidden) timer = setTimeout(turn, EVERY_MS);
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value.trim();
  sessionStorage.setItem("trims-token", token);
  turn();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return turn();
  if (listening) listening.abort();
});
turn();
