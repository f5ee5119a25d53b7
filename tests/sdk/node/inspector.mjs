// The MCP Inspector in a real browser, connected to the server without its proxy ("Direct").
// PAGE_URLS: where the Inspector's page is served, once for each origin; SERVER_URL, TOKEN, CHROMIUM.
// Prints one JSON object per page. On the first page it also lists the tools, and makes a call that asks the person.
import puppeteer from 'puppeteer-core';

const { PAGE_URLS, SERVER_URL, TOKEN, CHROMIUM, DOMAIN } = process.env;
const PATIENCE = 30_000;
const panel = (name) => `[role=tabpanel][id$=content-${name}]`;

class Inspector {
  constructor(page) {
    this.page = page;
  }

  async press(selector) {
    const element = await this.page.waitForSelector(selector, { visible: true });
    await element.evaluate((node) => node.click());
  }

  async button(name) {
    await this.press(`::-p-xpath(//button[normalize-space(.)="${name}"])`);
  }

  async fill(selector, text) {
    await this.page.locator(selector).fill(text);
  }

  async see(selector, text) {
    await this.page.waitForFunction(
      (where, words) => document.querySelector(where)?.innerText.includes(words),
      {},
      selector,
      text,
    );
    return this.page.$eval(selector, (node) => node.innerText);
  }

  async choose(tab) {
    await this.page.evaluate((name) => (location.hash = name), tab);
  }

  async connect(url) {
    await this.page.goto(`${url}/?transport=streamable-http&serverUrl=${encodeURIComponent(SERVER_URL)}`);
    await this.press('[aria-label="Dismiss deprecation notice"]');
    await this.page.locator('#connection-type-select').click();
    await this.page.locator('::-p-aria([name="Direct"][role="option"])').click();
    await this.page.waitForSelector('[role=listbox]', { hidden: true });
    await this.press('[data-testid="auth-button"]');
    await this.fill('[data-testid="header-value-input-0"]', `Bearer ${TOKEN}`);
    await this.press('[role=switch]');
    await this.button('Connect');
    const answer = await this.page.waitForFunction(
      () =>
        (document.querySelector('[role=tab][id$=trigger-tools]') && 'yes') ||
        (document.body.innerText.includes('Connection Error') && 'no'),
    );
    return (await answer.jsonValue()) === 'yes';
  }

  async listTools() {
    await this.choose('tools');
    await this.button('List Tools');
    await this.see(panel('tools'), 'Clear all bounces');
    return this.page.$eval(panel('tools'), (node) => node.innerText);
  }

  async clearBounces() {
    await this.press('::-p-xpath(//*[text()="Clear all bounces"])');
    await this.fill(`${panel('tools')} textarea[id^=domain]`, DOMAIN);
    await this.button('Run Tool');
    const form = await this.see(panel('elicitations'), `Type ${DOMAIN}`);
    await this.fill(`${panel('elicitations')} input`, DOMAIN);
    await this.button('Submit');
    await this.choose('tools');
    return { form, result: await this.see(panel('tools'), 'Tool Result:') };
  }
}

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--host-resolver-rules=MAP *.test 127.0.0.1'],
});
try {
  let first = true;
  for (const url of PAGE_URLS.split(' ')) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const inspector = new Inspector(page);
    const seen = { url, connected: await inspector.connect(url) };
    if (first) {
      seen.tools = await inspector.listTools();
      Object.assign(seen, await inspector.clearBounces());
    }
    first = false;
    console.log(JSON.stringify(seen));
    await context.close();
  }
} finally {
  await browser.close();
}
