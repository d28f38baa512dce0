import type { AlertView, DeliveryView } from '../../src/api/alert.ts';
import type { CostReply } from '../../src/api/instance-money.ts';
import type { JobDelta, JobView, TaskStateName } from '../../src/api/job.ts';
import type { QueueReply } from '../../src/api/queue.ts';
import type { ServerView } from '../../src/api/server-view.ts';
import type { WorkflowView } from '../../src/api/workflow.ts';

const COUNTS: Record<TaskStateName, number> = {
  blocked: 0,
  ready: 3,
  leased: 0,
  running: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  skipped: 0,
};

export const JOB: JobView = {
  id: 12,
  arrayId: 'sim-20260101-0a1b2c',
  name: 'sim',
  owner: '1000',
  state: 'ready',
  size: 3,
  throttle: 0,
  held: false,
  priority: 0,
  counts: COUNTS,
  command: 'true',
  cwd: '/',
  cpus: 1,
  memoryBytes: 0,
  timeLimitMs: 0,
  retries: 0,
  retried: 0,
  createdAt: 1_000,
};

export const WORKFLOW: WorkflowView = {
  id: 12,
  owner: '1000',
  count: 1,
  state: 'ready',
  jobs: [{ ...JOB, workflow: { first: 12, count: 1, key: 'sim' } }],
  edges: [],
};

export const QUEUE: QueueReply = {
  now: 1_000,
  jobs: [
    {
      job: JOB,
      lanes: [{ priority: 0, cpus: 1, memoryBytes: 0, timeLimitMs: 0 }],
      groups: [{ state: 'ready', reason: 'Resources', indices: '0-2', count: 3, lane: 0 }],
      tasks: [],
    },
  ],
  missing: [],
};

export const SERVER: ServerView = {
  version: '0.1.0',
  api: 1,
  pid: 1,
  host: 'here',
  storeId: 's1',
  epoch: 1,
  dataDir: '/data',
  startedAt: 1,
  liveJobs: 1,
  writable: true,
  counters: {},
  sessions: [],
};

export const NO_COST: CostReply = {
  total: { ranMs: 0, onDemand: 0, spot: 0, cost: 0, failed: 0 },
  arrays: [],
  pricesOf: '2026-11-01',
};

export function delta(change: Partial<JobDelta> = {}): JobDelta {
  return { id: 12, state: 'running', counts: COUNTS, retried: 0, ...change };
}

export const ALERT: AlertView = {
  id: 3,
  owner: '1000',
  createdAt: 1_000,
  channel: { kind: 'slack', target: 'https://hooks.slack.com/…' },
  events: ['ended'],
  filter: { job: '12' },
  maxPerHour: 60,
  pending: 0,
};

export const DELIVERY: DeliveryView = {
  seq: 9,
  id: 'feedfeedfeed-a3-12-ended-1000',
  alert: 3,
  job: 12,
  owner: '1000',
  event: 'ended',
  channel: ALERT.channel,
  subject: 'spawn: job 12 (sweep) completed: 10 tasks',
  events: 1,
  state: 'delivered',
  attempts: 1,
  createdAt: 1_000,
  triedAt: 2_000,
};
