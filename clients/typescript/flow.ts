// The main flows: a user, a session, a consent, a collection, and what the person does.

import { Client, Problem, type Schemas } from './client.ts';
import { poll, Unanswered } from './poll.ts';

/** The user with your own id of the person; it is created if there is none. */
export async function ensureUser(backend: Client, externalId: string): Promise<string> {
  try {
    return (await backend.call('post', '/users', { body: { externalId } })).userUuid;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 409) throw error;
    return (await backend.call('get', '/users', { query: { externalId } })).userUuid;
  }
}

/** A client for one user. The token of the session runs out after a while: open another one then. */
export async function openSession(backend: Client, userUuid: string): Promise<Client> {
  return backend.forSession((await backend.call('post', '/users/{userUuid}/sessions', { path: { userUuid } })).token);
}

/** What a consent at a bank is asked for. */
export type Bank = {
  company: string;
  loginMethod: string;
  /** Where the person signs with BankID. */
  personalNumber?: string;
  /** The address of the person. */
  psuIpAddress: string;
  /** Of texts for the person, such as sv-SE. */
  psuLocale?: string;
  /** Registered: where the browser goes after the bank's page. */
  returnUrl?: string;
};

/** Opens a consent, which the person then has to sign: awaitConsent. */
export function askConsent(session: Client, bank: Bank): Promise<Schemas['Consent']> {
  const { company, loginMethod, personalNumber, ...access } = bank;
  const parameters: Schemas['ConsentParameter'][] = [{ type: 'PSD2_AIS_CONSENT', ...access }];
  if (personalNumber) parameters.push({ type: 'SWEDISH_BANKID', personalNumber });
  return session.call('post', '/consents', { body: { company, loginMethod, parameters } });
}

/** What the person is shown at this moment. What is undefined is not shown. */
export type View = {
  status: string;
  /** To draw as a QR code; a new one each second. */
  qrText?: string;
  /** The same as a PNG, in base64. */
  qrImage?: string;
  /** When the code must be taken away (milliseconds, as Date.now()), unless another view has come before: the app refuses it then. */
  qrUntil?: number;
  /** For appLink. */
  autoStartToken?: string;
  /** A page of the institution to open. */
  redirectUrl?: string;
  /** A text for the person. */
  message?: string;
  /** A number to compare on the other device. */
  reference?: string;
  /** After that the person can no longer sign. */
  expiresAt?: string;
  /** All that a collection says, such as a request that the person's device has to make. */
  information?: Schemas['CollectionStatusInformationMap'];
};

/** That something ended in another way than hoped for. `status` says how. */
export class Ended extends Error {
  readonly status: string;
  readonly code?: string;

  constructor(what: string, status: string, code?: string, message?: string) {
    super(`the ${what} has ended: ${[status, code, message].filter(Boolean).join(' ')}`);
    this.name = 'Ended';
    this.status = status;
    this.code = code;
  }
}

/** How long a QR code that changes each second is of use, in milliseconds: the app takes an older one for a copy, and refuses it. */
export const qrLife = 3000;

/**
 * Says how long the codes of the views that follow one another are of use. BankID's texts have the second that they are for, so they
 * are new in each answer: one that stands still is of no use. A picture, or a text of another kind, holds as long as the person can sign.
 */
export function codes(now: () => number = Date.now): (view: View) => View {
  let text: string | undefined;
  let since = 0;
  return (view) => {
    if (view.qrText !== text) [text, since] = [view.qrText, now()];
    if (!view.qrText && !view.qrImage) return view;
    const end = view.expiresAt ? Date.parse(view.expiresAt) : undefined;
    const moves = /^bankid\.[^.]*\.[^.]*\.[^.]*$/.test(view.qrText ?? '');
    const qrUntil = moves ? Math.min(since + qrLife, end ?? Infinity) : end;
    return qrUntil === undefined ? view : { ...view, qrUntil };
  };
}

type Wait = { show?: (view: View) => void; signal?: AbortSignal };

