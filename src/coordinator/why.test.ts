import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { Blocker, WhyReply } from '../api/insight.ts';
import { encodeOutcome } from '../core/outcome.ts';

const SECOND = 1_000;

let at: LedgerAtHand;
let worker: WorkerAtHand;
const told = new Set<string>();

beforeEach(async () => {
  at = await LedgerAtHand.open();
  worker = await WorkerAtHand.join(at);
});

async function why(ref: string | number) {
  const reply = WhyReply.parse(await at.coordinator.why(CALLER, String(ref)));
  for (const { rule } of reply.blockers) told.add(rule);
  return reply;
}

/** `rule tasks [until]: text`, one a line; until in seconds from now. */
async function lines(ref: string | number): Promise<string[]> {
  const { blockers } = await why(ref);
  return blockers.map(({ rule, tasks, text, untilAt }) => {
    const until = untilAt === undefined ? '' : ` [${(untilAt - at.clock.now()) / SECOND}s]`;
    return `${rule} ${tasks}${until}: ${text}`;
  });
}

const holders = async (ref: string | number) =>
  (await why(ref)).blockers.flatMap((blocker) => blocker.holders.map(({ kind, id, text }) => `${kind} ${id}: ${text}`));

/** Tasks of the job take two seconds, as is known from one that ended. */
async function withMean(job: number, position: number): Promise<void> {
  const fence = worker.fenceOf(job, position);
  worker.held.delete(fence);
  await worker.say({ ends: { runs: [[fence, 1]], wallUs: [2_000_000] } });
  await at.ledger.idle();
}

describe('what has ended or runs', () => {
  test('says so', async () => {
    const id = await at.submit({ array: '0-3' });
    await worker.start(id, 0, 1);
    await withMean(id, 0);
    at.clock.pass(500);
    expect(await lines(`${id}_0`)).toEqual([`ended 1: ${id}_0 has ended: completed (exit 0)`]);
    expect(await lines(`${id}_1`)).toEqual([
      `running 1 [1.5s]: ${id}_1 runs on worker w since 500ms; tasks of job ${id} take about 2.0s`,
    ]);
    expect(await lines(`${id}_2`)).toEqual([
      `running 1: ${id}_2 is with worker w, and starts there as soon as a task before it ends; tasks of job ${id} take about 2.0s`,
    ]);
    expect((await why(`${id}_0`)).task).toMatchObject({ id: `${id}_0`, state: 'completed', wallMs: 2_000 });
    await at.coordinator.suspend(CALLER, `${id}_1`, {});
    at.clock.pass(2_000);
    expect(await lines(`${id}_1`)).toEqual([`suspended 1: ${id}_1 is suspended on worker w since 2.0s, until resumed`]);
    await at.coordinator.cancel(CALLER, `${id}_1`, {});
    expect(await lines(`${id}_1`)).toEqual([`cancelling 1: ${id}_1 is being cancelled: worker w was told to stop it`]);
    expect((await lines(id)).at(-1)).toBe(`running 2: 2 tasks of job ${id} run`);
    await worker.end(id, [1], encodeOutcome({ kind: 'signalled', signal: 15 }));
    await at.coordinator.cancel(CALLER, `${id}_3`, {});
    await worker.end(id, [3], encodeOutcome({ kind: 'cancelled' }));
    expect(await lines(`${id}_3`)).toEqual([`ended 1: ${id}_3 has ended: cancelled (cancelled by a user)`]);
    await worker.end(id, [2], 1);
    expect(await lines(`${id}_2`)).toEqual([`ended 1: ${id}_2 has ended: failed (exit 1)`]);
    expect(await lines(id)).toEqual([`ended 4: job ${id} has ended: failed, exit code 1`]);
    at.evictAll();
    expect(await lines(id)).toEqual([`ended 4: job ${id} has ended: failed, exit code 1`]);
  });
});

