import { AttemptCalls, type AttemptCallsOptions, type CallingTask } from './attempt-calls.ts';

/** What attempts of a session ask of their worker, whether their processes come over the socket or their host asks for them. */
export class TaskCalls {
  readonly #options: AttemptCallsOptions;
  readonly #attempts = new Map<number, AttemptCalls>();

  constructor(options: AttemptCallsOptions) {
    this.#options = options;
  }

  /** Made when first asked for; an attempt that asks for nothing costs nothing. */
  of(task: CallingTask): AttemptCalls {
    let calls = this.#attempts.get(task.fence);
    if (calls === undefined) {
      calls = new AttemptCalls(this.#options, task);
      this.#attempts.set(task.fence, calls);
    }
    return calls;
  }

  /** Undefined when it has asked for nothing. */
  known(fence: number): AttemptCalls | undefined {
    return this.#attempts.get(fence);
  }

  /** The end of the attempt was said, or nobody wants to know it. */
  over(fence: number): void {
    const calls = this.#attempts.get(fence);
    if (calls === undefined) return;
    this.#attempts.delete(fence);
    void calls.over();
  }

  /** Of all attempts. */
  async close(): Promise<void> {
    const all = [...this.#attempts.values()];
    this.#attempts.clear();
    await Promise.all(all.map((calls) => calls.over()));
  }
}
