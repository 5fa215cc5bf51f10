// The main flow with the client of @hey-api/openapi-ts. Each answer is also validated with
// the schemas of orval and openapi-zod-client. It prints the collection and each amount
// that it read, as test/generators/go/flow says.

import { createClient, createConfig } from './gen/hey/client/index.ts';
import * as api from './gen/hey/index.ts';
import { schemas } from './gen/openapi-zod-client.ts';
import * as orval from './gen/orval-zod.ts';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

const baseUrl = setting('SAMLA_API');
const headers = { 'Insurely-Version': '2026-04-01' };
const company = setting('SAMLA_COMPANY');
const personalNumber = setting('SAMLA_PERSON');
const psuIpAddress = '192.0.2.7';

// A schema is what both kinds of schemas have in common.
type Schema = { parse(value: unknown): unknown };

// data returns the body of a success, after each schema has read it.
function data<T>(answer: { data?: T; error?: unknown }, ...read: Schema[]): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  for (const schema of read) schema.parse(answer.data);
  return answer.data;
}

// sign plays the person's phone: it reads a QR code and approves.
async function sign(qrData: string): Promise<void> {
  const answer = await fetch(`${setting('SAMLA_SANDBOX')}/sandbox/bankid`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ action: 'approve', qrData }),
  });
  if (!answer.ok) throw new Error(`the phone: ${answer.status} ${await answer.text()}`);
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// An operation may accept both credentials, and gets the one of its client.
const key = (scheme: { type: string }) => (scheme.type === 'apiKey' ? setting('SAMLA_KEY') : undefined);
const token = (scheme: { type: string }) => (scheme.type === 'http' ? session.token : undefined);

const backend = createClient(createConfig({ baseUrl, headers, auth: key }));

const user = data(
  await api.createUser({ client: backend, body: { externalId: setting('SAMLA_USER') } }),
  schemas.UserResponse,
  orval.CreateUserResponse,
);
const path = { userUuid: user.userUuid };
data(await api.getUser({ client: backend, path }), schemas.UserResponse, orval.GetUserResponse);
const session = data(
  await api.createSession({ client: backend, path }),
  schemas.SessionResponse,
  orval.CreateSessionResponse,
);
const device = createClient(createConfig({ baseUrl, headers, auth: token }));

// An error is a problem document, with a code for programs.
const refused = await api.createConsent({ client: device, body: { company, parameters: [] } });
if (refused.error?.code !== 'INVALID_PARAMETER' || refused.error.errors?.[0]?.pointer !== '/parameters') {
  throw new Error(`an invalid consent: ${JSON.stringify(refused.error)}`);
}

const body: api.CreateConsentRequest = {
  company,
  loginMethod: 'SWEDISH_MOBILE_BANKID_OTHER_DEVICE',
  parameters: [
    { type: 'PSD2_AIS_CONSENT', psuIpAddress, psuLocale: 'sv-SE', balances: true },
    { type: 'SWEDISH_BANKID', personalNumber },
  ],
};
schemas.CreateConsentRequest.parse(body);
orval.CreateConsentBody.parse(body);
const consent = data(
  await api.createConsent({ client: device, body }),
  schemas.Consent,
  orval.CreateConsentResponse,
);
const { consentId } = consent;
if (consent.scope.type !== 'PSD2_AIS' || !consent.scope.transactions) throw new Error('the scope is not what was asked for');

for (let signed = false; ; ) {
  const status = data(
    await api.getConsentStatus({ client: device, path: { consentId } }),
    schemas.ConsentStatusResponse,
    orval.GetConsentStatusResponse,
  );
  if (status.status === 'AUTHORIZED') break;
  if (status.pollingInterval === null) throw new Error(`the consent is ${status.status}: ${status.error?.code}`);
  const instructions = status.authInstructions;
  if (instructions?.type === 'SWEDISH_BANKID_QR_CODE' && instructions.qrData && !signed) {
    await sign(instructions.qrData);
    signed = true;
  }
  await pause(status.pollingInterval / 4);
}

const collection = data(
  await api.initiateCollection({
    client: device,
    body: { company, parameters: [{ type: 'STORED_CONSENT', consentId, psuIpAddress }] },
  }),
  schemas.CollectionStatusResponse,
  orval.InitiateCollectionResponse,
);
const collectionId = collection.id;
for (;;) {
  const status = data(
    await api.getCollectionStatus({ client: device, path: { collectionId } }),
    schemas.CollectionStatusResponse,
    orval.GetCollectionStatusResponse,
  );
  if (status.status === 'COMPLETED') break;
  if (status.pollingInterval === null) throw new Error(`the collection is ${status.status}`);
  await pause(status.pollingInterval / 4);
}

const list = data(
  await api.getCollections({ client: device, query: { statusIn: ['COMPLETED', 'FAILED'], latest: true } }),
  orval.GetCollectionsResponse,
);
if (list.length !== 1 || list[0]?.collectionId !== collectionId) throw new Error(`a list of ${list.length} collections`);

const products = data(
  await api.getWealthData({ client: device, path: { collectionId } }),
  schemas.FinancialProduct.array(),
  orval.GetWealthDataResponse,
);
const amounts: string[] = [];
const note = (where: string, money?: api.MonetaryAmount) => {
  if (money) amounts.push(`${where} ${money.amount.toFixed(2)} ${money.currency}`);
};
for (const product of products) {
  switch (product.type) {
    case 'PSD2_CHECKING_ACCOUNT':
    case 'PSD2_SAVINGS_ACCOUNT':
    case 'PSD2_CREDIT_CARD':
      note(`${product.accountId} booked`, product.bookedBalance);
      note(`${product.accountId} available`, product.availableBalance);
      for (const row of product.transactions ?? []) note(`${row.accountId} ${row.transactionId}`, row.amount);
      break;
    default:
      throw new Error(`a product of the type ${product.type}`);
  }
}

const revoked = data(
  await api.revokeConsent({ client: device, path: { consentId } }),
  schemas.ConsentStatusResponse,
  orval.RevokeConsentResponse,
);
if (revoked.status !== 'REVOKED' || !revoked.revokedAt) throw new Error(`the revoked consent is ${revoked.status}`);
console.log(JSON.stringify({ collectionId, amounts }));
