// How to wait for something politely.

import { Problem } from './client.ts';

/** Asks again after so many failures of the network or of the server in a row, then gives up. */
export const failuresMost = 6;

const failureWait = 500; // milliseconds, doubled by each failure
const failureLimit = 10_000;

/** The time and chance that polling works with; tests bring their own. */
export type Surroundings = {
  /** Waits, or less if `signal` or `woken` ends it. */
  wait: (milliseconds: number, signal?: AbortSignal, woken?: Promise<void>) => Promise<void>;
  chance: () => number;
};

export const surroundings: Surroundings = {
  wait: (milliseconds, signal, woken) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      if (signal?.aborted) return stop();
      signal?.addEventListener('abort', stop, { once: true });
      void woken?.then(end);
    }),
  chance: Math.random,
};

/** The failure of a person's answer: polling does not go on after it. */
export class Unanswered extends Error {
  constructor(cause: unknown) {
    super('the question was not answered', { cause });
    this.name = 'Unanswered';
  }
}

/**
 * Polls a status until nothing follows it, or `done` says so. It waits as long as the server
 * recommends, and up to a tenth longer so that clients do not ask in step; after a refusal as
 * long as Retry-After says.
 */
export async function poll<T extends { pollingInterval: number | null }>(
  ask: () => Promise<T>,
  done: (status: T) => boolean,
  options: { signal?: AbortSignal; woken?: () => Promise<void> } = {},
  { wait, chance }: Surroundings = surroundings,
): Promise<T> {
  const spread = (milliseconds: number) => milliseconds * (1 + chance() / 10);
  for (let failures = 0; ; ) {
    let status: T;
    try {
      options.signal?.throwIfAborted();
      status = await ask();
    } catch (error) {
      if (options.signal?.aborted || failures >= failuresMost || !mayPass(error)) throw error;
      const after = error instanceof Problem ? error.retryAfter : 0;
      await wait(spread(Math.max(Math.min(failureWait * 2 ** failures++, failureLimit), after)), options.signal);
      continue;
    }
    failures = 0;
    if (done(status) || status.pollingInterval === null) return status;
    await wait(spread(status.pollingInterval), options.signal, options.woken?.());
  }
}

/** Whether asking again can help. */
function mayPass(error: unknown): boolean {
  if (error instanceof Problem) return error.status === 429 || error.status >= 500;
  return error instanceof TypeError; // what fetch throws when the server cannot be reached
}
