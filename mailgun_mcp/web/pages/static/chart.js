// Draws the facts of chart_metrics: a legend, a picture, and a table of the same figures. Text is only ever set as text.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 4;
const FENCE = "\u27e6";
const HIDDEN = "(third-party text)";
const LINE_HEIGHT = 260;
const BAR = 16;
const CHARACTER = 7.5;
const FEW = 15;

// Returns an element of a chart for these facts, as wide as `width` pixels.
function drawnChart(facts, width) {
  const series = Object.entries(facts.legend).map(([name, metric], number) => ({ name, metric, number: number % COLOURS }));
  const points = facts.figures.map((figure) => ({ ...figure, of: label(figure.of) }));
  const overTime = /by (day|time)$/.test(facts.chart);
  const chart = make("figure", "chart");
  chart.append(
    captioned(facts),
    legend(series),
    overTime ? lines(points, series, width) : bars(points, series, width),
    table(points, series),
  );
  return chart;
}

function captioned(facts) {
  const caption = make("figcaption");
  const title = facts.chart[0].toUpperCase() + facts.chart.slice(1) + (facts.domain ? `, ${facts.domain}` : "");
  caption.append(make("strong", "", title), make("span", "unit", `${facts.unit}, last ${facts.days} days`));
  return caption;
}

function legend(series) {
  const list = make("ul", "legend");
  list.append(
    ...series.map(({ name, number }) => {
      const item = make("li");
      const key = drawing("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" });
      key.append(marker(number, 0, 0));
      item.append(key, name);
      return item;
    }),
  );
  return list;
}

function lines(points, series, width) {
  const ticks = rounded(Math.max(...points.flatMap((point) => series.map(({ metric }) => point[metric]))));
  const left = 18 + CHARACTER * Math.max(...ticks.map((tick) => short(tick).length));
  const [right, top, bottom] = [width - 14, 10, LINE_HEIGHT - 30];
  const x = (position) => left + (points.length > 1 ? ((right - left) * position) / (points.length - 1) : (right - left) / 2);
  const y = (value) => bottom - ((bottom - top) * value) / ticks.at(-1);
  const picture = canvas(width, LINE_HEIGHT);
  for (const tick of ticks) {
    picture.append(drawing("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }));
    picture.append(text(short(tick), { x: left - 12, y: y(tick) + 4, "text-anchor": "end" }));
  }
  const step = Math.ceil(points.length / Math.max(2, Math.floor((right - left) / 64)));
  for (let position = 0; position < points.length; position += step) {
    picture.append(text(points[position].of, { x: x(position), y: LINE_HEIGHT - 8, "text-anchor": "middle" }));
  }
  for (const { name, metric, number } of series) {
    const path = points.map((point, position) => `${x(position)},${y(point[metric])}`).join(" ");
    picture.append(drawing("polyline", { class: `series-${number}`, points: path }));
    points.forEach((point, position) => {
      const mark = marker(number, x(position), y(point[metric]), points.length > FEW ? 0.4 : 1);
      mark.append(named(`${point.of}, ${name}: ${point[metric].toLocaleString()}`));
      picture.append(mark);
    });
  }
  return picture;
}

// A name stands above its bars, so that it can be long on a narrow screen.
function bars(points, series, width) {
  const most = Math.max(1, ...points.flatMap((point) => series.map(({ metric }) => point[metric])));
  const room = width - 16 - CHARACTER * most.toLocaleString().length;
  const group = 24 + series.length * (BAR + 3) + 8;
  const picture = canvas(width, points.length * group);
  points.forEach((point, position) => {
    picture.append(text(point.of, { class: "of", x: 0, y: position * group + 16 }));
    series.forEach(({ name, metric, number }, row) => {
      const y = position * group + 24 + row * (BAR + 3);
      const size = point[metric] ? Math.max(1, (room * point[metric]) / most) : 0;
      const bar = drawing("rect", { class: `series-${number}`, x: 0, y, width: size, height: BAR, rx: 2 });
      bar.append(named(`${point.of}, ${name}: ${point[metric].toLocaleString()}`));
      picture.append(bar, text(point[metric].toLocaleString(), { x: size + 6, y: y + 13 }));
    });
  });
  return picture;
}

function table(points, series) {
  const details = make("details");
  const figures = make("table");
  const heading = figures.createTHead().insertRow();
  heading.append(cell("th", "", { scope: "col" }), ...series.map(({ name }) => cell("th", name, { scope: "col" })));
  const body = figures.createTBody();
  for (const point of points) {
    const row = body.insertRow();
    row.append(cell("th", point.of, { scope: "row" }), ...series.map(({ metric }) => cell("td", point[metric].toLocaleString())));
  }
  heading.firstElementChild.append(make("span", "hidden", "of"));
  const scroll = make("div", "figures");
  scroll.tabIndex = 0;
  scroll.append(figures);
  details.append(make("summary", "", "Figures"), scroll);
  return details;
}

function cell(name, content, attributes = {}) {
  const made = make(name, "", content);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function canvas(width, height) {
  return drawing("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Chart of the figures below" });
}

// Series differ in shape as well as in colour.
function marker(number, x, y, scale = 1) {
  const shapes = ["M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0", "M-5-5h10v10h-10z", "M0-6l6 11h-12z", "M0-6.5l6.5 6.5l-6.5 6.5l-6.5-6.5z"];
  return drawing("path", { class: `mark series-${number}`, d: shapes[number], transform: `translate(${x} ${y}) scale(${scale})` });
}

function text(content, attributes) {
  const made = drawing("text", attributes);
  made.textContent = content;
  return made;
}

function named(title) {
  const made = drawing("title", {});
  made.textContent = title;
  return made;
}

function drawing(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function make(name, classes = "", content = "") {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (content) made.textContent = content;
  return made;
}

// A day reads as `27 Nov`. What third parties wrote is not shown, as in the picture.
function label(of) {
  if (of.includes(FENCE)) return HIDDEN;
  if (!/^\d{4}-\d\d-\d\dT/.test(of)) return of.length > 44 ? `${of.slice(0, 43)}…` : of || "(none)";
  return new Date(of).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

function short(value) {
  return value < 10000 ? value.toLocaleString() : value.toLocaleString("en", { notation: "compact" });
}

// Returns a few round numbers from 0 to at least `most`.
function rounded(most) {
  const rough = Math.max(most, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= rough) * power);
  return Array.from({ length: Math.ceil(most / step) + 1 || 2 }, (_, position) => position * step).concat(most ? [] : [step]);
}
