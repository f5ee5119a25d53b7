"use strict";
// All that the page shows is there without this. It filters, refreshes, moves the clock, acts as recipients and sends the forms.
const EVERY = 2000;
const find = (id) => document.getElementById(id);
const filter = find("filter");
const live = find("live");

function narrow() {
  const text = filter.value.toLowerCase();
  for (const row of document.querySelectorAll("tbody tr, .mails li")) {
    row.hidden = !row.textContent.toLowerCase().includes(text);
  }
}

// What is replaced by a newer version: all of it, or only the list of messages while someone reads one.
function outdated() {
  const main = find("main");
  const uses = (part) => part.contains(document.activeElement) || part.querySelector("iframe, details[open], form");
  if (document.hidden) return null;
  if (!uses(main)) return "#main";
  const list = main.querySelector(".list");
  return list && !uses(list) ? ".list" : null;
}

// The text of a part as it came, without the tabs that were added to it.
function textOf(part) {
  const copy = part.cloneNode(true);
  for (const tabs of copy.querySelectorAll("[role=tablist]")) tabs.remove();
  return copy.textContent;
}

// The address may hold a key, as in http://api:KEY@localhost. A browser sends it, but refuses addresses that hold one.
function ask(path, options) {
  return fetch(location.origin + path, options);
}

// A new version takes over the focus, so that people who use the keyboard stay where they are.
function focusable(part) { return [...part.querySelectorAll("a, button, input, select, textarea, summary")]; }

async function refresh(selector = "#main") {
  const answer = await ask(location.pathname + location.search);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector(".clock").replaceWith(fresh.querySelector(".clock"));
  const [before, after] = [document, fresh].map((page) => page.querySelector(selector));
  if (after && textOf(after) !== textOf(before)) {
    const scrolled = before.scrollTop;
    const focused = focusable(before).indexOf(document.activeElement);
    before.replaceWith(after);
    after.scrollTop = scrolled;
    reveal();
    focusable(after)[focused]?.focus({ preventScroll: true });
    narrow();
  }
}

// A message has several parts. One is shown, and the names of all are tabs; the one that was chosen last stays.
function showTab(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.textContent === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    find(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
}

function choose(tab) {
  sessionStorage.setItem("tab", tab.textContent);
  showTab(tab.textContent);
  tab.focus();
}

function makeTabs() {
  const parts = [...document.querySelectorAll("[data-tab]")];
  if (!parts.length || document.querySelector("[role=tablist]")) return;
  const list = document.createElement("div");
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Parts of the message");
  parts.forEach((part, index) => {
    const tab = document.createElement("button");
    tab.textContent = part.dataset.tab;
    tab.type = "button";
    tab.id = `tab-${index}`;
    part.id = `part-${index}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", part.id);
    part.setAttribute("role", "tabpanel");
    part.setAttribute("aria-labelledby", tab.id);
    list.append(tab);
  });
  parts[0].before(list);
  const names = parts.map((part) => part.dataset.tab);
  const last = sessionStorage.getItem("tab");
  showTab(names.includes(last) ? last : names[0]);
}

function moveTab(event) {
  const tab = event.target.closest("[role=tab]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  const tabs = [...tab.parentNode.children];
  choose(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]);
  event.preventDefault();
}

function say(text) { find("said").textContent = text; }

const failed = () => { say("The simulator does not answer"); };

async function explained(answer) {
  if (answer.ok) return "";
  const text = await answer.text();
  try { return JSON.parse(text).message; } catch { return text || String(answer.status); }
}

function control(route, body, method = "POST") {
  return ask(`/simulator/${route}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

// What was done is said when the page shows it: a button that is replaced later would lose the next click.
async function perform(answer, done, shown = async () => {}) {
  say("Working…");
  const fault = await explained(await answer);
  if (!fault) await shown();
  say(fault ? `Not done: ${fault}` : done);
}

async function send(fields) {
  const path = `/v3/${encodeURIComponent(fields.get("domain"))}/messages`;
  fields.delete("domain");
  const options = { method: "POST", body: fields };
  // Any key will do, unless the simulator has one. The browser knows that one: it asked for it to show this page.
  // Without "omit" it would ask for a key again, and wait for it, when this one is refused.
  const headers = { authorization: `Basic ${btoa("api:simulator")}` };
  const answer = await ask(path, { ...options, headers, credentials: "omit" });
  return answer.status === 401 ? ask(path, options) : answer;
}

function filled(form) {
  const fields = new FormData(form);
  for (const [name, value] of [...fields]) if (value === "") fields.delete(name);
  return fields;
}

async function submit(form) {
  const fields = filled(form);
  const title = form.querySelector("h2").textContent;
  if ("compose" in form.dataset) return perform(send(fields), `${title}: done`);
  let body = Object.fromEntries(fields);
  if (form.dataset.route === "faults") body = { faults: [{ ...body, rate: Number(body.rate) }] };
  // Another account has other domains, which the forms offer.
  const shown = form.dataset.route === "seed" ? refresh : undefined;
  return perform(control(form.dataset.route, body), `${title}: done`, shown);
}

async function press(button) {
  const { advance, act, message, clear, reset } = button.dataset;
  if (advance) await perform(control("clock", { advance }), `Moved on by ${advance}`, refresh);
  if (act) await perform(control("act", { action: act, message }), `Done: ${act}`, refresh);
  if (clear) await perform(control(clear, undefined, "DELETE"), "Faults removed");
  if (reset !== undefined) await perform(control("reset", {}), "Reset to the start", refresh);
}

function reveal() {
  document.body.classList.add("js");
  makeTabs();
  for (const part of document.querySelectorAll(".actions[hidden], .forms[hidden]")) part.hidden = false;
  const off = find("off");
  if (off) off.remove();
}

find("tools").hidden = false;
filter.addEventListener("input", narrow);
find("said").addEventListener("click", () => say(""));
live.checked = sessionStorage.getItem("live") !== "no";
live.addEventListener("change", () => sessionStorage.setItem("live", live.checked ? "yes" : "no"));
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[type=button]");
  if (button?.role === "tab") choose(button);
  else if (button) press(button).catch(failed);
});
document.addEventListener("keydown", moveTab);
document.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(event.target).catch(failed);
});
reveal();
setInterval(() => {
  const selector = live.checked && outdated();
  if (selector) refresh(selector).catch(failed);
}, EVERY);
