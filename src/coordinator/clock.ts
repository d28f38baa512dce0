/** Time and timers of the coordinator, so that a simulation can bring its own. */
export interface Clock {
  /** Epoch ms. Only the coordinator stamps times; it may jump when someone sets it, so nothing is measured with it. */
  now(): number;
  /** Ms on a clock that nobody can set and that counts suspend: leases run on it. */
  lease(): number;
  /** Ms on a clock that nobody can set and that stops with the machine. */
  steady(): number;
  /** Runs `task` after `ms`; returns how to call it off. */
  timer(ms: number, task: () => void): () => void;
  /** Runs `task` once the requests that have already arrived were taken in. */
  soon(task: () => void): void;
}
