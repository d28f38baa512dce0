import type { InstanceVerbReply, InstanceView } from '../../src/api/instance.ts';
import type { BudgetView, CostLine, CostReply } from '../../src/api/instance-money.ts';

import type { RunOptions } from './cli-world.ts';

type Member = InstanceVerbReply['members'][number];

/** Id of the instance of an index, for people to recognise. */
export function anInstanceId(index: number): string {
  return `i-0${index.toString(16).padStart(16, '0')}`;
}

/** A member of the array `compute` that runs, but for what is given. */
export function anInstance(index: number, part: Partial<InstanceView> = {}): InstanceView {
  return {
    id: anInstanceId(index),
    name: `compute-${index}`,
    state: 'running',
    type: 'm7i.large',
    region: 'local',
    zone: 'local-a',
    publicIp: `127.4.0.${10 + index}`,
    privateIp: `127.4.0.${10 + index}`,
    dns: `compute-${index}.5k0zfnmq.spore.host`,
    spot: false,
    jobId: 12,
    arrayId: 'compute-20260113-abc123',
    arrayName: 'compute',
    index,
    rank: index,
    arraySize: 8,
    standalone: false,
    owner: '1000',
    task: 'running',
    createdAt: 1_000_000,
    launchedAt: 1_001_000,
    ttlMs: 14_400_000,
    ttlLeftMs: 7_200_000,
    idleTimeoutMs: 0,
    ranMs: 7_200_000,
    rate: 0.1008,
    cost: 0.2016,
    tags: { 'spawn:job-array-id': 'compute-20260113-abc123', team: 'physics' },
    generation: 1,
    ...part,
  };
}

/** What a verb tells of a member that it stopped, but for what is given. */
export function aMember(index: number, part: Partial<Member> = {}): Member {
  return {
    id: anInstanceId(index),
    name: `compute-${index}`,
    state: 'stopped',
    changed: true,
    acknowledged: true,
    ttlLeftMs: 7_200_000,
    ...part,
  };
}

export function aCostLine(part: Partial<CostLine> = {}): CostLine {
  return { ranMs: 7_200_000, onDemand: 0.2016, spot: 0.0806, cost: 0.2016, failed: 0, ...part };
}

export function aCost(part: Partial<CostReply> = {}): CostReply {
  const members = [0, 1].map((index) => ({
    ...aCostLine(),
    id: anInstanceId(index),
    name: `compute-${index}`,
    index,
    generation: 1,
    state: 'running' as const,
  }));
  const line = aCostLine({ ranMs: 14_400_000, onDemand: 0.4032, spot: 0.1613, cost: 0.4032 });
  const array = {
    ...line,
    jobId: 12,
    arrayId: 'compute-20260113-abc123',
    name: 'compute',
    standalone: false,
    instances: 2,
    running: 2,
    rate: 0.2016,
    forecast: 0.8064,
    members,
  };
  return { total: line, arrays: [array], pricesOf: '2026-06-17', ...part };
}

export function aBudget(part: Partial<BudgetView> = {}): BudgetView {
  return { owner: '1000', amount: 50, period: 'month', spent: 12.3, rate: 0.5, setAt: 0, ...part };
}

/** A coordinator that has these instances and answers a verb with these members. */
export function having(
  instances: readonly InstanceView[],
  members: readonly Member[],
): NonNullable<RunOptions['client']> {
  return { instances: async () => ({ instances }), instanceVerb: async () => ({ members }) };
}
