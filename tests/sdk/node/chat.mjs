// A person chats on the page /chat in a real browser, whose policy is in force: a question, a change, a wrong name, the right one.
// BASE, LINK: a link that signs in; MARKDOWN: a JSON file with a list of texts, which are drawn; SHOTS: a folder for pictures, or empty. Prints one JSON object: what was seen.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';
const { BASE, LINK, CHROMIUM, SHOTS, MARKDOWN } = process.env;
const shot = (page, name) => (SHOTS ? page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true }) : undefined);
const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf-8');
const complaints = [];
const violations = [];
// Axe-core looks at the page as it is, with everything unfolded.
const inspect = async (page, way) => {
  await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { iframes: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
  violations.push(...found.violations.map((one) => `${way}: ${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`));
};
try {
  const page = await browser.newPage();
  page.on('console', (message) => { if (['error', 'warn'].includes(message.type())) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.setViewport({ width: 1180, height: 900 });
  await page.goto(LINK, { waitUntil: 'load' });
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click('main button')]);
  await page.goto(`${BASE}/chat`, { waitUntil: 'load' });
  const say = async (text) => { await page.type('#text', text); await page.click('#send'); };
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), say('What bounces?')]);
  await page.waitForFunction(() => document.querySelector('#log').textContent.includes('fault of ours'), { timeout: 20000 });
  await page.waitForFunction(() => !document.getElementById('send').disabled, { timeout: 20000 });
  await say('Draw a chart.');
  await page.waitForSelector('.chart svg[role=img]', { timeout: 20000 });
  await page.waitForFunction(() => document.querySelector('#log').textContent.includes('bounced most'), { timeout: 20000 });
  await page.waitForFunction(() => !document.getElementById('send').disabled, { timeout: 20000 });
  const chart = await page.$eval('.chart', (node) => [node.querySelector('figcaption').innerText, node.querySelectorAll('rect, polyline').length > 0]);
  await shot(page, 'chart');
  await say('Clear the list.');
  await page.waitForSelector('.approval input[name=typed]', { timeout: 20000 });
  await shot(page, 'light');
  // What waits is looked for all the time: a connection that is lost is said, and found again.
  await page.setOfflineMode(true);
  await page.waitForFunction(() => document.getElementById('fault').textContent.includes('is lost'), { timeout: 20000 });
  await page.setOfflineMode(false);
  await page.waitForFunction(() => document.getElementById('fault').hidden, { timeout: 20000 });
  if (SHOTS) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2 });
    await page.reload({ waitUntil: 'load' });
    await page.waitForSelector('.approval input[name=typed]', { timeout: 20000 });
    await page.$eval('.approval', (card) => card.scrollIntoView({ block: 'end' }));
    await page.screenshot({ path: `${SHOTS}/phone.png` });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await page.setViewport({ width: 1180, height: 900 });
  }
  await inspect(page, 'light');
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await inspect(page, 'dark');
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2 });
  await inspect(page, 'phone, dark');
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  await inspect(page, 'phone, light');
  await page.setViewport({ width: 1180, height: 900 });
  // What the page makes of a model's Markdown, as the markup of its own elements.
  const markdown = !MARKDOWN ? [] : await page.evaluate((texts) => texts.map((text) => { const drawn = document.createElement('div'); drawMarkdown(drawn, text); return drawn.innerHTML.slice(0, 1000); }), JSON.parse(readFileSync(MARKDOWN, 'utf-8')));
  const images = await page.$$eval('#log img, #log a', (found) => found.length);
  await page.type('.approval input[name=typed]', 'wrong');
  await page.click('.approval button.primary');
  await page.waitForFunction(() => !document.getElementById('fault').hidden, { timeout: 20000 });
  const fault = await page.$eval('#fault', (node) => node.textContent);
  await page.$eval('.approval input[name=typed]', (field) => { field.value = ''; });
  await page.type('.approval input[name=typed]', 'mail.example.com');
  await page.click('.approval button.primary');
  await page.waitForFunction(() => document.querySelector('#log').textContent.includes('The list is cleared'), { timeout: 20000 });
  await page.waitForFunction(() => !document.getElementById('send').disabled, { timeout: 20000 });
  const written = await page.$eval('#log', (log) => log.textContent);
  await page.reload({ waitUntil: 'load' });
  await page.waitForFunction((old) => document.querySelector('#log').textContent.length >= old, { timeout: 20000 }, written.length);
  const again = await page.$eval('#log', (log) => log.textContent);
  const card = await page.$eval('.approval', (node) => node.textContent);
  await shot(page, 'done');
  console.log(JSON.stringify({ overflow, images, markdown, chart, violations, fault, same: again === written, states: await page.$$eval('.tool', (all) => all.map((one) => one.dataset.status)), answered: /approved by/.test(card), badge: await page.$eval('#third-party', (node) => !node.hidden), complaints }));
} finally { await browser.close(); }
