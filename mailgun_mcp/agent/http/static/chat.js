// The chat: shows the events of the conversation, and sends messages and answers. What it shows is text or elements made by markdown.js, never markup.
"use strict";

const page = document.getElementById("chat");
const { base, home, token } = page.dataset;
const part = (id) => document.getElementById(id);
const tools = new Map();
const approvals = new Map();
let last = 0;
let source = null;
let again = 0;
let bubble = null;
let tries = 0;
// The message that is being sent, and its run: sent again after a failure, it is the same run and is done once.
let sending = { text: "", run: "" };

function element(name, classes = "", text = "") {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

// What scrolls by itself can be reached with the keyboard.
function scrolling(name, classes, text) {
  const made = element(name, classes, text);
  made.tabIndex = 0;
  return made;
}

function show(node) {
  part("empty").hidden = true;
  part("log").append(node);
  node.scrollIntoView({ block: "nearest" });
  return node;
}

// Draws the newest text of a model's message once per frame, however many pieces of it arrive.
function drawSoon(message) {
  if (message.frame) return;
  message.frame = requestAnimationFrame(() => drawNow(message));
}

function drawNow(message) {
  if (!message?.frame) return;
  cancelAnimationFrame(message.frame);
  message.frame = 0;
  drawMarkdown(message.node, message.text);
  message.node.scrollIntoView({ block: "nearest" });
}

function complain(text) {
  part("fault").textContent = text;
  part("fault").hidden = !text;
}

async function send(path, body) {
  complain("");
  let answer;
  try {
    answer = await fetch(`${base}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Page-Token": token },
      body: JSON.stringify(body ?? {}),
    });
  } catch {
    complain("The server did not answer. Try again in a moment: nothing is done twice.");
    return false;
  }
  if (answer.ok) return true;
  const text = await answer.text();
  let message = "It did not work. Open the page again.";
  if (answer.status === 401) message = "Your session has ended. Sign in again, in another tab, and try once more.";
  try { message = JSON.parse(text).error.message; } catch { /* It is a page, not JSON. */ }
  complain(message);
  return false;
}

// The figures of a chart in the text of its result, or null where that has been shortened.
function factsOf(text) {
  try { return JSON.parse(text).facts ?? null; } catch { return null; }
}

function busy(running) {
  part("stop").hidden = !running;
  part("send").disabled = running;
}

const shown = {
  user_message(event) {
    show(element("div", "message user", event.text));
  },
  text(event) {
    if (!bubble || bubble.name !== event.message) {
      drawNow(bubble);
      bubble = { name: event.message, text: "", frame: 0, node: show(element("div", "message assistant")) };
    }
    bubble.text += event.text;
    drawSoon(bubble);
  },
  tool_started(event) {
    const node = element("details", "tool");
    node.dataset.status = "running";
    const summary = element("summary");
    summary.append(element("code", "", event.tool), element("span", "quiet", event.title ?? ""), element("span", "state", "running"));
    node.append(summary, scrolling("pre", "", JSON.stringify(event.arguments, null, 1)));
    tools.set(event.call, show(node));
  },
  tool_finished(event) {
    const node = tools.get(event.call);
    if (!node) return;
    node.dataset.status = event.status;
    node.querySelector(".state").textContent = event.status;
    node.append(scrolling("pre", "", event.text));
    const facts = event.tool === "chart_metrics" && event.status === "done" ? factsOf(event.text) : null;
    if (facts) show(element("div", "card")).append(drawnChart(facts, Math.min(640, part("log").clientWidth - 48)));
    if (event.undo) node.append(element("p", "aside", `Can be undone: say "undo ${event.undo}".`));
  },
  approval_needed(event) {
    const tool = tools.get(event.call);
    if (tool) { tool.dataset.status = "waiting"; tool.querySelector(".state").textContent = "waits for an answer"; }
    const card = element("section", "card approval");
    card.setAttribute("aria-label", `Approval ${event.approval}`);
    card.append(element("h2", "", "May this be done?"), scrolling("div", "text", event.form));
    const expires = new Date(event.expires).toLocaleTimeString();
    card.append(element("p", "quiet", `Approval ${event.approval}, until ${expires}.`));
    card.append(answering(event));
    approvals.set(event.approval, show(card));
  },
  approval_answered(event) {
    const card = approvals.get(event.approval);
    if (!card) return;
    card.classList.add("answered");
    card.querySelector("h2").textContent = "What was asked";
    card.querySelector(".quiet")?.remove();
    card.querySelector("form")?.remove();
    const shown = card.querySelector(".text");
    const folded = element("details", "");
    shown.replaceWith(folded);
    folded.append(element("summary", "", "The form that was shown"), shown);
    const status = event.status === "expired" ? "expired: nobody answered in time, and nothing was done" : event.status;
    card.append(element("p", "state", `${status}${event.by ? ` by ${event.by}` : ""}${event.reason ? `: ${event.reason}` : ""}`));
  },
  third_party_text() {
    part("third-party").hidden = false;
  },
  warning(event) {
    show(element("p", "aside", event.text));
  },
  usage(event) {
    const tokens = (event.input_tokens + event.output_tokens).toLocaleString();
    const cost = event.cost ? `, $${event.cost.toFixed(3)}` : "";
    const calls = event.tool_calls === 1 ? "1 call" : `${event.tool_calls} calls`;
    part("usage").textContent = `${calls}, ${tokens} tokens${cost}`;
  },
  ended(event) {
    drawNow(bubble);
    bubble = null;
    if (event.text) show(element("p", "aside", event.text));
    busy(false);
  },
};

function answering(event) {
  const form = element("form");
  const actions = element("div", "actions");
  let typed = null;
  if (event.answerable && event.typed) {
    const label = element("label", "", `To allow it, type ${event.typed}`);
    typed = element("input");
    typed.autocomplete = "off";
    typed.name = "typed";
    label.append(typed);
    form.append(label);
  }
  if (event.answerable) {
    const allow = element("button", "primary", "Allow");
    allow.type = "submit";
    actions.append(allow);
  } else {
    form.append(element("p", "", "Somebody else must approve this, on the approvals page or in a terminal. You can refuse it."));
  }
  const label = element("label", "", "If not, why?");
  const reason = element("input");
  reason.name = "reason";
  reason.maxLength = 300;
  label.append(reason);
  const refuse = element("button", "", "Refuse");
  refuse.type = "button";
  actions.append(label, refuse);
  form.append(actions);
  const answer = async (yes) => {
    const one = { approval: event.approval, yes, ...(yes ? (typed ? { typed: typed.value } : {}) : { reason: reason.value }) };
    if (await send("answers", { answers: [one] })) follow();
  };
  form.addEventListener("submit", (submitted) => { submitted.preventDefault(); if (event.answerable) answer(true); });
  refuse.addEventListener("click", () => answer(false));
  return form;
}

function newRun() {
  // crypto.randomUUID is there on https and localhost only.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A browser gives up on an answer that is not a stream, such as that of a server which is stopping: so this tries again.
async function lost() {
  source.close();
  clearTimeout(again);
  again = setTimeout(follow, Math.min(30000, 1000 * 2 ** tries++));
  let status = 0;
  try { status = (await fetch(base, { redirect: "manual" })).status || 401; } catch { /* The server is not there. */ }
  complain(status === 401 ? "Your session has ended. Sign in again, in another tab." : "The connection to the server is lost. Trying again…");
}

// Shows what follows the last event. While an answer may come from elsewhere, it looks again every other second.
function follow() {
  source?.close();
  clearTimeout(again);
  source = new EventSource(`${base}/events?after=${last}`);
  source.onopen = () => { if (tries) complain(""); tries = 0; };
  source.onerror = lost;
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.id <= last) return;
    last = event.id;
    if (event.kind !== "ended") busy(event.kind !== "approval_needed");
    shown[event.kind]?.(event);
  };
  source.addEventListener("status", (message) => {
    source.close();
    const { status } = JSON.parse(message.data);
    busy(status === "running");
    if (status !== "idle") again = setTimeout(follow, 2000);
  });
}

part("composer").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const field = part("text");
  if (!field.value.trim()) return;
  if (sending.text !== field.value) sending = { text: field.value, run: newRun() };
  if (await send("messages", sending)) {
    sending = { text: "", run: "" };
    field.value = "";
    // A new conversation has a title and a place in the list from now on.
    if (page.dataset.exists === "no") location.replace(base);
    else follow();
  }
});
part("text").addEventListener("keydown", (key) => {
  if (key.key === "Enter" && !key.shiftKey && !key.isComposing) { key.preventDefault(); part("composer").requestSubmit(); }
});
part("stop").addEventListener("click", () => send("cancel"));
part("delete").addEventListener("click", async () => {
  if (confirm("Delete this conversation? Its calls stay in the audit log.") && (await send("delete"))) location.assign(home);
});
part("past").open = matchMedia("(min-width: 46rem)").matches;
if (page.dataset.exists === "yes") follow();
