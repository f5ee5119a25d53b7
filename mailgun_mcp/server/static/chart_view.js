// Talks to the host of an MCP Apps view, which is the parent window, and draws the result of chart_metrics.
"use strict";

const STYLES = ["--color-text-primary", "--color-background-primary", "--font-sans"];
const INITIALIZE = 1;
const main = document.getElementById("main");
let facts = null;
let drawnWidth = 0;
let sent = "";

function send(message) {
  // The view does not know the origin of its host, and says nothing that is secret.
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function say(message) {
  facts = null;
  main.replaceChildren(make("p", "", message));
}

function draw() {
  if (facts && main.clientWidth !== drawnWidth) {
    drawnWidth = main.clientWidth;
    const open = main.querySelector("details")?.open ?? false;
    main.replaceChildren(drawnChart(facts, drawnWidth));
    main.querySelector("details").open = open;
  }
}

function adopt(context) {
  const root = document.documentElement;
  if (["light", "dark"].includes(context?.theme)) root.style.colorScheme = context.theme;
  for (const name of STYLES) {
    const value = context?.styles?.variables?.[name];
    if (typeof value === "string") root.style.setProperty(name, value);
  }
}

const answers = {
  "ui/resource-teardown": () => ({}),
  ping: () => ({}),
};

const notices = {
  "ui/notifications/host-context-changed": adopt,
  "ui/notifications/tool-cancelled": () => say("The call was cancelled. There is nothing to draw."),
  "ui/notifications/tool-result": (result) => {
    const found = result.structuredContent?.facts;
    if (result.isError || !found?.figures?.length || !found.legend) {
      say(result.content?.find((part) => part.type === "text" && result.isError)?.text ?? "The result has no figures to draw.");
      return;
    }
    [facts, drawnWidth] = [found, 0];
    draw();
  },
};

window.addEventListener("message", ({ source, data }) => {
  if (source !== window.parent || data?.jsonrpc !== "2.0") return;
  if (data.id === INITIALIZE && data.result) {
    adopt(data.result.hostContext);
    send({ method: "ui/notifications/initialized", params: {} });
  } else if (data.method && data.id !== undefined) {
    const answer = answers[data.method];
    send(answer ? { id: data.id, result: answer() } : { id: data.id, error: { code: -32601, message: "Method not found" } });
  } else if (data.method) {
    notices[data.method]?.(data.params ?? {});
  }
});

new ResizeObserver(() => {
  draw();
  const [width, height] = [window.innerWidth, Math.ceil(document.documentElement.getBoundingClientRect().height)];
  if (sent === `${width} ${height}`) return;
  sent = `${width} ${height}`;
  send({ method: "ui/notifications/size-changed", params: { width, height } });
}).observe(document.documentElement);

send({
  id: INITIALIZE,
  method: "ui/initialize",
  params: { protocolVersion: "2026-01-26", appInfo: { name: "mailgun-mcp chart", version: "1" }, appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] } },
});
