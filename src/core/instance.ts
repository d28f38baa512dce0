/** How an instance is, as far as is known. `pending` also after `start`, until its agent says that it runs. */
export const INSTANCE_STATES = [
  'pending',
  'running',
  'stopping',
  'stopped',
  'hibernated',
  'shutting-down',
  'terminated',
] as const;
export type InstanceStateName = (typeof INSTANCE_STATES)[number];

/** How it shall be. */
export type WantedState = 'running' | 'stopped' | 'hibernated' | 'terminated';

export type InstanceEvent =
  /** Its agent says that it runs: for the first time, again, or no longer frozen. */
  | 'runs'
  | 'stops'
  /** Nothing of it runs, its disk is kept. */
  | 'stopped'
  | 'frozen'
  /** A stopped one is to be launched again. */
  | 'relaunch'
  | 'ends'
  /** Nothing of it runs, and nothing is left. */
  | 'ended';

export const INSTANCE_EVENTS: readonly InstanceEvent[] = [
  'runs',
  'stops',
  'stopped',
  'frozen',
  'relaunch',
  'ends',
  'ended',
];

/** All moves there are; what a state does not list is an old report, and changes nothing. */
const MOVES: Readonly<Record<InstanceStateName, Partial<Record<InstanceEvent, InstanceStateName>>>> = {
  pending: {
    runs: 'running',
    stops: 'stopping',
    stopped: 'stopped',
    frozen: 'hibernated',
    ends: 'shutting-down',
    ended: 'terminated',
  },
  running: { stops: 'stopping', stopped: 'stopped', frozen: 'hibernated', ends: 'shutting-down', ended: 'terminated' },
  stopping: { stopped: 'stopped', ends: 'shutting-down', ended: 'terminated' },
  stopped: { relaunch: 'pending', ends: 'shutting-down', ended: 'terminated' },
  hibernated: { runs: 'running', stops: 'stopping', stopped: 'stopped', ends: 'shutting-down', ended: 'terminated' },
  'shutting-down': { ended: 'terminated' },
  terminated: {},
};

/** The state after an event; undefined when the state does not accept it. */
export function moveInstance(state: InstanceStateName, event: InstanceEvent): InstanceStateName | undefined {
  return MOVES[state][event];
}

/** The events each state accepts. */
export const ACCEPTS: Readonly<Record<InstanceStateName, readonly InstanceEvent[]>> = Object.fromEntries(
  INSTANCE_STATES.map((state) => [state, Object.keys(MOVES[state])]),
) as Record<InstanceStateName, InstanceEvent[]>;

const REPORTED: Readonly<Record<InstanceStateName, InstanceEvent | undefined>> = {
  pending: undefined,
  running: 'runs',
  stopping: 'stops',
  stopped: 'stopped',
  hibernated: 'frozen',
  'shutting-down': 'ends',
  terminated: 'ended',
};

/** What a report of that state says happened; undefined: nothing yet. */
export function eventOfReport(state: InstanceStateName): InstanceEvent | undefined {
  return REPORTED[state];
}

/** Whether it is charged while it is so. */
export function isCharged(state: InstanceStateName): boolean {
  return state === 'running' || state === 'stopping' || state === 'shutting-down';
}

/** Whether its TTL goes on: in mode `wall` always until its end, in mode `running` only while it runs. */
export function ttlRuns(state: InstanceStateName, mode: 'running' | 'wall'): boolean {
  return state !== 'terminated' && state !== 'pending' && (mode === 'wall' || isCharged(state));
}

export type LifeVerb = 'stop' | 'hibernate' | 'start' | 'terminate' | 'extend' | 'interrupt' | 'replace';

/** What a verb makes of an instance. */
export type VerbEffect =
  /** It shall be so from now on. */
  | { readonly kind: 'want'; readonly wanted: WantedState }
  /** Its TTL, its interruption or its machine: what the verb says. */
  | { readonly kind: 'do' }
  /** It is so already, or will be: nothing to do. */
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly note: string };

/** What a verb does to an instance that is in a state and shall be in another: the table of docs/instances.md. */
export function effectOf(verb: LifeVerb, state: InstanceStateName, wanted: WantedState, spot: boolean): VerbEffect {
  if (verb === 'replace') return { kind: 'do' };
  const isOver = state === 'terminated' || state === 'shutting-down' || wanted === 'terminated';
  if (verb === 'terminate') return isOver ? { kind: 'none' } : { kind: 'want', wanted: 'terminated' };
  if (isOver) return { kind: 'refused', note: state === 'terminated' ? 'it has ended' : 'it is ending' };
  switch (verb) {
    case 'stop':
      return want('stopped', wanted);
    case 'start':
      return want('running', wanted);
    case 'hibernate':
      if (wanted === 'hibernated') return { kind: 'none' };
      if (state === 'running' && wanted === 'running') return { kind: 'want', wanted: 'hibernated' };
      return { kind: 'refused', note: `only what runs can hibernate, and it is ${state}` };
    case 'extend':
      return { kind: 'do' };
    case 'interrupt':
      if (!spot) return { kind: 'refused', note: 'only spot instances are interrupted, and this one is on demand' };
      if (state !== 'running') return { kind: 'refused', note: `only what runs is interrupted, and it is ${state}` };
      return { kind: 'do' };
  }
}

function want(to: WantedState, wanted: WantedState): VerbEffect {
  return to === wanted ? { kind: 'none' } : { kind: 'want', wanted: to };
}

/** What is to be done about one member of an array, by its task and its machine. */
export type MemberStep =
  | 'none'
  /** Its task can run, and it has no machine. */
  | 'launch'
  /** Its task was cancelled or will never run: its machine must go. */
  | 'end'
  /** It is stopped and shall run. */
  | 'relaunch';

export interface MemberFacts {
  /** Its task was cancelled or skipped, or is asked to end as cancelled. */
  readonly cancelled: boolean;
  /** Its task waits for a machine, and nothing else keeps it back. */
  readonly mayRun: boolean;
  /** Its machine; undefined: it has none that lives. */
  readonly live: { readonly state: InstanceStateName; readonly wanted: WantedState } | undefined;
}

export function stepOf({ cancelled, mayRun, live }: MemberFacts): MemberStep {
  if (live === undefined) return mayRun ? 'launch' : 'none';
  if (live.wanted === 'terminated') return 'none';
  if (cancelled) return 'end';
  return live.state === 'stopped' && live.wanted === 'running' ? 'relaunch' : 'none';
}
