import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf } from '../../src/client/node/process-identity.ts';
import { describeSandbox, haltSandbox, readEnding, readInit } from '../../src/providers/local/sandbox-directory.ts';
import { nativeProgram } from '../../src/providers/local/sandbox-programs.ts';
import type { Machine } from '../../src/providers/provider.ts';
import { writeCommand } from '../../src/worker/forker/commands.ts';
import { Command } from '../../src/worker/forker/protocol.ts';
import { FrameWriter } from '../../src/worker/forker/wire.ts';
import { collect, ended, run } from './sandbox-forker.ts';
import { inside, processes, processesUnder, type SandboxWorld } from './sandbox-world.ts';
import { until } from './until.ts';

/** How the life of a sandbox begins, is handed on and ends. */
export const LIFE_SCENARIOS: Readonly<Record<string, (world: SandboxWorld) => Promise<void>>> = {
  'has processes of its own, which die with its first one': async (world) => {
    const host = world.host();
    const machine = await host.start();
    const init = readInit(world.directoryOf(machine.order.id))!;
    await inside(machine, 'setsid sleep 1000 >/dev/null 2>&1 & (sleep 1000 >/dev/null 2>&1 &) ; sleep 0');
    const listed = await inside(machine, 'ps -e -o comm=');
    ok(!listed.includes('node'), listed);
    const all = await until('two sleeps', () => {
      const found = processesUnder(init.pid);
      return found.length >= 4 && found;
    });
    const gone = new Promise<string>((resolve) => machine.onGone(resolve));
    process.kill(init.pid, 'SIGKILL');
    equal(await gone, 'it was killed');
    await until('the end of all', () => all.every((pid) => processes.identify(pid) === undefined));
    equal(describeSandbox(world.directoryOf(machine.order.id), processes), 'down');
    await rejects(machine.activity());
  },

  'is not started a second time while it runs, whoever asks': async (world) => {
    const { start } = world.host();
    const machine = await start();
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    const { stdout } = spawnSync(nativeProgram('instance'), ['start', directory], { encoding: 'utf8' });
    match(stdout, /^failed\tlock\t/);
    equal(readInit(directory)!.pid, init.pid);
  },

  'ends at its deadline with no agent, and is not started again': async (world) => {
    const first = world.host();
    const machine = await first.start();
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    await inside(
      machine,
      'setsid sh -c "trap \\"echo ended > /tmp/trapped; exit\\" TERM; while :; do sleep 0.01; done" >/dev/null 2>&1 &',
    );
    await machine.setDeadline(300);
    await first.host.close();
    await until('its end', () => !processes.isAlive(init));
    equal(readEnding(directory), 'deadline');
    equal(readFileSync(join(directory, 'tmp/trapped'), 'utf8'), 'ended\n');
    equal(describeSandbox(directory, processes), 'down');
    const second = world.host();
    await second.start();
    equal(describeSandbox(directory, processes), 'down');
  },

  'holds the TTL of its order before any agent sets another': async (world) => {
    const host = world.host();
    const machine = await host.start({ ttlMs: 60_000 });
    const file = join(world.directoryOf(machine.order.id), 'run/deadline');
    ok(Number(readFileSync(file, 'utf8')) > 0);
    await machine.setDeadline(undefined);
    equal(readFileSync(file, 'utf8'), 'never\n');
  },

  'is taken over by another agent, with every word of its forker': async (world) => {
    const first = world.host();
    const machine = await first.start();
    equal(machine.adopted, false);
    const words = collect(await machine.forker());
    await run(machine, world, 7, ['/bin/sh', '-c', 'echo hello; exit 3']);
    await until('its end', () => ended(words).get(7) === 3);
    await first.host.close();

    const second = world.host();
    const same = await second.machine(machine.order.id);
    equal(same.adopted, true);
    const again = collect(await same.forker());
    await until('the same words', () => Buffer.concat(again).equals(Buffer.concat(words)));
    await run(same, world, 8, ['/bin/sh', '-c', 'exit 4']);
    await until('the next end', () => ended(again).get(8) === 4);
    equal(same.inside(world.data), machine.inside(world.data));
  },

  'tells its agent when another one that lives takes it, and is not taken back': async (world) => {
    const first = world.host();
    const machine = await first.start();
    const second = world.host();
    const same = await second.machine(machine.order.id);
    await until('the word of it', () => first.taken.length > 0);
    deepEqual(first.taken, [machine.order.id]);
    // What the one before remembers is old.
    await same.memory.write('"new"');
    await machine.memory.write('"old"');
    equal(await same.memory.read(), '"new"');
    await first.host.close();
    ok((await same.activity()).processes >= 0);
    deepEqual(second.taken, []);
    deepEqual(first.failed, []);
  },

  'says before the end of a task that it was killed for its memory, also to an agent that comes later': async (
    world,
  ) => {
    const first = world.host();
    const machine = await first.start({ type: { name: 'small', vcpus: 1, memoryBytes: 64 * 2 ** 20, gpus: 0 } });
    /** Codes of the tasks that had ended at each kill. */
    const seen = async (from: Machine) => {
      const words: Buffer[] = [];
      const kills: string[] = [];
      (await from.forker()).onData(
        (bytes) => words.push(Buffer.from(bytes)),
        () => kills.push([...ended(words).keys()].join()),
      );
      return { words, kills };
    };
    const { words, kills } = await seen(machine);
    await run(machine, world, 21, ['/bin/true']);
    await until('the first end', () => ended(words).has(21));
    await run(machine, world, 22, ['/usr/bin/python3', '-c', EATER]);
    await until('the second end', () => ended(words).has(22));
    equal(ended(words).get(22), -9);
    equal(kills[0], '21');
    await first.host.close();
    const again = await seen(await world.host().machine(machine.order.id));
    await until('the same words', () => ended(again.words).has(22));
    equal(again.kills[0], '21');
  },

  'ends its own output file at a size, so that what prints it comes to an end': async (world) => {
    const machine = await world.host().start();
    const words = collect(await machine.forker());
    const path = `${machine.places.log}/cloud-init-output.log`;
    await run(machine, world, 31, ['/bin/sh', '-c', `seq 1 30000; cat ${path}`], path);
    await until('its end', () => ended(words).get(31) === 0);
    const { size } = statSync(join(world.directoryOf(machine.order.id), 'log/cloud-init-output.log'));
    ok(size > 1_000_000 && size <= 256 * 2 ** 20, `${size} bytes`);
  },

  'keeps its forker when an agent dies in the middle of a frame, and when it asks for its end': async (world) => {
    const first = world.host();
    const machine = await first.start();
    const forker = await machine.forker();
    const frames = new FrameWriter();
    writeCommand(frames, { type: Command.QUIT });
    writeCommand(frames, { type: Command.LEASE, ms: 1, clock: 'boottime', graceMs: 0, sentAtUs: 0 });
    forker.send(Uint8Array.from(frames.take()));
    forker.send(new Uint8Array([200, 0, 0, 0, 5, 1]));
    await machine.activity();
    await first.host.close();
    const same = await world.host().machine(machine.order.id);
    const words = collect(await same.forker());
    await run(same, world, 9, ['/bin/true']);
    await until('its end', () => ended(words).get(9) === 0);
  },

  'comes up also when what starts it is killed meanwhile': async (world) => {
    const host = world.host();
    await host.start();
    const launcher = childrenOf(process.pid).find(({ pid }) =>
      /\0serve\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    );
    process.kill(launcher!.pid, 'SIGSTOP');
    const id = host.request({});
    await until('its preparation', () => existsSync(join(world.directoryOf(id), 'machine.conf')));
    process.kill(launcher!.pid, 'SIGKILL');
    equal(await inside(await host.machine(id), 'echo up'), 'up');
  },

  'freezes everything and goes on': async (world) => {
    const machine = await world.host().start();
    const directory = world.directoryOf(machine.order.id);
    const ticks = join(directory, 'tmp/ticks');
    await inside(machine, 'setsid sh -c "while :; do echo x >> /tmp/ticks; sleep 0.005; done" >/dev/null 2>&1 &');
    await inside(machine, '(sleep 1000 & kill -STOP $!; echo $! > /tmp/stopped) >/dev/null 2>&1');
    await until('ticks', () => existsSync(ticks));
    await machine.freeze();
    const init = readInit(directory)!.pid;
    const states = () =>
      processesUnder(init)
        .slice(1)
        .map((pid) => [readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), stateOf(pid)] as const);
    await until('all stopped', () => states().every(([name, state]) => name === '.forker' || state === 'T'));
    const before = statSync(ticks).size;
    equal((await machine.run('true', 5_000)).code !== 0, true, 'nothing is started in a frozen one');
    await machine.activity();
    equal(statSync(ticks).size, before);
    await machine.thaw();
    await until('more ticks', () => statSync(ticks).size > before);
    const pid = await inside(machine, 'cat /tmp/stopped');
    match(await inside(machine, `cat /proc/${pid}/stat`), /\) T /, 'what was stopped before stays so');
  },

  'stops with its disk kept, and starts again with it': async (world) => {
    const host = world.host();
    const machine = await host.start();
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    await inside(machine, 'echo data > /tmp/kept; echo own > /etc/own.conf; setsid sleep 1000 >/dev/null 2>&1 &');
    let gone = 0;
    machine.onGone(() => {
      gone += 1;
    });
    const all = processesUnder(init.pid);
    await machine.stop(1_000);
    deepEqual(
      all.filter((pid) => processes.identify(pid) !== undefined),
      [],
    );
    equal(readEnding(directory), 'stop');
    equal(describeSandbox(directory, processes), 'down');
    equal(gone, 0);
    const again = await host.start({ id: machine.order.id, name: machine.order.name });
    equal(again.adopted, false);
    equal(await inside(again, 'cat /tmp/kept /etc/own.conf'), 'data\nown');
  },

  'kills what does not listen after the grace': async (world) => {
    const machine = await world.host().start();
    await inside(machine, 'setsid sh -c "trap : TERM; while :; do sleep 0.01; done" >/dev/null 2>&1 &');
    await machine.stop(50);
    equal(describeSandbox(world.directoryOf(machine.order.id), processes), 'down');
  },

  'leaves nothing when it is terminated': async (world) => {
    const host = world.host();
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const machine = await host.start({ type: { name: 't3.micro', vcpus: 1, memoryBytes: 256 * 2 ** 20, gpus: 0 } });
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    const group = join(directory, 'run/cgroup');
    const path = existsSync(group) ? readFileSync(group, 'utf8').trim() : undefined;
    await inside(
      machine,
      'mkdir -p /tmp/closed/in && chmod 000 /tmp/closed; rm -f /etc/own; touch /etc/own; setsid sleep 1000 >/dev/null 2>&1 &',
    );
    const all = processesUnder(init.pid);
    ok(existsSync(join(world.instances, '.arrays', machine.order.arrayId)));
    await machine.terminate(500);
    deepEqual(
      all.filter((pid) => processes.identify(pid) !== undefined),
      [],
    );
    equal(existsSync(directory), false);
    equal(existsSync(join(world.instances, '.arrays', machine.order.arrayId)), false);
    if (path !== undefined) equal(existsSync(path), false);
    equal(readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length, mounts.split('\n').length);
    equal(describeSandbox(directory, processes), 'gone');
  },

  'is ended without an agent': async (world) => {
    const host = world.host();
    const machine = await host.start({ type: { name: 't3.micro', vcpus: 1, memoryBytes: 256 * 2 ** 20, gpus: 0 } });
    const directory = world.directoryOf(machine.order.id);
    await host.host.close();
    await haltSandbox(directory, 'stop', processes);
    equal(describeSandbox(directory, processes), 'down');
    await haltSandbox(directory, 'terminate', processes);
    await haltSandbox(directory, 'terminate', processes);
    equal(existsSync(directory), false);
  },

  'says why it cannot be started, and leaves nothing that runs': async (world) => {
    const host = world.host();
    const id = host.request({ name: 'x'.repeat(70) });
    await until('its failure', () => host.failed.length > 0);
    match(host.failed[0]!, /machine\.conf/);
    const directory = world.directoryOf(id);
    equal(describeSandbox(directory, processes), 'down');
    match(readEnding(directory)!, /^failed: /);
  },
};

const EATER = 'import time; b = bytearray(200 * 2 ** 20); time.sleep(1000)';

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
}
