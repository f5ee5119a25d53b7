// Nodemailer sends by SMTP, and by Mailgun's API with its transport. ../test_nodemailer.py runs it and says where.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import Mailgun from 'mailgun.js';
import nodemailer from 'nodemailer';
import mailgunTransport from 'nodemailer-mailgun-transport';

const url = process.env.MAILGUN_URL;
const key = process.env.MAILGUN_KEY;
const smtp = { host: '127.0.0.1', port: Number(process.env.SMTP_PORT) };
const smtps = { host: '127.0.0.1', port: Number(process.env.SMTP_TLS_PORT), secure: true };
const tls = { ca: readFileSync(process.env.SMTP_CERTIFICATE) };
const mg = new Mailgun(FormData).client({ username: 'api', key, url });
const domain = 'nodemailer.example.com';
const auth = { user: `alice@${domain}`, pass: 'correct-horse' };

console.warn = () => {}; // mailgun.js tells that events.get is deprecated

const MAIL = {
  from: { name: 'Shop, Ltd.', address: `a@${domain}` },
  to: [{ name: 'Kim', address: 'kim@example.com' }],
  subject: 'Grüße',
  text: 'Hi',
  html: '<p>Hi <img src="cid:dot.png"></p>',
  attachments: [
    { filename: 'one.txt', content: 'first' },
    { filename: 'dot.png', content: Buffer.from('dot'), cid: 'dot.png', contentType: 'image/png' },
  ],
};

async function stored(recipient) {
  const { items } = await mg.events.get(domain, { event: 'accepted', recipient });
  return { event: items[0], copy: await mg.messages.retrieveStoredEmail(domain, items[0].storage.key) };
}

async function sends(transport, more, to, method) {
  const sent = await transport.sendMail({ ...MAIL, to, ...more });
  const { event, copy } = await stored(to);
  assert.equal(event.method, method);
  assert.deepEqual([copy.subject, copy['body-plain'].trim(), copy.from], ['Grüße', 'Hi', copy.From]);
  assert.deepEqual(copy.attachments.map((item) => item.name).sort(), ['dot.png', 'one.txt']);
  return { sent, event, copy };
}

const flows = {
  async 'SMTP with STARTTLS'() {
    const transport = nodemailer.createTransport({ ...smtp, requireTLS: true, tls, auth });
    assert.equal(await transport.verify(), true);
    const headers = { 'X-Mailgun-Tag': 'autumn', 'X-Mailgun-Variables': '{"order": 42}' };
    const { event, sent } = await sends(transport, { headers }, 'one@example.com', 'SMTP');
    assert.deepEqual([event.tags, event['user-variables']], [['autumn'], { order: 42 }]);
    assert.equal(`<${event.message.headers['message-id']}>`, sent.messageId);
  },
  async 'SMTP with TLS, pooled'() {
    const transport = nodemailer.createTransport({ ...smtps, tls, auth, pool: true });
    for (const number of [1, 2, 3]) await sends(transport, {}, `pool${number}@example.com`, 'SMTP');
    transport.close();
  },
  async 'SMTP with a wrong password'() {
    const transport = nodemailer.createTransport({ ...smtp, tls, auth: { ...auth, pass: 'wrong' } });
    await assert.rejects(transport.sendMail(MAIL), { code: 'EAUTH', responseCode: 535 });
  },
  async 'Mailgun transport'() {
    const transport = nodemailer.createTransport(mailgunTransport({ auth: { api_key: key, domain }, url }));
    const { event } = await sends(
      transport, { from: `Shop <a@${domain}>`, 'o:tag': ['winter'], 'v:order': '42' }, 'api@example.com', 'HTTP',
    );
    assert.deepEqual([event.tags, event['user-variables']], [['winter'], { order: '42' }]);
  },
};

await mg.domains.create({ name: domain });
await mg.domains.verify(domain);
await mg.domains.domainCredentials.create(domain, { login: auth.user, password: auth.pass });
for (const [call, flow] of Object.entries(flows)) {
  let failed = null;
  try {
    await flow();
  } catch (error) {
    failed = `${error.message}\n${error.stack}`;
  }
  console.log(JSON.stringify({ group: 'sending', call, failed }));
}
