// Runs with node --test; nothing here needs a server.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { appLink, awaitCollection, Client, codes, NotSigned, Problem, tolerance, verifyWebhook, type View } from './index.ts';
import { failuresMost, poll, Unanswered, type Surroundings } from './poll.ts';

/** Notes how long was waited. */
function clock(chance = 0): Surroundings & { waited: number[] } {
  const waited: number[] = [];
  return { waited, chance: () => chance, wait: async (ms) => void waited.push(ms) };
}

/** Answers with each of a list, the last one for ever. */
function answers(...list: (number | null | Error)[]) {
  let asked = 0;
  return Object.assign(
    async () => {
      const next = list[Math.min(asked++, list.length - 1)];
      if (next instanceof Error) throw next;
      return { pollingInterval: next ?? null };
    },
    { asked: () => asked },
  );
}

test('polling keeps to what the server says', async () => {
  const c = clock(1);
  const ask = answers(2000, new Problem(429, undefined, 20_000), new Problem(503, undefined, 0), null);
  await poll(ask, () => false, {}, c);
  assert.deepEqual(c.waited.map(Math.round), [2200, 22_000, 1100]);
});

test('polling ends when nothing helps', async () => {
  for (const [error, times] of [[new Problem(404, undefined, 1), 1], [new TypeError('fetch failed'), failuresMost + 1], [new Unanswered('x'), 1]] as const) {
    const ask = answers(error);
    await assert.rejects(poll(ask, () => false, {}, clock()), error);
    assert.equal(ask.asked(), times);
  }
  const broken = answers(1000);
  await assert.rejects(poll(broken, () => { throw new TypeError('a fault of the page'); }, {}, clock()), /a fault of the page/);
  assert.equal(broken.asked(), 1);
  await assert.rejects(poll(answers(1000), () => false, { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const body = '{"eventId":"6f1c2e9a-3b1d-4a77-9b2e-2c0a8f3d4e55","status":"COMPLETED"}';

function headers(change: Record<string, string> = {}): Headers {
  const text = `msg_1.1800000000.${body}`;
  const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(text).digest('base64');
  return new Headers({ 'webhook-id': 'msg_1', 'webhook-timestamp': '1800000000', 'webhook-signature': `v1,AAAA v1,${signature}`, ...change });
}

test('webhooks that are signed are taken', async () => {
  const e = await verifyWebhook(headers(), body, ['whsec_', secret], 1_800_000_000 + tolerance);
  assert.equal(e.status, 'COMPLETED');
});

test('other webhooks are refused', async () => {
  const refused = (h: Headers, text = body, secrets = [secret], now = 1_800_000_000) => assert.rejects(verifyWebhook(h, text, secrets, now), NotSigned);
  await refused(headers(), body + ' ');
  await refused(headers(), body, []);
  await refused(headers(), body, ['whsec_', 'whsec_%', 'whsec_bmV3IHNlY3JldA==']);
  await refused(headers(), body, [secret], 1_800_000_001 + tolerance);
  await refused(headers({ 'webhook-id': '' }));
  await refused(headers({ 'webhook-timestamp': '1800000001' }));
  await refused(headers({ 'webhook-timestamp': 'x' }));
  await refused(headers({ 'webhook-signature': 'v1, v2,AAAA x' }));
});

/** Serves while `use` runs. */
async function serving(listener: RequestListener, use: (address: string) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('no redirect takes the key elsewhere', async () => {
  const came: unknown[] = [];
  await serving((request, response) => {
    came.push(request.headers);
    response.end('[]');
  }, (elsewhere) => serving((_, response) => response.writeHead(307, { location: elsewhere }).end(), async (server) => {
    await assert.rejects(Client.withKey(server, 'samla_x').call('get', '/companies/availability'), (e) => e instanceof Problem && e.status === 307);
    assert.deepEqual(came, []);
  }));
});

test('an answer that the server cannot take now is handed over again', async () => {
  const taken: unknown[] = [];
  await serving(async (request, response) => {
    if (request.method === 'GET') {
      const more = taken.length < 2 ? { status: 'TWO_FACTOR_PENDING', pollingInterval: 20, extraInformation: { QUESTION_ID: 'q1' } } : { status: 'COMPLETED', pollingInterval: null };
      return void response.end(JSON.stringify({ id: 'c1', company: 'se-x', ...more }));
    }
    let text = '';
    for await (const part of request) text += part;
    taken.push(JSON.parse(text));
    response.writeHead(taken.length < 2 ? 503 : 204).end();
  }, async (server) => {
    let asked = 0;
    const end = await awaitCollection(Client.withToken(server, 't'), 'c1', { ask: async () => ({ code: String(++asked) }) });
    assert.equal(end.status, 'COMPLETED');
    assert.deepEqual(taken, Array(2).fill({ type: 'TWO_FACTOR_CODE', value: '1', questionId: 'q1' }));
  });
});

test('an id stays where it is in a path', async () => {
  const came: (string | undefined)[] = [];
  await serving((request, response) => {
    came.push(request.url);
    response.end('{}');
  }, async (server) => {
    const c = Client.withKey(server, 'samla_x');
    for (const id of ['..', '.', '', undefined as unknown as string]) {
      await assert.rejects(c.call('delete', '/users/{userUuid}', { path: { userUuid: id } }), TypeError);
    }
    for (const id of ['a/../b', '%2e%2e', '...', 'å b']) await c.call('delete', '/users/{userUuid}', { path: { userUuid: id } });
    assert.deepEqual(came, ['/users/a%2F..%2Fb', '/users/%252e%252e', '/users/...', '/users/%C3%A5%20b']);
  });
});

test('a code says when it is of no use', () => {
  let now = 0;
  const shown = codes(() => now);
  const expiresAt = new Date(300_000).toISOString();
  const until = (at: number, view: Partial<View>) => {
    now = at;
    return shown({ status: 'AWAITING_AUTHORIZATION', expiresAt, ...view }).qrUntil;
  };
  assert.equal(until(0, { qrText: 'bankid.a.0.b' }), 3000);
  assert.equal(until(1000, { qrText: 'bankid.a.0.b' }), 3000); // it stands still
  assert.equal(until(2000, { qrText: 'bankid.a.1.c', qrImage: 'x' }), 5000);
  assert.equal(until(3000, { message: 'Enter your code' }), undefined);
  assert.equal(until(4000, { qrImage: 'x' }), 300_000);
  assert.equal(until(5000, { qrText: 'a text of another app' }), 300_000);
  assert.equal(until(6000, { qrText: 'bankid.a.2.d', expiresAt: new Date(7000).toISOString() }), 7000);
  assert.equal(until(8000, { qrText: 'bankid.a.3.d', expiresAt: undefined }), 11_000);
});

test('links open the app', () => {
  assert.equal(appLink('a b', 'https://x.example/#1', true), 'https://app.bankid.com/?autostarttoken=a%20b&redirect=https%3A%2F%2Fx.example%2F%231');
  assert.equal(appLink('t'), 'bankid:///?autostarttoken=t&redirect=null');
});

// Compiles only if the types of calls are those of the document; nothing calls it.
export async function types(c: Client): Promise<void> {
  const user: string = (await c.call('post', '/users', { body: { externalId: 'x' } })).userUuid;
  const nothing: undefined = await c.call('delete', '/users/{userUuid}', { path: { userUuid: user } });
  const events: boolean = (await c.call('get', '/events')).more;
  // @ts-expect-error there is no such path
  await c.call('get', '/nothing');
  // @ts-expect-error the path needs the user
  await c.call('delete', '/users/{userUuid}');
  // @ts-expect-error the body needs externalId
  await c.call('post', '/users', { body: {} });
  // @ts-expect-error an answer has no such member
  console.log(nothing, events, (await c.call('get', '/events')).other);
}
