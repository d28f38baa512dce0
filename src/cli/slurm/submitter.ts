import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { SubmitFacts } from './sbatch-spec.ts';

const CONTROL = /\p{Cc}/u;

/** Who submits, and from where, as far as this machine tells. */
export function submitterFacts(): Omit<SubmitFacts, 'command'> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  const host = hostname().split('.', 1)[0]!;
  return {
    ...(host === '' ? {} : { submitHost: host.slice(0, 255) }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid, ...groupOf(gid) }),
  };
}

/** The name in /etc/group; groups that come from elsewhere stay numbers. */
function groupOf(gid: number): { group?: string } {
  let text: string;
  try {
    text = readFileSync('/etc/group', 'utf8');
  } catch {
    return {};
  }
  const line = new RegExp(`^([^:\n]{1,255}):[^:\n]*:${gid}:`, 'm').exec(text);
  return line === null || CONTROL.test(line[1]!) ? {} : { group: line[1]! };
}
