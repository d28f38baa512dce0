import { getSystemErrorMap } from 'node:util';
import type { TaskSpawnFailed } from './forker/types.ts';

/** `No such file or directory` of ENOENT, in the words of strerror(3). */
function systemError(errno: number, name: string): string {
  const known = getSystemErrorMap().get(-errno)?.[1];
  return known === undefined ? name : known.charAt(0).toUpperCase() + known.slice(1);
}

/** Why nothing runs: a line for the task's log, and the exit code of the attempt. */
export interface Explanation {
  readonly text: string;
  readonly code: number;
  /** The command itself was not at fault: it was never tried. */
  readonly isUnstarted: boolean;
}

/** What was to run, and where. */
export interface WhatFailed {
  readonly command: string;
  readonly cwd: string;
  /** That were to get its output. */
  readonly files: readonly string[];
  /** It was to read from this file. */
  readonly input: string | undefined;
  /** Name of the worker, when it is on another machine than the coordinator. */
  readonly elsewhere: string | undefined;
}

/**
 * What a person reads when the command of a task could not be started, and the exit code of the attempt: 127 when the command was
 * not found, 126 when it or its directory could not be used (POSIX: Shell Command Language, 2.8.2). Undefined when it is the
 * machine that could not start a process, which is no fault of the task.
 */
export function explainFailure(
  { step, errno, errorName }: TaskSpawnFailed,
  { command, cwd, files, input, elsewhere }: WhatFailed,
): Explanation | undefined {
  const why = systemError(errno, errorName);
  switch (step) {
    case 'cwd':
      return {
        text:
          elsewhere !== undefined && (errorName === 'ENOENT' || errorName === 'ENOTDIR')
            ? `${cwd} does not exist on worker ${elsewhere} (another machine): put it on a shared file system, or submit with --stage`
            : `cannot enter ${cwd}: ${why}`,
        code: 126,
        isUnstarted: true,
      };
    case 'exec':
      return { text: `cannot run ${command}: ${why}`, code: errorName === 'ENOENT' ? 127 : 126, isUnstarted: false };
    case 'output':
      return {
        text: `cannot open the output file${files.length > 1 ? 's' : ''} ${files.join(' and ')}: ${why}`,
        code: 126,
        isUnstarted: true,
      };
    case 'stdin':
      return { text: `cannot open the input file ${input}: ${why}`, code: 126, isUnstarted: true };
    case 'fork':
    case 'pipe':
      return undefined;
  }
}