test('what was killed for its memory says how much it had', async () => {
  const id = await at.submit({ array: '0-0', memoryBytes: 2 ** 20 });
  await worker.start(id, 0);
  await worker.end(id, [0], encodeOutcome({ kind: 'outOfMemory' }));
  expect(await lines(`${id}_0`)).toEqual([`ended 1: ${id}_0 has ended: failed (out of memory: it may use 1M)`]);
});

test('a job that was cancelled tells by what, also from the store', async () => {
  const id = await at.submit({ array: '0-3', hold: true });
  await at.coordinator.cancel(CALLER, String(id), {});
  for (const evict of [() => {}, () => at.evictAll()]) {
    evict();
    expect(await lines(id)).toEqual([`ended 4: job ${id} has ended: cancelled (cancelled by a user), exit code 1`]);
  }
});

test('who has a task is not who had it before', async () => {
  const id = await at.submit({ array: '0-1', retries: 1 });
  await worker.start(id, 0, 1);
  await WorkerAtHand.join(at, { worker: 'larger', resources: { cpus: 8, memoryBytes: 2 ** 30 } });
  await worker.end(id, [0], encodeOutcome({ kind: 'exited', code: 1 }));
  expect(await holders(`${id}_0`)).toEqual([`worker larger: has ${id}_0`]);
  expect(await holders(`${id}_1`)).toEqual([`worker w: has ${id}_1`]);
});

describe('dependencies', () => {
  test('of a whole job tell how many are left, and for how long', async () => {
    const first = await at.submit({ array: '0-9', name: 'first' });
    const then = await at.submit({ array: '0-4', after: `afterok:${first}` });
    await worker.start(first, 0, 1);
    expect(await lines(then)).toEqual([
      `dependency 5: 5 tasks wait for job ${first} to end (afterok:${first}): 10 of 10 tasks have not ended, 2 run`,
    ]);
    at.clock.pass(20 * SECOND);
    const fence = worker.fenceOf(first, 0);
    worker.held.delete(fence);
    await worker.say({ ends: { runs: [[fence, 1]], wallUs: [20_000_000] } });
    await at.ledger.idle();
    expect(await lines(`${then}_3`)).toEqual([
      `dependency 1 [90s]: ${then}_3 waits for job ${first} to end (afterok:${first}): 9 of 10 tasks have not ended, 2 run`,
    ]);
    expect(await holders(then)).toEqual([`job ${first}: first, running`]);
  });

  test('of a partner tell what it does', async () => {
    const first = await at.submit({ array: '0-4', throttle: 1 });
    const then = await at.submit({ array: '0-4', after: `aftercorr:${first}` });
    expect(await lines(then)).toEqual([
      `dependency 5: 5 tasks wait each for its partner in job ${first} (aftercorr:${first}): 5 of 5 tasks have not ended, 1 run`,
    ]);
    await withMean(first, 0);
    await worker.start(first, 1);
    at.clock.pass(SECOND);
    expect(await lines(`${then}_1`)).toEqual([
      `dependency 1 [1s]: ${then}_1 waits for ${first}_1 (aftercorr), which runs since 1.0s; tasks of job ${first} take about 2.0s`,
    ]);
    expect(await lines(`${then}_4`)).toEqual([
      `dependency 1: ${then}_4 waits for ${first}_4 (aftercorr), which is ready; tasks of job ${first} take about 2.0s`,
    ]);
    expect(await holders(`${then}_1`)).toEqual([`task ${first}_1: running`]);
  });

  test('of single tasks, of any of several, with a delay, and those that can never be', async () => {
    const first = await at.submit({ array: '0-3', hold: true, name: 'f' });
    const some = await at.submit({ after: `afterok:${first}_[1-2]` });
    const any = await at.submit({ after: `afterok:${first}?afternotok:${first}` });
    const later = await at.submit({ after: `after:${first}_3+5` });
    expect(await lines(some)).toEqual([
      `dependency 1: 1 task waits for tasks of job ${first} (afterok:${first}_[1-2]): 2 of 2 have not ended`,
    ]);
    expect((await lines(any))[1]).toBe(
      `dependency 1: 1 task waits for job ${first} to end (afternotok:${first}): 4 of 4 tasks have not ended, it is held; any one of its dependencies is enough`,
    );
    expect(await lines(later)).toEqual([
      `dependency 1: 1 task waits for tasks of job ${first} (after:${first}_3+5): 1 of 1 have not started`,
    ]);
    expect(await holders(some)).toEqual([`task ${first}_1: ready`, `task ${first}_2: ready`]);
    const never = await at.submit({ after: `afterok:${first}`, invalidDependency: 'wait' });
    await at.coordinator.cancel(CALLER, `${first}_3`, {});
    const due = new Date(at.clock.now() + 300_000).toISOString();
    expect(await lines(later)).toEqual([
      `dependency 1 [300s]: 1 task waits until ${due}, 5m00s after the start of job ${first} (after:${first}_3+5)`,
    ]);
    await at.coordinator.cancel(CALLER, String(first), {});
    expect(await lines(never)).toEqual([
      `dependency 1: 1 task can never run: afterok:${first} cannot be satisfied any more. Cancel, or give another dependency by update`,
    ]);
    expect(await holders(never)).toEqual([`job ${first}: f, cancelled`]);
    expect(await lines(some)).toEqual([
      `ended 1: job ${some} has ended: skipped (dependency never satisfied), exit code 1`,
    ]);
    expect(await lines(`${some}_0`)).toEqual([`ended 1: ${some}_0 has ended: skipped (dependency never satisfied)`]);
  });

  test('of one name at a time tell who has it', async () => {
    const ids: number[] = [];
    for (let n = 0; n < 3; n++) ids.push(await at.submit({ name: 'nightly', after: 'singleton' }));
    expect(await lines(ids[1]!)).toEqual([
      `dependency 1: 1 task waits for job ${ids[0]}, which has the same name and owner, to end (singleton)`,
    ]);
    expect((await lines(ids[2]!))[0]).toMatch(/\(singleton\); 2 jobs of that name are before it$/);
  });
});

