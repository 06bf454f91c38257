// imapflow, driven by lines of JSON on standard input: {"call": "mailboxOpen", "args": [...]}. Each
// is answered with {"result": ...} or {"error": "..."}; what the server tells in between comes as
// {"event": "exists", "data": {...}}.
//
// imapflow.js PORT USER PASSWORD
'use strict';

const path = require('node:path');
const readline = require('node:readline');
const {ImapFlow} = require(path.join(process.env.INTEROP_NODE_MODULES, 'imapflow'));

const [port, user, pass] = process.argv.slice(2);
const client = new ImapFlow({
  host: '127.0.0.1',
  port: Number(port),
  secure: true,
  tls: {rejectUnauthorized: false},
  auth: {user, pass},
  qresync: true,
  logger: false,
});

function say(object) {
  const text = JSON.stringify(object, (key, value) => {
    if (typeof value === 'bigint') return Number(value);
    if (value instanceof Set) return [...value].sort();
    if (value instanceof Map) return Object.fromEntries(value);
    // What toJSON has made of a Buffer.
    if (value && value.type === 'Buffer') return Buffer.from(value.data).toString('latin1');
    return value;
  });
  process.stdout.write(text + '\n');
}

for (const event of ['exists', 'expunge', 'flags', 'error']) {
  client.on(event, (data) => say({event, data}));
}

const calls = {
  // Those that come as streams.
  async fetchAll(...args) {
    const found = [];
    for await (const message of client.fetch(...args)) found.push(message);
    return found;
  },
  facts() {
    return {capabilities: [...client.capabilities.keys()], enabled: client.enabled,
            mailbox: client.mailbox};
  },
  // Not to be waited for: it lasts until the next command.
  idle() {
    client.idle().catch((error) => say({event: 'error', data: error.message}));
    return true;
  },
};

async function run(line) {
  const {call, args = []} = JSON.parse(line);
  try {
    const result = await (calls[call] ? calls[call](...args) : client[call](...args));
    say({result: result === undefined ? null : result});
  } catch (error) {
    say({error: error.responseText || error.message});
  }
}

async function main() {
  for await (const line of readline.createInterface({input: process.stdin})) await run(line);
  process.exit(0);
}

main();
