import type { Forker, ForkerCallbacks, TaskEnded } from '../forker/types.ts';
import { ForkerEnvironments } from '../forker-environments.ts';
import type { Lives, LivesWiring } from '../forker-lives.ts';
import type { KnownJob } from '../job-book.ts';
import type { InstanceForker } from './instance-forker.ts';

/** Whose segments are numbered as those of the first forker of a session: there is no other. */
const LIFE = 0;
const TERMINATED = { kind: 'signalled', signal: 15, core: false } as const;

/** What the end of an attempt depends on besides its process. */
interface LifeSeen {
  /** The end of the machine was asked for. */
  readonly isEnding: boolean;
  readonly completion: { readonly status: 'success' | 'failed' } | undefined;
}

/** The forker of an instance as one session of it sees it: it is there before the session, and after it. */
export class InstanceLives implements Lives {
  readonly #forker: Promise<InstanceForker>;
  readonly #wiring: LivesWiring;
  /** Where logs go, seen from inside; undefined when they go there already. */
  readonly #logDir: string | undefined;
  readonly #life: LifeSeen;
  readonly #environments: ForkerEnvironments;
  readonly #closed = Promise.withResolvers<void>();
  #current: InstanceForker | undefined;
  #isClosed = false;

  constructor(forker: Promise<InstanceForker>, wiring: LivesWiring, logDir: string | undefined, life: LifeSeen) {
    this.#forker = forker;
    this.#wiring = wiring;
    this.#logDir = logDir;
    this.#life = life;
    this.#environments = new ForkerEnvironments(wiring.session);
  }

  get current(): Forker | undefined {
    return this.#current;
  }

  async run(): Promise<void> {
    const { callbacks, sessionId, onUp, onDown, onFailed } = this.#wiring;
    let forker: InstanceForker;
    try {
      forker = await Promise.race([this.#forker, this.#closedFirst]);
      await Promise.race([forker.readied, this.#closedFirst]);
    } catch (error) {
      if (this.#isClosed) return;
      onFailed(error);
      // Its agent hears of the machine's end, and ends the session.
      return this.#closed.promise;
    }
    if (this.#isClosed) return;
    const all: ForkerCallbacks = {
      ...callbacks,
      onEnded: (event) => callbacks.onEnded(this.#asMeant(event)),
      onExit: (exit) => {
        this.#current = undefined;
        onDown({ ...exit, expected: this.#life.isEnding });
      },
    };
    if (this.#logDir !== undefined) forker.openLogs(this.#logDir, `${sessionId}-${LIFE}`);
    forker.attach(all);
    // What an earlier session left is of no use to anybody, and must not run beside what comes.
    if (this.#logDir !== undefined) forker.killUnasked(0);
    this.#current = forker;
    onUp(LIFE);
    await this.#closed.promise;
    this.#current = undefined;
    forker.detach(all);
  }

  /**
   * The signal of `spored complete` decides, whatever ended the process after it. Without one, what was asked to rest with its machine and
   * ended well has put its things in order: its work goes on in the next attempt.
   */
  #asMeant(event: TaskEnded): TaskEnded {
    const status = this.#life.completion?.status;
    if (status === undefined) return event.cause === 'shutdown' ? { ...event, end: TERMINATED } : event;
    return { ...event, cause: 'none', end: { kind: 'exited', code: status === 'success' ? 0 : 1 } };
  }

  /** Rejects when the session is over before its forker was there. */
  get #closedFirst(): Promise<never> {
    return this.#closed.promise.then(() => Promise.reject(new Error('the session is over')));
  }

  envId(forker: Forker, job?: KnownJob): number {
    return this.#environments.idOf(forker, job);
  }

  forget(jobId: number, lanes: readonly KnownJob[]): void {
    this.#environments.forget(this.#current, jobId, lanes);
  }

  /** The session lets go of it; what runs goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve();
  }
}
