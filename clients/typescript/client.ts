// A client of Samla's API, version 2026-04-01, for Node, Deno and browsers. api.ts is
// generated from the OpenAPI document and has every type; this file makes the calls.

import type { components, paths } from './api.ts';

export type Schemas = components['schemas'];

/** The version of the API that the client asks for. */
export const version = '2026-04-01';

type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';

/** The operation of a path and a method. */
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

type Json<T> = T extends { content: { 'application/json': infer B } } ? B : undefined;

/** What an operation answers if it succeeds. */
export type Answer<O> = O extends { responses: infer R }
  ? { [S in keyof R & (200 | 201 | 202 | 204)]: Json<R[S]> }[keyof R & (200 | 201 | 202 | 204)]
  : never;

type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } }
  ? { body: B }
  : O extends { requestBody?: { content: { 'application/json': infer B } } }
    ? { body?: B }
    : { body?: undefined };

type Path<O> = O extends { parameters: { path: infer P extends object } } ? { path: P } : { path?: undefined };

type Query<O> = O extends { parameters: { query: infer Q extends object } }
  ? { query: Q }
  : O extends { parameters: { query?: infer Q } }
    ? { query?: Q }
    : { query?: undefined };

/** What an operation is called with. */
export type Input<O> = Body<O> & Path<O> & Query<O> & { idempotencyKey?: string; signal?: AbortSignal };

type Arguments<O> = {} extends Input<O> ? [input?: Input<O>] : [input: Input<O>];

/** The error of a request that the server refused. */
export class Problem extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** What the server says; undefined: something between has answered. */
  readonly document?: Schemas['ConsentError'];
  /** Milliseconds after which to ask again; 0: the server says nothing about that. */
  readonly retryAfter: number;

  constructor(status: number, document: Schemas['ConsentError'] | undefined, retryAfter: number) {
    const fields = (document?.errors ?? []).map((e) => `; ${e.pointer}: ${e.message}`).join('');
    super(document ? `HTTP ${status} ${document.code}: ${document.message}${fields} (${document.remedy})` : `HTTP ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.document = document;
    this.retryAfter = retryAfter;
  }

  /** What went wrong, for programs. */
  get code(): string | undefined {
    return this.document?.code;
  }
}

/** Calls the API of one server with one credential. */
export class Client {
  readonly #server: string;
  readonly #credential: Record<string, string>;

  private constructor(server: string, credential: Record<string, string>) {
    this.#server = server.replace(/\/+$/, '');
    this.#credential = credential;
  }

  /** A client with an API key, for a back end. */
  static withKey(server: string, key: string): Client {
    return new Client(server, { 'authorization-token': key });
  }

  /** A client with the token of a session, which the person's own device may have. */
  static withToken(server: string, token: string): Client {
    return new Client(server, { authorization: `Bearer ${token}` });
  }

  /** A client of the same server with the token of a session. */
  forSession(token: string): Client {
    return Client.withToken(this.#server, token);
  }

  /** Makes a call. The types of its input and of its answer are those of the document. */
  async call<P extends keyof paths, M extends Method>(
    method: M,
    path: P,
    ...[input]: Arguments<Operation<P, M>>
  ): Promise<Answer<Operation<P, M>>> {
    const { answer } = await this.send(method, path, input as Loose | undefined);
    return answer as Answer<Operation<P, M>>;
  }

  /** Makes a call of a list, and returns the cursor of the next page too; undefined: there is none. */
  async page<P extends keyof paths, M extends Method>(
    method: M,
    path: P,
    ...[input]: Arguments<Operation<P, M>>
  ): Promise<{ answer: Answer<Operation<P, M>>; next?: string }> {
    const { answer, headers } = await this.send(method, path, input as Loose | undefined);
    const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get('Link') ?? '');
    const next = link ? (new URL(link[1]!, this.#server).searchParams.get('cursor') ?? undefined) : undefined;
    return { answer: answer as Answer<Operation<P, M>>, next };
  }

  private async send(method: string, path: string, input: Loose = {}): Promise<{ answer: unknown; headers: Headers }> {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, input.path?.[name]));
    const url = new URL(this.#server + filled);
    for (const [name, value] of Object.entries(input.query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) url.searchParams.append(name, String(one));
    }
    const headers: Record<string, string> = { 'Insurely-Version': version, ...this.#credential };
    if (input.body !== undefined) headers['content-type'] = 'application/json';
    if (input.idempotencyKey) headers['Idempotency-Key'] = input.idempotencyKey;
    const answer = await fetch(url, {
      method: method.toUpperCase(),
      headers,
      body: input.body === undefined ? undefined : JSON.stringify(input.body),
      signal: input.signal,
      redirect: 'manual', // it would carry the credential elsewhere
    });
    const text = await answer.text();
    if (!answer.ok) {
      const seconds = Number(answer.headers.get('Retry-After'));
      throw new Problem(answer.status, parsed(text), seconds > 0 ? seconds * 1000 : 0);
    }
    return { answer: text ? JSON.parse(text) : undefined, headers: answer.headers };
  }
}

type Loose = {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  idempotencyKey?: string;
  signal?: AbortSignal;
};

/** An id as a segment of a path. One that would lead to another path is refused: no encoding keeps `..` where it is. */
function segment(name: string, value: unknown): string {
  const text = value === undefined || value === null ? '' : String(value);
  if (['', '.', '..'].includes(text)) throw new TypeError(`${name} is no id: ${JSON.stringify(text)}`);
  return encodeURIComponent(text);
}

function parsed(text: string): Schemas['ConsentError'] | undefined {
  try {
    const document = JSON.parse(text);
    return typeof document?.code === 'string' ? document : undefined;
  } catch {
    return undefined;
  }
}
