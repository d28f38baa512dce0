import { readFileSync } from 'node:fs';
import type { JobView } from '../../api/job.ts';
import { visible } from '../../core/error-text.ts';
import { type Users, uidOfJob } from './users.ts';

type Submitted = Pick<JobView, 'owner' | 'slurm'>;

/** The number of the group that a job was submitted in: as recorded, else the first one of its user on this machine, else nobody's. */
export function gidOfJob(job: Submitted, users: Users, read: (path: string) => string = readText): number {
  if (job.slurm?.gid !== undefined) return job.slurm.gid;
  const found = new RegExp(`^[^:\n]*:[^:\n]*:${uidOfJob(job, users)}:(\\d{1,10}):`, 'm').exec(read('/etc/passwd'));
  return Number(found?.[1] ?? NOGROUP);
}

/** Its name; the number where this machine does not know it. */
export function groupOfJob(job: Submitted, users: Users, read: (path: string) => string = readText): string {
  if (job.slurm?.group !== undefined) return job.slurm.group;
  const gid = gidOfJob(job, users, read);
  return groupName(gid, read) ?? String(gid);
}

/** The name in /etc/group; undefined for a group that comes from elsewhere. */
export function groupName(gid: number, read: (path: string) => string = readText): string | undefined {
  const found = new RegExp(`^([^:\n]{1,255}):[^:\n]*:${gid}:`, 'm').exec(read('/etc/group'));
  return found?.[1] === undefined ? undefined : visible(found[1]);
}

const NOGROUP = 65_534;
const texts = new Map<string, string>();

/** Each file is read once. */
function readText(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      text = '';
    }
    texts.set(path, text);
  }
  return text;
}
