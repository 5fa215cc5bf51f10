// Collects from two institutions: from a bank, with a consent that the person signs with
// BankID, and from an institution that the person logs in to, which asks for a code.
//
//   SAMLA_API=http://127.0.0.1:8080 SAMLA_KEY=samla_… node clients/typescript/example.ts
//
// With SAMLA_SANDBOX, the address of the sandbox of `samla dev`, and its certificate authority
// in NODE_EXTRA_CA_CERTS, it also plays the person: it approves on the sandbox's phone.

import { createInterface } from 'node:readline/promises';
import * as samla from './index.ts';

const sandbox = process.env.SAMLA_SANDBOX;
let last = ''; // what was shown
const backend = samla.Client.withKey(process.env.SAMLA_API ?? 'http://127.0.0.1:8080', process.env.SAMLA_KEY ?? '');
const session = await samla.openSession(backend, await samla.ensureUser(backend, 'example-typescript'));

// A bank and an institution by login of the sandbox, and a test person of each.
const bank = { company: 'se-demo-psd2', loginMethod: 'SWEDISH_MOBILE_BANKID_OTHER_DEVICE', personalNumber: '198208149297', psuIpAddress: '192.0.2.1', psuLocale: 'en-GB' };
const login = { company: 'se-demo', loginMethod: 'SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK', personalNumber: '200004010000' };

const consent = await samla.askConsent(session, bank);
await samla.awaitConsent(session, consent.consentId, { show });
await finish(await samla.collectWithConsent(session, bank.company, consent.consentId, bank.psuIpAddress));
await finish(await samla.collectByLogin(session, login));

/** Waits for a collection and prints its products. */
async function finish({ id, company }: { id: string; company: string }): Promise<void> {
  const { status } = await samla.awaitCollection(session, id, { show, ask });
  const list = await samla.products(session, id);
  console.log(`${company}: ${status}, ${list.length} products`);
  for (const product of list) console.log(' ', product.type);
}

/** Prints what the person has to do, each time it is something else. A page draws each QR text as it comes. */
function show(view: samla.View): void {
  const order = view.qrText?.split('.')[1] ?? '';
  const now = [view.status, view.message, view.redirectUrl, order].join();
  if (now !== last) {
    last = now;
    console.log([view.status, view.message, view.redirectUrl, view.qrText].filter(Boolean).join(' '));
    if (view.autoStartToken) console.log('on this device:', samla.appLink(view.autoStartToken));
  }
  if (sandbox && view.qrText) {
    const body = JSON.stringify({ action: 'approve', qrData: view.qrText });
    // A text that is too old is refused: the next one comes.
    fetch(`${sandbox}/sandbox/bankid`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => {});
  }
}

/** Reads the person's answer; in the sandbox the code is known. */
async function ask(question: samla.Question, signal: AbortSignal): Promise<samla.Reply> {
  if (sandbox && question.kind === 'code') return { code: '123456' };
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const line = await terminal.question(`${question.text ?? question.inputs.join()} `, { signal });
    if (question.kind === 'choice') return { choice: line };
    return question.kind === 'input' ? { values: { [question.inputs[0]!]: line } } : { code: line };
  } finally {
    terminal.close();
  }
}
