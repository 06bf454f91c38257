// nodemailer, driven by one JSON object on standard input: {"transport": {...}, "mails": [{...}, ...],
// "verify": true}. Prints an array with what became of each mail, in their order, all of them sent at
// once: {accepted, rejected, response} or {error, responseCode}.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const nodemailer = require(path.join(process.env.INTEROP_NODE_MODULES, 'nodemailer'));

async function send(transport, mail) {
  try {
    const {accepted, rejected, response} = await transport.sendMail(mail);
    return {accepted, rejected, response};
  } catch (error) {
    return {error: error.message, code: error.code, responseCode: error.responseCode};
  }
}

async function main() {
  const {transport: options, mails, verify} = JSON.parse(fs.readFileSync(0));
  const transport = nodemailer.createTransport(options);
  if (verify) await transport.verify();
  const results = await Promise.all(mails.map((mail) => send(transport, mail)));
  transport.close();
  process.stdout.write(JSON.stringify(results));
}

main();
