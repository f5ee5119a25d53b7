// The official TypeScript SDK, version 1 or 2 (PROBE_SDK), put through what judge.py puts the Python libraries through.
import { spawnSync } from 'node:child_process';

const command = JSON.parse(process.env.PROBE_COMMAND);
const environment = JSON.parse(process.env.PROBE_ENVIRONMENT);
const simulator = process.env.PROBE_SIMULATOR;
const DOMAIN = 'mail.example.com';
const ADDRESSES = ['probe-one@example.org', 'probe-two@example.org'];
const stdio = { command: command[0], args: command.slice(1), env: { ...process.env, ...environment } };
const info = { name: 'probe', version: '1' };

async function connect(heard, person) {
  const capabilities = person ? { elicitation: {} } : {};
  const ask = async ({ params }) => {
    heard.questions.push(params.message);
    return { action: 'accept', content: { confirm: true } };
  };
  if (process.env.PROBE_SDK === '1') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    const client = new Client(info, { capabilities });
    if (person) client.setRequestHandler(ElicitRequestSchema, ask);
    await client.connect(new StdioClientTransport(stdio));
    return { client, call: (params, options) => client.callTool(params, undefined, options) };
  }
  const { Client } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  const client = new Client(info, { capabilities, versionNegotiation: { mode: 'auto' } });
  if (person) client.setRequestHandler('elicitation/create', ask);
  await client.connect(new StdioClientTransport(stdio));
  return { client, call: (params, options) => client.callTool(params, options) };
}

async function post(path, body, type) {
  const headers = { 'Content-Type': type, Authorization: 'Basic YXBpOmtleQ==' };
  const response = await fetch(`${simulator}/${path}`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

const texts = (result) => result.content.map((block) => block.text ?? '').join('\n');
const pending = (text) => text.match(/Pending approval ([a-z0-9]{8})/)?.[1];

const heard = { questions: [], reports: [] };
const one = await connect(heard, true);
const onprogress = ({ message }) => heard.reports.push(message ?? '');
const deletion = (address) => ({ name: 'delete_bounce', arguments: { domain: DOMAIN, address } });

const { tools } = await one.client.listTools();
const read = await one.call({ name: 'list_domains', arguments: {} });
for (const address of ADDRESSES)
  await post(`v3/${DOMAIN}/bounces`, new URLSearchParams({ address }), 'application/x-www-form-urlencoded');
const deleted = await one.call(deletion(ADDRESSES[0]), { onprogress });
const faults = [{ kind: 'rate_limited', operation: 'list_domains', times: 1, seconds: 1 }];
await post('simulator/faults', JSON.stringify({ faults }), 'application/json');
const retried = await one.call({ name: 'list_domains', arguments: {} }, { onprogress });
const progress = heard.reports.length > 0 && !retried.isError;
await one.client.close();

const two = await connect({ questions: [], reports: [] }, false);
const approval = pending(texts(await two.call(deletion(ADDRESSES[1]))));
let resumes = false;
if (approval) {
  const words = [...command.slice(1, command.indexOf('mailgun_mcp') + 1), 'approvals', 'approve', approval];
  const done = spawnSync(command[0], words, { env: stdio.env, encoding: 'utf8', input: 'y\n' });
  if (done.status) throw new Error(done.stderr);
  resumes = !(await two.call(deletion(ADDRESSES[1]))).isError;
}
await two.client.close();

const formed = heard.questions.length > 0 && !deleted.isError;
const asked = formed ? 'by a form' : pending(texts(deleted)) ? 'by approval' : `no: ${texts(deleted).slice(0, 200)}`;
const calls = !read.isError && texts(read).includes(DOMAIN);
console.log(JSON.stringify({ lists: tools.length, calls, asked, progress, resumes }));
process.exit(0);
