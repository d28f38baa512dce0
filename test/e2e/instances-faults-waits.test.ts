import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../src/client/node/process-identity.ts';
import { FaultyInstances, soon } from '../support/instance-faults.ts';

const LONG = { timeout: 400_000 };

/** With a coordinator of their own each, for it is killed, and because they wait for time to pass: all at once. */
async function withOwn(work: (own: FaultyInstances) => Promise<void>, uid?: number): Promise<void> {
  const own = new FaultyInstances(uid);
  try {
    await own.isUp();
    await work(own);
  } finally {
    await own.close();
  }
}

/** Kills server and keeper, and then the agent: nobody is left but the machines themselves. */
async function leaveAlone(own: FaultyInstances): Promise<void> {
  const agent = await own.agent();
  await own.killCoordinator();
  process.kill(agent.pid, 'SIGKILL');
  await soon('the death of the agent', () => !isAlive(agent));
}

/** How it ends. */
function halfARequest(path: string): Promise<string> {
  const client = connect(path, () => client.write(Buffer.from([0x53])));
  return new Promise((resolve, reject) => {
    let answer = 'closed';
    client.once('error', reject);
    client.once('data', () => {
      answer = 'refused';
      client.end();
    });
    client.once('close', () => resolve(answer));
  });
}

describe.concurrent('what takes its time', () => {
  test('an agent that stands still for longer than a lease keeps its session', LONG, () =>
    withOwn(async (own) => {
      const [row] = await own.launchWaiters('frozen', 1);
      const agent = await own.agent();
      process.kill(agent.pid, 'SIGSTOP');
      const at = performance.now();
      try {
        // Nobody but the machine itself is there to see that, and who says half of a request has ten seconds for the rest.
        expect(await halfARequest(join(own.directory(row!.instance_id), 'run/exec.sock'))).toBe('refused');
        await soon('more than a lease', () => performance.now() - at > 40_000);
      } finally {
        process.kill(agent.pid, 'SIGCONT');
      }
      own.letGo('frozen');
      expect((await own.endedTasks('frozen'))[0]).toMatchObject({ state: 'completed', attempt: 1 });
      expect((await own.agent()).pid).toBe(agent.pid);
      expect(own.lines('begun-frozen')).toEqual(['0 1']);
      expect(await own.member('frozen', 0)).toMatchObject({ instance_id: row!.instance_id, state: 'running' });
    }),
  );

  test('an agent that stands still for ever: TTL and terminate hold, and it is replaced', LONG, () =>
    withOwn(async (own) => {
      await own.launchWaiters('still', 2);
      await own.launchWaiters('brief', 1, '--ttl', '30s');
      const agent = await own.agent();
      process.kill(agent.pid, 'SIGSTOP');
      const asked = own.run(['terminate', 'still-1', '-y']);
      await own.reached('brief', 'terminated', 1);
      expect((await own.members('brief'))[0]).toMatchObject({ reason: 'ttl' });
      await own.reached('still', 'terminated', 1);
      expect([0, 75]).toContain((await asked).code);
      await own.agent(agent);
      expect(isAlive(agent)).toBe(false);
      expect(own.serverSaid('gave no sign of life')).toHaveLength(1);
      own.letGo('still');
      const tasks = await own.endedTasks('still');
      expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual([
        ['completed', 1],
        ['cancelled', 1],
      ]);
      expect(own.lines('begun-still').toSorted()).toEqual(['0 1', '1 1']);
    }),
  );

  test('a TTL holds over the death of its agent, to the second', LONG, () =>
    withOwn(async (own) => {
      const noting = 'trap "date +%s >end; exit" TERM; date +%s >start; while :; do sleep 0.1; done';
      await own.ok('launch', 'brief', '--ttl', '12s', '--command', noting);
      await soon('its start', () => own.lines('start')[0]);
      await own.agent(await own.killAgent());
      const rows = await own.reaches('brief', 'it ends', ([row]) => row?.state === 'terminated');
      expect(rows[0]).toMatchObject({ reason: 'ttl' });
      expect((await own.endedTasks('brief'))[0]).toMatchObject({
        state: 'cancelled',
        reason: expect.stringContaining('TTL'),
        attempt: 1,
      });
      const lived = Number(own.lines('end')[0]) - Number(own.lines('start')[0]);
      // Its time begins with its machine, which was a moment before the task; the last resort of the sandbox comes 3 s later.
      expect(lived).toBeGreaterThanOrEqual(5);
      expect(lived).toBeLessThanOrEqual(16);
    }),
  );

  test.each([
    ['root', undefined],
    ['an ordinary user', 65534],
  ] as const)('of %s a TTL holds without coordinator, keeper and agent, which find out later', LONG, (_, uid) =>
    withOwn(async (own) => {
      // Deaf to TERM, so the end takes all of its grace.
      const deaf = 'trap "" TERM; touch up-$JOB_ARRAY_INDEX; while :; do sleep 0.2; done';
      await own.ok('launch', '--count', '2', '--job-array-name', 'alone', '--ttl', '15s', '--command', deaf);
      const rows = await own.reached('alone', 'running', 2);
      const ids = rows.map(({ instance_id: id }) => id);
      await soon('the start of the tasks', () => [0, 1].every((index) => existsSync(join(own.folder, `up-${index}`))));
      const atMs = performance.now();
      await leaveAlone(own);
      expect(own.inside(ids).length).toBeGreaterThanOrEqual(6);
      expect(performance.now() - atMs, 'this machine is too slow for this test').toBeLessThan(10_000);
      await soon('the end of every process', () => own.inside(ids).length === 0);
      // The TTL, the margin of the last resort (3 s), its grace (10 s) and some for a machine that is busy.
      expect(performance.now() - atMs).toBeLessThan(15_000 + 3_000 + 10_000 + 15_000);
      const found = await own.reached('alone', 'terminated', 2);
      expect(found.map(({ reason }) => reason)).toEqual(['ttl', 'ttl']);
      const tasks = await own.endedTasks('alone');
      expect(tasks.map(({ state, reason, attempt }) => [state, reason, attempt])).toEqual(
        Array(2).fill(['cancelled', 'its instance ended: TTL reached', 1]),
      );
    }, uid),
  );

  test.each(['cost-limit', 'budget'] as const)('a %s holds with the coordinator away', LONG, (by) =>
    withOwn(async (own) => {
      const rate = 1.428;
      const limit = ((30 * rate) / 3_600).toFixed(6);
      if (by === 'budget') await own.ok('budget', 'set', limit, '--period', 'total');
      const options = ['--instance-type', 'c7i.8xlarge', ...(by === 'budget' ? [] : ['--cost-limit', limit])];
      // Deaf: what an end takes is charged, and must be paid for too.
      const deaf = 'trap "" TERM; while :; do sleep 0.1; done';
      await own.ok('launch', '--count', '2', '--job-array-name', 'dear', '--command', deaf, ...options);
      const ids = (await own.reached('dear', 'running', 2)).map(({ instance_id: id }) => id);
      await own.killCoordinator();
      await soon('the end of both', () => own.inside(ids).length === 0);
      const rows = await own.reached('dear', 'terminated', 2);
      expect(rows.map(({ reason }) => reason)).toEqual([by, by]);
      const spent = rows.reduce((sum, { cost }) => sum + cost, 0);
      expect(rows[0]!.rate).toBeCloseTo(rate, 3);
      // One tick, a second, of what ran.
      expect(spent).toBeLessThanOrEqual(Number(limit) + (2 * rate) / 3_600);
      expect(spent).toBeGreaterThan(0);
      expect((await own.endedTasks('dear')).map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    }),
  );

  test('a cost limit holds without coordinator and agent: the machine itself has it', LONG, () =>
    withOwn(async (own) => {
      const limit = ((40 * 1.428) / 3_600).toFixed(6);
      const noting = 'trap "date +%s >end; exit" TERM; date +%s >start; while :; do sleep 0.1; done';
      const options = ['--instance-type', 'c7i.8xlarge', '--cost-limit', limit, '--command', noting];
      await own.ok('launch', 'dear', ...options);
      await soon('its start', () => own.lines('start')[0]);
      await leaveAlone(own);
      await soon('its end', () => own.lines('end')[0]);
      expect(Number(own.lines('end')[0]) - Number(own.lines('start')[0])).toBeLessThanOrEqual(41);
      expect((await own.reached('dear', 'terminated', 1))[0]).toMatchObject({ reason: 'cost-limit' });
    }),
  );
});
