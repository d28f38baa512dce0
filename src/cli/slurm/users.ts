import { readFileSync } from 'node:fs';
import type { JobView } from '../../api/job.ts';
import { MYSELF } from '../../api/myself.ts';
import { visible } from '../../core/error-text.ts';

/** Names and numbers of the users of this machine. */
export interface Users {
  /** Undefined: there is no such number. */
  readonly nameOf: (uid: number) => string | undefined;
  /** Undefined: there is no such name. */
  readonly uidOf: (name: string) => number | undefined;
}

const MOST_UID = 4_294_967_295;

/** Those of /etc/passwd, which is read when the first is asked for. @param text what stands there, for tests */
export function readUsers(text: () => string = passwd): Users {
  let byUid: Map<number, string> | undefined;
  let byName: Map<string, number> | undefined;
  const read = () => {
    byUid = new Map();
    byName = new Map();
    for (const line of text().split('\n')) {
      const [, name, uid] = /^([^:]{1,255}):[^:]*:(\d{1,10}):/.exec(line) ?? [];
      if (name === undefined) continue;
      if (!byUid.has(Number(uid))) byUid.set(Number(uid), visible(name));
      if (!byName.has(name)) byName.set(name, Number(uid));
    }
  };
  return {
    nameOf(uid) {
      if (byUid === undefined) read();
      return byUid!.get(uid);
    },
    uidOf(name) {
      if (byName === undefined) read();
      return byName!.get(name);
    },
  };
}

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}

/** The number of who submitted a job: an owner without one is shown as nobody. */
export function uidOfJob({ owner, slurm }: Pick<JobView, 'owner' | 'slurm'>, users: Users): number {
  if (/^\d{1,10}$/.test(owner)) return Number(owner);
  return users.uidOf(owner) ?? slurm?.uid ?? 65_534;
}

/** The name of who submitted a job; the number where this machine does not know it. */
export function userOfJob(job: Pick<JobView, 'owner' | 'slurm'>, users: Users): string {
  if (!/^\d{1,10}$/.test(job.owner)) return job.owner;
  return users.nameOf(Number(job.owner)) ?? job.owner;
}

/** Whether this machine knows a user by a name or number. */
export function isKnownUser(user: string, users: Users): boolean {
  return /^\d{1,10}$/.test(user) ? users.nameOf(Number(user)) !== undefined : users.uidOf(user) !== undefined;
}

/**
 * The owners that a name or number of `--user` may mean; undefined when there is no such user.
 * @param self the number of who asks: jobs that were submitted with a token have its owner, who may be called otherwise
 */
export function ownersOf(user: string, users: Users, self = process.getuid?.()): readonly string[] | undefined {
  const isNumber = /^\d{1,10}$/.test(user);
  const uid = isNumber ? Number(user) : users.uidOf(user);
  if (uid === undefined || uid > MOST_UID) return undefined;
  // The same number elsewhere is somebody else.
  return [uid === self ? MYSELF : String(uid), ...(isNumber ? [] : [user])];
}
