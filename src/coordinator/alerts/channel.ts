import type { AlertChannel, AlertChannelView, NotifyRule } from '../../api/alert.ts';
import type { SecretRef } from '../../api/data.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Notifier } from '../../notify/notify.ts';
import type { Caller } from '../use-cases.ts';

/** What the coordinator needs to tell anybody anything. */
export interface AlertPorts {
  readonly notifier: Notifier;
  /** Secrets that everybody may refer to, as `env:NAME` and `file:PATH`; all others only admins. */
  readonly sharedSecrets?: ReadonlySet<string>;
  /** Reads a secret and forgets it. @throws SECRET_MISSING when there is none */
  readonly checkSecret?: (ref: SecretRef, where: string) => void;
}

const SHOWN_URL = 40;

/** As lists show it: no secret, and of a URL not more than where it leads. */
export function viewChannel(channel: AlertChannel): AlertChannelView {
  const { kind } = channel;
  switch (kind) {
    case 'email':
      return { kind, target: channel.to.join(', ') };
    case 'slack':
      return { kind, target: shownUrl(channel.url) };
    case 'webhook':
      return { kind, target: shownUrl(channel.url), signed: channel.secret !== undefined };
    case 'command':
      return { kind, target: channel.argv.join(' ').slice(0, 200) };
    case 'event':
      return { kind, target: 'spawn events' };
  }
}

function shownUrl(url: string | SecretRef): string {
  if (typeof url !== 'string') return refText(url);
  const { origin, pathname } = new URL(url);
  return `${origin.slice(0, SHOWN_URL)}${pathname === '/' ? '/' : '/…'}`;
}

function refText(ref: SecretRef): string {
  return 'env' in ref ? `env:${ref.env}` : `file:${ref.file}`;
}

/**
 * Refuses a channel that can never work, or that this caller may not ask for: commands run as the coordinator's user, and what a reference means is
 * known to the coordinator alone.
 *
 * @param inSpec it is part of a job's spec, which others may read
 */
export function checkChannel(
  ports: AlertPorts,
  caller: Caller,
  channel: AlertChannel,
  where: string,
  inSpec: boolean,
): void {
  const admin = caller.role === 'admin';
  if (channel.kind === 'command' && !admin)
    throw new SpawnError('NOT_PERMITTED', {
      action: 'have a command run by the coordinator',
      why: 'only an admin may',
    });
  if (channel.kind === 'email' && ports.notifier.mailDomain === undefined) {
    const expected = 'a channel that is set up (mail needs the settings smtp_url and mail_from of the coordinator)';
    throw new SpawnError('BAD_REQUEST', { where: `${where}.kind`, expected, found: 'email' });
  }
  if (channel.kind !== 'slack' && channel.kind !== 'webhook') return;
  const { url } = channel;
  if (typeof url === 'string') checkUrl(url, channel.kind, `${where}.url`, inSpec);
  const refs = [
    ...(typeof url === 'string' ? [] : [url]),
    ...(channel.kind === 'webhook' && channel.secret !== undefined ? [channel.secret] : []),
  ];
  for (const ref of refs) {
    const text = refText(ref);
    if (!admin && ports.sharedSecrets?.has(text) !== true) {
      const expected = 'a secret that the setting shared_secrets of the coordinator names (an admin may use any)';
      throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
    }
    ports.checkSecret?.(ref, where);
  }
}

function checkUrl(text: string, kind: string, where: string, inSpec: boolean): void {
  if (kind === 'slack' && inSpec) {
    const expected = 'a reference, as {env: NAME} or {file: PATH}: who can read the job could post there';
    throw new SpawnError('BAD_REQUEST', { where, expected, found: 'a URL' });
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  // What was found may be a secret.
  if (url === undefined || !isWeb)
    throw new SpawnError('BAD_REQUEST', { where, expected: 'a URL with https or http', found: 'something else' });
  if (url.username !== '' || url.password !== '')
    throw new SpawnError('BAD_REQUEST', { where, expected: 'a URL without user and password', found: 'one with them' });
}

/** Refuses fields of a rule that contradict each other. */
export function checkRule(rule: NotifyRule & { readonly cost?: unknown }, where: string): void {
  const has = (event: NotifyRule['events'][number]) => rule.events.includes(event);
  const pairs = [
    ['threshold', rule.threshold],
    ['long_running', rule.longRunningMs],
    ['cost', rule.cost],
  ] as const;
  for (const [event, value] of pairs) {
    const field = event === 'long_running' ? 'longRunningMs' : event;
    if (has(event) === (value !== undefined)) continue;
    const [expected, found] = has(event)
      ? [`${field}, which says when the event ${event} is`, 'nothing']
      : [`${field} with the event ${event} only`, rule.events.join(', ')];
    throw new SpawnError('BAD_REQUEST', { where: `${where}.${has(event) ? field : 'events'}`, expected, found });
  }
}
