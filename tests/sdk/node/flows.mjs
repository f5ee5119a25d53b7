// What the README of mailgun.js shows, against the URL in MAILGUN_URL. `node flows.mjs` runs every flow and
// prints one JSON object for each method of the client that it calls: its group, its name, and what failed.
import assert from 'node:assert/strict';

import Mailgun from 'mailgun.js';

const url = process.env.MAILGUN_URL;
const key = process.env.MAILGUN_KEY;
const calls = [];
const client = (more = {}) => recorded(new Mailgun(FormData).client({ username: 'api', key, url, ...more }));
const mg = client();
console.warn = () => {};

const MAIL = { from: 'Shop <a@shop.example>', to: 'kim@example.com', subject: 'Hello', text: 'Hi' };
let made = 0;

// The client, whose calls are written down as `group.method`.
function recorded(target, path = []) {
  return new Proxy(target, {
    get(_, name) {
      const value = target[name];
      if (typeof value === 'function') {
        return (...given) => {
          calls.push([...path, name]);
          return value.apply(target, given);
        };
      }
      return value && typeof value === 'object' ? recorded(value, [...path, name]) : value;
    },
  });
}

async function domain() {
  const name = `js${(made += 1)}.example.com`;
  await mg.domains.create({ name });
  await mg.domains.verify(name);
  return name;
}

async function refused(status, promise, details) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.status, status);
    if (details) assert.equal(error.details, details);
    return true;
  });
}

async function stored(name, query = {}) {
  const { items } = await mg.events.get(name, { event: 'accepted', ascending: 'yes', ...query });
  return mg.messages.retrieveStoredEmail(name, items[0].storage.key);
}

async function paged(list, limit, key) {
  const seen = [];
  for (let page = await list({ limit }); page.items.length; ) {
    seen.push(...page.items.map((item) => item[key]));
    page = await list({ limit, page: page.pages.next.page });
  }
  return seen;
}

