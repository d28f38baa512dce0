import { mkdir } from 'node:fs/promises';
import { Backoff } from './backoff.ts';
import type { Forker, ForkerCallbacks, ForkerExit, ForkerKind, ForkerOptions } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';

/** What the worker needs of the machine's processes. */
export interface ForkerPort {
  start(options: ForkerOptions): Promise<Forker>;
  /** Kills every process that carries `SPAWN_SESSION=<session>` in its environment. */
  killLeftovers(session: string): Promise<unknown>;
}

export interface ForkerLivesOptions {
  readonly port: ForkerPort;
  readonly kind: ForkerKind | undefined;
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

/** So many failed starts in a row mean that it will not start here. */
const MOST_FAILURES = 5;

/** One that lived so long is followed by the next without a growing pause. */
const LONG_LIFE_MS = 10_000;

/** Environments kept in the forker; a job that comes back after it was forgotten sends its own again. */
const MOST_ENVIRONMENTS = 128;

const BARE_ENVIRONMENT = 1;

/** The forkers of one session, one after the other: each has a life number, because no two may write the same log file. */
export class ForkerLives {
  readonly #options: ForkerLivesOptions;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 50, mostMs: 2_000 });
  readonly #environments = new Map<KnownJob, number>();
  #current: Forker | undefined;
  #lastEnvId = BARE_ENVIRONMENT;
  #life = -1;

  constructor(options: ForkerLivesOptions) {
    this.#options = options;
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

  /** The number under which the forker knows the environment of a job; without one, an environment with nothing but the mark. */
  envId(forker: Forker, job?: KnownJob): number {
    if (job === undefined) {
      forker.setEnv(BARE_ENVIRONMENT, [`SPAWN_SESSION=${this.#options.session}`]);
      return BARE_ENVIRONMENT;
    }
    const known = this.#environments.get(job);
    if (known !== undefined) return known;
    for (const [oldest, id] of this.#environments) {
      if (this.#environments.size < MOST_ENVIRONMENTS) break;
      forker.dropEnv(id);
      this.#environments.delete(oldest);
    }
    const id = ++this.#lastEnvId;
    forker.setEnv(id, job.prepared!.env);
    this.#environments.set(job, id);
    return id;
  }

  /** The job is over here: the environments of its lanes and its open log file are let go. */
  forget(jobId: number, lanes: readonly KnownJob[]): void {
    for (const lane of lanes) {
      const id = this.#environments.get(lane);
      if (id !== undefined) this.#current?.dropEnv(id);
      this.#environments.delete(lane);
    }
    if (lanes.length > 0) this.#current?.forgetJob(jobId);
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
