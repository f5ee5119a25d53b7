// Axe-core looks at pages in a real browser, in light, in dark and on a phone.
// PAGE_URLS: JSON list of URLs; CHROMIUM; SIGN_IN: a page whose form signs in first; PICTURES: a folder for screenshots, of the whole page or, with SCREEN, of one screen. Prints one JSON object per page and way: what axe found, and what overflows.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

const { PAGE_URLS, CHROMIUM, SIGN_IN, PICTURES, SCREEN } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf-8');
const WAYS = {
  light: { scheme: 'light', width: 1280, height: 900 },
  dark: { scheme: 'dark', width: 1280, height: 900 },
  phone: { scheme: 'light', width: 390, height: 844 },
};

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const page = await browser.newPage();
  await page.setBypassCSP(true);
  if (SIGN_IN) {
    await page.goto(SIGN_IN, { waitUntil: 'load' });
    await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click('main button')]);
  }
  for (const [way, { scheme, width, height }] of Object.entries(WAYS)) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.setViewport({ width, height });
    for (const [number, url] of JSON.parse(PAGE_URLS).entries()) {
      const answer = await page.goto(url, { waitUntil: 'load' });
      if (PICTURES) await page.screenshot({ path: `${PICTURES}/${number}-${way}.png`, fullPage: !SCREEN });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        globalThis.axe.run(document, { iframes: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
      );
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const found = violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`);
      console.log(JSON.stringify({ url, way, status: answer.status(), found, overflow }));
    }
  }
} finally {
  await browser.close();
}
