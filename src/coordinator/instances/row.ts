import type { EndReason, InstanceState } from '../../api/instance.ts';
import type { WantedState } from '../../core/instance.ts';
import type { StoredInstance } from '../../store/store.ts';

/** What is durable of an instance, apart from the columns of its row. Times are epoch ms. */
export interface InstanceDetail {
  name: string;
  index: number;
  provider: string;
  state: InstanceState;
  wanted: WantedState;
  /** Of what it shall be, or became: absent while it shall run. */
  reason?: EndReason;
  message?: string;
  region: string;
  zone: string;
  /** Empty where the provider tells it only later. */
  address: string;
  spot: boolean;
  /** USD an hour. */
  rate: number;
  onDemandRate: number;
  spotRate: number;
  /** First moment it ran; 0 = not yet. */
  launchedAt: number;
  /** All time in which it was charged, until `ranAt`. */
  ranMs: number;
  ranAt: number;
  /** 0 = none; as launched or extended. */
  ttlMs: number;
  /** What was left at `ttlAt`. */
  ttlLeftMs: number;
  ttlAt: number;
  /** How many machines of this index were lost or interrupted one after the other, before this one. */
  losses: number;
  /** All members had run once when it was written. */
  barrier: boolean;
  /** An earlier machine of its index ran. */
  ranBefore: boolean;
  /** USD over its whole life; absent: no limit. Which cap it comes from. */
  costShare?: number;
  shareOf?: 'cost-limit' | 'budget';
  /** The most that its agent may think it has. */
  heldShare?: number;
  /** Its agent was up before it had a share, or since it had none any more: it may think that nothing limits what it may cost. */
  unbounded?: true;
  /** Under a cap: its launch was begun. Whether it ran a coordinator after this one could not know otherwise. */
  asked?: true;
  /** Epoch ms of its end by interruption; 0 = none was announced. */
  interruptAt: number;
  completion?: 'success' | 'failed';
  /** What it had run at a time from which a budget counts. */
  marks?: { from: number; ranMs: number }[];
  /** Its task was sent back when it was to end already: what becomes of that is the next machine's business. */
  passedOn?: true;
  /** USD of machines of its array that are listed no more, where that has a cost limit: as it was when this was written. */
  forgotten?: number;
  /** What was told of its array's cost limit: 1 = nearly used up, 2 = used up. */
  told?: number;
  /** It was listed long enough, and stays only for what it knows. */
  hidden?: true;
  /** State of its task when that ended or the instance did; '' before. */
  task: string;
}

/** One machine of one index of an array, in memory. */
export interface InstanceRow extends InstanceDetail {
  readonly id: string;
  readonly jobId: number;
  readonly position: number;
  readonly generation: number;
  readonly owner: string;
  readonly tenant: string;
  readonly createdAt: number;
  /** 0 while it lives. */
  endedAt: number;
  /** What follows is of this life of the coordinator. */
  readonly live: LiveFacts;
}

/** What is not stored of an instance: it is found out again after a restart. */
export interface LiveFacts {
  /** Of the last directive that was sent, of the last one that said more than other peers, and of the last one that a report acknowledged. */
  version: number;
  askedVersion: number;
  acked: number;
  /** From which version on a report's TTL counts, and its word on whether it rests. */
  ttlVersion: number;
  wantedVersion: number;
  /** What the last directive said. */
  said: string;
  saidShare: number | undefined;
  done: boolean;
  /** On the lease clock: when `ranMs` and `ttlLeftMs` were known. */
  ranLease: number | undefined;
  ttlLease: number | undefined;
  /** Of the launch by this life. */
  launch: 'no' | 'waiting' | 'underway' | 'done';
  /** On the lease clock: since when nobody answers for it, or since when it is not what it shall be. */
  alone: number | undefined;
  unlike: number | undefined;
  halting: boolean;
  idleMs: number | undefined;
  cpuPercent: number | undefined;
}

export function noFacts(): LiveFacts {
  return {
    version: 0,
    askedVersion: 0,
    acked: 0,
    ttlVersion: 0,
    wantedVersion: 0,
    said: '',
    saidShare: undefined,
    done: false,
    ranLease: undefined,
    ttlLease: undefined,
    launch: 'no',
    alone: undefined,
    unlike: undefined,
    halting: false,
    idleMs: undefined,
    cpuPercent: undefined,
  };
}

export function packRow(row: InstanceRow): StoredInstance {
  const { id, jobId, position, generation, owner, tenant, createdAt, endedAt, live: _live, ...detail } = row;
  return { id, jobId, position, generation, owner, tenant, createdAt, endedAt, detail: JSON.stringify(detail) };
}

export function unpackRow(stored: StoredInstance): InstanceRow {
  const { detail, ...columns } = stored;
  const live = stored.endedAt === 0 ? noFacts() : NO_FACTS;
  return Object.assign(JSON.parse(detail) as InstanceDetail, columns, { live });
}

/** Of what has ended nothing is found out any more: there may be many. */
const NO_FACTS = Object.freeze(noFacts());

/** Nothing of it runs, ever again. */
export function isOver(row: InstanceRow): boolean {
  return row.state === 'terminated';
}
