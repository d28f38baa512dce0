import type { LifecycleFacts, LifecycleSettings } from '../../src/core/instance-lifecycle.ts';

/** Without any end; USD 3.60 an hour. */
export const LIFECYCLE_SETTINGS: LifecycleSettings = {
  ttlMode: 'running',
  idleTimeoutMs: 0,
  onIdle: 'stop',
  onComplete: 'none',
  retries: false,
  rate: 3.6,
};

/** Of an instance that runs, and of which nothing else is known. */
export const LIFECYCLE_FACTS: LifecycleFacts = {
  state: 'running',
  wanted: 'running',
  reason: undefined,
  interruptInMs: undefined,
  completion: undefined,
  ended: undefined,
  done: false,
  completionServed: false,
  ranMs: 0,
  ttlLeftMs: undefined,
  ttlSpanMs: 0,
  costShare: undefined,
  endMs: 0,
  idleMs: undefined,
  warned: new Set(),
};
