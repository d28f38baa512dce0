import type { Connection } from './connect.ts';

/** What each method needs. */
export interface World extends Connection {
  readonly patienceMs: number;
}

/** A signal as the SDK takes it. */
export function abortOf(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
