import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { RankStream } from '../../../client/node/steps/rank-processes.ts';
import { refuseLine } from '../../../config/slurm/refusal.ts';
import { systemSentence } from './signal-sentence.ts';
import { expandStepPattern, isPerRank, type StepNames } from './step-pattern.ts';

/** What `--output`, `--error` and `--input` say. */
export type StreamMode =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'rank'; readonly rank: number }
  | { readonly kind: 'file'; readonly pattern: string };

/** Slurm: srun(1), IO redirection. @param tasks a number below is that of a rank */
export function streamMode(text: string, tasks: number): StreamMode {
  if (text === '' || text.toLowerCase() === 'all') return { kind: 'all' };
  if (text.toLowerCase() === 'none') return { kind: 'none' };
  if (/^\d{1,7}$/.test(text) && Number(text) < tasks) return { kind: 'rank', rank: Number(text) };
  return { kind: 'file', pattern: text };
}

export interface OutputOptions {
  readonly output: StreamMode;
  readonly error: StreamMode;
  readonly append: boolean;
  readonly cwd: string;
  /** Lines begin with the number of their rank. */
  readonly label: boolean;
  readonly namesOf: (rank: number) => StepNames;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** There is room again. */
  readonly onDrain: () => void;
  /** Of the largest rank: labels are as wide. */
  readonly width: number;
}

/** Where a stream of a rank goes: to a file, which is open, to a stream of srun, or nowhere. */
type Target = { readonly fd: number } | { readonly stream: Writable } | 'nowhere';

/** A line that has begun and not ended. */
interface OpenLine {
  readonly pieces: Uint8Array[];
  length: number;
}

const NEWLINE = 10;
/** A longer line is passed on in pieces. */
const LONGEST_LINE = 64 * 1024;

/** Files and streams that get what the ranks of a step write. */
export class StepStreams {
  readonly #options: OutputOptions;
  readonly #files = new Map<string, number>();
  /** Begun lines, by rank and stream. */
  readonly #open = new Map<string, OpenLine>();
  readonly #write: (fd: number, bytes: Uint8Array) => void;
  readonly #full = new Set<Writable>();

  /** @param write into a file, whole */
  constructor(options: OutputOptions, write: (fd: number, bytes: Uint8Array) => void) {
    this.#options = options;
    this.#write = write;
  }

  /** What a process of this machine is started with: its output needs no copying where nothing is put before its lines. */
  direct(rank: number, stream: 1 | 2): RankStream {
    const target = this.#target(rank, stream);
    if (target === 'nowhere') return 'ignore';
    if (this.#options.label) return 'pipe';
    return 'fd' in target ? target.fd : stream;
  }

  /** Output that came by a pipe. @returns false: there is no room for more until `onDrain` */
  add(rank: number, stream: 1 | 2, bytes: Uint8Array): boolean {
    const key = `${rank}/${stream}`;
    let from = 0;
    while (from < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline < 0 ? bytes.length : newline + 1;
      const line: OpenLine = this.#open.get(key) ?? { pieces: [], length: 0 };
      line.pieces.push(bytes.slice(from, to));
      line.length += to - from;
      if (newline < 0 && line.length < LONGEST_LINE) this.#open.set(key, line);
      else this.#put(rank, stream, line.pieces, newline < 0);
      if (newline >= 0 || line.length >= LONGEST_LINE) this.#open.delete(key);
      from = to;
    }
    return this.#full.size === 0;
  }

  /** A rank writes no more: its last line may have no end. */
  end(rank: number): void {
    for (const stream of [1, 2] as const) {
      const line = this.#open.get(`${rank}/${stream}`);
      if (line === undefined) continue;
      this.#open.delete(`${rank}/${stream}`);
      this.#put(rank, stream, line.pieces, this.#options.label);
    }
  }

  close(): void {
    for (const fd of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #put(rank: number, stream: 1 | 2, pieces: readonly Uint8Array[], needsEnd: boolean): void {
    const { label, width } = this.#options;
    const head = label ? [Buffer.from(`${String(rank).padStart(width)}: `)] : [];
    const bytes = Buffer.concat([...head, ...pieces, ...(label && needsEnd ? [Buffer.from('\n')] : [])]);
    const target = this.#target(rank, stream);
    if (target === 'nowhere') return;
    if ('fd' in target) {
      this.#write(target.fd, bytes);
      return;
    }
    const { stream: to } = target;
    if (to.write(bytes) || this.#full.has(to)) return;
    this.#full.add(to);
    to.once('drain', () => {
      this.#full.delete(to);
      if (this.#full.size === 0) this.#options.onDrain();
    });
  }

  #target(rank: number, stream: 1 | 2): Target {
    const mode = this.#options[stream === 1 ? 'output' : 'error'];
    switch (mode.kind) {
      case 'all':
        return { stream: this.#options[stream === 1 ? 'stdout' : 'stderr'] };
      case 'rank':
        return mode.rank === rank ? { stream: this.#options[stream === 1 ? 'stdout' : 'stderr'] } : 'nowhere';
      case 'none':
        return 'nowhere';
      case 'file':
        return { fd: this.#file(mode.pattern, rank) };
    }
  }

  /** The same name is one open file, so that nobody overwrites another. */
  #file(pattern: string, rank: number): number {
    const { cwd, append, namesOf } = this.#options;
    const path = resolve(cwd, expandStepPattern(pattern, namesOf(isPerRank(pattern) ? rank : 0)));
    const open = this.#files.get(path) ?? opened(path, append);
    this.#files.set(path, open);
    return open;
  }
}

/** @throws SpawnError with Slurm's words */
function opened(path: string, append: boolean): number {
  try {
    return openSync(path, append ? 'a' : 'w', 0o666);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw refuseLine(`Could not open stdout file: ${systemSentence(code)}`, 1);
  }
}
