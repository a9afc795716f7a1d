// A real OpenID provider (https://github.com/panva/node-oidc-provider) on a free port of 127.0.0.1, for one test.
//
//   node provider.mjs MODULES SETTINGS
//
// MODULES is the folder that `npm ci` was run in. SETTINGS is a JSON file with `client`, `accounts` (by what they log in as;
// read anew for each login), `claims_in_id_token`, and `issuer`, if it is to call itself by another name than its address.
// It says where it listens, and ends when its standard input does: so with the test, however that ends.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , modules, file] = process.argv;
const read = () => JSON.parse(readFileSync(file, 'utf8'));
const settings = read();

process.stdin.resume().on('end', () => process.exit());

const found = createRequire(join(modules, 'package.json')).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(found));

// Keys that everybody has: the library's own for development, and those of RFC 7515 (appendix A.3) and RFC 8037 (A.1).
const { default: { keys: [{ alg, ...rsa }] } } = await import(pathToFileURL(join(dirname(found), 'consts', 'dev_keystore.js')));
const ec = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
};
const ed = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(settings.issuer ?? address, {
    clients: [settings.client],
    jwks: { keys: [rsa, ec, ed].map((key) => ({ ...key, use: 'sig' })) },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
    cookies: { keys: ['of one test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups', 'realm_access'] },
    conformIdTokenClaims: !settings.claims_in_id_token,
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 3600, Grant: 3600 },
    findAccount: (_, id) => {
      const account = read().accounts[id];
      return account && { accountId: id, claims: () => ({ sub: id, ...account }) };
    },
  });
  server.on('request', provider.callback());
  console.log(`listens on ${address}`);
});
