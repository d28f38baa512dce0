import { closeSync, fstatSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RankStream } from '../../../client/node/steps/rank-processes.ts';
import { MOST_CHUNK_BYTES } from '../../../client/node/steps/step-wire.ts';
import { refuseLine } from '../../../config/slurm/refusal.ts';
import type { NodeRanks } from './node-ranks.ts';
import { systemSentence } from './signal-sentence.ts';
import { expandStepPattern, type StepNames } from './step-pattern.ts';
import type { StreamMode } from './step-streams.ts';

export interface InputOptions {
  readonly mode: StreamMode;
  readonly cwd: string;
  readonly tasks: number;
  /** All ranks are processes of this machine. */
  readonly local: boolean;
  readonly namesOf: (rank: number) => StepNames;
}

/** What the ranks of a step read: the standard input of srun, which each gets whole, or files. */
export class StepInput {
  readonly #options: InputOptions;
  readonly #files: number[] = [];
  /** It must be copied to more than one process, or to another machine. */
  readonly isCopied: boolean;

  constructor(options: InputOptions) {
    this.#options = options;
    const { mode, tasks, local } = options;
    const fromSrun = mode.kind === 'all' || mode.kind === 'rank';
    this.isCopied = fromSrun && !isNothing(0) && !(local && (tasks === 1 || mode.kind === 'rank'));
  }

  /** Who reads what is copied. */
  get readers(): 'none' | 'all' | number {
    const { mode } = this.#options;
    if (!this.isCopied) return 'none';
    return mode.kind === 'rank' ? mode.rank : 'all';
  }

  /** What a process of this machine reads. @throws SpawnError with Slurm's words when its file cannot be read */
  direct(rank: number): RankStream {
    const { mode, cwd, namesOf } = this.#options;
    const reads = mode.kind === 'all' || (mode.kind === 'rank' && mode.rank === rank);
    if (reads) return this.isCopied ? 'pipe' : 0;
    if (mode.kind !== 'file') return 'ignore';
    try {
      const fd = openSync(resolve(cwd, expandStepPattern(mode.pattern, namesOf(rank))), 'r');
      this.#files.push(fd);
      return fd;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      throw refuseLine(`Could not open stdin file: ${systemSentence(code)}`, 1);
    }
  }

  /** Copies what comes to all that read, until it ends or `signal` says so: no more is taken than they have room for. */
  async copy(nodes: readonly NodeRanks[], signal: AbortSignal): Promise<void> {
    const { stdin } = process;
    const stop = () => stdin.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at += MOST_CHUNK_BYTES) {
          const piece = chunk.subarray(at, at + MOST_CHUNK_BYTES);
          await Promise.all(nodes.map((node) => node.write(piece)));
        }
      }
    } catch {
      // Destroyed, or it cannot be read: there is no more.
    } finally {
      signal.removeEventListener('abort', stop);
      for (const node of nodes) node.endInput();
    }
  }

  close(): void {
    for (const fd of this.#files) closeSync(fd);
  }
}

/** Closed, or a device that is no terminal: /dev/null. */
function isNothing(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isCharacterDevice() && !process.stdin.isTTY;
  } catch {
    return true;
  }
}
