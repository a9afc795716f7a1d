#!/usr/bin/env bash
# The Standard Webhooks verifiers for Node refuse the headers of a Fetch request.
#
# One would guess: in a handler that gets a Fetch `Request` (Hono, Next.js, Deno, workers), `webhook.verify(body,
# request.headers)` verifies a good message: the headers are all there.
# What happens: standardwebhooks 1.1.1 and svix 1.99.1 (npm) say "Missing required headers" to every message, since they
# look for own properties, which a `Headers` object has none of. `Object.fromEntries(request.headers)` verifies. The
# text reads as if the sender had left the headers out.
# Source: the packages' types ask for a plain object of names and values; nothing tells so when the program runs.
# Why it matters: the vendor's receiver answers 4xx to every webhook and whoever looks into it blames the sender.
# docs/webhooks-and-mail.md says how to hand the headers over.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund --ignore-scripts standardwebhooks@1.1.1 svix@1.99.1 >/dev/null
cat >verify.mjs <<'NODE'
import * as standardwebhooks from 'standardwebhooks';
import * as svix from 'svix';
const secret = 'whsec_' + Buffer.from('an example secret, 32 bytes long').toString('base64');
for (const [name, { Webhook }] of Object.entries({ standardwebhooks, svix })) {
  const webhook = new Webhook(secret), now = new Date(), body = '{"type":"release.published"}';
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(now / 1000)),
    'webhook-signature': webhook.sign('msg_1', now, body),
  };
  const forms = { object: headers, Headers: new Headers(headers), entries: Object.fromEntries(new Headers(headers)) };
  for (const [form, given] of Object.entries(forms)) {
    let outcome = 'verified';
    try { webhook.verify(body, given); } catch (error) { outcome = error.message; }
    console.log(`${name}, ${form}: ${outcome}`);
  }
}
NODE
node verify.mjs | tee seen

diff - seen <<'EXPECTED'
standardwebhooks, object: verified
standardwebhooks, Headers: Missing required headers
standardwebhooks, entries: verified
svix, object: verified
svix, Headers: Missing required headers
svix, entries: verified
EXPECTED
echo "As described."
