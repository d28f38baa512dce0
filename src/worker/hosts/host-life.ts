import type { KnownJob } from '../job-book.ts';
import { whyIdle, whyNotLoaded, whyNotStarted } from './blame.ts';
import type { HostEnd } from './host-forker.ts';
import { HOST_MEMORY_BYTES, HostProcess, type HostWords } from './host-process.ts';
import type { SlotOptions } from './slot-options.ts';

const LOAD_WITHIN_MS = 120_000;
/** Of what a task may use, or of the heap, a host may keep between two tasks. */
const KEPT_SHARE = 0.7;

/** What a process says of its tasks. */
export type TaskWords = Omit<HostWords, 'ready' | 'unusable' | 'spent' | 'exit'>;

/** One process of a slot, and what it has said of itself. */
export class HostLife {
  readonly process: HostProcess;
  readonly #job: KnownJob;
  readonly #elsewhere: string | undefined;
  readonly #loading: NodeJS.Timeout;
  #heapBytes: number | undefined;
  #unusable: string | undefined;
  /** It said that it must be replaced before another task runs. */
  isSpent = false;
  /** It was told to end when nothing runs. */
  isLeaving = false;

  constructor({ job, hostJob, places, env, elsewhere }: SlotOptions, words: TaskWords) {
    this.#job = job;
    this.#elsewhere = elsewhere;
    this.process = new HostProcess(places, job, {
      end: (said) => words.end(said),
      log: (stream, timeMs, data) => words.log(stream, timeMs, data),
      result: (piece) => words.result(piece),
      call: (kind, number, data) => words.call(kind, number, data),
      onPiece: () => words.onPiece(),
      onWithdrawn: (ordinal) => words.onWithdrawn(ordinal),
      onRunning: (ordinal, elapsedMs, rssBytes) => words.onRunning(ordinal, elapsedMs, rssBytes),
      onMemory: (rssBytes) => words.onMemory(rssBytes),
      onGone: (end) => words.onGone(end),
      ready: (heapBytes) => this.#ready(heapBytes),
      unusable: (text) => this.#reject(text),
      spent: () => {
        this.isSpent = true;
      },
      exit: (code) => this.#exit(code),
    });
    const late = `the module was not loaded within ${LOAD_WITHIN_MS / 1_000} s`;
    this.#loading = setTimeout(() => this.#reject(late), LOAD_WITHIN_MS);
    void this.process.start(hostJob, env);
  }

  /** The function is loaded. */
  get isReady(): boolean {
    return this.#heapBytes !== undefined;
  }

  /** It takes tasks now. */
  get isOpen(): boolean {
    return this.isReady && !this.isLeaving && !this.process.isWithdrawing;
  }

  #ready(heapBytes: number): void {
    clearTimeout(this.#loading);
    this.#heapBytes = heapBytes;
  }

  /** It cannot run any task. */
  #reject(text: string): void {
    this.#unusable = text;
    this.process.kill();
  }

  /** It has ended itself between two tasks. */
  #exit(code: number): void {
    this.isSpent = true;
    if (!this.isReady) this.#unusable = `the module ended its process with exit code ${code} while it was loaded`;
  }

  /** It is told to end when nothing runs. @param isBusy it has tasks */
  retire(isBusy: boolean): void {
    if (this.isLeaving) return;
    this.isLeaving = true;
    if (isBusy && this.isReady) this.process.withdraw();
    else this.process.quit();
  }

  /** It keeps more than it should: what one task needs is its own, what is kept from one to the next must not become another's fault. */
  isFull(rssBytes: number): boolean {
    const { memoryBytes } = this.#job.description;
    const heapBytes = this.#heapBytes ?? Number.POSITIVE_INFINITY;
    const most = memoryBytes > 0 ? memoryBytes * KEPT_SHARE : heapBytes * KEPT_SHARE - HOST_MEMORY_BYTES;
    return rssBytes > most + HOST_MEMORY_BYTES;
  }

  /** It is gone. */
  over(): void {
    clearTimeout(this.#loading);
  }

  /**
   * Why no task of the job can be run, if that is what its end means.
   *
   * @param idleDeaths hosts that ended one after the other without having run anything
   */
  whyUnusable(end: Exclude<HostEnd, { kind: 'lost' }>, idleDeaths: number): string | undefined {
    if (this.#unusable !== undefined) return this.#unusable;
    if (end.kind === 'broken') return `no host can be started: ${end.why}`;
    if (end.kind === 'notStarted') return whyNotStarted(end.event, this.#job.prepared!.cwd, this.#elsewhere);
    if (this.isReady) return whyIdle(idleDeaths);
    return this.isLeaving ? undefined : whyNotLoaded(end.event, end.words);
  }
}
