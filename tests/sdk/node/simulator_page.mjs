// Uses the simulator's page as a person does: each form, each button, then the buttons of a message.
// MAILGUN_URL, MAILGUN_KEY, CHROMIUM, PICTURES: a folder for screenshots. Prints one JSON object per button: what the page said, and whether it could be seen.
import puppeteer from 'puppeteer-core';

const { MAILGUN_URL, MAILGUN_KEY, CHROMIUM, PICTURES } = process.env;
const home = `${MAILGUN_URL.replace('://', `://api:${MAILGUN_KEY}@`)}/simulator/`;
const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});

const page = await browser.newPage();
// An update by itself could replace a button while it is pressed.
await page.evaluateOnNewDocument(() => sessionStorage.setItem('live', 'no'));

async function press(name, selector) {
  const button = await page.waitForSelector(selector);
  await page.$eval('#said', (said) => { said.textContent = ''; });
  await button.click();
  await page.waitForFunction(() => !['', 'Working…'].includes(document.getElementById('said').textContent));
  const seen = await page.$eval('#said', (said) => {
    const { top, bottom, left, right } = said.getBoundingClientRect();
    return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
  });
  console.log(JSON.stringify({ name, seen, said: await page.$eval('#said', (said) => said.textContent) }));
}

try {
  for (const [way, width, height] of [['screen', 1280, 700], ['phone', 390, 700]]) {
    await page.setViewport({ width, height });
    await page.goto(`${home}page/try`, { waitUntil: 'load' });
    await press(`${way}: send`, 'form[data-compose] button[type=submit]');
    await press(`${way}: receive`, 'form[data-route=inbound] button[type=submit]');
    await press(`${way}: fault`, 'form[data-route=faults] button[type=submit]');
    await press(`${way}: send with a fault`, 'form[data-compose] button[type=submit]');
    await press(`${way}: no faults`, '[data-clear=faults]');
    await press(`${way}: reset`, '[data-reset]');
    await page.select('[name=scenario]', 'sending-limit');
    await press(`${way}: replace`, 'form[data-route=seed] button[type=submit]');
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/replaced-${way}.png` });
    await press(`${way}: send when no more is allowed`, 'form[data-compose] button[type=submit]');
    await page.select('[name=scenario]', '');
    await press(`${way}: the demo account`, 'form[data-route=seed] button[type=submit]');
    await press(`${way}: clock`, '[data-advance="1h"]');
    await press(`${way}: send once more`, 'form[data-compose] button[type=submit]');
    await page.goto(`${home}page/messages?domain=mail.example.com`, { waitUntil: 'load' });
    await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click('.mails a')]);
    const actions = await page.$$eval('[data-act]', (buttons) => buttons.map((button) => button.dataset.act));
    for (const act of actions) await press(`${way}: ${act}`, `[data-act=${act}]`);
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/message-${way}.png` });
  }
} finally {
  await browser.close();
}
