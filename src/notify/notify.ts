import type { AlertChannel } from '../api/alert.ts';

/** A message to people or to a program, the same in every channel. */
export interface Letter {
  /** What receivers know it by when it comes twice. No control characters. */
  readonly id: string;
  /** One line. */
  readonly subject: string;
  readonly text: string;
  /** The facts, as webhooks and commands get them. JSON. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What became of one attempt to send it. `reason` is for people and holds no secret. */
export type Sent =
  | { readonly kind: 'sent'; readonly note?: string }
  /** It may work later; after `afterMs` when the receiver said so. */
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs?: number }
  /** It is of no use to try again. */
  | { readonly kind: 'never'; readonly reason: string };

/** Sends messages. Secrets are read anew for each one. */
export interface Notifier {
  /** Present when mail can be sent: the domain of addresses that have none. */
  readonly mailDomain?: string;
  /** Never rejects. When `signal` aborts, what is under way is broken off and told as `later`. */
  send(channel: AlertChannel, letter: Letter, signal: AbortSignal): Promise<Sent>;
}
