import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../src/client/node/process-identity.ts';
import { FaultyInstances, groupNameOf, nameOf, soon } from '../support/instance-faults.ts';
import { hasProgram, requireOr } from '../support/require.ts';

const LONG = { timeout: 300_000 };
const users = [
  ['root', undefined],
  ['an ordinary user', 65534],
] as const;

/** Whatever dies, instances go on or end in a named way, and no attempt runs twice. Each user has one coordinator for all tests. */
describe.each(users)('what dies under the instances of %s', (_, uid) => {
  let own: FaultyInstances;

  beforeAll(() => {
    own = new FaultyInstances(uid);
    return own.isUp();
  });
  afterAll(() => own.close(), 300_000);

  const once = (count: number, attempt = 1) => Array.from({ length: count }, (_, index) => `${index} ${attempt}`);

  test('the agent while tasks run: another one takes them over, and nothing runs twice', LONG, async () => {
    const before = await own.launchWaiters('agent', 3);
    const inits = before.map(({ instance_id: id }) => own.init(id)?.pid);
    const first = await own.killAgent();
    await own.agent(first);
    await soon('three taken over', () => own.agentSaid(/agent-\d.*taken over/).length >= 3);
    own.letGo('agent');
    const tasks = await own.endedTasks('agent');
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(3).fill(['completed', 1]));
    expect(own.lines('begun-agent').toSorted()).toEqual(once(3));
    expect(own.lines('done-agent').toSorted()).toEqual(once(3));
    const after = await own.members('agent');
    expect(after.map(({ instance_id: id }) => own.init(id)?.pid)).toEqual(inits);
    expect(after.every(({ state, generation }) => state === 'running' && generation === 1)).toBe(true);
    await own.ok('terminate', '--job-array-name', 'agent', '-y');
  });

  test('the agent while a task ends: how it ended is not lost', LONG, async () => {
    await own.launchWaiters('ending', 2);
    const agent = await own.agent();
    // Frozen it takes in nothing of what happens; then it is killed.
    process.kill(agent.pid, 'SIGSTOP');
    own.letGo('ending');
    await soon('the end of the tasks', () => own.lines('done-ending').length === 2);
    process.kill(agent.pid, 'SIGKILL');
    const tasks = await own.endedTasks('ending');
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(2).fill(['completed', 1]));
    expect(own.lines('begun-ending')).toHaveLength(2);
    await own.ok('terminate', '--job-array-name', 'ending', '-y');
  });

  test('the first process of a sandbox: its member is lost, its task failed', LONG, async () => {
    const [gone, stays] = await own.launchWaiters('lost', 2);
    process.kill(own.init(gone!.instance_id)!.pid, 'SIGKILL');
    const rows = await own.reaches('lost', 'one is terminated', (all) => all[0]!.state === 'terminated');
    expect(rows.map(({ state, reason }) => [state, reason])).toEqual([
      ['terminated', 'lost'],
      ['running', null],
    ]);
    await soon('its directory to go', () => !existsSync(own.directory(gone!.instance_id)));
    expect(own.init(stays!.instance_id)).toBeDefined();
    own.letGo('lost');
    const tasks = await own.endedTasks('lost');
    expect(tasks.map(({ state, reason, attempt }) => [state, reason, attempt])).toEqual([
      ['failed', 'its instance was lost', 1],
      ['completed', null, 1],
    ]);
    expect(await own.ok('why', 'lost-0')).toMatch(/lost/);
    await own.ok('terminate', '--job-array-name', 'lost', '-y');
  });

  test('the forker of a sandbox: the same', LONG, async () => {
    const [gone] = await own.launchWaiters('forker', 2);
    process.kill(own.forkerOf(own.init(gone!.instance_id)!).pid, 'SIGKILL');
    const rows = await own.reaches('forker', 'one is terminated', (all) => all[0]!.state === 'terminated');
    expect(rows[0]).toMatchObject({ reason: 'lost', message: 'the forker was killed by signal 9' });
    own.letGo('forker');
    const tasks = await own.endedTasks('forker');
    expect(tasks.map(({ state, reason }) => [state, reason])).toEqual([
      ['failed', 'its instance was lost'],
      ['completed', null],
    ]);
    await own.ok('terminate', '--job-array-name', 'forker', '-y');
  });

  requireOr('dig', hasProgram('dig'))(
    'a member with a replacement: the same name, index and DNS on another machine, known to all',
    LONG,
    async () => {
      const [first, other] = await own.launchWaiters('again', 2, '--replacements', '1');
      const name = nameOf(first!);
      expect(own.dig(name)).toEqual([first!.private_ip]);
      expect(own.dig(groupNameOf(first!), '+tcp')).toEqual([first!.private_ip, other!.private_ip].toSorted());
      process.kill(own.init(first!.instance_id)!.pid, 'SIGKILL');
      await own.begun('again', 3);
      const second = await soon('another machine that runs', async () => {
        const found = await own.member('again', 0, 2);
        return found?.state === 'running' ? found : undefined;
      });
      expect(second).toMatchObject({ name: 'again-0', job_array_index: 0 });
      expect(second.instance_id).not.toBe(first!.instance_id);
      expect(own.lines('begun-again').toSorted()).toEqual(['0 1', '0 2', '1 1']);
      await soon('DNS to follow', () => own.dig(name).join() === second.private_ip);
      await soon('the name of all to follow', () => {
        const expected = [second.private_ip, other!.private_ip].toSorted();
        return own.dig(groupNameOf(second)).join() === expected.join();
      });
      await soon('the peers of the other to follow', () => {
        const peers = join(own.directory(other!.instance_id), 'spawn/job-array-peers.json');
        const found = JSON.parse(readFileSync(peers, 'utf8')) as { index: number; instance_id: string }[];
        return found.find(({ index }) => index === 0)?.instance_id === second.instance_id && found.length === 2;
      });
      // It has had its one: the next loss is the end.
      process.kill(own.init(second.instance_id)!.pid, 'SIGKILL');
      own.letGo('again');
      const tasks = await own.endedTasks('again');
      expect(tasks.map(({ state, reason, attempt }) => [state, reason, attempt])).toEqual([
        ['failed', 'its instance was lost', 2],
        ['completed', null, 1],
      ]);
      await own.ok('terminate', '--job-array-name', 'again', '-y');
    },
  );
});

