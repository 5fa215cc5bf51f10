// The configuration of orval: a client that uses fetch, and schemas for zod.
const input = { target: '../openapi.json' };

export default {
  fetch: { input, output: { target: 'gen/orval-fetch.ts', client: 'fetch', mode: 'single' } },
  zod: { input, output: { target: 'gen/orval-zod.ts', client: 'zod', mode: 'single' } },
};
