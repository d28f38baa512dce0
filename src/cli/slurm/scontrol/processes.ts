import { readdir, readFile } from 'node:fs/promises';
import { readSlurmId, type SlurmId } from '../job-ids.ts';
import type { Session } from './session.ts';

/** A process of a task on this machine. */
interface TaskProcess {
  readonly pid: number;
  readonly rawId: string;
  /** `12_7` of a task of an array. */
  readonly task: string | undefined;
  readonly isMain: boolean;
}

const HEAD = 'PID      JOBID    STEPID   LOCALID GLOBALID\n';
const WIDTHS = [8, 8, 8, 7, 7];

/** `listpids [ID [NODE]]`: processes on this machine that a task started. Which they are their environment tells, where this user may read it. */
export async function listProcesses(session: Session, [text, node]: readonly string[]): Promise<void> {
  const id = text === undefined || text === '*' ? undefined : readSlurmId(text);
  if (text !== undefined && text !== '*' && id === undefined) return session.fail(`Invalid job id: ${text}`);
  const store = await storeMark(session);
  const all = store === undefined ? [] : await readProcesses(store);
  const found = all.filter((each) => id === undefined || isOf(each, id));
  session.print(HEAD);
  for (const { pid, rawId, isMain } of found) {
    const local = isMain ? '0' : '-';
    const cells = [String(pid), rawId, 'batch', local, local];
    session.print(`${cells.map((cell, at) => cell.padEnd(WIDTHS[at]!)).join(' ')}\n`);
  }
  if (found.length > 0) return;
  session.fail(
    id === undefined
      ? 'No job steps exist on this node.'
      : `JobId=${id.text} does not exist on node ${node ?? '(null)'}.`,
  );
}

/** `pidinfo PID`: which job a process belongs to. */
export async function tellProcess(session: Session, text: string): Promise<void> {
  const store = await storeMark(session);
  const found = store !== undefined && /^\d{1,10}$/.test(text) ? await readProcess(store, Number(text)) : undefined;
  if (found === undefined) return session.fail('Failed to locate job for requested pid');
  session.print(`Slurm JobId=${found.rawId}\n`);
}

function isOf({ rawId, task }: TaskProcess, { ref }: SlurmId): boolean {
  if (ref.kind === 'job') return rawId === String(ref.id) || task?.split('_')[0] === String(ref.id);
  const [job, index] = task?.split('_') ?? [];
  return job === String(ref.id) && ref.indices.has(Number(index));
}

/** What SPAWN_SESSION of every task of this coordinator begins with: several may have tasks on one machine. */
async function storeMark({ world }: Session): Promise<string | undefined> {
  const server = await (await world.connectIfRunning())?.server();
  return server && `${server.storeId.replaceAll(/[^\w-]/g, '_')}-`;
}

async function readProcesses(store: string): Promise<readonly TaskProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => readProcess(store, pid)));
  return found.filter((each) => each !== undefined).toSorted((a, b) => a.pid - b.pid);
}

async function readProcess(store: string, pid: number): Promise<TaskProcess | undefined> {
  try {
    const [environment, stat] = await Promise.all([
      readFile(`/proc/${pid}/environ`, 'latin1'),
      readFile(`/proc/${pid}/stat`, 'latin1'),
    ]);
    const value = (name: string) => new RegExp(`(?:^|\0)${name}=([^\0]{1,200})(?:\0|$)`).exec(environment)?.[1];
    const rawId = value('SLURM_JOB_ID');
    if (rawId === undefined || value('SPAWN_SESSION')?.startsWith(store) !== true) return undefined;
    const [job, index] = [value('SLURM_ARRAY_JOB_ID'), value('SLURM_ARRAY_TASK_ID')];
    const group = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
    const task = job === undefined || index === undefined ? undefined : `${job}_${index}`;
    return { pid, rawId, task, isMain: group === String(pid) };
  } catch {
    // It has ended, or belongs to somebody else.
    return undefined;
  }
}
