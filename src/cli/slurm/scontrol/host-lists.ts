import { readFile } from 'node:fs/promises';
import { parseHostlist } from '../../../config/slurm/hostlist.ts';
import { refusalOf, refusalText } from '../../../config/slurm/refusal.ts';
import { formatHostlist } from '../../../core/hostlist.ts';
import type { Session } from './session.ts';

const MOST_BYTES = 1_048_576;

/** `show hostnames`: the names of a list, or of the list that a job runs on, one a line. */
export function showHostnames(session: Session, given: string | undefined): void {
  const { env } = session.world;
  const list = given ?? env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST;
  if (list === undefined) session.complain('scontrol: error: host list is empty');
  const names = list === undefined ? [] : (read(session, list) ?? []);
  session.print(names.map((name) => `${name}\n`).join(''));
}

/** `show hostlist`: names as one list. @param given a list, or the path of a file of names */
export async function showHostlist(session: Session, given: string | undefined, sorted: boolean): Promise<void> {
  if (given === undefined) return session.fail('invalid encode argument');
  const list = given.startsWith('/') ? await readNames(session, given) : given;
  const names = list === undefined ? undefined : read(session, list);
  if (names === undefined) return;
  session.print(`${formatHostlist(sorted ? names.toSorted(compareNames) : names)}\n`);
}

function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** A list that cannot be read is told, and no failure, as in Slurm. */
function read(session: Session, list: string): readonly string[] | undefined {
  try {
    return parseHostlist(list);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    for (const line of refusalText('scontrol', refusal).trimEnd().split('\n')) session.complain(line);
    return undefined;
  }
}

/** Names by commas or lines. */
async function readNames(session: Session, path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MOST_BYTES) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
    return bytes
      .toString('utf8')
      .split(/[\s,]+/)
      .filter((name) => name !== '')
      .join(',');
  } catch (error) {
    session.fail(
      `scontrol: error: Unable to open ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
    return undefined;
  }
}
