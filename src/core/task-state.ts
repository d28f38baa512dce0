/** The numbers are stored: append only. */
export const TaskState = {
  blocked: 0,
  ready: 1,
  leased: 2,
  running: 3,
  completed: 4,
  failed: 5,
  cancelled: 6,
  skipped: 7,
} as const;
export type TaskState = (typeof TaskState)[keyof typeof TaskState];
export type TaskStateName = keyof typeof TaskState;

/** Name of each state, by its number. */
export const TASK_STATES = Object.keys(TaskState) as readonly TaskStateName[];

export type EndDisposition = 'completed' | 'failed' | 'retry' | 'cancelled' | 'requeue';
export type LoseDisposition = Exclude<EndDisposition, 'completed'>;

export type TaskEvent =
  /** Its dependency is satisfied. */
  | { readonly kind: 'release' }
  /** Its dependency can never be satisfied. */
  | { readonly kind: 'dependencyFailed' }
  /** A worker gets the right to run it; the fence must be larger than every one before. */
  | { readonly kind: 'grant'; readonly fence: number }
  | { readonly kind: 'start'; readonly fence: number }
  /** An unstarted grant is taken back. */
  | { readonly kind: 'revoke'; readonly fence: number }
  | { readonly kind: 'end'; readonly fence: number; readonly disposition: EndDisposition }
  | { readonly kind: 'cancel' }
  /** The worker is lost, and the attempt with it. */
  | { readonly kind: 'lose'; readonly fence: number; readonly disposition: LoseDisposition }
  /** A person wants another try of what failed or was cancelled; `blocked` when its dependency is not decided. */
  | { readonly kind: 'retry'; readonly blocked?: boolean }
  /** A person wants it run again, whatever it did; `blocked` as above. */
  | { readonly kind: 'requeue'; readonly blocked?: boolean }
  /** A predecessor was retried. */
  | { readonly kind: 'rearm' };
export type TaskEventKind = TaskEvent['kind'];

/** Each kind of event with what it asks for: a column of `NEXT`. */
export const TaskEventCode = {
  release: 0,
  dependencyFailed: 1,
  grant: 2,
  start: 3,
  revoke: 4,
  endCompleted: 5,
  endFailed: 6,
  endRetry: 7,
  endCancelled: 8,
  endRequeue: 9,
  cancel: 10,
  loseFailed: 11,
  loseRetry: 12,
  loseCancelled: 13,
  loseRequeue: 14,
  retry: 15,
  retryBlocked: 16,
  requeue: 17,
  requeueBlocked: 18,
  rearm: 19,
} as const;
export type TaskEventCode = (typeof TaskEventCode)[keyof typeof TaskEventCode];
type CodeName = keyof typeof TaskEventCode;

const KIND_OF: Readonly<Record<CodeName, TaskEventKind>> = {
  release: 'release',
  dependencyFailed: 'dependencyFailed',
  grant: 'grant',
  start: 'start',
  revoke: 'revoke',
  endCompleted: 'end',
  endFailed: 'end',
  endRetry: 'end',
  endCancelled: 'end',
  endRequeue: 'end',
  cancel: 'cancel',
  loseFailed: 'lose',
  loseRetry: 'lose',
  loseCancelled: 'lose',
  loseRequeue: 'lose',
  retry: 'retry',
  retryBlocked: 'retry',
  requeue: 'requeue',
  requeueBlocked: 'requeue',
  rearm: 'rearm',
};

/** Columns of `NEXT`. */
export const TASK_EVENTS = Object.keys(TaskEventCode).length;
/** In `NEXT`: the state does not accept the event. */
export const ILLEGAL = 255;

const LOSE = { loseFailed: 'failed', loseRetry: 'ready', loseCancelled: 'cancelled', loseRequeue: 'ready' } as const;
const AGAIN = { requeue: 'ready', requeueBlocked: 'blocked' } as const;
const RETRY = { retry: 'ready', retryBlocked: 'blocked', ...AGAIN } as const;

/** All moves there are. A move to the same state records a request that the worker answers later. */
const MOVES: Record<TaskStateName, Partial<Record<CodeName, TaskStateName>>> = {
  blocked: { release: 'ready', dependencyFailed: 'skipped', cancel: 'cancelled' },
  ready: { grant: 'leased', cancel: 'cancelled' },
  leased: { start: 'running', revoke: 'ready', ...LOSE, cancel: 'leased', requeue: 'leased' },
  running: {
    endCompleted: 'completed',
    endFailed: 'failed',
    endRetry: 'ready',
    endCancelled: 'cancelled',
    endRequeue: 'ready',
    ...LOSE,
    cancel: 'running',
    requeue: 'running',
  },
  completed: AGAIN,
  failed: RETRY,
  cancelled: RETRY,
  skipped: { rearm: 'blocked' },
};

