import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { SpawnError } from '../../core/errors.ts';
import type { LogSearch } from '../log-reader.ts';
import {
  CONTROL_WORDS,
  Control,
  MOST_AHEAD,
  type SearchCalls,
  type SearchKind,
  type SearchMessage,
} from './search-calls.ts';

/** A thread without work ends. */
const IDLE_MS = 10_000;
/** How often a thread is looked at, and at how many looks in a row a pattern may be at the same lines. */
const LOOK_MS = 250;
/** Threads that wait until their finds are taken do not count, up to so many for each that works. */
const MOST_WAITING = 8;
/** A thread that needs more is ended. */
const HEAP_MB = 1_024;

export interface SearchPoolOptions {
  /** Default: one for each core. */
  readonly threads?: number;
  /** How long a pattern may take for about a megabyte of lines, or for one line. Default 2 s. */
  readonly budgetMs?: number;
}

export interface Found {
  readonly bytes: Uint8Array;
  readonly lines: number;
  /** Must be called: a thread whose finds are not taken waits. */
  taken(): void;
}

interface Job {
  readonly kind: SearchKind;
  readonly call: unknown;
  readonly signal: AbortSignal;
  /** It waits no longer. */
  readonly begin: () => void;
  readonly found: (found: Found) => void;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Threads that search logs: started when they are needed, ended when they are not, and when a pattern keeps one from going on. */
export class SearchPool {
  readonly size: number;
  readonly #budgetLooks: number;
  readonly #waiting: Job[] = [];
  readonly #idle: Thread[] = [];
  readonly #threads = new Set<Thread>();

  constructor({ threads = availableParallelism(), budgetMs = 2_000 }: SearchPoolOptions = {}) {
    this.size = threads;
    this.#budgetLooks = Math.ceil(budgetMs / LOOK_MS);
  }

  /** Threads that are there. */
  get threads(): number {
    return this.#threads.size;
  }

  /** One search of one thread, begun in the order of the calls. An aborted one ends with whatever it has. */
  run<K extends SearchKind>(
    kind: K,
    call: SearchCalls[K]['call'],
    signal: AbortSignal,
    found: (found: Found) => void = ({ taken }) => taken(),
  ): Promise<SearchCalls[K]['reply']> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        const at = this.#waiting.indexOf(job);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      const begin = () => signal.removeEventListener('abort', giveUp);
      const job: Job = { kind, call, signal, begin, found, resolve, reject };
      this.#waiting.push(job);
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp);
      this.#next();
    });
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle.pop() ?? this.#start();
      if (thread === undefined) return;
      const job = this.#waiting.shift()!;
      job.begin();
      thread.work(job);
    }
  }

  #start(): Thread | undefined {
    const threads = [...this.#threads];
    const waiting = threads.filter((thread) => thread.isWaiting).length;
    if (threads.length - Math.min(waiting, this.size * MOST_WAITING) >= this.size) return undefined;
    const thread: Thread = new Thread(this.#budgetLooks, {
      free: () => {
        this.#idle.push(thread);
        this.#next();
      },
      waits: () => this.#next(),
      gone: () => {
        this.#threads.delete(thread);
        const at = this.#idle.indexOf(thread);
        if (at >= 0) this.#idle.splice(at, 1);
        this.#next();
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

interface ThreadEvents {
  readonly free: () => void;
  /** Its finds are not taken. */
  readonly waits: () => void;
  readonly gone: () => void;
}

class Thread {
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  readonly #budgetLooks: number;
  readonly #events: ThreadEvents;
  #job: Job | undefined;
  #untaken = 0;
  #idle: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  readonly #cancel = () => {
    Atomics.store(this.#control, Control.cancelled, 1);
    Atomics.notify(this.#control, Control.taken);
  };

  constructor(budgetLooks: number, events: ThreadEvents) {
    this.#budgetLooks = budgetLooks;
    this.#events = events;
    // Beside this file: `.ts` in the sources, where Node strips the types, `.js` when built.
    const entry = new URL(`./search-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
    this.#worker = new Worker(entry, {
      workerData: this.#control.buffer,
      // The flags of the main thread are not for this one: some, like a test runner's loader, would break it.
      execArgv: [],
      name: 'search',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.#worker.unref();
    this.#worker.on('message', (message: SearchMessage) => this.#told(message));
    this.#worker.on('error', (error) => this.#fail(new SpawnError('INTERNAL', { why: `search: ${error.message}` })));
    this.#worker.on('exit', () => {
      this.#fail(new SpawnError('INTERNAL', { why: 'search: its thread ended' }));
      clearTimeout(this.#idle);
      this.#events.gone();
    });
  }

  get isWaiting(): boolean {
    return this.#untaken >= MOST_AHEAD;
  }

  work(job: Job): void {
    clearTimeout(this.#idle);
    this.#job = job;
    this.#untaken = 0;
    this.#control.fill(0);
    job.signal.addEventListener('abort', this.#cancel, { once: true });
    this.#watch(job);
    this.#worker.postMessage({ kind: job.kind, call: job.call });
  }

  /** Counts looks instead of measuring time: this thread too may have been kept from running. */
  #watch(job: Job): void {
    let block = 0;
    let looks = 0;
    this.#look = setInterval(() => {
      const now = Atomics.load(this.#control, Control.block);
      looks = now % 2 === 1 && now === block ? looks + 1 : 0;
      block = now;
      if (looks < this.#budgetLooks) return;
      this.#fail(badPattern('one that can be decided in time', job));
      void this.#worker.terminate();
    }, LOOK_MS);
  }

  #told(message: SearchMessage): void {
    const job = this.#job;
    if (job === undefined) return;
    if (message.kind === 'found') {
      const taken = () => {
        // A thread works for another by the time that this is taken.
        if (this.#job !== job) return;
        this.#untaken--;
        Atomics.add(this.#control, Control.taken, 1);
        Atomics.notify(this.#control, Control.taken);
      };
      this.#untaken++;
      job.found({ bytes: message.bytes, lines: message.lines, taken });
      if (this.isWaiting) this.#events.waits();
      return;
    }
    this.#end();
    if (message.kind === 'done') job.resolve(message.value as never);
    else job.reject(toError(message, job));
    this.#idle = setTimeout(() => void this.#worker.terminate(), IDLE_MS).unref();
    this.#events.free();
  }

  #fail(error: SpawnError): void {
    const job = this.#job;
    this.#end();
    job?.reject(error);
  }

  #end(): void {
    clearInterval(this.#look);
    this.#job?.signal.removeEventListener('abort', this.#cancel);
    this.#job = undefined;
  }
}

function toError({ why, isBadPattern }: Extract<SearchMessage, { kind: 'failed' }>, job: Job): SpawnError {
  return isBadPattern ? badPattern(`one that can be compiled (${why})`, job) : new SpawnError('STORE_FAILED', { why });
}

/** Only what searches has a pattern. */
function badPattern(expected: string, { call }: Job): SpawnError {
  return new SpawnError('BAD_REQUEST', { where: 'pattern', expected, found: (call as LogSearch).pattern });
}
