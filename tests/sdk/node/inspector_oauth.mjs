// The MCP Inspector in a real browser signs in at the authorization server: code and PKCE, then connects ("Direct").
// PAGE_URL: where the Inspector's page is served; SERVER_URL, CLIENT_ID, CHROMIUM. Prints one JSON object: what was seen.
import puppeteer from 'puppeteer-core';

const { PAGE_URL, SERVER_URL, CLIENT_ID, CHROMIUM } = process.env;
const PATIENCE = 30_000;

const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const visited = [];
  const tokens = [];
  page.on('framenavigated', (frame) => visited.push(frame.url()));
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/token') tokens.push(request.postData() ?? '');
  });
  const failed = async (error) => {
    throw new Error(`${error}\nat ${page.url()}\n${await page.evaluate(() => document.body.innerText.slice(0, 2000))}`);
  };
  const press = async (selector) => {
    const element = await page.waitForSelector(selector, { visible: true });
    await element.evaluate((node) => node.click());
  };
  await page.goto(`${PAGE_URL}/?transport=streamable-http&serverUrl=${encodeURIComponent(SERVER_URL)}`);
  await press('[aria-label="Dismiss deprecation notice"]');
  await page.locator('#connection-type-select').click();
  await page.locator('::-p-aria([name="Direct"][role="option"])').click();
  await page.waitForSelector('[role=listbox]', { hidden: true });
  await press('[data-testid="auth-button"]');
  await page.locator('[data-testid="oauth-client-id-input"]').fill(CLIENT_ID);
  await press('::-p-xpath(//button[normalize-space(.)="Connect"])');
  await page.waitForSelector('[role=tab][id$=trigger-tools]').catch(failed);
  await page.evaluate(() => (location.hash = 'tools'));
  await press('::-p-xpath(//button[normalize-space(.)="List Tools"])');
  const panel = '[role=tabpanel][id$=content-tools]';
  await page.waitForFunction((where) => document.querySelector(where)?.innerText.includes('List bounces'), {}, panel);
  const tools = await page.$eval(panel, (node) => node.innerText);
  console.log(JSON.stringify({ visited, tokens: tokens.map((form) => Object.fromEntries(new URLSearchParams(form))), tools }));
} finally {
  await browser.close();
}
