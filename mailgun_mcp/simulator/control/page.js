"use strict";
// Everything is there without this: it filters rows, refreshes, and moves the clock.
const EVERY = 2000;
const find = (id) => document.getElementById(id);
const filter = find("filter");
const live = find("live");

function narrow() {
  const wanted = filter.value.toLowerCase();
  for (const row of document.querySelectorAll("tbody tr")) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
}

function busy() {
  const main = find("main");
  return document.hidden || main.contains(document.activeElement) || main.querySelector("iframe, details[open]");
}

async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector(".clock").replaceWith(fresh.querySelector(".clock"));
  if (fresh.getElementById("main").textContent !== find("main").textContent) {
    find("main").replaceWith(fresh.getElementById("main"));
    narrow();
  }
}

async function advance(by) {
  const answer = await fetch("/simulator/clock", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ advance: by }),
  });
  find("said").textContent = answer.ok ? `Moved on by ${by}` : `Not moved: ${answer.status}`;
  await refresh();
}

const failed = () => { find("said").textContent = "The simulator does not answer"; };

find("tools").hidden = false;
filter.addEventListener("input", narrow);
live.checked = sessionStorage.getItem("live") === "yes";
live.addEventListener("change", () => sessionStorage.setItem("live", live.checked ? "yes" : "no"));
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => advance(button.dataset.advance).catch(failed));
}
setInterval(() => { if (live.checked && !busy()) refresh().catch(failed); }, EVERY);