describe('the agent during verbs', () => {
  let own: FaultyInstances;

  beforeAll(() => {
    own = new FaultyInstances();
    return own.isUp();
  });
  afterAll(() => own.close(), 300_000);

  test('the launch of 30: each starts once', LONG, async () => {
    const name = 'thirty';
    const args = ['launch', '--count', '30', '--job-array-name', name];
    await own.ok(...args, '--command', 'echo $JOB_ARRAY_INDEX $SPAWN_ATTEMPT >>begun-thirty');
    for (const many of [3, 15]) {
      await soon(`${many} machines`, () => own.agentSaid(/thirty-.* up$/).length >= many);
      await own.agent(await own.killAgent());
    }
    const tasks = await own.endedTasks(name);
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(30).fill(['completed', 1]));
    expect(own.lines('begun-thirty').toSorted()).toEqual(
      Array.from({ length: 30 }, (_, index) => `${index} 1`).toSorted(),
    );
    await own.ok('terminate', '--job-array-name', name, '-y');
    await own.reached(name, 'terminated', 30);
  });

  test('stop, start, hibernate, extend, resize and terminate are done by the next one', {
    timeout: 400_000,
  }, async () => {
    const on = ['--job-array-name', 'verbs'];
    const before = await own.launchWaiters('verbs', 3, '--ttl', '1h');
    /** Runs a verb, and kills the agent once something has come of it. */
    const killedIn = async (verb: readonly string[], isUnderWay: () => boolean | undefined) => {
      const asked = own.run([...verb]);
      await soon(`${verb[0]} to be under way`, () => isUnderWay() || undefined);
      await own.agent(await own.killAgent());
      const { code, err } = await asked;
      // 75: not acknowledged while it waited; what was asked for is done all the same, as is seen after each.
      expect([0, 75], `${verb[0]}: ${err}`).toContain(code);
    };

    await killedIn(['stop', ...on], () => own.agentSaid('stops: user').length > 0);
    await own.reached('verbs', 'stopped', 3);
    expect(before.map(({ instance_id: id }) => own.init(id))).toEqual([undefined, undefined, undefined]);
    expect(own.directories()).toHaveLength(3);

    await killedIn(['start', ...on], () => before.some(({ instance_id: id }) => own.init(id) !== undefined));
    await own.reached('verbs', 'running', 3);
    await own.begun('verbs', 6);
    expect(own.lines('begun-verbs').toSorted()).toEqual(['0 1', '0 2', '1 1', '1 2', '2 1', '2 2']);

    await killedIn(['hibernate', ...on], () => own.agentSaid('hibernates: user').length > 0);
    await own.reached('verbs', 'hibernated', 3);
    await killedIn(['start', ...on], () => own.agentSaid('goes on').length > 0);
    await own.reached('verbs', 'running', 3);

    await killedIn(['extend', ...on, '--ttl', '5h'], () => true);
    const extended = await own.members('verbs');
    expect(extended.every(({ ttl_remaining_seconds: left }) => left! > 4 * 3_600)).toBe(true);

    await killedIn(['resize', 'verbs', '--count', '2', '-y'], () => own.agentSaid('ends: resized').length > 0);
    await own.reached('verbs', 'terminated', 1);
    await killedIn(['resize', 'verbs', '--count', '4'], () => own.directories().length > 2);
    await own.reached('verbs', 'running', 4);
    await own.begun('verbs', 8);
    const begun = own.lines('begun-verbs');
    expect(new Set(begun).size).toBe(begun.length);

    await killedIn(['terminate', ...on, '-y'], () => own.agentSaid('ends: user').length > 0);
    const rows = await own.reaches('verbs', 'all end', (all) => all.every(({ state }) => state === 'terminated'));
    expect(rows.filter(({ reason }) => reason === 'user')).toHaveLength(4);
    expect(own.lines('begun-verbs')).toHaveLength(begun.length);
    await own.nothingIsLeft();
  });

  test('two at once: the one whose instances were taken lets go of all of them, and ends', LONG, async () => {
    const rows = await own.launchWaiters('two', 3);
    const first = await own.agent();
    // Nobody can tell any more that it has the place.
    rmSync(own.files.agentPlace);
    const second = own.startAgentLike(first);
    try {
      await soon('three taken over', () => own.agentSaid(/two-\d.*taken over/).length >= 3);
      await soon('the end of the first', () => !isAlive(first));
      expect(own.agentSaid(/another agent has taken two-\d.*: lets go of \d instances, and ends/)).toHaveLength(1);
      expect((await own.agent()).pid).toBe(second.pid);
      own.letGo('two');
      const tasks = await own.endedTasks('two');
      expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(3).fill(['completed', 1]));
      expect(own.lines('begun-two')).toHaveLength(3);
      expect(rows.map(({ instance_id: id }) => own.init(id) !== undefined)).toEqual([true, true, true]);
      // It was the only change: nothing goes to and fro.
      expect(own.agentSaid(/two-\d.*taken over/)).toHaveLength(3);
      await own.ok('terminate', '--job-array-name', 'two', '-y');
      await own.reached('two', 'terminated', 3);
    } finally {
      second.kill();
    }
  });
});
