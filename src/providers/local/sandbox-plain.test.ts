import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireOr } from '../../../test/support/require.ts';
import { SCENARIOS } from '../../../test/support/sandbox-scenarios.ts';
import {
  inside,
  makeSandboxWorld,
  processes,
  processesUnder,
  type SandboxWorld,
} from '../../../test/support/sandbox-world.ts';
import { until } from '../../../test/support/until.ts';
import { describeSandbox, haltSandbox, readEnding, readInit } from './sandbox-directory.ts';
import { nativeProgram } from './sandbox-programs.ts';

const LIMIT_MS = 60_000;
const each = requireOr('the native program of instances', existsSync(nativeProgram('instance')));

/** What holds with and without namespaces. */
const SAME = [
  'holds the TTL of its order before any agent sets another',
  'is taken over by another agent, with every word of its forker',
  'keeps its forker when an agent dies in the middle of a frame, and when it asks for its end',
  'kills what does not listen after the grace',
  'is ended without an agent',
  'leaves nothing of launches that are ended at any moment',
  'ends when its directory was removed',
  'refuses what is no request at its exec socket',
  'answers the command inside through the agent',
  'is held to the memory of its type',
  'is held to the processors of its type',
  'is small, and quickly there, also as one of 50',
];

describe('a sandbox without namespaces', { timeout: LIMIT_MS }, () => {
  let world: SandboxWorld;
  beforeEach(() => {
    world = makeSandboxWorld(true);
  });
  afterEach(() => world.close());

  for (const name of SAME) each(name, () => SCENARIOS[name]!(world));

  each('tells by variables where its files are', async () => {
    const machine = await world.host().start();
    const directory = world.directoryOf(machine.order.id);
    await machine.write({ environment: "GREETING='hello'\n", 'peers.json': '[]' });
    expect(await inside(machine, 'cat $SPAWN_ETC_DIR/peers.json; echo $GREETING')).toBe('[]hello');
    expect(await inside(machine, 'echo $SPAWN_RUN_DIR $TMPDIR')).toBe(`${directory}/run ${directory}/tmp`);
    expect(await inside(machine, 'command -v spored')).toBe(join(machine.places.bin, 'spored'));
    expect(machine.inside(world.data)).toBe(world.data);
    expect(
      await inside(machine, 'test -S $SPAWN_RUN_DIR/peers/$(ls $SPAWN_RUN_DIR/peers | grep exec) && echo there'),
    ).toBe('there');
  });

  each('loses nothing that it started: all of it dies with it, also what it has let go', async () => {
    const machine = await world.host().start();
    const init = readInit(world.directoryOf(machine.order.id))!;
    await inside(
      machine,
      '(setsid sleep 1000 >/dev/null 2>&1 &) ; setsid sh -c "sleep 1000 & sleep 1000" >/dev/null 2>&1 &',
    );
    const all = await until('the sleeps', () => {
      const found = processesUnder(init.pid);
      return found.length >= 6 && found;
    });
    expect((await machine.activity()).processes).toBe(all.length - 2);
    const gone = new Promise<string>((resolve) => machine.onGone(resolve));
    process.kill(init.pid, 'SIGKILL');
    expect(await gone).toBe('it was killed');
    await machine.terminate(0);
    expect(all.filter((pid) => processes.identify(pid) !== undefined)).toEqual([]);
    expect(existsSync(world.directoryOf(machine.order.id))).toBe(false);
  });

  each('ends nothing but its own, at its deadline, with no agent', async () => {
    const first = world.host();
    const machine = await first.start();
    const other = await first.start();
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    await inside(machine, 'setsid sleep 1000 >/dev/null 2>&1 &');
    await inside(other, 'setsid sleep 1000 >/dev/null 2>&1 &');
    const all = processesUnder(init.pid);
    await machine.setDeadline(100);
    await first.host.close();
    await until('its end', () => !processes.isAlive(init));
    expect(readEnding(directory)).toBe('deadline');
    expect(all.filter((pid) => processes.identify(pid) !== undefined)).toEqual([]);
    const left = world.directoryOf(other.order.id);
    expect(describeSandbox(left, processes)).toBe('up');
    expect(processesUnder(readInit(left)!.pid).length).toBeGreaterThan(2);
  });

  each('may not be ended from inside by mistake', async () => {
    const machine = await world.host().start();
    const { pid } = readInit(world.directoryOf(machine.order.id))!;
    await inside(machine, `kill -TERM ${pid}`);
    expect(await inside(machine, 'echo alive')).toBe('alive');
  });

  each('freezes everything and goes on; stops and starts again with its files', async () => {
    const host = world.host();
    const machine = await host.start();
    const directory = world.directoryOf(machine.order.id);
    const ticks = join(directory, 'tmp/ticks');
    await inside(machine, 'setsid sh -c "while :; do echo x >> $TMPDIR/ticks; sleep 0.005; done" >/dev/null 2>&1 &');
    await until('ticks', () => existsSync(ticks));
    await machine.freeze();
    const before = statSync(ticks).size;
    await machine.activity();
    expect(statSync(ticks).size).toBe(before);
    await machine.thaw();
    await until('more ticks', () => statSync(ticks).size > before);
    await machine.stop(100);
    expect(readEnding(directory)).toBe('stop');
    const again = await host.start({ id: machine.order.id, name: machine.order.name });
    expect(await inside(again, 'head -n 1 $TMPDIR/ticks')).toBe('x');
  });

  each('is ended by who starts it, when its init was killed and no agent lives', async () => {
    const host = world.host();
    const machine = await host.start();
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    await inside(machine, 'setsid sh -c "sleep 1000 & sleep 1000" >/dev/null 2>&1 &');
    const all = processesUnder(init.pid);
    await host.host.close();
    process.kill(init.pid, 'SIGKILL');
    await haltSandbox(directory, 'terminate', processes);
    expect(all.filter((pid) => processes.identify(pid) !== undefined)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  });
});

test('every scenario is one of those with namespaces', () => {
  expect(SAME.filter((name) => SCENARIOS[name] === undefined)).toEqual([]);
  expect(readFileSync(new URL('./sandbox.test.ts', import.meta.url), 'utf8')).toContain('SCENARIOS');
});