/** Polls a consent until it is authorized, and shows the person what to do. */
export async function awaitConsent(session: Client, consentId: string, { show, signal }: Wait = {}): Promise<Schemas['ConsentStatusResponse']> {
  const shown = codes();
  const ask = () => session.call('get', '/consents/{consentId}/status', { path: { consentId }, signal });
  const end = await poll(ask, (s) => {
    if (s.authInstructions) show?.(shown(consentView(s.status, s.authInstructions)));
    return s.status === 'AUTHORIZED';
  }, { signal });
  if (end.status !== 'AUTHORIZED') throw new Ended('consent', end.status, end.error?.code, end.error?.message);
  return end;
}

function consentView(status: string, i: Schemas['AuthInstructions']): View {
  const view: View = { status, message: i.userMessage?.text, expiresAt: i.expiresAt };
  switch (i.type) {
    case 'SWEDISH_BANKID_QR_CODE':
      return { ...view, qrText: i.qrData, qrImage: i.qrImage, autoStartToken: i.autoStartToken };
    case 'SWEDISH_BANKID_AUTOSTART_TOKEN':
      return { ...view, autoStartToken: i.autoStartToken };
    default:
      return { ...view, redirectUrl: i.redirectUrl };
  }
}

/** Starts a collection of what a consent covers. Without the person's address nobody is there, which banks allow four times a day. */
export function collectWithConsent(session: Client, company: string, consentId: string, psuIpAddress?: string): Promise<Schemas['CollectionStatusResponse']> {
  return session.call('post', '/collections', { body: { company, parameters: [{ type: 'STORED_CONSENT', consentId, psuIpAddress }] } });
}

/** Starts a collection from an institution that the person logs in to; what it asks, awaitCollection answers. */
export function collectByLogin(
  session: Client,
  login: { company: string; loginMethod: string; personalNumber?: string; email?: string },
): Promise<Schemas['CollectionStatusResponse']> {
  const { company, loginMethod, personalNumber, email } = login;
  const parameters: Schemas['CollectionParameter'][] = [];
  if (personalNumber) parameters.push({ type: 'SWEDISH_BANKID', personalNumber });
  if (email) parameters.push({ type: 'EMAIL', email });
  return session.call('post', '/collections', { body: { company, loginMethod, parameters } });
}

/** What an institution asks the person. */
export type Question = {
  /** A code (or one of `choices`, such as RESEND), a choice, or a value for each of `inputs`. */
  kind: 'code' | 'choice' | 'input';
  id?: string;
  text?: string;
  choices: Schemas['TwoFactorOption'][];
  inputs: string[];
  /** After a wrong answer. */
  attemptsLeft?: number;
};

/** The person's answer. */
export type Reply = { code: string } | { choice: string } | { values: Record<string, string> };

/** How a program reaches the person: `ask` is called once for each question, beside the polling. Its signal ends when the question does. */
export type Person = Wait & { ask?: (question: Question, signal: AbortSignal) => Promise<Reply> };

/** Polls a collection until it has data, shows the person what to do, and answers what the institution asks. */
export async function awaitCollection(session: Client, collectionId: string, person: Person = {}): Promise<Schemas['CollectionStatusResponse']> {
  const { signal } = person;
  const shown = codes();
  const asked = new Asking(session, collectionId, person);
  try {
    const end = await poll(
      () => {
        asked.check();
        return session.call('get', '/collections/{collectionId}/status', { path: { collectionId }, signal });
      },
      (s) => {
        person.show?.(shown(collectionView(s)));
        asked.follow(question(s));
        return false;
      },
      { signal, woken: () => asked.woken },
    );
    if (!end.status.startsWith('COMPLETED')) throw new Ended('collection', end.status);
    return end;
  } catch (error) {
    throw error instanceof Unanswered ? error.cause : error;
  } finally {
    asked.end();
  }
}

/** Asks the person one question at a time. */
class Asking {
  readonly #session: Client;
  readonly #collectionId: string;
  readonly #person: Person;
  #name = '';
  #over?: AbortController;
  #failed?: Unanswered;
  #wake = () => {};
  woken = this.#next();

  constructor(session: Client, collectionId: string, person: Person) {
    this.#session = session;
    this.#collectionId = collectionId;
    this.#person = person;
  }

