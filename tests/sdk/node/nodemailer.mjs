// Nodemailer sends by SMTP, and by Mailgun's API with its transport. ../test_nodemailer.py runs it and says where.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
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

const header = (copy, name) => copy['message-headers'].find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];

async function mimeOf(recipient) {
  const { event } = await stored(recipient);
  const request = { headers: { Authorization: `Basic ${btoa(`api:${key}`)}`, Accept: 'message/rfc2822' } };
  return (await (await fetch(event.storage.url, request)).json())['body-mime'];
}

/** A message of text alone. */
const plain = (name, more) => ({
  from: `a@${domain}`, to: `${name}@example.com`, subject: 'Plain', text: 'Hi', ...more,
});

/** Each way of sending; `each` sends by all of them, and gives what was stored. */
const ways = {
  starttls: () => nodemailer.createTransport({ ...smtp, requireTLS: true, tls, auth }),
  tls: () => nodemailer.createTransport({ ...smtps, tls, auth }),
  api: () => nodemailer.createTransport(mailgunTransport({ auth: { api_key: key, domain }, url })),
};

async function each(name, more, check, these = Object.keys(ways)) {
  for (const way of these) {
    const sent = await ways[way]().sendMail(plain(`${name}-${way}`, more(way)));
    await check({ sent, ...(await stored(`${name}-${way}@example.com`)) }, way);
  }
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
    const transport = ways.starttls();
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
  async 'SMTP by each way to log in'() {
    for (const method of ['PLAIN', 'LOGIN']) {
      const transport = nodemailer.createTransport({ ...smtp, tls, auth, authMethod: method });
      await transport.sendMail(plain(`auth-${method}`));
      assert.equal((await stored(`auth-${method}@example.com`)).copy.subject, 'Plain');
    }
  },
  async 'SMTP with Mailgun headers'() {
    const headers = {
      'X-Mailgun-Tag': ['one', 'two'], 'X-Mailgun-Drop-Message': 'yes', 'X-Mailgun-Track-Opens': 'no',
    };
    await each('options', () => ({ headers }), ({ event }) => {
      assert.deepEqual([event.tags, event.flags['is-test-mode']], [['one', 'two'], true]);
    }, ['starttls', 'tls']);
  },
  async 'SMTP to recipients with variables of their own'() {
    const variables = { 'b1@example.com': { name: 'Ann' }, 'b2@example.com': { name: 'Bob' } };
    await ways.tls().sendMail(plain('b', {
      to: Object.keys(variables), text: 'Dear %recipient.name%',
      headers: { 'X-Mailgun-Recipient-Variables': { prepared: true, value: JSON.stringify(variables) } },
    }));
    for (const [recipient, { name }] of Object.entries(variables)) {
      assert.equal((await stored(recipient)).copy['body-plain'].trim(), `Dear ${name}`);
    }
  },
  async 'SMTP with an envelope of its own'() {
    const envelope = { from: `bounces@${domain}`, to: 'real@example.com' };
    await ways.starttls().sendMail(plain('shown', { envelope }));
    const { event, copy } = await stored('real@example.com');
    assert.deepEqual([event.envelope.sender, copy.To], [envelope.from, 'shown@example.com']);
  },
  async 'SMTP of a raw message'() {
    const raw = `From: a@${domain}\r\nTo: raw@example.com\r\nSubject: Raw\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n.\r\n..two\r\n`;
    await ways.starttls().sendMail({ envelope: { from: `a@${domain}`, to: ['raw@example.com'] }, raw });
    const { copy } = await stored('raw@example.com');
    assert.equal(copy['body-plain'].trim().replaceAll('\r', ''), '.\n..two');
    assert.deepEqual(copy['message-headers'].filter(([name]) => name === 'X-Two').map(([, value]) => value), ['1', '2']);
  },
  async 'SMTP signed by DKIM'() {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 1024, privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const dkim = { domainName: domain, keySelector: 'own', privateKey };
    await nodemailer.createTransport({ ...smtps, tls, auth, dkim }).sendMail(plain('dkim'));
    assert.match(await mimeOf('dkim@example.com'), /DKIM-Signature: v=1;[^]*s=own/);
  },
  async 'SMTP with international addresses'() {
    await ways.starttls().sendMail(plain('x', { to: 'Jörg <joerg@bücher.example>' }));
    assert.match((await stored('joerg@xn--bcher-kva.example')).copy.To, /Jörg/);
  },
  async 'SMTP to a hundred recipients'() {
    const to = Array.from({ length: 100 }, (_, number) => `hundred${number}@example.com`);
    const { accepted, rejected } = await ways.tls().sendMail(plain('x', { to: to.slice(0, 1), bcc: to.slice(1) }));
    assert.deepEqual([accepted.length, rejected.length], [100, 0]);
    assert.equal((await stored('hundred99@example.com')).copy.To, 'hundred0@example.com');
  },
  async 'SMTP with a wrong password'() {
    const transport = nodemailer.createTransport({ ...smtp, tls, auth: { ...auth, pass: 'wrong' } });
    await assert.rejects(transport.sendMail(MAIL), { code: 'EAUTH', responseCode: 535 });
  },
  async 'SMTP without a login'() {
    await assert.rejects(nodemailer.createTransport({ ...smtp, tls }).sendMail(MAIL), { responseCode: 530 });
  },
  async 'SMTP of a message that is too large'() {
    const content = Buffer.alloc(27_000_000);
    const sending = ways.starttls().sendMail(plain('huge', { attachments: [{ filename: 'a.bin', content }] }));
    await assert.rejects(sending, { responseCode: 552 });
  },
  async 'SMTP with a certificate that is not trusted'() {
    await assert.rejects(nodemailer.createTransport({ ...smtps, auth }).sendMail(MAIL), /self-signed/);
  },
  async 'each way: cc, bcc and reply-to'() {
    const more = (way) => ({ cc: `cc-${way}@example.com`, bcc: `bcc-${way}@example.com`, replyTo: 'help@shop.example' });
    await each('copies', more, async ({ copy }, way) => {
      assert.deepEqual([copy.Cc, copy['Reply-To']], [`cc-${way}@example.com`, 'help@shop.example']);
      for (const name of ['cc', 'bcc']) {
        const other = (await stored(`${name}-${way}@example.com`)).copy;
        assert.ok(!JSON.stringify(other['message-headers']).includes('bcc-'));
      }
    });
  },
  async 'each way: files with Unicode names, from texts, buffers and Base64'() {
    const attachments = [
      { filename: 'Prüfung ü.txt', content: 'naïve' },
      { filename: 'b.bin', content: Buffer.from([0, 255, 10, 13, 46]) },
      { filename: 'c.csv', content: 'MSwy', encoding: 'base64', contentType: 'text/csv' },
    ];
    await each('files', () => ({ attachments }), ({ copy }) => {
      assert.deepEqual(copy.attachments.map(({ name, size }) => [name, size]), [
        ['Prüfung ü.txt', 6], ['b.bin', 5], ['c.csv', 3],
      ]);
    });
  },
  async 'each way: message ID of its own'() {
    await each('id', (way) => ({ messageId: `<own-${way}@shop.example>` }), ({ event }, way) => {
      assert.equal(event.message.headers['message-id'], `own-${way}@shop.example`);
    });
  },
  async 'each way: dots, long lines and emoji'() {
    const text = `.\n..two\n${'x'.repeat(3000)}\n👋 bye`;
    await each('dots', () => ({ text }), ({ copy }) => {
      assert.equal(copy['body-plain'].trim().replaceAll('\r', ''), text);
    });
  },
  async 'SMTP with AMP, an invitation and list headers'() {
    const more = () => ({
      html: '<p>Hi</p>', amp: '<!doctype html><html amp4email>Hi</html>',
      icalEvent: { method: 'REQUEST', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n' },
      list: { unsubscribe: { url: 'https://shop.example/u', comment: 'Off' } }, priority: 'high',
    });
    await each('rich', more, async ({ copy }, way) => {
      assert.deepEqual([copy['body-plain'].trim(), copy['body-html'].trim()], ['Hi', '<p>Hi</p>']);
      assert.match(header(copy, 'List-Unsubscribe'), /<https:\/\/shop.example\/u>/);
      assert.equal(header(copy, 'X-Priority'), '1 (Highest)');
      assert.match(await mimeOf(`rich-${way}@example.com`), /text\/x-amp-html/);
      assert.ok(copy.attachments.some((item) => item['content-type'].startsWith('application/ics')));
    }, ['starttls']);
  },
  async 'Mailgun transport'() {
    const { event } = await sends(
      ways.api(), { from: `Shop <a@${domain}>`, 'o:tag': ['winter'], 'v:order': '42' }, 'api@example.com', 'HTTP',
    );
    assert.deepEqual([event.tags, event['user-variables']], [['winter'], { order: '42' }]);
  },
  async 'Mailgun transport, options and headers'() {
    await ways.api().sendMail(plain('api-options', { 'o:testmode': 'yes', 'h:X-Own': 'mine' }));
    const { event, copy } = await stored('api-options@example.com');
    assert.deepEqual([event.flags['is-test-mode'], header(copy, 'X-Own')], [true, 'mine']);
  },
  async 'Mailgun transport, later'() {
    const at = new Date(Date.now() + 7_200_000).toUTCString();
    await ways.api().sendMail(plain('later', { 'o:deliverytime': at }));
    const { items } = await mg.events.get(domain, { recipient: 'later@example.com' });
    assert.deepEqual(items.map(({ event }) => event), ['accepted']);
  },
  async 'Mailgun transport, template'() {
    await mg.domains.domainTemplates.create(domain, { name: 'welcome', template: '<p>{{who}}</p>' });
    await ways.api().sendMail(plain('template', { template: 'welcome', 'v:who': 'Kim' }));
    assert.equal((await stored('template@example.com')).copy['body-html'], '<p>Kim</p>');
  },
  async 'Mailgun transport, batch with variables of each'() {
    const variables = { 't1@example.com': { name: 'Ann' }, 't2@example.com': { name: 'Bob' } };
    await ways.api().sendMail(plain('t', {
      to: Object.keys(variables), text: '%recipient.name%', 'recipient-variables': JSON.stringify(variables),
    }));
    for (const [recipient, { name }] of Object.entries(variables)) {
      const { copy } = await stored(recipient);
      assert.deepEqual([copy['body-plain'].trim(), copy.To], [name, recipient]);
    }
  },
  async 'Mailgun transport, unknown domain'() {
    const transport = nodemailer.createTransport(
      mailgunTransport({ auth: { api_key: key, domain: 'nowhere.example.com' }, url }),
    );
    await assert.rejects(transport.sendMail(plain('x')), { status: 404 });
  },
  async 'Mailgun transport, wrong key'() {
    const transport = nodemailer.createTransport(mailgunTransport({ auth: { api_key: 'other', domain }, url }));
    await assert.rejects(transport.sendMail(plain('x')), { status: 401 });
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
