import type { MachineOrder } from '../../src/api/instance-session.ts';

/** The order of one instance of an array of two, without a lifetime, but for what is given. */
export function anOrder(changes: Partial<MachineOrder> = {}): MachineOrder {
  const { arrayName = 'compute', index = 0, dnsSuffix = 'abc.spore.host' } = changes;
  const name = `${arrayName}-${index}`;
  return {
    id: 'i-0000000000000001',
    name,
    jobId: 1,
    arrayId: `${arrayName}-20260101-000001`,
    arrayName,
    index,
    rank: index,
    size: 2,
    standalone: false,
    type: { name: 't3.micro', vcpus: 2, memoryBytes: 2 ** 30, gpus: 0 },
    region: 'local',
    zone: 'local-a',
    address: '127.4.0.10',
    dns: `${name}.${dnsSuffix}`,
    groupDns: `${arrayName}.${dnsSuffix}`,
    dnsSuffix,
    spot: false,
    rate: 0.1,
    tags: {},
    env: {},
    master: { address: '127.4.0.10', port: 29_500 },
    cwd: '/',
    ttlMode: 'running',
    ttlMs: 0,
    idleTimeoutMs: 0,
    idleCpuPercent: 5,
    onIdle: 'stop',
    onComplete: 'none',
    preStopTimeoutMs: 10_000,
    launchedAt: 0,
    ...changes,
  };
}
