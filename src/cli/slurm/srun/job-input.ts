import { execFile } from 'node:child_process';
import { constants, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { written } from '../../../client/node/steps/rank-processes.ts';
import type { Client } from '../../client.ts';

/** What the job reads. */
export interface JobInput {
  /** Of the file; undefined: /dev/null. */
  readonly path: string | undefined;
  /** The job has the file open. */
  readonly started: () => void;
  readonly close: () => void;
}

const NOTHING: JobInput = { path: undefined, started: () => {}, close: () => {} };

/**
 * Joins the standard input of srun to that of the job, by a pipe with a name: as much is read as the job takes. Workers on other machines do not see it.
 * @param option `--input` @param say gets a line for people
 */
export async function openJobInput(option: string, client: Client, say: (line: string) => void): Promise<JobInput> {
  const wanted = option === '' || option.toLowerCase() === 'all' || /^\d+$/.test(option);
  if (!wanted || !isThere()) return NOTHING;
  const { sessions } = await client.server();
  if (sessions.some(({ host }) => host !== hostname())) {
    say(
      'standard input is not read: workers on other machines could not see it; --input=FILE reads one that they have',
    );
    return NOTHING;
  }
  const folder = mkdtempSync(join(tmpdir(), 'spawn-srun-'));
  const path = join(folder, 'stdin');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path]);
    return feed(path, remove);
  } catch (error) {
    remove();
    say(`standard input is not read: ${(error as Error).message.trim()}`);
    return NOTHING;
  }
}

/** Held open for reading, too: the job may open it at any time, and finds no end before ours. */
function feed(path: string, remove: () => void): JobInput {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const pipe = new Socket({ fd, readable: false, writable: true });
  const started = Promise.withResolvers<void>();
  pipe.on('error', () => pipe.destroy());
  void copy(pipe).then(async () => {
    // What nobody has open yet would be lost.
    await started.promise;
    pipe.end();
  });
  return {
    path,
    started: () => started.resolve(),
    close: () => {
      process.stdin.destroy();
      pipe.destroy();
      remove();
    },
  };
}

async function copy(pipe: Socket): Promise<void> {
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      if (pipe.destroyed) return;
      await written(pipe, chunk);
    }
  } catch {
    // Closed meanwhile: there is no more.
  }
}

/** Closed, or /dev/null. */
function isThere(): boolean {
  try {
    return process.stdin.isTTY || !fstatSync(0).isCharacterDevice();
  } catch {
    return false;
  }
}
