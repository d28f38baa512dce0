import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { ListenChoice } from '../client/node/listen-record.ts';
import { builtProgram } from '../client/node/package-files.ts';
import { makePrivateDirectory } from '../client/node/private-directory.ts';
import { placeArguments } from '../client/node/start-keeper.ts';
import type { Settings } from '../config/settings.ts';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the coordinator as a child in the foreground until it ends, passes signals on, and gives its exit code. */
export async function serveHere(settings: Settings, choice: ListenChoice | undefined): Promise<number> {
  makePrivateDirectory(settings.runtimeDir);
  const listen = choice === undefined ? [] : ['--listen', JSON.stringify(choice)];
  const args = [builtProgram('server'), ...placeArguments(settings), ...listen];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => {
    // Ctrl-C reaches the whole process group, so the child has it already.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of PASSED_ON) process.on(signal, pass);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal!];
  } finally {
    for (const signal of PASSED_ON) process.off(signal, pass);
  }
}
