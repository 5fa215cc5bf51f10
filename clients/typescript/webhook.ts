// Webhooks: their signature is that of Standard Webhooks.

import type { Schemas } from './client.ts';

/** How far a webhook's time may be from the receiver's clock, in seconds. */
export const tolerance = 300;

/** That a request is no webhook of the endpoint. */
export class NotSigned extends Error {
  constructor() {
    super("the webhook is not signed with the endpoint's secret, or is too old");
    this.name = 'NotSigned';
  }
}

/**
 * Checks the signature of a webhook and returns its event. `body` is the request's, as it
 * came; `secrets` are those of the endpoint, two while it is rotated; `now` is in seconds.
 * `eventId` is the key against duplicates: a webhook may come twice.
 */
export async function verifyWebhook(
  headers: Headers,
  body: string,
  secrets: string[],
  now: number = Date.now() / 1000,
): Promise<Schemas['EventBody']> {
  const id = headers.get('webhook-id');
  const at = headers.get('webhook-timestamp') ?? '';
  if (!id || !/^\d+$/.test(at) || Math.abs(now - Number(at)) > tolerance) throw new NotSigned();
  const text = new TextEncoder().encode(`${id}.${at}.${body}`);
  for (const secret of secrets) {
    const raw = bytes(secret.replace(/^whsec_/, ''));
    if (!raw?.length) continue;
    const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    for (const part of (headers.get('webhook-signature') ?? '').split(' ')) {
      const signature = part.startsWith('v1,') ? bytes(part.slice(3)) : undefined;
      if (signature && (await crypto.subtle.verify('HMAC', key, signature, text))) return JSON.parse(body);
    }
  }
  throw new NotSigned();
}

function bytes(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}
