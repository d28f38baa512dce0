import { createHmac } from 'node:crypto';
import type { AlertChannel } from '../api/alert.ts';
import type { SecretRef } from '../api/data.ts';
import { isSpawnError } from '../core/errors.ts';
import { readSecret } from '../objects/secrets.ts';
import type { Letter, Sent } from './notify.ts';
import { type OutboundOptions, OutboundRefused, type OutboundReply, post } from './outbound.ts';

export interface WebhookOptions extends OutboundOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch ms. */
  readonly now: () => number;
}

type Of<K extends AlertChannel['kind']> = Extract<AlertChannel, { kind: K }>;

const MOST_SLACK_TEXT = 8_000;
const SHOWN_REPLY = 120;

/** The facts as JSON, signed when there is a key: docs/alerts.md tells receivers how to check it. */
export async function sendWebhook(
  channel: Of<'webhook'>,
  letter: Letter,
  options: WebhookOptions,
  signal: AbortSignal,
): Promise<Sent> {
  const body = JSON.stringify({ id: letter.id, subject: letter.subject, text: letter.text, ...letter.facts });
  return await deliver(channel.url, body, options, signal, (): Record<string, string> => {
    const headers = { 'spawn-delivery': letter.id };
    if (channel.secret === undefined) return headers;
    const key = readSecret(channel.secret, 'secret', options.env);
    const timestamp = String(Math.floor(options.now() / 1_000));
    return { ...headers, 'spawn-timestamp': timestamp, 'spawn-signature': `v1=${sign(key, timestamp, body)}` };
  });
}

/** HMAC-SHA256 of `timestamp.body`, in hex. */
function sign(key: string, timestamp: string, body: string): string {
  return createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');
}

/** An incoming webhook of Slack, or of what speaks its language. */
export async function sendSlack(
  channel: Of<'slack'>,
  letter: Letter,
  options: WebhookOptions,
  signal: AbortSignal,
): Promise<Sent> {
  const text = `*${escapeSlack(letter.subject)}*\n\`\`\`\n${escapeSlack(letter.text).slice(0, MOST_SLACK_TEXT)}\`\`\``;
  return await deliver(channel.url, JSON.stringify({ text }), options, signal, () => ({ 'spawn-delivery': letter.id }));
}

/** Slack: Formatting text for app surfaces, Escaping text. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function deliver(
  given: string | SecretRef,
  body: string,
  options: WebhookOptions,
  signal: AbortSignal,
  headersOf: () => Record<string, string>,
): Promise<Sent> {
  let text = '';
  try {
    text = typeof given === 'string' ? given : readSecret(given, 'url', options.env);
    if (!URL.canParse(text)) return { kind: 'never', reason: 'expected a URL, found something else' };
    const headers = { 'content-type': 'application/json', 'user-agent': 'spawn', ...headersOf() };
    return judge(await post(new URL(text), headers, Buffer.from(body), options, signal), text, options.now());
  } catch (error) {
    if (error instanceof OutboundRefused) return { kind: 'never', reason: error.message };
    // Somebody may still write it there.
    if (isSpawnError(error)) return { kind: 'later', reason: error.message };
    if (signal.aborted) return { kind: 'later', reason: 'the coordinator stopped' };
    const { name, code, message } = error as NodeJS.ErrnoException;
    if (name === 'TimeoutError') return { kind: 'later', reason: `no answer within ${options.timeoutMs / 1_000} s` };
    return { kind: 'later', reason: redact(code ?? message, text) };
  }
}

function judge({ status, retryAfter, body }: OutboundReply, url: string, now: number): Sent {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  const said = redact(body.replace(/[^\x20-\x7e]+/g, ' ').trim(), url).slice(0, SHOWN_REPLY);
  const reason = `the receiver answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status >= 300 && status < 400) return { kind: 'never', reason: `${reason}; redirects are not followed` };
  if (status < 500 && ![408, 425, 429].includes(status)) return { kind: 'never', reason };
  const afterMs = readRetryAfter(retryAfter, now);
  return { kind: 'later', reason, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** HTTP: Retry-After, seconds or a date. */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** A receiver may say back what it was asked: the way to it stays secret. */
function redact(text: string, url: string): string {
  const path = URL.canParse(url) ? new URL(url) : undefined;
  const parts = path === undefined ? [] : [...path.pathname.split('/'), ...path.searchParams.values()];
  return [url, ...parts].filter((part) => part.length >= 6).reduce((left, part) => left.replaceAll(part, '…'), text);
}
