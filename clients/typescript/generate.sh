#!/bin/sh
# Makes api.ts of the OpenAPI document, with the generator that test/generators/ts pins.
set -eu
cd "$(dirname "$0")/../.."
sh tools/deps.sh
ts=bin/generators/ts/node_modules
PATH=$(echo "$PWD/$ts"/node-*/bin):$PATH "$ts/.bin/openapi-typescript" internal/api/v20260401/openapi.json --output clients/typescript/api.ts
