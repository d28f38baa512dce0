/** How many are kept of a job. */
export const SLOWEST = 5;

/** What is told of an ended attempt that took long; as in EndRecord. */
export interface SlowEnd {
  position: number;
  attempt: number;
  outcome: number;
  sessionId: number;
  endedAt: number;
  wallUs: number;
  cpuUs: number;
  maxRssKb: number;
}

const FIELDS = [
  'position',
  'attempt',
  'outcome',
  'sessionId',
  'endedAt',
  'wallUs',
  'cpuUs',
  'maxRssKb',
] as const satisfies readonly (keyof SlowEnd)[];

/** The ended attempts of a job that took longest, kept as they end: nobody looks through a million ends for them. */
export class Slowest {
  /** An attempt must have taken longer than this to be one of them, microseconds. */
  least = 0;
  #ends: SlowEnd[] = [];

  /** Longest first. */
  get ends(): readonly SlowEnd[] {
    return this.#ends;
  }

  /** To be called for one that took longer than `least`. */
  add({ position, attempt, outcome, sessionId, endedAt, wallUs, cpuUs, maxRssKb }: SlowEnd): void {
    const end = { position, attempt, outcome, sessionId, endedAt, wallUs, cpuUs, maxRssKb };
    const before = this.#ends.findIndex(({ wallUs }) => wallUs < end.wallUs);
    this.#ends.splice(before < 0 ? this.#ends.length : before, 0, end);
    this.#ends.length = Math.min(this.#ends.length, SLOWEST);
    if (this.#ends.length === SLOWEST) this.least = this.#ends.at(-1)!.wallUs;
  }

  /** Numbers only, to be stored with the job. */
  pack(): number[] {
    return this.#ends.flatMap((end) => FIELDS.map((field) => end[field]));
  }

  /** Takes in what `pack` gave. */
  unpack(packed: readonly number[]): void {
    for (let at = 0; at < packed.length; at += FIELDS.length) {
      this.add(Object.fromEntries(FIELDS.map((field, i) => [field, packed[at + i]!])) as unknown as SlowEnd);
    }
  }
}
