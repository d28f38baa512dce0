import { formatHostlist } from '../../../core/hostlist.ts';
import { signalSentence } from './signal-sentence.ts';

/** How a rank ended. */
export type RankOutcome = { readonly code: number } | { readonly signal: number };

/** What a shell and srun make of it. */
export function codeOf(end: RankOutcome): number {
  return 'code' in end ? end.code : 128 + end.signal;
}

/** `task 3`, `tasks 0-1,3`. */
export function tasksText(ranks: readonly number[]): string {
  const sorted = ranks.toSorted((a, b) => a - b);
  const text = formatHostlist(sorted.map(String)).replace(/^\[(.*)\]$/, '$1');
  return `task${ranks.length === 1 ? '' : 's'} ${text}`;
}

const KILL = 9;
const TERM = 15;
/** Ranks that end together are reported together. */
const GATHER_MS = 30;

/** Tells of ranks that ended badly, those of one node and one kind in one line. */
export class ExitReport {
  readonly #say: (line: string) => void;
  readonly #step: string;
  #waiting: { readonly node: string; readonly rank: number; readonly text: string }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #forced = false;
  /** That it was aborted has been said. */
  aborted = false;

  /** @param step `12.0` */
  constructor(step: string, say: (line: string) => void) {
    this.#step = step;
    this.#say = say;
  }

  ended(node: string, rank: number, end: RankOutcome): void {
    if (codeOf(end) === 0) return;
    const text = 'code' in end ? `Exited with exit code ${end.code}` : signalSentence(end.signal);
    if ('signal' in end && (end.signal === KILL || end.signal === TERM)) this.#forced = true;
    this.#waiting.push({ node, rank, text });
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Says what has not been said. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const groups = Map.groupBy(this.#waiting, ({ node, text }) => `${node}: ${text}`);
    this.#waiting = [];
    for (const group of groups.values()) {
      const { node, text } = group[0]!;
      this.#say(`srun: error: ${node}: ${tasksText(group.map(({ rank }) => rank))}: ${text}`);
    }
    if (!this.#forced || this.aborted) return;
    this.#forced = false;
    this.aborted = true;
    this.#say(`srun: Force Terminated StepId=${this.#step}`);
  }
}
