import { mkdir } from 'node:fs/promises';
import { Backoff } from './backoff.ts';
import type { Forker, ForkerCallbacks, ForkerExit, ForkerKind, ForkerOptions } from './forker/types.ts';
import { ForkerEnvironments } from './forker-environments.ts';
import type { KnownJob } from './job-book.ts';

/** What the worker needs of the machine's processes. */
export interface ForkerPort {
  start(options: ForkerOptions): Promise<Forker>;
  /** Kills every process that carries `SPAWN_SESSION=<session>` in its environment. */
  killLeftovers(session: string): Promise<unknown>;
}

/** What a session needs of its forkers, one after the other or only one. */
export interface Lives {
  /** Undefined while there is none. */
  readonly current: Forker | undefined;
  /** Resolves after `close`; rejects when there will be none. */
  run(): Promise<void>;
  /** The number in the forker of the environment of a job; without one, of an environment with nothing but the mark. */
  envId(forker: Forker, job?: KnownJob): number;
  /** The job is over here. */
  forget(jobId: number, lanes: readonly KnownJob[]): void;
  close(): Promise<void>;
}

/** What a session tells of itself and wants to know of its forkers. */
export interface LivesWiring {
  readonly logDir: string;
  readonly sessionId: number;
  /** What `SPAWN_SESSION` of every task of the session is. */
  readonly session: string;
  readonly callbacks: Omit<ForkerCallbacks, 'onExit'>;
  /** A forker is there. */
  readonly onUp: (life: number) => void;
  /** The forker died, and all it ran with it. */
  readonly onDown: (exit: ForkerExit) => void;
  readonly onFailed: (error: unknown) => void;
}

export interface ForkerLivesOptions extends LivesWiring {
  readonly port: ForkerPort;
  readonly kind: ForkerKind | undefined;
}

/** So many failed starts in a row mean that it will not start here. */
const MOST_FAILURES = 5;

/** One that lived so long is followed by the next without a growing pause. */
const LONG_LIFE_MS = 10_000;

/** The forkers of one session, one after the other: each has a life number, because no two may write the same log file. */
export class ForkerLives implements Lives {
  readonly #options: ForkerLivesOptions;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 50, mostMs: 2_000 });
  readonly #environments: ForkerEnvironments;
  #current: Forker | undefined;
  #life = -1;

  constructor(options: ForkerLivesOptions) {
    this.#options = options;
    this.#environments = new ForkerEnvironments(options.session);
  }

  /** Undefined while there is none. */
  get current(): Forker | undefined {
    return this.#current;
  }

  /** Starts one, and another whenever it dies. Rejects when none will start; resolves after `close`. */
  async run(): Promise<void> {
    await mkdir(this.#options.logDir, { recursive: true, mode: 0o700 });
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      try {
        const { exited } = await this.#startOne();
        const since = performance.now();
        failures = 0;
        this.#options.onDown(await exited);
        if (performance.now() - since > LONG_LIFE_MS) this.#backoff.reset();
      } catch (error) {
        failures += 1;
        if (failures === MOST_FAILURES) throw error;
        this.#options.onFailed(error);
      }
      await this.#options.port.killLeftovers(this.#options.session);
      if (!this.#stop.signal.aborted) await this.#backoff.pause(this.#stop.signal);
    }
  }

  envId(forker: Forker, job?: KnownJob): number {
    return this.#environments.idOf(forker, job);
  }

  forget(jobId: number, lanes: readonly KnownJob[]): void {
    this.#environments.forget(this.#current, jobId, lanes);
  }

  /** Kills everything at once. `run` resolves when it is dead. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#current?.close();
  }

  /** Resolves when the forker is there; `exited` when it is gone. */
  async #startOne(): Promise<{ exited: Promise<ForkerExit> }> {
    const { port, kind, logDir, sessionId, callbacks, onUp } = this.#options;
    const life = ++this.#life;
    const { promise: exited, resolve } = Promise.withResolvers<ForkerExit>();
    this.#environments.clear();
    const onExit = (exit: ForkerExit) => {
      // At once: what is given to a dead forker is never answered.
      this.#current = undefined;
      resolve(exit);
    };
    const forker = await port.start({
      logDir,
      sessionTag: `${sessionId}-${life}`,
      callbacks: { ...callbacks, onExit },
      ...(kind === undefined ? {} : { kind }),
    });
    this.#current = forker;
    if (this.#stop.signal.aborted) await forker.close();
    else onUp(life);
    return { exited };
  }
}
