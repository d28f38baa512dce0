import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { signalSteps } from '../../client/node/steps/signal-steps.ts';
import { stepFolder } from '../../client/node/steps/step-folder.ts';
import { StepWarnings } from './step-warnings.ts';

/** Where `srun` keeps what it knows of the steps of each attempt of a session: it makes a folder when the first one starts. */
export class StepFolders {
  /** What `SPAWN_STEP_DIR` of every task is. */
  readonly base: string;
  readonly #warnings = new StepWarnings((fence, signal) => this.signal(fence, signal));

  /** @param directory of the worker @param marker of the session */
  constructor(directory: string, marker: string) {
    this.base = join(foldersOf(directory), marker);
  }

  /** To what runs of the steps of an attempt; nothing hears it where there are none. */
  signal(fence: number, signal: number): void {
    signalSteps(stepFolder(this.base, fence), fence, signal);
  }

  /** An attempt starts, whose steps are to get a signal some time before its time limit; 0: it has none. */
  warn(fence: number, timeLimitMs: number, signal: { readonly number: number; readonly beforeMs: number }): void {
    this.#warnings.started(fence, timeLimitMs, signal);
  }

  /** It has another time limit, from its start. */
  limit(fence: number, timeLimitMs: number): void {
    this.#warnings.limit(fence, timeLimitMs);
  }

  suspend(fence: number, on: boolean): void {
    this.#warnings.suspend(fence, on);
  }

  /** Nothing of the attempt runs any more. */
  over(fence: number): void {
    this.#warnings.ended(fence);
    const folder = stepFolder(this.base, fence);
    if (existsSync(folder)) void rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }

  /** Nothing of the session runs any more. */
  async close(): Promise<void> {
    await rm(this.base, { recursive: true, force: true }).catch(() => undefined);
  }
}

function foldersOf(directory: string): string {
  return join(directory, 'steps');
}

/** Removes the folders of all sessions but those that are to stay. */
export async function removeStepFolders(directory: string, stays: (marker: string) => Promise<boolean>): Promise<void> {
  for (const marker of await readdir(foldersOf(directory)).catch(() => [])) {
    if (await stays(marker)) continue;
    await rm(join(foldersOf(directory), marker), { recursive: true, force: true }).catch(() => undefined);
  }
}