/** `NEXT[state * TASK_EVENTS + code]`: the next state, or ILLEGAL; for bulk moves of tasks with no cancel requested. */
export const NEXT: Uint8Array = buildNext();

function buildNext(): Uint8Array {
  const next = new Uint8Array(TASK_STATES.length * TASK_EVENTS).fill(ILLEGAL);
  for (const from of TASK_STATES) {
    for (const [code, to] of Object.entries(MOVES[from])) {
      next[TaskState[from] * TASK_EVENTS + TaskEventCode[code as CodeName]] = TaskState[to];
    }
  }
  return next;
}

export interface TaskView {
  readonly state: TaskState;
  /** Of its last grant; 0 before the first. */
  readonly fence: number;
  /** A person or a policy wants the current grant to end as cancelled. Only true while leased or running. */
  readonly cancelRequested: boolean;
  /** A person wants the current grant to end and the task to run again. Only true while leased or running. */
  readonly requeueRequested: boolean;
}

export type Transition =
  | { readonly kind: 'moved'; readonly task: TaskView }
  /** A report about a grant that is over: to be answered and counted, and to change nothing. */
  | { readonly kind: 'stale' }
  /** The state does not accept the event. */
  | { readonly kind: 'illegal' };

const END_CODES = {
  completed: TaskEventCode.endCompleted,
  failed: TaskEventCode.endFailed,
  retry: TaskEventCode.endRetry,
  cancelled: TaskEventCode.endCancelled,
  requeue: TaskEventCode.endRequeue,
} as const;
const LOSE_CODES = {
  failed: TaskEventCode.loseFailed,
  retry: TaskEventCode.loseRetry,
  cancelled: TaskEventCode.loseCancelled,
  requeue: TaskEventCode.loseRequeue,
} as const;

export function eventCode(event: TaskEvent): TaskEventCode {
  switch (event.kind) {
    case 'end':
      return END_CODES[event.disposition];
    case 'lose':
      return LOSE_CODES[event.disposition];
    case 'retry':
      return event.blocked ? TaskEventCode.retryBlocked : TaskEventCode.retry;
    case 'requeue':
      return event.blocked ? TaskEventCode.requeueBlocked : TaskEventCode.requeue;
    case 'release':
    case 'dependencyFailed':
    case 'grant':
    case 'start':
    case 'revoke':
    case 'cancel':
    case 'rearm':
      return TaskEventCode[event.kind];
  }
}

function hasGrant(state: TaskState): boolean {
  return state === TaskState.leased || state === TaskState.running;
}

/** True when the event reports on a grant that is not the task's current one. */
function isStale(task: TaskView, event: TaskEvent): boolean {
  switch (event.kind) {
    case 'start':
    case 'revoke':
    case 'end':
    case 'lose':
      return event.fence !== task.fence || !hasGrant(task.state);
    case 'grant':
    case 'release':
    case 'dependencyFailed':
    case 'cancel':
    case 'retry':
    case 'requeue':
    case 'rearm':
      return false;
  }
}

/** The one place where the state of a task changes. Pure: gives the task as it is after the event. */
export function transition(task: TaskView, event: TaskEvent): Transition {
  if (isStale(task, event)) return { kind: 'stale' };
  const next = NEXT[task.state * TASK_EVENTS + eventCode(event)]!;
  if (next === ILLEGAL) return { kind: 'illegal' };
  if (event.kind === 'grant' && event.fence <= task.fence) return { kind: 'illegal' };
  const fence = event.kind === 'grant' ? event.fence : task.fence;
  // What was asked to be cancelled never runs again, whatever its worker or its loss says.
  const state = (task.cancelRequested && next === TaskState.ready ? TaskState.cancelled : next) as TaskState;
  const kept = hasGrant(state);
  return {
    kind: 'moved',
    task: {
      state,
      fence,
      cancelRequested: kept && (task.cancelRequested || event.kind === 'cancel'),
      requeueRequested: kept && (task.requeueRequested || event.kind === 'requeue'),
    },
  };
}

/** The kinds of event each state accepts. */
export const ACCEPTS: Readonly<Record<TaskState, readonly TaskEventKind[]>> = buildAccepts();

function buildAccepts(): Record<TaskState, TaskEventKind[]> {
  const accepts = {} as Record<TaskState, TaskEventKind[]>;
  for (const name of TASK_STATES) {
    const codes = Object.keys(MOVES[name]) as CodeName[];
    accepts[TaskState[name]] = [...new Set(codes.map((code) => KIND_OF[code]))];
  }
  return accepts;
}
