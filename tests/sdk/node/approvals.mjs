// A person answers on the approvals page in a real browser, whose policy is in force: without scripts, and then live.
// BASE, LINKS: two links that sign in; ID: a pending call, TYPED: what it asks for; CALL: a command that makes another.
// Prints one JSON object: what was seen.
import { spawnSync } from 'node:child_process';
import puppeteer from 'puppeteer-core';

const { BASE, LINKS, ID, TYPED, CALL, CHROMIUM } = process.env;
const [first, second] = JSON.parse(LINKS);
const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
const complaints = [];
const open = async () => {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on('console', (message) => { if (['error', 'warn'].includes(message.type())) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return page;
};
const press = (page, selector) => Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click(selector)]);
const text = (page, selector) => page.$eval(selector, (element) => element.textContent.replace(/\s+/g, ' ').trim());

try {
  const plain = await open();
  await plain.setJavaScriptEnabled(false);
  await plain.goto(first, { waitUntil: 'load' });
  await press(plain, 'main button');
  await press(plain, `a[href="/approvals/${ID}"]`);
  await plain.type('#typed', TYPED);
  await press(plain, 'form[action$="/approve"] button');
  const approved = await text(plain, '[role=status]');

  const live = await open();
  await live.goto(second, { waitUntil: 'load' });
  await press(live, 'main button');
  const before = await text(live, 'h1');
  spawnSync(...JSON.parse(CALL), { stdio: 'ignore' });
  await live.waitForFunction((old) => document.querySelector('h1').textContent.trim() !== old, { timeout: 20000 }, before);
  const after = await text(live, 'h1');
  const announced = await text(live, '#announce');
  await press(live, '.call h2 a');
  await live.type('#reason', 'not today');
  await press(live, 'form[action$="/deny"] button');
  const denied = await text(live, '.people');
  console.log(JSON.stringify({ approved, before, after, announced, denied, complaints }));
} finally {
  await browser.close();
}
