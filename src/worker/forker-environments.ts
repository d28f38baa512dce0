import type { Forker } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';

/** Environments kept in a forker; a job that comes back after it was forgotten sends its own again. */
const MOST_ENVIRONMENTS = 128;

const BARE_ENVIRONMENT = 1;

/** The numbers under which a forker knows the environments of jobs. */
export class ForkerEnvironments {
  readonly #session: string;
  readonly #known = new Map<KnownJob, number>();
  #last = BARE_ENVIRONMENT;

  /** @param session what `SPAWN_SESSION` of every task is */
  constructor(session: string) {
    this.#session = session;
  }

  /** That of the environment of a job, which is sent if need be; without one, of an environment with nothing but the mark. */
  idOf(forker: Forker, job?: KnownJob): number {
    if (job === undefined) {
      forker.setEnv(BARE_ENVIRONMENT, [`SPAWN_SESSION=${this.#session}`]);
      return BARE_ENVIRONMENT;
    }
    const known = this.#known.get(job);
    if (known !== undefined) return known;
    for (const [oldest, id] of this.#known) {
      if (this.#known.size < MOST_ENVIRONMENTS) break;
      forker.dropEnv(id);
      this.#known.delete(oldest);
    }
    const id = ++this.#last;
    forker.setEnv(id, job.prepared!.env);
    this.#known.set(job, id);
    return id;
  }

  /** The job is over here: the environments of its lanes and its open log file are let go. */
  forget(forker: Forker | undefined, jobId: number, lanes: readonly KnownJob[]): void {
    for (const lane of lanes) {
      const id = this.#known.get(lane);
      if (id !== undefined) forker?.dropEnv(id);
      this.#known.delete(lane);
    }
    if (lanes.length > 0) forker?.forgetJob(jobId);
  }

  /** The forker is another one, and knows nothing. */
  clear(): void {
    this.#known.clear();
  }
}
