import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceView } from '../../src/api/instance.ts';
import type { SubmitRequestInput } from '../../src/api/job.ts';
import { aDelta, aJob, deltas, type RunOptions, runCli, someCounts } from './cli-world.ts';

let folder = '';

/** A directory with a script and a sweep, until `remove`. */
export function launchFolder(): { readonly path: string; remove(): void } {
  folder = mkdtempSync(join(tmpdir(), 'spawn-launch-'));
  writeFileSync(join(folder, 'process.sh'), '#!/bin/bash\nspored complete --status success\n');
  writeFileSync(join(folder, 'grid.yaml'), 'defaults: {ttl: 2h, epochs: 5}\ngrid: {lr: [1e-3, 0.10], seed: [1, 2]}\n');
  const path = folder;
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

export const NAME = 'compute';
export const ID = 'compute-20261121-ab12cd';

/** A member of the array that runs, but for what is given. */
export function member(index: number, part: Partial<InstanceView> = {}): InstanceView {
  return {
    id: `i-${String(index).padStart(17, '0')}`,
    name: `${NAME}-${index}`,
    state: 'running',
    type: 'm7i.large',
    region: 'local',
    zone: 'local-a',
    publicIp: `127.4.0.${index + 10}`,
    spot: false,
    jobId: 12,
    arrayId: ID,
    arrayName: NAME,
    index,
    rank: index,
    arraySize: 8,
    standalone: false,
    owner: 'ada',
    task: 'running',
    createdAt: 0,
    ttlMs: 0,
    idleTimeoutMs: 0,
    ranMs: 0,
    rate: 0.1,
    cost: 0,
    tags: {},
    generation: 1,
    ...part,
  };
}

export const members = (size: number, of: (index: number) => Partial<InstanceView> = () => ({})) =>
  Array.from({ length: size }, (_, index) => member(index, of(index)));

export interface LaunchOptions extends RunOptions {
  readonly size?: number;
  readonly instances?: readonly InstanceView[];
}

/** Runs `spawn launch` with a coordinator that takes it and brings it up, in the directory that `launchFolder` made. */
export async function launch(words: readonly string[], options: LaunchOptions = {}) {
  const size = options.size ?? 8;
  const job = aJob({ name: NAME, arrayId: ID, size });
  const running = aDelta({ ...job, counts: someCounts({ running: size }) });
  const ran = await runCli(['launch', ...words], {
    ...options,
    world: { cwd: folder, env: { HOME: folder, SPAWN_SERVER: 'http://127.0.0.1:1' }, ...options.world },
    client: {
      putBlob: async () => ({ hash: 'd'.repeat(64) }),
      submit: async ({ dryRun }: SubmitRequestInput) => ({ job, replayed: false, dryRun: dryRun ?? false }),
      watch: deltas(aDelta({ ...job, counts: someCounts({ ready: size }) }), running),
      instances: async () => ({ instances: options.instances ?? members(size) }),
      tasks: async () => ({ tasks: [] }),
      ...options.client,
    },
  });
  const request = ran.calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined;
  return { ...ran, spec: request?.spec, request };
}

export const array = ['--count', '8', '--job-array-name', NAME, '--instance-type', 'm7i.large', '--ttl', '4h'];