describe('times, holds and canaries', () => {
  test('a hold, of a job or of a task', async () => {
    const whole = await at.submit({ array: '0-2', hold: true });
    expect(await lines(whole)).toEqual([
      `hold 3: 3 tasks of job ${whole} are held, because job ${whole} as a whole is, until released`,
    ]);
    const some = await at.submit({ array: '0-2', cpus: 2, hold: true });
    await at.coordinator.hold(CALLER, `${some}_1`, {});
    expect((await lines(`${some}_1`))[0]).toMatch(/^hold 1: /);
    const single = await at.submit({ array: '0-4', cpus: 2 });
    await at.coordinator.hold(CALLER, `${single}_3`, {});
    expect(await lines(`${single}_3`)).toEqual([`hold 1: ${single}_3 is held by a user, until released`]);
    expect((await lines(single))[0]).toBe(`hold 1: 1 task of job ${single} is held by a user, until released`);
  });

  test('a begin time', async () => {
    const id = await at.submit({ array: '0-2', beginInMs: 60 * SECOND });
    const begins = new Date(at.clock.now() + 60_000).toISOString();
    expect(await lines(id)).toEqual([`begin 3 [60s]: 3 tasks of job ${id} may not start before ${begins}`]);
    expect(await lines(`${id}_1`)).toEqual([`begin 1 [60s]: ${id}_1 may not start before ${begins}`]);
  });

  test('a retry delay', async () => {
    const id = await at.submit({ retries: 1, retryDelayMs: 30 * SECOND });
    await worker.end(id, [0], 1);
    at.clock.nowMs += 10 * SECOND;
    expect(await lines(`${id}_0`)).toEqual([
      `retryDelay 1 [20s]: ${id}_0, which failed and is tried again, waits for its retry delay: 20.0s more`,
    ]);
    expect(await lines(id)).toEqual([
      `retryDelay 1 [20s]: 1 task of job ${id}, which failed and is tried again, waits for its retry delay: 20.0s more`,
    ]);
  });

  test('a canary', async () => {
    const id = await at.submit({ array: '0-99', canary: 2 });
    const first = [...worker.held.values()].map(({ position }) => position);
    const other = first.includes(7) ? 8 : 7;
    expect(await lines(`${id}_${other}`)).toEqual([
      `canary 1: ${id}_${other} waits for the canary: 2 of 2 tasks that run first have not ended`,
    ]);
    expect((await lines(id))[0]).toMatch(/^canary 98: 98 tasks of job \d+ wait for the canary/);
    expect(await holders(`${id}_${other}`)).toEqual(first.map((position) => `task ${id}_${position}: leased`));
  });
});

