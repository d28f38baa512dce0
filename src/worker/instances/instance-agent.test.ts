import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { AgentOnScript, runningInstance as running, WAITS } from '../../../test/support/agent-on-script.ts';
import { until } from '../../../test/support/until.ts';
import { SpawnError } from '../../core/errors.ts';
import { encodeOutcome } from '../../core/outcome.ts';

const CANCELLED = encodeOutcome({ kind: 'cancelled' });
const PREEMPTED = encodeOutcome({ kind: 'preempted' });

describe('a task in an instance', () => {
  test('runs through boot, sees where it is, and prints to the place where first starts are looked for', async () => {
    const world = new AgentOnScript({ env: { PARAM_lr: "it's 0.1" }, index: 0 });
    world.start();
    world.job('env | sort >"$OUT/env"; echo said');
    const fence = world.grant();
    world.direct({ size: 5 });
    expect(await world.outcome(fence)).toBe(0);
    const env = new Map(
      world
        .read('env')
        .split('\n')
        .map((line) => line.split(/=(.*)/s, 2) as [string, string]),
    );
    expect(Object.fromEntries(env)).toMatchObject({
      JOB_ARRAY_ID: 'compute-20260101-000001',
      JOB_ARRAY_NAME: 'compute',
      JOB_ARRAY_SIZE: '5',
      JOB_ARRAY_INDEX: '0',
      TASK_ARRAY_INDEX: '0',
      PARAM_lr: "it's 0.1",
      MASTER_ADDR: '127.4.0.10',
      MASTER_PORT: '29500',
      RANK: '0',
      WORLD_SIZE: '5',
      SPAWN_PEERS_FILE: '/etc/spawn/job-array-peers.json',
      SPAWN_HOSTFILE: '/etc/spawn/hostfile',
      SPAWN_INSTANCE_ID: world.box.order.id,
      SPAWN_INSTANCE_NAME: 'compute-0',
      SLURM_ARRAY_TASK_ID: '0',
      SPAWN_CPUS: String(Math.min(world.box.order.type.vcpus, availableParallelism())),
      SPAWN_MEMORY_BYTES: String(world.box.order.type.memoryBytes),
    });
    expect(env.get('PATH')).toMatch(/^\/run\/spawn\/bin:/);
    const login = world.box.files.get('environment')!;
    expect(login).toContain("PARAM_lr='it'\\''s 0.1'\n");
    expect(login).toContain("JOB_ARRAY_SIZE='5'\n");
    expect(login).toContain("SLURM_ARRAY_TASK_ID='0'\n");
    expect(login).not.toContain('SPAWN_FENCE');
    expect(world.read('out')).toBe('said\n');
    expect(world.coordinator.hellos[0]).toMatchObject({ instance: world.box.order.id, bound: {}, worker: 'compute-0' });
  });

  test('is known to a login before its first attempt', async () => {
    const world = new AgentOnScript();
    world.start();
    world.job('true');
    await until('the job', () => world.box.files.get('environment')?.includes('SLURM_JOB_NAME'));
    const login = world.box.files.get('environment')!;
    expect(login).toMatch(/^SLURM_JOB_ID='\d+'$/m);
    expect(login).toContain("SLURM_ARRAY_TASK_ID='0'\n");
    expect(login).not.toContain('SPAWN_ATTEMPT');
  });

  test('finds its user-data, whatever brought it', async () => {
    const world = new AgentOnScript({ userData: 'echo hello' });
    world.start();
    world.job('true');
    await world.outcome(world.grant());
    expect(world.box.files.get('user-data')).toBe('echo hello');
  });

  test('waits for user-data that the coordinator has', async () => {
    const world = new AgentOnScript();
    const hash = world.coordinator.addBlob('#!/bin/sh\necho hello');
    Object.assign(world.box.order, { userData: hash });
    world.start();
    world.job('true');
    await world.outcome(world.grant());
    expect(world.box.files.get('user-data')).toBe('#!/bin/sh\necho hello');
  });
});