  #next(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  check(): void {
    if (this.#failed) throw this.#failed;
  }

  end(): void {
    this.#over?.abort();
    this.#name = '';
  }

  follow(q: Question | undefined): void {
    const { ask } = this.#person;
    if (!q || !ask) return this.end();
    const name = `${q.kind} ${q.id}`;
    if (name === this.#name) return;
    this.end();
    this.#name = name;
    const over = (this.#over = new AbortController());
    ask(q, over.signal)
      .then((reply) => this.#answer(q, reply, over.signal))
      .catch((error) => {
        const late = error instanceof Problem && error.status === 409; // the next status says what follows
        if (!over.signal.aborted && !late) this.#failed = new Unanswered(error);
      })
      .finally(() => {
        this.#wake();
        this.woken = this.#next();
      });
  }

  /** Hands over an answer, again if the server cannot take it now: the question's id keeps it from counting twice. Without one it is handed over once. */
  async #answer(q: Question, reply: Reply, signal: AbortSignal): Promise<void> {
    const hand = () => answer(this.#session, this.#collectionId, q, reply);
    if (!q.id) return hand();
    await poll(async () => ({ pollingInterval: null, answered: await hand() }), () => true, { signal });
  }
}

/** Hands over an answer to a question of a collection. */
export function answer(session: Client, collectionId: string, q: Question, reply: Reply): Promise<undefined> {
  const questionId = q.id;
  const body: Schemas['SupplementInformation'] =
    'choice' in reply
      ? { type: 'TWO_FACTOR_CHOICE', value: reply.choice, questionId }
      : 'values' in reply
        ? { type: 'COLLECTION_INPUT', values: reply.values, questionId }
        : { type: 'TWO_FACTOR_CODE', value: reply.code, questionId };
  return session.call('post', '/collections/{collectionId}/supplement-info', { path: { collectionId }, body });
}

function question(s: Schemas['CollectionStatusResponse']): Question | undefined {
  const i = s.extraInformation;
  if (!i) return undefined;
  const instruction = i.TWO_FACTOR_AUTHENTICATION_INSTRUCTION;
  const choices = i.AVAILABLE_TWO_FACTOR_METHODS ?? [];
  const common = { choices, inputs: i.REQUIRED_INPUT_TYPES ?? [], id: instruction?.questionId ?? i.QUESTION_ID,
    text: instruction?.authenticationInstruction, attemptsLeft: instruction?.attemptsLeft };
  switch (s.status) {
    case 'TWO_FACTOR_PENDING': // RESEND is listed beside a code: it asks for a new one
      return { kind: choices.some((c) => c.id !== 'RESEND') ? 'choice' : 'code', ...common };
    case 'CONTACT_FORM_PENDING':
    case 'COLLECTION_INPUT_PENDING':
      return { kind: 'input', ...common };
    default:
      return undefined;
  }
}

function collectionView(s: Schemas['CollectionStatusResponse']): View {
  const i = s.extraInformation ?? undefined;
  return {
    status: s.status,
    qrText: i?.SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA,
    qrImage: i?.SWEDISH_BANKID_QRCODE ?? i?.QR_CODE_DATA,
    autoStartToken: i?.SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN,
    redirectUrl: i?.REDIRECT_URL,
    message: i?.TWO_FACTOR_AUTHENTICATION_INSTRUCTION?.authenticationInstruction,
    reference: i?.REFERENCE_NUMBER,
    information: i,
  };
}

/** The products of a collection. `type` tells them apart. */
export function products(session: Client, collectionId: string): Promise<Schemas['FinancialProduct'][]> {
  return session.call('get', '/collections/{collectionId}/wealth/data', { path: { collectionId } });
}

/**
 * The address that opens BankID on the same device. It belongs in a link that the person
 * presses: a page that opens it by itself opens it again after each reload. `phone` is the
 * form for phones.
 */
export function appLink(autoStartToken: string, back = 'null', phone = false): string {
  const start = phone ? 'https://app.bankid.com/?' : 'bankid:///?';
  return `${start}autostarttoken=${encodeURIComponent(autoStartToken)}&redirect=${encodeURIComponent(back)}`;
}
