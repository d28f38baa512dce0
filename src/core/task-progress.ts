/** What an attempt has said of itself. */
export interface Told {
  /** Of its work, 0 to 1. */
  readonly fraction: number;
  readonly message?: string;
}

/** How far the attempts of a job are that run and have said so: the last word of each, which is nowhere else. */
export class TaskProgress {
  readonly #told = new Map<number, Told>();

  set(position: number, told: Told): void {
    this.#told.set(position, told);
  }

  of(position: number): Told | undefined {
    return this.#told.get(position);
  }

  /** Attempts of these tasks are over. */
  over(start: number, count: number): void {
    if (this.#told.size === 0) return;
    for (let position = start; position < start + count; position++) this.#told.delete(position);
  }

  /** How far the job is, 0 to 1: tasks that have ended are done, others as far as they say. */
  mean(ended: number, size: number): number {
    let sum = ended;
    for (const { fraction } of this.#told.values()) sum += fraction;
    return Math.min(1, sum / size);
  }
}
