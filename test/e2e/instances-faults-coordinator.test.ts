import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../src/client/node/process-identity.ts';
import { FaultyInstances, groupNameOf, nameOf, soon } from '../support/instance-faults.ts';

const LONG = { timeout: 300_000 };

describe('the coordinator dies', () => {
  let own: FaultyInstances;

  beforeAll(() => {
    own = new FaultyInstances();
    return own.isUp();
  });
  afterAll(() => own.close(), 300_000);

  const expectOnce = (name: string, count: number) => {
    const all = Array.from({ length: count }, (_, index) => `${index} 1`);
    expect(own.lines(`begun-${name}`).toSorted()).toEqual(all.toSorted());
  };

  test('during a launch, which is told again with its key: no member is launched twice', LONG, async () => {
    const launch = own.waiters('keyed', 6, '--detach', '--quiet', '--idempotency-key', 'the-key');
    const first = own.run(launch);
    await soon('the first machines', () => own.directories().length > 0);
    await own.killCoordinator();
    const said = await first;
    const again = await own.ok(...launch);
    // The command either saw it accepted, or tried again by itself: never twice.
    expect(said).toMatchObject({ code: 0, out: again });
    await own.begun('keyed', 6);
    const rows = await own.members('keyed');
    expect(rows.map(({ job_array_index: index, generation }) => [index, generation])).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => [index, 1]),
    );
    expect(new Set(rows.map(({ job_array_id: id }) => id)).size).toBe(1);
    expect(own.directories().toSorted()).toEqual(rows.map(({ instance_id: id }) => id).toSorted());
    own.letGo('keyed');
    const tasks = await own.endedTasks('keyed');
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(6).fill(['completed', 1]));
    expectOnce('keyed', 6);
    await own.ok('terminate', '--job-array-name', 'keyed', '-y');
  });

  test('with its agent during a launch: all of it goes on, names too', LONG, async () => {
    const accepted = own.ok(...own.waiters('both', 8, '--detach'));
    await soon('some machines', () => own.directories().length > 1);
    const agent = own.agentNow();
    if (agent !== undefined) process.kill(agent.pid, 'SIGKILL');
    await own.killCoordinator();
    await accepted;
    const rows = await own.reached('both', 'running', 8);
    await own.begun('both', 8);
    for (const row of rows) {
      await soon(`the name of ${row.name}`, async () => (await own.resolve(nameOf(row))).join() === row.private_ip);
    }
    await soon('the name of all', async () => (await own.resolve(groupNameOf(rows[0]!))).length === 8);
    own.letGo('both');
    const tasks = await own.endedTasks('both');
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(8).fill(['completed', 1]));
    expectOnce('both', 8);
    await own.ok('terminate', '--job-array-name', 'both', '-y');
    await own.reached('both', 'terminated', 8);
  });

  test('during stop, resize and terminate: what was said is done', { timeout: 400_000 }, async () => {
    const on = ['--job-array-name', 'verbs'];
    await own.launchWaiters('verbs', 4);
    /** Kills the server in the middle of a verb, with its agent or without. The command may fail: said again it succeeds. */
    const killedIn = async (verb: readonly string[], log: string, withAgent: boolean) => {
      const before = own.agentSaid(log).length;
      const asked = own.run(verb);
      await soon(`${verb[0]} to be under way`, () => own.agentSaid(log).length > before);
      const [server, agent] = [await own.server(), await own.agent()];
      if (withAgent) process.kill(agent.pid, 'SIGKILL');
      process.kill(server.pid, 'SIGKILL');
      const { code, err } = await asked;
      if (code !== 0) expect(err).toMatch(/^spawn: /m);
      await own.server(server.pid);
      await own.agent(withAgent ? agent : undefined);
      // Said again it is no error: it is done, or on its way.
      expect([0, 75]).toContain((await own.run(verb)).code);
    };
    await killedIn(['stop', ...on, '-y'], 'stops: user', true);
    const stopped = await own.reached('verbs', 'stopped', 4);
    expect(stopped.map((row) => own.init(row.instance_id))).toEqual(Array(4).fill(undefined));
    await own.ok('start', ...on);
    await own.begun('verbs', 8);
    await killedIn(['resize', 'verbs', '--count', '2', '-y'], 'ends: resized', false);
    await own.reached('verbs', 'terminated', 2);
    await own.reached('verbs', 'running', 2);
    await killedIn(['resize', 'verbs', '--count', '3', '-y'], ': up', true);
    await own.reached('verbs', 'running', 3);
    await own.begun('verbs', 9);
    await killedIn(['terminate', ...on, '-y'], 'ends: user', true);
    const rows = await own.reaches('verbs', 'all end', (all) => all.every(({ state }) => state === 'terminated'));
    expect(rows).toHaveLength(5);
    const begun = own.lines('begun-verbs');
    expect(new Set(begun).size).toBe(begun.length);
    await own.nothingIsLeft();
  });

  test('and is away when instances end, and their agent: the next ones know how they ended', LONG, async () => {
    await own.launchWaiters('untold', 2, '--on-complete', 'terminate');
    const agent = await own.agent();
    await own.killCoordinator();
    own.letGo('untold');
    await soon('the end of the machines', () => own.directories().length === 0);
    process.kill(agent.pid, 'SIGTERM');
    await soon('the end of the agent', () => !isAlive(agent));
    await own.isUp();
    const tasks = await own.endedTasks('untold');
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(2).fill(['completed', 1]));
    const rows = await own.reached('untold', 'terminated', 2);
    expect(rows).toMatchObject([{ reason: 'completed' }, { reason: 'completed' }]);
    expectOnce('untold', 2);
  });

  test('server stop leaves instances running and says so; the next one takes them over', LONG, async () => {
    const rows = await own.launchWaiters('stays', 2);
    const inits = rows.map(({ instance_id: id }) => own.init(id)!);
    const { code, out, err } = await own.run(['server', 'stop']);
    expect(code).toBe(0);
    expect(out + err).toMatch(/2 instances (go|run) on/);
    expect(inits.every((init) => isAlive(init))).toBe(true);
    await own.ok('server', 'start');
    own.letGo('stays');
    const tasks = await own.endedTasks('stays');
    expect(tasks.map(({ state, attempt }) => [state, attempt])).toEqual(Array(2).fill(['completed', 1]));
    expectOnce('stays', 2);
    expect(inits.every((init) => isAlive(init))).toBe(true);
    await own.ok('terminate', '--job-array-name', 'stays', '-y');
  });
});