describe('what the user wants', () => {
  test('stop: the attempt goes back, the disk is kept, and the session is left', async () => {
    const { world, fence } = await running();
    world.direct({ wanted: 'stopped', reason: 'user' });
    expect(await world.outcome(fence)).toBe(PREEMPTED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report).toMatchObject({ state: 'stopped', reason: 'user', version: 2 });
    expect(world.box.done).toContain('stop');
    expect(world.box.done).not.toContain('terminate');
  });

  test('start after a stop goes on with the TTL that was left', async () => {
    const { world } = await running({ ttlMs: 100_000 }, WAITS, { ttlLeftMs: 100_000 });
    world.pass(30_000);
    world.direct({ wanted: 'stopped', reason: 'user', ttlLeftMs: 70_000 });
    await until('bye', () => world.coordinator.byes.length === 1);
    world.agent!.release();
    await world.done;
    world.clock.jump(500_000);
    world.coordinator.byes.length = 0;
    world.coordinator.forgetSession();
    world.start();
    const report = await world.reported('it runs again', ({ state }) => state === 'running');
    expect(report.ttlLeftMs).toBeGreaterThan(60_000);
    expect(report.ranMs).toBeGreaterThan(29_000);
    expect(report.ranMs).toBeLessThan(60_000);
  });

  test('terminate: the attempt is cancelled, with the reason', async () => {
    const { world, fence } = await running();
    world.direct({ wanted: 'terminated', reason: 'user' });
    expect(await world.outcome(fence)).toBe(CANCELLED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report).toMatchObject({ state: 'terminated', reason: 'user' });
    const states = world.coordinator.exchanges.map(({ instance }) => instance?.state);
    expect(states.indexOf('shutting-down')).toBeLessThan(states.indexOf('terminated'));
    await until('nothing to be left', () => world.agent!.instances.size === 0);
  });

  test('hibernate: everything stands still, time limits too, and goes on', async () => {
    const world = new AgentOnScript();
    world.start();
    world.job(WAITS, { timeLimitMs: 5_000 });
    const fence = world.grant();
    world.direct();
    await world.started(fence);
    world.direct({ wanted: 'hibernated', reason: 'user' });
    await world.reported('hibernated', ({ state }) => state === 'hibernated');
    world.clock.jump(3_600_000);
    world.direct({ wanted: 'running' });
    const report = await world.reported('running', ({ state, version }) => state === 'running' && version === 3);
    expect(report.ranMs).toBeLessThan(60_000);
    // Whoever reads that it has heard of it and still rests takes it for its own decision.
    const heard = world.coordinator.exchanges.filter(({ instance }) => instance?.version === 3);
    expect(new Set(heard.map(({ instance }) => instance?.state))).toEqual(new Set(['running']));
    world.touch('go');
    expect(await world.outcome(fence)).toBe(0);
    expect(world.box.done).toEqual(['freeze', 'thaw']);
  });

  test('hibernate where nothing can be frozen is a stop', async () => {
    const { world, fence } = await running();
    world.box.canFreeze = false;
    world.direct({ wanted: 'hibernated', reason: 'user' });
    expect(await world.outcome(fence)).toBe(PREEMPTED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report?.state).toBe('stopped');
  });

  test('an interruption is announced, prepared for, and takes the attempt back', async () => {
    const { world, fence } = await running({ preStop: 'save' });
    world.direct({ interruptInMs: 120_000 });
    const { warnings } = await world.reported('the warning', (report) => report.warnings !== undefined);
    expect(warnings?.[0]?.kind).toBe('interrupt');
    const notice = JSON.parse(world.box.files.get('interruption.json') ?? '');
    expect(notice).toEqual({ action: 'terminate', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/) });
    await until('the pre-stop command', () => world.box.done.includes('run save'));
    await until('it to be done', () => !world.instance.isActing);
    world.pass(120_000);
    expect(await world.outcome(fence)).toBe(PREEMPTED);
    await until('bye', () => world.coordinator.byes.length === 1);
    expect(world.report).toMatchObject({ state: 'terminated', reason: 'interrupted' });
    expect(world.box.done.filter((what) => what === 'run save')).toHaveLength(1);
  });
});

