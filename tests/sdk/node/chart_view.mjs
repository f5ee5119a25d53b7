// A small host of MCP Apps views in a browser: frames the view from another origin under the policy that the extension's text demands.
// CHROMIUM; CASES: JSON list of {name, width, theme, result}; VIEW: a file with the view; PICTURES: a folder for screenshots. Prints one JSON object per case.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

const { CHROMIUM, CASES, VIEW, PICTURES } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf-8');
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; connect-src 'none'; img-src 'self' data:; font-src 'self'; media-src 'self' data:; frame-src 'none'; object-src 'none'; base-uri 'self'";
const HOST = `<!doctype html><html lang="en"><title>Host</title><body style="margin:0"><iframe id="view" title="View" style="border:0;display:block" sandbox="allow-scripts"></iframe>`;

const serve = (headers, body) =>
  new Promise((resolve) => {
    const server = createServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...headers }).end(body));
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
const servers = await Promise.all([serve({}, HOST), serve({ 'Content-Security-Policy': POLICY }, readFileSync(VIEW, 'utf-8'))]);
const [host, view] = servers.map((server) => `http://127.0.0.1:${server.address().port}/`);
const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
try {
  for (const { name, width, theme, result } of JSON.parse(CASES)) {
    const page = await browser.newPage();
    const requests = [];
    const complaints = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (line) => complaints.push(line.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => { complaints.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
    await page.setViewport({ width, height: 900 });
    await page.goto(host);
    const messages = await page.evaluate(
      async ({ url, dark, outcome, wide }) => {
        const frame = document.getElementById('view');
        const seen = [];
        const say = (message) => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*');
        frame.style.width = `${wide}px`;
        document.body.style.background = dark ? '#14171b' : '#fff';
        const answered = new Promise((resolve) => {
          addEventListener('message', ({ source, data }) => {
            if (source !== frame.contentWindow) return;
            seen.push(data);
            if (data.method === 'ui/initialize') {
              const hostContext = { theme: dark ? 'dark' : 'light', displayMode: 'inline', containerDimensions: { width: wide } };
              say({ id: data.id, result: { protocolVersion: '2026-01-26', hostCapabilities: {}, hostInfo: { name: 'test', version: '1' }, hostContext } });
            } else if (data.method === 'ui/notifications/initialized') {
              say({ method: 'ui/notifications/tool-input', params: { arguments: {} } });
              say({ method: 'ui/notifications/tool-result', params: outcome });
              say({ id: 'last', method: 'ui/resource-teardown', params: { reason: 'test' } });
            } else if (data.method === 'ui/notifications/size-changed') {
              frame.style.height = `${data.params.height}px`;
            } else if (data.id === 'last') {
              resolve();
            }
          });
        });
        frame.src = url;
        await answered;
        return seen;
      },
      { url: view, dark: theme === 'dark', outcome: result, wide: width },
    );
    const frame = page.frames().find((one) => one.url() === view);
    // The host has yet to take the size that the view asked for.
    const cut = () => frame.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    for (let tries = 0; tries < 200 && (await cut()) > 0; tries += 1) await frame.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    const inside = await frame.evaluate(() => ({
      text: document.getElementById('main').innerText,
      overflow: document.documentElement.scrollWidth - innerWidth,
      cut: document.documentElement.scrollHeight - innerHeight,
      elements: [...new Set([...document.body.querySelectorAll('*')].map((one) => one.localName))].sort(),
      outside: [...document.querySelectorAll('svg text')].filter((one) => one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().left < 0).map((one) => one.textContent),
      smallest: Math.min(...[...document.querySelectorAll('#main *')].map((one) => parseFloat(getComputedStyle(one).fontSize))),
      // The policy of the view itself: nothing that is added later runs or loads.
      refused: (() => {
        const script = document.createElement('script');
        script.textContent = 'globalThis.ran = true';
        document.body.append(script);
        script.remove();
        return !globalThis.ran;
      })(),
    }));
    const expected = complaints.filter((line) => !line.includes('Content Security Policy'));
    if (PICTURES) await (await page.$('#view')).screenshot({ path: `${PICTURES}/${name}.png` });
    console.log(JSON.stringify({ name, messages, requests: requests.filter((url) => ![host, view].includes(url) && !url.endsWith('/favicon.ico')), complaints: expected, ...inside }));
    await page.close();
  }
  // Axe needs a page that lets its script run.
  const page = await browser.newPage();
  await page.setBypassCSP(true);
  await page.goto(view);
  for (const { result } of JSON.parse(CASES)) {
    for (const theme of ['light', 'dark']) {
      await page.evaluate((outcome, scheme) => {
        notices['ui/notifications/host-context-changed']({ theme: scheme });
        notices['ui/notifications/tool-result'](outcome);
        document.querySelector('details')?.setAttribute('open', '');
      }, result, theme);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
      console.log(JSON.stringify({ axe: theme, found: violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`) }));
    }
  }
} finally {
  await browser.close();
  servers.forEach((server) => server.close());
}
