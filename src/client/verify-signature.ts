/** A request that a webhook got. */
export interface SignedRequest {
  /** Names in lower case, as node:http has them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As it came, byte for byte. */
  readonly body: string;
  /** The key that the alert was made with. */
  readonly secret: string;
  /** Epoch ms; default now. */
  readonly now?: number;
  /** How old a request may be, or how far ahead its clock, ms; default 5 minutes. */
  readonly windowMs?: number;
}

const WINDOW_MS = 300_000;

/**
 * Whether a webhook was sent by who has the key, a short time ago: `Spawn-Signature` is `v1=` and the HMAC-SHA256 of `Spawn-Timestamp`, a full stop and the
 * body, in hex. Who must not do something twice keeps the ids (`Spawn-Delivery`) of what it has done: messages come at least once.
 */
export async function verifySignature(request: SignedRequest): Promise<boolean> {
  const { headers, body, secret, now = Date.now(), windowMs = WINDOW_MS } = request;
  const timestamp = headers['spawn-timestamp'];
  const signature = headers['spawn-signature'];
  if (typeof timestamp !== 'string' || typeof signature !== 'string' || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now - Number(timestamp) * 1_000) > windowMs) return false;
  const hex = /^v1=([0-9a-f]{64})$/.exec(signature)?.[1];
  if (hex === undefined) return false;
  const text = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', text.encode(secret), algorithm, false, ['verify']);
  const bytes = Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  // Takes as long for a wrong one as for the right one.
  return await crypto.subtle.verify('HMAC', key, bytes, text.encode(`${timestamp}.${body}`));
}