const flows = {
  async 'errors are told as Mailgun tells them'() {
    const stranger = client({ key: 'another-key' });
    await refused(401, stranger.messages.create('mail.example.com', MAIL), 'Forbidden');
    await refused(404, mg.suppressions.list('nowhere.example.com', 'bounces'), 'Domain not found: nowhere.example.com');
    await refused(400, mg.messages.create('mail.example.com', { from: 'a@b.example', text: 'Hi' }), 'to parameter is missing');
  },

  async 'a mail with all its parts is sent and read back'() {
    const name = await domain();
    const sent = await mg.messages.create(name, {
      ...MAIL,
      to: ['kim@example.com', 'lee@example.com'],
      html: '<p>Hi</p>',
      attachment: [
        { filename: 'one.txt', data: 'first' },
        { filename: 'two.txt', data: Buffer.from('second') },
      ],
      inline: { filename: 'dot.png', data: Buffer.from('dot') },
      'o:tag': ['autumn', 'news'],
      'o:tracking': false,
      'h:Reply-To': 'help@shop.example',
      'v:order': '42',
    });
    assert.deepEqual(sent, { status: 200, id: sent.id, message: 'Queued. Thank you.' });
    const { items } = await mg.events.get(name, { event: 'delivered' });
    assert.deepEqual(items.map((item) => item.recipient).sort(), ['kim@example.com', 'lee@example.com']);
    assert.deepEqual([items[0].tags, items[0]['user-variables']], [['autumn', 'news'], { order: '42' }]);
    const copy = await stored(name);
    assert.deepEqual([copy['body-plain'], copy['body-html'], copy['Reply-To']], ['Hi', '<p>Hi</p>', 'help@shop.example']);
    assert.deepEqual(copy.attachments.map((item) => item.name), ['dot.png', 'one.txt', 'two.txt']);
  },

  async 'each of a batch gets an own copy, a template is filled in'() {
    const name = await domain();
    await mg.domains.domainTemplates.create(name, { name: 'welcome', description: 'd', template: '<p>{{who}}</p>' });
    await mg.messages.create(name, {
      from: MAIL.from,
      to: ['kim@example.com', 'lee@example.com'],
      subject: 'Hello %recipient.name%',
      template: 'welcome',
      't:variables': JSON.stringify({ who: 'you' }),
      'recipient-variables': JSON.stringify({ 'kim@example.com': { name: 'Kim' }, 'lee@example.com': { name: 'Lee' } }),
    });
    for (const [recipient, subject] of [['kim@example.com', 'Hello Kim'], ['lee@example.com', 'Hello Lee']]) {
      const copy = await stored(name, { recipient });
      assert.deepEqual([copy.subject, copy['body-html']], [subject, '<p>you</p>']);
    }
  },

  async 'test mode, MIME, sending again, queues'() {
    const name = await domain();
    await mg.messages.create(name, { ...MAIL, 'o:testmode': true });
    assert.equal((await mg.events.get(name, { event: 'delivered' })).items.length, 0);
    const message = 'From: a@shop.example\r\nTo: lee@example.com\r\nSubject: As MIME\r\n\r\nHello\r\n';
    await mg.messages.create(name, { to: 'lee@example.com', message: Buffer.from(message) });
    assert.equal((await stored(name, { recipient: 'lee@example.com' })).subject, 'As MIME');
    const [event] = (await mg.events.get(name, { recipient: 'lee@example.com' })).items;
    await mg.messages.resendEmail(name, event.storage.key, 'jo@example.com');
    assert.equal((await stored(name, { recipient: 'jo@example.com' })).subject, 'As MIME');
    assert.equal((await mg.messages.getMessagesQueueStatus(name)).regular.is_disabled, false);
  },

  async 'domains'() {
    const name = 'life.example.com';
    const domain = await mg.domains.create({ name, wildcard: true });
    assert.deepEqual([domain.state, domain.wildcard], ['unverified', true]);
    assert.ok(domain.sending_dns_records.length && domain.receiving_dns_records.length);
    assert.ok((await mg.domains.list({ limit: 1000 })).some((item) => item.name === name));
    assert.equal((await mg.domains.update(name, { wildcard: false, spam_action: 'tag' })).spam_action, 'tag');
    assert.equal((await mg.domains.get(name, { extended: true, with_dns: true })).wildcard, false);
    assert.equal((await mg.domains.verify(name)).state, 'active');
    assert.equal((await mg.domains.destroy(name)).message, 'Domain will be deleted in the background');
    await refused(404, mg.domains.get(name));
  },

  async 'tracking, certificates, DKIM'() {
    const name = await domain();
    const { domainTracking, domainKeys } = mg.domains;
    assert.ok((await domainTracking.updateTracking(name, 'open', { active: true, place_at_the_top: true })).message);
    await domainTracking.updateTracking(name, 'click', { active: 'htmlonly' });
    await domainTracking.updateTracking(name, 'unsubscribe', { active: true, html_footer: '<p>', text_footer: 'bye' });
    assert.equal((await domainTracking.getTracking(name)).unsubscribe.text_footer, 'bye');
    await refused(400, domainTracking.generate(name)); // its CNAME is not there yet
    const created = await domainKeys.create({ signingDomain: name, selector: 'second', bits: '2048' });
    assert.equal(created.selector, 'second');
    assert.ok((await domainKeys.list(name)).items.some((item) => item.selector === 'second'));
    assert.ok((await domainKeys.listAll({ signingDomain: name })).items.length);
    await mg.domains.verify(name);
    await domainKeys.activate(name, 'second');
    await domainKeys.deactivate(name, 'second');
    assert.ok((await domainKeys.destroy(name, 'second')).message);
    assert.ok((await domainKeys.updateDKIMSelector(name, { dkimSelector: 'third' })).message);
    assert.ok((await domainKeys.updateDKIMAuthority(name, { self: 'true' })).message);
    await mg.dkimManagement.update(name, { rotation_enabled: true, rotation_interval: '5d' });
  },

  async 'credentials'() {
    const name = await domain();
    const { domainCredentials } = mg.domains;
    const made = await domainCredentials.create(name, { login: `alice@${name}`, password: 'correct-horse' });
    assert.equal(made.message, 'Created 1 credentials pair(s)');
    assert.ok((await domainCredentials.list(name)).items.some((item) => item.login === `alice@${name}`));
    await domainCredentials.update(name, 'alice', { password: 'battery-staple' });
    assert.equal((await domainCredentials.destroy(name, 'alice')).spec, `alice@${name}`);
    assert.equal((await domainCredentials.destroyAll(name)).status, 200);
  },

  async 'events are paged to the end'() {
    const name = await domain();
    for (const number of [0, 1, 2, 3, 4]) await mg.messages.create(name, { ...MAIL, to: `kim${number}@example.com` });
    const seen = await paged((query) => mg.events.get(name, { ascending: 'yes', ...query }), 3, 'id');
    assert.deepEqual([seen.length, new Set(seen).size], [10, 10]);
  },

  async 'suppressions'() {
    const name = await domain();
    const addresses = [0, 1, 2, 3, 4].map((number) => `person${number}+x@gmail.com`);
    for (const [type, key] of [['bounces', 'address'], ['complaints', 'address'], ['unsubscribes', 'address'], ['whitelists', 'value']]) {
      for (const address of addresses) await mg.suppressions.create(name, type, { address });
      assert.deepEqual(await paged((query) => mg.suppressions.list(name, type, query), 2, key), addresses);
      assert.equal((await mg.suppressions.get(name, type, addresses[0]))[key], addresses[0]);
      assert.equal((await mg.suppressions.destroy(name, type, addresses[0])).status, 200);
      await refused(404, mg.suppressions.get(name, type, addresses[0]));
      await mg.suppressions.upload(name, type, 'address\r\nlee@example.com\r\n');
      assert.equal((await mg.suppressions.list(name, type)).items.length, 5);
      assert.equal((await mg.suppressions.destroyAll(name, type)).status, 200);
      assert.deepEqual((await mg.suppressions.list(name, type)).items, []);
    }
    await mg.suppressions.create(name, 'bounces', [{ address: 'a@b.example', code: 550 }, { address: 'c@d.example' }]);
    await mg.suppressions.create(name, 'unsubscribes', { address: 'a@b.example', tag: 'news' });
    await mg.suppressions.create(name, 'unsubscribes', [{ address: 'c@d.example', tags: ['one', 'two'] }]);
    assert.deepEqual((await mg.suppressions.list(name, 'unsubscribes')).items.map((item) => item.tags), [['news'], ['one', 'two']]);
  },

  async 'webhooks'() {
    const name = await domain();
    assert.deepEqual((await mg.webhooks.create(name, 'clicked', 'https://one.example/')).urls, ['https://one.example/']);
    await mg.webhooks.update(name, 'clicked', ['https://one.example/', 'https://two.example/']);
    assert.equal((await mg.webhooks.get(name, 'clicked')).urls.length, 2);
    assert.equal((await mg.webhooks.list(name)).clicked.urls.length, 2);
    await mg.webhooks.destroy(name, 'clicked');
    await refused(404, mg.webhooks.get(name, 'clicked'));
  },

  async 'routes'() {
    const name = await domain();
    const route = await mg.routes.create({
      priority: '1',
      description: 'sample',
      expression: `match_recipient('.*@${name}')`,
      action: ["forward('https://one.example/')", 'stop()'],
    });
    assert.equal((await mg.routes.get(route.id)).actions.length, 2);
    assert.equal((await mg.routes.matchAddress(`x@${name}`)).id, route.id);
    assert.equal((await mg.routes.update(route.id, { description: 'changed' })).description, 'changed');
    assert.ok((await mg.routes.list({ limit: 1000 })).some((item) => item.id === route.id));
    assert.equal((await mg.routes.destroy(route.id)).message, 'Route has been deleted');
  },

  async 'lists and members'() {
    const name = await domain();
    const address = `people@${name}`;
    assert.equal((await mg.lists.create({ address, name: 'People' })).address, address);
    assert.equal((await mg.lists.update(address, { description: 'all' })).description, 'all');
    assert.equal((await mg.lists.get(address)).description, 'all');
    assert.ok((await mg.lists.list({ limit: 100 })).items.some((item) => item.address === address));
    assert.equal((await mg.lists.listByAddress({ address })).items.length, 1);
    const { members } = mg.lists;
    const member = await members.createMember(address, { address: 'kim@x.example', vars: { age: 26 }, subscribed: true });
    assert.deepEqual([member.vars, member.subscribed], [{ age: 26 }, true]);
    await members.createMembers(address, { members: [{ address: 'Lee <lee@x.example>' }, { address: 'max@x.example' }], upsert: 'yes' });
    const seen = await paged((query) => members.listMembers(address, query), 2, 'address');
    assert.deepEqual(seen, ['kim@x.example', 'lee@x.example', 'max@x.example']);
    assert.equal((await members.updateMember(address, 'kim@x.example', { subscribed: false })).subscribed, false);
    assert.equal((await members.getMember(address, 'lee@x.example')).name, 'Lee');
    assert.equal((await members.listMembersByAddress(address, { limit: 2 })).items.length, 2);
    assert.equal((await members.destroyMember(address, 'kim@x.example')).member.address, 'kim@x.example');
    await members.upload(address, 'address,name\r\numa@x.example,Uma\r\n');
    assert.equal((await mg.lists.destroy(address)).address, address);
  },

  async 'templates and versions'() {
    const name = await domain();
    const { domainTemplates } = mg.domains;
    const template = await domainTemplates.create(name, { name: 'hello', description: 'd', template: '{{a}}', tag: 'v1' });
    assert.deepEqual([template.name, template.version.tag], ['hello', 'v1']);
    assert.equal((await domainTemplates.update(name, 'hello', { description: 'new' })).templateName, 'hello');
    const version = await domainTemplates.createVersion(name, 'hello', { template: '{{b}}', tag: 'v2', active: 'yes' });
    assert.equal(version.template.version.tag, 'v2');
    await domainTemplates.updateVersion(name, 'hello', 'v2', { template: '{{c}}' });
    assert.equal((await domainTemplates.getVersion(name, 'hello', 'v2')).version.template, '{{c}}');
    assert.equal((await domainTemplates.listVersions(name, 'hello')).template.versions.length, 2);
    assert.equal((await domainTemplates.get(name, 'hello', { active: 'yes' })).version.tag, 'v2');
    assert.deepEqual(await paged((query) => domainTemplates.list(name, query), 1, 'name'), ['hello']);
    assert.equal((await domainTemplates.destroyVersion(name, 'hello', 'v1')).templateVersion.tag, 'v1');
    assert.equal((await domainTemplates.destroy(name, 'hello')).message, 'template has been deleted');
    assert.equal((await domainTemplates.destroyAll(name)).message, 'templates have been deleted');
  },

  async 'metrics, logs, stats and tags tell of what was sent'() {
    const name = await domain();
    await mg.messages.create(name, { ...MAIL, 'o:tag': 'js-tag' });
    const filter = { AND: [{ attribute: 'domain', comparator: '=', values: [{ label: name, value: name }] }] };
    const start = new Date(Date.now() - 3600e3);
    const end = new Date(Date.now() + 3600e3);
    const metrics = await mg.metrics.getAccount({ start, end, resolution: 'day', dimensions: ['domain'], metrics: ['delivered_count'], filter, include_aggregates: true });
    assert.deepEqual(metrics.items.map((item) => item.metrics.delivered_count), [1]);
    assert.ok(await mg.metrics.getAccountUsage({ start, end, dimensions: ['time'], metrics: ['processed_count'] }));
    const logs = await mg.logs.list({ start, end, filter });
    assert.deepEqual(logs.items.map((item) => item.event).sort(), ['accepted', 'delivered']);
    const stats = await mg.stats.getDomain(name, { event: ['accepted', 'delivered'], duration: '1d' });
    assert.equal(stats.stats.reduce((sum, item) => sum + item.delivered.total, 0), 1);
    assert.ok((await mg.stats.getAccount({ event: 'delivered' })).stats.length);
    const { domainTags } = mg.domains;
    assert.deepEqual((await domainTags.list(name)).items.map((item) => item.tag), ['js-tag']);
    assert.equal((await domainTags.update(name, 'js-tag', 'new')).message, 'Tag updated');
    assert.equal((await domainTags.get(name, 'js-tag')).description, 'new');
    assert.equal((await domainTags.statistic(name, 'js-tag', { event: 'accepted' })).tag, 'js-tag');
    assert.equal((await domainTags.destroy(name, 'js-tag')).message, 'Tag deleted');
    await mg.messages.create(name, { ...MAIL, 'o:tag': 'js-other' });
    assert.ok((await mg.tags.list({ pagination: { limit: 100 } })).items.some((item) => item.tag === 'js-other'));
    await mg.tags.update('js-other', 'described');
    assert.ok((await mg.tags.limits()).limit);
    await mg.tags.destroy('js-other');
    assert.ok((await mg.bounceClassification.list({ start: new Date(Date.now() - 864e5), end, dimensions: ['entity-name'], metrics: ['classified_failures_count'] })).items);
  },

  async 'IPs and pools'() {
    const { items } = await mg.ips.list({ dedicated: 'true' });
    const { ip_pools: pools } = await mg.ip_pools.list();
    const [ip, other] = items.filter((item) => !pools.some((pool) => pool.ips.includes(item)));
    assert.equal((await mg.ips.get(ip)).ip, ip);
    const { pool_id: id } = await mg.ip_pools.create({ name: 'js', description: 'd', ips: [ip] });
    await mg.ip_pools.update(id, { name: 'js2' });
    assert.deepEqual((({ details }) => [details.name, details.ips])(await mg.ip_pools.get(id)), ['js2', [ip]]);
    if (other) {
      await mg.ip_pools.addIp(id, other);
      await mg.ip_pools.removeIp(id, other);
    }
    assert.equal((await mg.ip_pools.linkedDomains(id)).status, 200);
    await mg.ip_pools.removeIp(id, ip);
    assert.equal((await mg.ip_pools.destroy(id)).status, 200);
  },

  async 'subaccounts'() {
    const { subaccount } = await mg.subaccounts.create('js child');
    assert.equal((await mg.subaccounts.get(subaccount.id)).subaccount.name, 'js child');
    assert.ok((await mg.subaccounts.list({ limit: 1000 })).subaccounts.some((item) => item.id === subaccount.id));
    await mg.subaccounts.setMonthlySendingLimit(subaccount.id, 5000);
    assert.equal((await mg.subaccounts.getMonthlySendingLimit(subaccount.id)).limit, 5000);
    await mg.subaccounts.updateSubaccountFeature(subaccount.id, { sending: true });
    mg.setSubaccount(subaccount.id);
    await mg.domains.create({ name: 'child.example.com' });
    assert.deepEqual((await mg.domains.list()).map((item) => item.name), ['child.example.com']);
    mg.resetSubaccount();
    await refused(404, mg.domains.get('child.example.com'));
    assert.equal((await mg.subaccounts.disable(subaccount.id)).subaccount.status, 'disabled');
    assert.equal((await mg.subaccounts.enable(subaccount.id)).subaccount.status, 'open');
    assert.equal((await mg.subaccounts.destroy(subaccount.id)).message, 'Subaccount successfully deleted');
  },

  async 'keys and account'() {
    const { key: made } = await mg.apiKeys.create({ role: 'admin', kind: 'user', description: 'js' });
    assert.ok((await mg.apiKeys.list({ kind: 'user' })).items.some((item) => item.id === made.id));
    assert.ok((await client({ key: made.secret }).domains.list()).length);
    await mg.apiKeys.destroy(made.id);
    assert.ok((await mg.accountManagement.getWebhookSigningKey()).http_signing_key);
    assert.ok((await mg.accountManagement.getSandboxAuthorizedRecipients()).recipients);
    await mg.accountManagement.addSandboxAuthorizedRecipient('tester@x.example');
    await mg.accountManagement.removeSandboxAuthorizedRecipient('tester@x.example');
    await mg.customMessageLimit.set(5000);
    assert.equal((await mg.customMessageLimit.get()).limit, 5000);
    await mg.customMessageLimit.destroy();
  },

  async 'validation'() {
    const { multipleValidation: bulk } = mg.validate;
    assert.equal((await mg.validate.get('bounce@x.example')).result, 'undeliverable');
    const file = 'email\nann@x.example\nbounce@x.example\n';
    assert.equal((await bulk.create('people', { file })).message, 'The validation job was submitted.');
    assert.ok((await bulk.list({ limit: 10 })).jobs.some((job) => job.id === 'people'));
    const job = await bulk.get('people');
    assert.deepEqual([job.quantity, job.summary.result.undeliverable], [2, 1]);
    assert.ok(job.createdAt.getFullYear() > 2000);
    assert.equal((await bulk.destroy('people')).message, 'Validation job canceled.');
    const people = `people@${await domain()}`;
    await mg.lists.create({ address: people });
    assert.equal((await mg.lists.validate(people)).id, people);
    assert.equal((await mg.lists.validationResult(people)).validationResult.quantity, 0);
    assert.ok((await mg.lists.cancelValidation(people)).message);
  },

  async 'the Fetch API does as well'() {
    const name = await domain();
    const fetching = client({ useFetch: true });
    await fetching.messages.create(name, { ...MAIL, attachment: { filename: 'one.txt', data: 'first' } });
    assert.deepEqual((await stored(name)).attachments.map((item) => item.name), ['one.txt']);
  },
};

for (const [name, flow] of Object.entries(flows)) {
  let failed = null;
  calls.length = 0;
  try {
    await flow();
  } catch (error) {
    failed = `${name}: ${error.name}: ${error.message} ${error.status ?? ''} ${error.details ?? ''}\n${error.stack}`;
  }
  calls.forEach((call, index) => {
    const [group, ...rest] = call.length > 1 ? call : ['client', ...call];
    console.log(JSON.stringify({ group, call: rest.join('.'), failed: index === calls.length - 1 ? failed : null }));
  });
}
