import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dataFiles } from '../client/node/data-files.ts';
import { nativeProgram } from '../client/node/package-files.ts';
import type { Settings } from '../config/settings.ts';
import { SpawnError } from '../core/errors.ts';
import type { Entering } from './world.ts';

const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** Of exec-client.c: 128 and this is what a shell says of a program that a signal ended. */
const SIGNALLED = 128;
const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGTERM: 15,
};

/**
 * Runs a command in an instance of this machine, with the standard streams of this process.
 *
 * @returns its exit code; 128 + n for signal n, 125 to 127 when it cannot be started, 255 when the instance ended meanwhile
 * @throws SpawnError USAGE for a coordinator elsewhere; INSTANCE_NOT_FOUND when this machine has no such instance
 */
export async function enterInstance(
  { dataDir, server }: Settings,
  { id, argv, terminal, login }: Entering,
): Promise<number> {
  if (server !== undefined) {
    const message = `connect: expected an instance of the coordinator on this machine, found one of ${server}`;
    throw new SpawnError('USAGE', { message });
  }
  const socket = join(dataFiles(dataDir).machinesDir, id, 'run', 'exec.sock');
  if (!existsSync(socket)) {
    throw new SpawnError('INSTANCE_NOT_FOUND', { ref: id, why: `it is not on this machine (no ${socket})` });
  }
  const program = nativeProgram('instance');
  if (!existsSync(program)) throw new SpawnError('INTERNAL', { why: `${program} is missing: expected it to be built` });
  const words = ['exec', '--socket', socket, ...(terminal ? ['--tty'] : []), ...(login ? ['--login'] : [])];
  const child = spawn(program, [...words, ...(argv.length > 0 ? ['--', ...argv] : [])], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  // A terminal sends it to the whole group, so the child has it already.
  const ignore = () => {};
  for (const signal of PASSED_ON) process.on(signal, pass);
  process.on('SIGINT', ignore);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? SIGNALLED + (SIGNAL_NUMBERS[signal!] ?? 0)));
    });
  } finally {
    for (const signal of PASSED_ON) process.off(signal, pass);
    process.off('SIGINT', ignore);
  }
}