describe('places', () => {
  test('the throttle', async () => {
    const id = await at.submit({ array: '0-9', throttle: 1 });
    await withMean(id, 0);
    await worker.start(id, 1);
    expect(await lines(`${id}_5`)).toEqual([
      `throttle 1 [2s]: ${id}_5 waits because job ${id} has as many tasks at once as its throttle of 1 allows`,
    ]);
    expect((await lines(id))[0]).toMatch(/^throttle 8 \[2s\]: 8 tasks of job \d+ wait because/);
    expect(await holders(`${id}_5`)).toEqual([`task ${id}_1: has one of the places`]);
  });

  test('resources, with what is free and who has it', async () => {
    const busy = await at.submit({ array: '0-3', name: 'busy' });
    await withMean(busy, 0);
    await worker.start(busy, 1);
    const id = await at.submit({ cpus: 2, name: 'wide' });
    const [resources] = (await lines(id)).slice(-1);
    expect(resources).toBe(
      `resources 1 [2s]: 1 task of job ${id} waits: no worker that could run it has enough free CPUs; what is there is held by job ${busy} (2 slots)`,
    );
    expect(await holders(`${id}_0`)).toContain(`worker w: 0 of 2 CPUs, 1.0G of 1.0G of memory free; 1 task running`);
    expect(await holders(`${id}_0`)).toContain(`job ${busy}: 2 slots there`);
  });

  test('others before it, by priority or turn', async () => {
    const running = await at.submit({ array: '0-99', name: 'run' });
    const urgent = await at.submit({ array: '0-9', priority: 5, name: 'urgent' });
    const sooner = await at.submit({ array: '0-2', name: 'sooner' });
    expect((await lines(running)).slice(0, 2)).toEqual([
      `priority 98: 98 tasks of job ${running}: 10 tasks of 1 job with a higher priority than 0 come first`,
      `turn 98: 98 tasks of job ${running}: 3 tasks of 1 job have their turn first: their jobs or owners have fewer slots`,
    ]);
    expect((await holders(running)).slice(0, 2)).toEqual([
      `job ${urgent}: urgent of 1000, priority 5: 10 tasks ready`,
      `job ${sooner}: sooner of 1000, priority 0: 3 tasks ready`,
    ]);
  });

  test('no worker, or none that is large enough', async () => {
    const id = await at.submit({ cpus: 64 });
    expect(await lines(id)).toEqual([
      `neverFits 1: 1 task of job ${id} waits: no connected worker has 64 CPUs (the largest has 2); it waits until one connects`,
    ]);
    worker.disconnect();
    expect(await lines(`${id}_0`)).toEqual([`noWorker 1: ${id}_0 waits because no worker is connected`]);
  });

  test('a full disk', async () => {
    const id = await at.submit({ array: '0-2', hold: true });
    at.ledger.writable = false;
    expect((await lines(id))[0]).toBe(
      'storeFull 3: nothing is started while the disk of the coordinator is full; it goes on by itself when there is space',
    );
  });
});

test('of several tasks, of what is not there', async () => {
  const id = await at.submit({ array: '0-3' });
  await expect(why(`${id}_[1-2]`)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  await expect(why(`${id}_9`)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  await expect(why(99)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});

test('every rule was told above', () => {
  // In bound.test.ts, where there are instances.
  told.add('instance');
  expect(Blocker.shape.rule.options.filter((rule) => !told.has(rule))).toEqual([]);
});
