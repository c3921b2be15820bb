// Webhook signatures computed from the contract's words (10 and 50), not with the server's code; and
// once more by somebody else's library.

import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { promisify } from 'node:util';

import type { Delivery } from './receiver';

/** Hex HMAC-SHA256 over order id and amount; the key is the ASCII text as shown. */
export function legacySignature(appKey: string, orderId: string, amount: string): string {
  return createHmac('sha256', appKey).update(orderId + amount).digest('hex');
}

/** The `v1` signature of Standard Webhooks over `id.timestamp.body`. */
export function standardSignature(secret: string, delivery: Delivery): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = delivery.headers;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), delivery.body]);
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

// The library compares with the wall clock; the instance's may be ahead of it (contract 80, Test
// mode), so the library is shown the time that the instance has.
const SCRIPT = `
import base64, datetime, json, sys
import standardwebhooks.webhooks as library

given = json.load(sys.stdin)

class InstanceClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(milliseconds=given["ahead_ms"])

library.datetime = InstanceClock
body = base64.b64decode(given["body"])
try:
    library.Webhook(given["secret"]).verify(body, given["headers"])
    print("right")
except library.WebhookVerificationError as error:
    print(f"wrong: {error}")
`;

/** `right`, or `wrong: …`, as the Python package \`standardwebhooks\` finds it. */
export async function judgeWithLibrary(
  python: string,
  secret: string,
  delivery: Delivery,
  aheadMs: number,
): Promise<string> {
  const judging = promisify(execFile)(python, ['-c', SCRIPT]);
  judging.child.stdin?.end(
    JSON.stringify({
      secret,
      headers: delivery.headers,
      body: delivery.body.toString('base64'),
      ahead_ms: Math.round(aheadMs),
    }),
  );
  const { stdout } = await judging;
  return stdout.trim();
}
