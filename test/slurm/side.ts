import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Marks, normalise } from './normalise.ts';
import type { Scenario, Transcript } from './scenario.ts';

/** Something that answers Slurm's commands. */
export interface Side {
  readonly name: 'real' | 'spawn';
  /** Environment of the commands. */
  readonly env: NodeJS.ProcessEnv;
  run(scenario: Scenario): Promise<Transcript>;
  /** Ends all that it started. */
  close(): Promise<void>;
}

/** As whom commands run. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export const ROOT: User = { name: 'root', uid: 0, gid: 0 };

/** What the shells need; copied, because another user may not get into this folder. */
const TOOLS = ['words.sh', 'clients'];
/** A scenario that takes longer hangs. */
const SCENARIO_LIMIT_MS = 150_000;

/** A new directory that every user may enter, as munge and jobs of others need it. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slurm-suite-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** Runs the lines of a scenario in a shell of their own, in a new directory below `dir`. */
export async function runLines(
  scenario: Scenario,
  dir: string,
  env: NodeJS.ProcessEnv,
  user: User,
): Promise<Transcript> {
  const folder = join(dir, scenario.id);
  const notes = join(dir, `${scenario.id}.notes`);
  for (const path of [folder, notes]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o755);
    chownSync(path, user.uid, user.gid);
  }
  for (const name of TOOLS) {
    cpSync(fileURLToPath(new URL(`./${name}`, import.meta.url)), join(notes, name), { recursive: true });
  }
  const child = spawn('bash', ['-c', '. "$T/words.sh" 9<&3'], {
    cwd: folder,
    env: { ...env, W: folder, T: notes, HOME: folder, USER: user.name, LOGNAME: user.name },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
    ...(user.uid === process.getuid?.() ? {} : { uid: user.uid, gid: user.gid }),
  });
  const lines = child.stdio[3] as NodeJS.WritableStream;
  lines.on('error', () => {});
  lines.end(`${scenario.lines.trim().replaceAll(/^ +/gm, '')}\n`);
  const said = await ended(child, scenario);
  const ids = readFileSync(join(notes, 'ids'), 'utf8').split('\n').filter(Boolean);
  const marks: Marks = { ids, folder, user: user.name, uid: user.uid };
  return normalise(said, marks, scenario);
}

function ended(child: ChildProcess, scenario: Scenario): Promise<string> {
  const pieces: Buffer[] = [];
  child.stdout!.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr!.on('data', (piece: Buffer) => pieces.push(piece));
  const text = () => Buffer.concat(pieces).toString();
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      reject(new Error(`${scenario.id} took more than ${SCENARIO_LIMIT_MS} ms:\n${text()}`));
    }, SCENARIO_LIMIT_MS);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(limit);
      resolve(text());
    });
  });
}