test('a machine that the coordinator knows nothing of is ended', async () => {
  const world = new AgentOnScript();
  world.coordinator.failure = new SpawnError('INSTANCE_NOT_FOUND', { ref: world.box.order.id, why: 'it has ended' });
  world.start();
  await until('its end', () => world.box.done.includes('terminate'));
  await until('nothing to be left', () => world.agent!.instances.size === 0);
});

test('peers are written once all members run, and anew when they change', async () => {
  const { world } = await running();
  expect(world.box.files.has('job-array-peers.json')).toBe(false);
  const member = (index: number) => ({
    index,
    rank: index,
    id: index === 0 ? world.box.order.id : `i-${index}`,
    name: `compute-${index}`,
    ip: `127.4.0.${10 + index}`,
    privateIp: `127.4.0.${10 + index}`,
    dns: `compute-${index}.acc.spore.host`,
  });
  world.coordinator.peersReply = { version: 1, members: [member(1), member(0)] };
  world.direct({ peers: 1 });
  await until('the peers', () => world.instance.life.peers === 1);
  expect(JSON.parse(world.box.files.get('job-array-peers.json')!)).toEqual(
    [0, 1].map((index) => ({
      index,
      instance_id: member(index).id,
      ip: member(index).ip,
      private_ip: member(index).ip,
      dns: member(index).dns,
    })),
  );
  expect(world.box.files.get('hostfile')).toBe('compute-0.acc.spore.host\ncompute-1.acc.spore.host\n');
  expect(world.box.files.get('hosts')).toContain(
    '127.4.0.11 compute-1.acc.spore.host compute-1 compute.acc.spore.host\n',
  );
  world.coordinator.peersReply = { version: 2, members: [member(0)] };
  world.direct({ peers: 2, size: 1 });
  await until('the next', () => world.instance.life.peers === 2);
  expect(JSON.parse(world.box.files.get('job-array-peers.json')!)).toHaveLength(1);
  await until('the new size', () => world.box.files.get('environment')!.includes("JOB_ARRAY_SIZE='1'"));
});

test('a single instance keeps its hosts file, with what was added to it', async () => {
  const { world } = await running({ standalone: true });
  await until('its own', () => world.box.files.has('hosts'));
  world.box.files.set('hosts', 'of a user');
  const { id, name, address, dns } = world.box.order;
  const own = { index: 0, rank: 0, id, name, ip: address, privateIp: address, dns };
  world.coordinator.peersReply = { version: 1, members: [own] };
  world.direct({ peers: 1 });
  await until('the peers', () => world.instance.life.peers === 1);
  expect(world.box.files.get('hostfile')).toBe(`${dns}\n`);
  expect(world.box.files.get('hosts')).toBe('of a user');
});

test('settings can be read and changed from inside, and outlive the agent', async () => {
  const { world } = await running({ ttlMs: 3_600_000 }, WAITS, { ttlLeftMs: 3_600_000 });
  const ask = (command: 'config-get' | 'config-set', key: string, value?: string) =>
    world.box.inside({ command, key, ...(value === undefined ? {} : { value }) });
  expect(await ask('config-set', 'ttl', '2h')).toEqual({ ok: true, value: '2h' });
  expect(await ask('config-set', 'idle-timeout', '30m')).toEqual({ ok: true, value: '30m' });
  expect(await ask('config-set', 'on-complete', 'explode')).toMatchObject({ ok: false });
  expect(await ask('config-get', 'nothing')).toMatchObject({ ok: false });
  expect(await world.box.inside({ command: 'config-list' })).toMatchObject({
    values: { 'on-complete': 'none', 'idle-cpu': '5' },
  });
  await world.crash();
  world.start();
  await world.up();
  expect(await ask('config-get', 'idle-timeout')).toEqual({ ok: true, value: '30m' });
  expect(await world.box.inside({ command: 'status' })).toMatchObject({
    ok: true,
    status: { state: 'running', ttl: { configured: true, mode: 'running' }, idle: { timeout_seconds: 1_800 } },
  });
});
