// Draws the Markdown of a model: paragraphs, headings, lists, quotes, tables, code and emphasis. It makes elements and text nodes only,
// so no text can become markup; there are no images and no links: the address of a link is shown as text.
"use strict";

const drawMarkdown = (() => {
const DEEPEST = 6;
const MOST_COLUMNS = 40;
// Every part is limited, so that no text takes long: a longer one is shown as it is.
const INLINE = new RegExp(
  [
    /(`+)(?!`)(.{1,1000}?)(?<!`)\1(?!`)/,
    /\*\*(?=\S)((?:[^*\n]|\*(?!\*)){1,1000}?)\*\*/,
    /(?<![\w*])\*(?=\S)([^*\n]{1,1000}?)\*(?![\w*])/,
    /(?<!\w)_(?=\S)([^_\n]{1,1000}?)_(?!\w)/,
    /\[([^\][\n]{1,200})\]\(([^\s()]{1,1000})\)/,
    /\\([\\`*_[\]|#>-])/,
  ].map((one) => one.source).join("|"),
  "g",
);
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^#{1,6} +/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)(?:[-*+]|(\d{1,9})[.)]) +/;
const DIVIDER = /^ *\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;

function node(name, content, classes = "") {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...[content].flat());
  return made;
}

function inline(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    const [all, , code, strong, starred, underlined, label, address, escaped] = found;
    if (found.index > end) parts.push(text.slice(end, found.index));
    end = found.index + all.length;
    if (code !== undefined) parts.push(node("code", code));
    else if (strong !== undefined) parts.push(node("strong", inline(strong)));
    else if (label !== undefined) parts.push(`${label} (${address})`);
    else if (escaped !== undefined) parts.push(escaped);
    else parts.push(node("em", starred ?? underlined));
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

// What is wide scrolls by itself, and can be reached with the keyboard.
function wide(name, content, label) {
  const made = node(name, content, "wide");
  made.tabIndex = 0;
  made.setAttribute("role", "region");
  made.setAttribute("aria-label", label);
  return made;
}

function cells(line) {
  const parts = line.trim().replace(/^\|/, "").split(/(?<!\\)\|/);
  if (/(?<!\\)\|$/.test(line.trim())) parts.pop();
  return parts.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function table(lines) {
  const [heads, dividers, ...rows] = lines.map(cells);
  const sides = dividers.map((one) => (one.endsWith(":") ? (one.startsWith(":") ? "middle" : "right") : ""));
  const row = (name, texts) => node("tr", heads.map((_, index) => node(name, inline(texts[index] ?? ""), sides[index])));
  return wide("div", node("table", [node("thead", row("th", heads)), node("tbody", rows.map((texts) => row("td", texts)))]), "Table");
}

// Takes lines from the front of `lines` while `matches` says so.
function taken(lines, matches) {
  let count = 0;
  while (count < lines.length && matches(lines[count], count)) count += 1;
  return lines.splice(0, count);
}

function list(lines, depth) {
  const [, margin, number] = ITEM.exec(lines[0]);
  const made = node(number === undefined ? "ul" : "ol", []);
  if (number !== undefined) made.start = Number(number);
  const starts = (line) => { const found = ITEM.exec(line); return found && found[1].length <= margin.length && (found[2] === undefined) === (number === undefined); };
  while (lines.length && starts(lines[0])) {
    const first = lines.shift();
    const width = ITEM.exec(first)[0].length;
    const rest = taken(lines, (line, index) => (/^ +\S/.test(line) && !starts(line)) || (!line.trim() && /^ +\S/.test(lines[index + 1] ?? "") && !starts(lines[index + 1])));
    const inner = [first.slice(width), ...rest.map((line) => line.slice(Math.min(width, line.search(/\S|$/))))];
    made.append(node("li", blocks(inner, depth + 1)));
    while (lines.length > 1 && !lines[0].trim() && starts(lines[1])) lines.shift();
  }
  return made;
}

function fenced(lines) {
  const [, fence] = FENCE.exec(lines.shift());
  const code = taken(lines, (line) => !(line.trim().startsWith(fence) && !line.trim().replaceAll(fence[0], "")));
  lines.shift();
  return wide("pre", node("code", code.join("\n")), "Code");
}

function special(lines, index = 0) {
  const line = lines[index];
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line)
    || startsTable(lines, index);
}

function startsTable(lines, index) {
  return lines[index].includes("|") && DIVIDER.test(lines[index + 1] ?? "") && cells(lines[index]).length <= MOST_COLUMNS;
}

function block(lines, depth) {
  const line = lines[0];
  if (FENCE.test(line)) return fenced(lines);
  if (HEADING.test(line)) return node("p", inline(lines.shift().replace(HEADING, "").replace(/ +#+ *$/, "")), "heading");
  if (RULE.test(line)) { lines.shift(); return node("hr", []); }
  if (depth < DEEPEST && QUOTE.test(line)) return node("blockquote", blocks(taken(lines, (one) => QUOTE.test(one)).map((one) => one.replace(QUOTE, "")), depth + 1));
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, depth);
  if (startsTable(lines, 0)) return table(taken(lines, (one, index) => index < 2 || one.includes("|")));
  return node("p", inline(taken(lines, (one, index) => index === 0 || (one.trim() && !special(lines, index))).join("\n")));
}

function blocks(lines, depth = 0) {
  const drawn = [];
  while (lines.length) {
    if (lines[0].trim()) drawn.push(block(lines, depth));
    else lines.shift();
  }
  return drawn;
}

return (target, text) => target.replaceChildren(...blocks(text.split(/\r?\n/)));
})();
