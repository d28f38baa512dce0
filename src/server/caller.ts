import type { Caller } from '../coordinator/use-cases.ts';

/** Whoever can open the Unix socket is its user: the directory lets nobody else in. */
export function socketCaller(): Caller {
  return { owner: String(process.getuid?.() ?? 0), tenant: 'local', sameHost: true };
}
