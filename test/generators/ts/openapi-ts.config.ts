// The configuration of @hey-api/openapi-ts. The extension lets Node run the client as it is.
export default {
  input: '../openapi.json',
  output: { path: 'gen/hey', module: { extension: '.ts' } },
  logs: { level: 'warn' },
};
