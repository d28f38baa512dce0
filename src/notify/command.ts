import { spawn } from 'node:child_process';
import type { AlertChannel } from '../api/alert.ts';
import type { Letter, Sent } from './notify.ts';

/** Of what it says, so much of the end is kept. */
const KEPT_BYTES = 300;
/** Slurm and shells: what was asked for can never work. */
const NOT_THERE = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'E2BIG']);
/** Of our environment, what programs cannot do without. */
const PASSED = ['PATH', 'HOME', 'USER', 'LANG', 'TZ'];

/**
 * Runs a command without a shell: the message as JSON on its standard input, the most important of it in its environment. Exit code 0 means that it was
 * told, 100 that there is no use in trying again.
 */
export function runCommand(
  { argv, timeLimitMs }: Extract<AlertChannel, { kind: 'command' }>,
  letter: Letter,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Sent> {
  return new Promise((resolve) => {
    const [program, ...args] = argv;
    const child = spawn(program!, args, {
      cwd: '/',
      env: environmentOf(letter, env),
      stdio: ['pipe', 'ignore', 'pipe'],
      // A group of its own, so that it ends with all that it started.
      detached: true,
    });
    let said = Buffer.alloc(0);
    let why: string | undefined;
    const kill = (reason: string) => {
      why ??= reason;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => kill(`it took more than ${timeLimitMs / 1_000} s`), timeLimitMs);
    const stop = () => kill('the coordinator stopped');
    signal.addEventListener('abort', stop, { once: true });
    const done = (sent: Sent) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      child.stderr.destroy();
      resolve(sent);
    };
    child.stderr.on('data', (chunk: Buffer) => {
      said = Buffer.from(Buffer.concat([said, chunk]).subarray(-KEPT_BYTES));
    });
    // It need not read it.
    child.stdin.on('error', () => {});
    child.on('error', (error: NodeJS.ErrnoException) => {
      const kind = NOT_THERE.has(error.code ?? '') ? 'never' : 'later';
      done({ kind, reason: `${program}: ${error.code ?? error.message}` });
    });
    child.on('exit', (code, ended) => {
      kill('');
      if (code === 0 && why === '') return done({ kind: 'sent' });
      const how = why || (code === null ? `it was ended by ${ended}` : `it ended with exit code ${code}`);
      const last = said
        .toString('utf8')
        .replace(/[^\x20-\x7e]+/g, ' ')
        .trim();
      return done({ kind: code === 100 ? 'never' : 'later', reason: last === '' ? how : `${how}: ${last}` });
    });
    child.stdin.end(
      `${JSON.stringify({ id: letter.id, subject: letter.subject, text: letter.text, ...letter.facts })}\n`,
    );
  });
}

function environmentOf(
  { id, subject, facts }: Letter,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed = PASSED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const { event, job } = facts as {
    event?: string;
    job?: { id: number; arrayId: string; name: string; state: string };
  };
  return {
    ...Object.fromEntries(passed),
    SPAWN_ALERT_ID: id,
    SPAWN_ALERT_SUBJECT: subject,
    ...(event === undefined ? {} : { SPAWN_ALERT_EVENT: event }),
    ...(job === undefined
      ? {}
      : {
          SPAWN_ALERT_JOB: String(job.id),
          SPAWN_ALERT_ARRAY_ID: job.arrayId,
          SPAWN_ALERT_NAME: job.name,
          SPAWN_ALERT_STATE: job.state,
        }),
  };
}
