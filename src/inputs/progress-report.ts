import type { PlanProgress } from './plan-context.ts';

/** Time between two reports, ms. */
const PACE_MS = 250;

/** Says how far a plan is, a few times a second. */
export class ProgressReport {
  /** Sources that are done. */
  sources = 0;
  #bytes = 0;
  #saidMs = performance.now();
  readonly #plan: { readonly parts: number };
  readonly #say: ((progress: PlanProgress) => void) | undefined;

  constructor(plan: { readonly parts: number }, say: ((progress: PlanProgress) => void) | undefined) {
    this.#plan = plan;
    this.#say = say;
  }

  /** So many bytes more were read or passed over. */
  read(bytes: number): void {
    this.#bytes += bytes;
    if (this.#say === undefined || performance.now() - this.#saidMs < PACE_MS) return;
    this.#saidMs = performance.now();
    this.#say({ bytes: this.#bytes, sources: this.sources, parts: this.#plan.parts });
  }
}
