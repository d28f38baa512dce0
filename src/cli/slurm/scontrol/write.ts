import { constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isSpawnError } from '../../../core/errors.ts';
import { readSlurmId } from '../job-ids.ts';
import type { Session } from './session.ts';

const FAILED = 'job script retrieval failed';
const REASONS: Readonly<Record<string, string>> = {
  JOB_NOT_FOUND: 'Invalid job id specified',
  NO_SCRIPT: 'Job script not specified',
  NOT_PERMITTED: 'Invalid user id',
};
const OPEN_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EISDIR: 'Is a directory',
  EACCES: 'Permission denied',
  ENOTDIR: 'Not a directory',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  ELOOP: 'Too many levels of symbolic links',
};

/** `write batch_script ID [FILE]`: the script of a job as it was submitted; `-` is standard output. As in Slurm a script that cannot be had is no failure. */
export async function write(session: Session, words: readonly string[]): Promise<void> {
  const [written = '', text, file] = words;
  if (!'batch_script'.startsWith(written.toLowerCase()) || written.length < LEAST) {
    return session.fail(`invalid write argument:${written}`);
  }
  if (text === undefined) return;
  const id = readSlurmId(text);
  if (id === undefined) return session.complain(`${FAILED}: ${REASONS.JOB_NOT_FOUND}`);
  const job = String(id.ref.id);
  const script = await read(session, job);
  if (script === undefined) return;
  if (file === '-') {
    session.world.stdout.write(script);
    // What comes next begins a line of its own.
    if (script.at(-1) !== NEWLINE) session.print('\n');
    return;
  }
  await save(session, job, file, script);
}

const LEAST = 5;
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
const NEWLINE = 10;

async function read(session: Session, job: string): Promise<Uint8Array | undefined> {
  try {
    return await (await session.world.connect()).script(job);
  } catch (error) {
    const reason = isSpawnError(error) ? REASONS[error.code] : undefined;
    if (reason === undefined) throw error;
    session.complain(`${FAILED}: ${reason}`);
    return undefined;
  }
}

async function save(session: Session, job: string, given: string | undefined, script: Uint8Array): Promise<void> {
  const file = given ?? `slurm-${job}.sh`;
  // A link of a name that can be foreseen may be somebody else's; one that was named was meant.
  const flag = given === undefined ? WRITE | constants.O_NOFOLLOW : WRITE;
  try {
    await writeFile(resolve(session.world.cwd, file), script, { flag });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    session.complain(`failed to open file \`${file}\`: ${OPEN_ERRORS[code] ?? code}`);
    return;
  }
  session.print(`batch script for job ${job} written to ${file}\n`);
}
