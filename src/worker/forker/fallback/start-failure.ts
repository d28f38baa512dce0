import { constants } from 'node:os';
import type { SpawnStep } from '../types.ts';

/** Why there is no process. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly step: SpawnStep;
  readonly errno: number;

  constructor(step: SpawnStep, cause: unknown) {
    super(step, { cause });
    this.step = step;
    const { errno, code } = cause as NodeJS.ErrnoException;
    // What Node refuses before it asks the system, such as a NUL byte, has a code of its own.
    const fallback = code?.startsWith('ERR_') ? constants.errno.EINVAL : constants.errno.EIO;
    this.errno = errno === undefined ? fallback : Math.abs(errno);
  }
}

/** @throws StartFailure of this step */
export function attempt<T>(step: SpawnStep, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new StartFailure(step, error);
  }
}
