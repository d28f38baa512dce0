import { hostname } from 'node:os';
import type { SubmitFacts } from './sbatch-spec.ts';
import { readUsers } from './users.ts';

/** Who submits, and from where, as far as this machine tells. */
export function submitterFacts(): Omit<SubmitFacts, 'command'> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  const group = gid === undefined ? undefined : readUsers().groupOf(gid);
  const host = hostname().split('.', 1)[0]!;
  return {
    ...(host === '' ? {} : { submitHost: host.slice(0, 255) }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(group === undefined ? {} : { group }),
  };
}
