import { spawn } from 'node:child_process';

const FORWARDED = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const FROM_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);

/**
 * Runs a program as if it were this process: same standard streams and working directory, signals passed on, and in the
 * end the same exit code or the same deadly signal.
 */
export async function runInstead(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: 'inherit' });
  // A terminal sends its signals to the whole group, so the child has them already; a second SIGINT would mean more.
  const hasTerminal = Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  const forward = (signal: NodeJS.Signals) => {
    if (!(hasTerminal && FROM_TERMINAL.has(signal))) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);

  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal }));
    },
  );

  for (const name of FORWARDED) process.off(name, forward);
  if (signal !== null) process.kill(process.pid, signal);
  process.exitCode = code ?? 1;
}
