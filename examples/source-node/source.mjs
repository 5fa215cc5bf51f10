// A small source: a program that becomes an institution of Samla by speaking the source
// protocol (docs/source-protocol/README.md). It has one institution, a pension company of
// which everybody is a customer: the person "signs" with BankID, types the code 123456,
// and owns a pension and a savings account. It needs Node 18 and no packages.
import { createServer } from "node:http";
import { randomBytes, timingSafeEqual, createHash } from "node:crypto";
import { institution, pension, savings } from "./data.mjs";

const secret = process.env.SOURCE_SECRET;
if (!secret) throw new Error("set SOURCE_SECRET to the secret that Samla sends");

const sessions = new Map(); // by id
const answered = new Map(); // what a request was answered, by path and Request-Id
const appTime = 300; // ms that the person needs for the BankID app, which this program pretends
const maxWrong = 3; // codes

class Failure extends Error {
  constructor(status, code) { super(code); this.status = status; this.code = code; }
}
const badRequest = () => new Failure(400, "BAD_REQUEST");

// The turn of this moment. Its id changes when the turn does.
function turnOf(s) {
  if (s.question === 0 && Date.now() - s.started >= appTime) s.question = 1;
  if (s.out) return { id: "out", type: "OUT", reason: "LOCKED" };
  if (s.in) return { id: "in", type: "IN", personalNumber: s.number, name: "Example Person" };
  if (s.question === 0) {
    return { id: "bankid", type: "WAIT", for: "BANKID", pollAfter: 200, autoStartToken: "7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6",
      qrText: "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8" };
  }
  return { id: `ask-${s.question}`, type: "ASK", question: `code-${s.question}`, kind: "CODE", responseType: "NUMBER_CODE",
    message: "Type the code that we have sent you.", choices: [{ id: "RESEND", name: "Send a new code" }],
    ...(s.wrong > 0 && { wrong: true, attemptsLeft: maxWrong - s.wrong }) };
}

function login(input) {
  if (typeof input.institution !== "string") throw badRequest();
  if (input.institution !== institution.id) throw new Failure(404, "UNKNOWN_INSTITUTION");
  if (!institution.loginMethods.includes(input.loginMethod)) throw badRequest();
  if (!/^\d{12}$/.test(input.personalNumber ?? "")) throw badRequest();
  const id = randomBytes(24).toString("base64url");
  const s = { number: input.personalNumber, started: Date.now(), used: Date.now(), question: 0, wrong: 0, in: false, out: false };
  sessions.set(id, s);
  return [201, { session: id, turn: turnOf(s) }];
}

// A question is used once: after a wrong code there is another one.
function answer(s, input) {
  turnOf(s); // what the time has changed
  if (typeof input.question !== "string" || ("code" in input) === ("choice" in input)) throw badRequest();
  if (s.in || s.out || input.question !== `code-${s.question}`) throw new Failure(409, "QUESTION_OVER");
  if (input.choice === "RESEND") s.question++;
  else if (typeof input.code !== "string") throw badRequest();
  else if (input.code === "123456") s.in = true;
  else { s.question++; s.wrong++; s.out = s.wrong === maxWrong; }
  return [200, { turn: turnOf(s) }];
}

// A cursor gives the same page each time.
function page(s, input) {
  if (!s.in) throw new Failure(409, "TURN_NEEDED");
  if ((input.cursor ?? null) === null) return [200, { products: [pension(s.number)], next: "accounts" }];
  if (input.cursor === "accounts") return [200, { accounts: [savings] }];
  throw badRequest();
}

function sessionOf(id) {
  const s = sessions.get(id);
  if (!s) throw new Failure(404, "UNKNOWN_SESSION");
  s.used = Date.now();
  return s;
}

// Sessions are forgotten after ten minutes, answers after an hour.
function forget() {
  for (const [id, s] of sessions) if (Date.now() - s.used > 600_000) sessions.delete(id);
  for (const [key, a] of answered) if (Date.now() - a.at > 3600_000) answered.delete(key);
}

async function read(request) {
  let size = 0;
  const parts = [];
  for await (const part of request) {
    if ((size += part.length) > 1 << 20) throw badRequest();
    parts.push(part);
  }
  try {
    const input = JSON.parse(Buffer.concat(parts).toString("utf8"));
    if (input && typeof input === "object" && !Array.isArray(input)) return input;
  } catch { /* no JSON */ }
  throw badRequest();
}

const digest = (text) => createHash("sha256").update(text).digest();
const isAuthorized = (request) =>
  timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${secret}`));

async function handle(request) {
  if (!isAuthorized(request)) throw new Failure(401, "UNAUTHORIZED");
  const path = request.url;
  if (request.method === "GET" && path === "/v1/institutions") return [200, { protocol: 1, institutions: [institution] }];
  const match = path.match(/^\/v1\/sessions(?:\/([\w-]{1,200}))?(?:\/(turn|answers|pages))?$/);
  if (!match) throw new Failure(404, "NOT_FOUND");
  const [, id, call] = match;
  if (request.method === "GET" && call === "turn") return [200, { turn: turnOf(sessionOf(id)) }];
  if (request.method === "DELETE" && id && !call) { sessions.delete(id); return [204]; }
  if (request.method !== "POST" || !id !== !call) throw new Failure(404, "NOT_FOUND");
  return once(request, id, await read(request), { answers: answer, pages: page }[call]);
}

// once acts once for each Request-Id, and repeats what it answered. Nothing here waits, so
// a request that is repeated meanwhile comes after the first.
function once(request, id, input, act) {
  const requestID = request.headers["request-id"] ?? "";
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(requestID)) throw badRequest();
  forget();
  const s = id && sessionOf(id); // an answer is repeated as long as the session lives
  const key = `${request.url} ${requestID}`;
  // What is refused has no effect, and may be tried again: it is not kept.
  if (!answered.has(key)) answered.set(key, { at: Date.now(), answer: id ? act(s, input) : login(input) });
  return answered.get(key).answer;
}

const server = createServer(async (request, response) => {
  let status, body;
  try { [status, body] = await handle(request); } catch (e) {
    [status, body] = e instanceof Failure ? [e.status, { error: e.code }] : [503, { error: "UNAVAILABLE" }];
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body && JSON.stringify(body));
});
server.listen(Number(process.env.PORT ?? 8096), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
