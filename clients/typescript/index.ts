export * from './client.ts';
export * from './flow.ts';
export { poll } from './poll.ts';
export * from './webhook.ts';
export type { components, operations, paths } from './api.ts';
