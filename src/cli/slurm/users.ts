import type { JobView } from '../../api/job.ts';
import { MYSELF } from '../../api/myself.ts';
import { visible } from '../../core/error-text.ts';
import { type EntryOf, lookUpNames } from './look-up-names.ts';

/** Names and numbers of the users and groups of this machine. */
export interface Users {
  /** Undefined: there is no such number. */
  readonly nameOf: (uid: number) => string | undefined;
  /** Undefined: there is no such name. */
  readonly uidOf: (name: string) => number | undefined;
  /** The number of their first group. */
  readonly gidOf: (uid: number) => number | undefined;
  /** The name of a group; undefined: there is no such number. */
  readonly groupOf: (gid: number) => string | undefined;
}

const MOST_UID = 4_294_967_295;
const NOBODY = 65_534;

/** @param entryOf where they are looked for */
export function readUsers(entryOf: EntryOf = lookUpNames()): Users {
  const shown = (name: string | undefined) => (name === undefined ? undefined : visible(name));
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return {
    nameOf: (uid) => shown(entryOf('passwd', uid)?.[0]),
    uidOf: (name) => number(entryOf('passwd', name)?.[2]),
    gidOf: (uid) => number(entryOf('passwd', uid)?.[3]),
    groupOf: (gid) => shown(entryOf('group', gid)?.[0]),
  };
}

/** The number of who submitted a job: an owner without one is shown as nobody. */
export function uidOfJob({ owner, slurm }: Pick<JobView, 'owner' | 'slurm'>, users: Users): number {
  if (/^\d{1,10}$/.test(owner)) return Number(owner);
  return users.uidOf(owner) ?? slurm?.uid ?? NOBODY;
}

/** The name of who submitted a job; the number where this machine does not know it. */
export function userOfJob(job: Pick<JobView, 'owner' | 'slurm'>, users: Users): string {
  if (!/^\d{1,10}$/.test(job.owner)) return job.owner;
  return users.nameOf(Number(job.owner)) ?? job.owner;
}

/** The number of the group that a job was submitted in: as recorded, else the first one of its user on this machine, else nobody's. */
export function gidOfJob(job: Pick<JobView, 'owner' | 'slurm'>, users: Users): number {
  return job.slurm?.gid ?? users.gidOf(uidOfJob(job, users)) ?? NOBODY;
}

/** Its name; the number where this machine does not know it. */
export function groupOfJob(job: Pick<JobView, 'owner' | 'slurm'>, users: Users): string {
  if (job.slurm?.group !== undefined) return job.slurm.group;
  const gid = gidOfJob(job, users);
  return users.groupOf(gid) ?? String(gid);
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
