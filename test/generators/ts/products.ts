// Reads the products in a file with the schemas of orval and openapi-zod-client, and prints
// what each of them has read. What a schema does not know is not in it.

import { readFileSync } from 'node:fs';
import { schemas } from './gen/openapi-zod-client.ts';
import * as orval from './gen/orval-zod.ts';

const products: unknown[] = JSON.parse(readFileSync(process.argv[2]!, 'utf8'));
console.log(
  JSON.stringify({
    orval: orval.GetWealthDataResponse.parse(products),
    zod: products.map((product) => schemas.FinancialProduct.parse(product)),
  }),
);
