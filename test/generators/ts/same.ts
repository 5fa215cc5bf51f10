// Compiles only if the generators read the document alike: what one of them calls a
// request or an answer is one for the others.

import type * as hey from './gen/hey/types.gen.ts';
import type { components } from './gen/openapi-typescript.ts';
import type * as orval from './gen/orval-fetch.ts';

type Schemas = components['schemas'];

// Same is true if each of two types can be assigned to the other.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

export const same: true[] = [
  true satisfies Same<hey.CreateUserRequest, Schemas['CreateUserRequest']>,
  true satisfies Same<hey.CreateConsentRequest, Schemas['CreateConsentRequest']>,
  true satisfies Same<hey.InitiateCollectionRequest, Schemas['InitiateCollectionRequest']>,
  true satisfies Same<hey.UserResponse, Schemas['UserResponse']>,
  true satisfies Same<hey.ConsentStatusResponse, Schemas['ConsentStatusResponse']>,
  true satisfies Same<hey.CollectionStatusResponse, Schemas['CollectionStatusResponse']>,
  true satisfies Same<hey.ConsentError, Schemas['ConsentError']>,
  true satisfies Same<hey.FinancialProduct, Schemas['FinancialProduct']>,
  true satisfies Same<hey.CreateUserRequest, orval.CreateUserRequest>,
  true satisfies Same<hey.CreateConsentRequest, orval.CreateConsentRequest>,
  true satisfies Same<hey.InitiateCollectionRequest, orval.InitiateCollectionRequest>,
  true satisfies Same<hey.UserResponse, orval.UserResponse>,
  true satisfies Same<hey.ConsentStatusResponse, orval.ConsentStatusResponse>,
  true satisfies Same<hey.CollectionStatusResponse, orval.CollectionStatusResponse>,
  true satisfies Same<hey.ConsentError, orval.ConsentError>,
  true satisfies Same<hey.FinancialProduct, orval.FinancialProduct>,
];
