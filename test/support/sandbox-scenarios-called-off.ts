import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { haltSandbox, readInit } from '../../src/providers/local/sandbox-directory.ts';
import { nativeProgram } from '../../src/providers/local/sandbox-programs.ts';
import { inside, nothingLeft, processes, type SandboxWorld } from './sandbox-world.ts';
import { until } from './until.ts';

const LAUNCHES = 200;
const AT_ONCE = 10;
/** A launch takes about as long. */
const MOST_AFTER_MS = 50;
const MEMORY_BYTES = 64 * 1024 * 1024;

/** Launches that are called off, directories that go, and time that is cut short. */
export const CALLED_OFF_SCENARIOS: Readonly<Record<string, (world: SandboxWorld) => Promise<void>>> = {
  'leaves nothing of launches that are ended at any moment': async (world) => {
    const host = world.host();
    const type = { name: 't3.micro', vcpus: 1, memoryBytes: MEMORY_BYTES, gpus: 0 };
    let begun = 0;
    const launchAndEnd = async () => {
      for (; begun < LAUNCHES; ) {
        begun += 1;
        // All moments in turn, in an order that has nothing to do with that of the launches.
        const afterMs = (begun * 37) % (MOST_AFTER_MS + 1);
        const id = host.request({ type });
        if (afterMs > 0) await wait(afterMs);
        await haltSandbox(world.directoryOf(id), 'terminate', processes);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, launchAndEnd));
    // What was in the middle of its start has come to an end with this one.
    await host.start({ type }).then((machine) => machine.terminate(0));
    await nothingLeft(world.instances);
    await until('the end of all', () => processesOf(world).length + groupsOf().length === 0, 5_000).catch(() => {});
    deepEqual(processesOf(world), []);
    deepEqual(directoriesOf(world), []);
    equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(world.instances), false);
    deepEqual(groupsOf(), []);
    // Whoever ended them knows.
    deepEqual(host.failed, []);
  },

  'is killed at its deadline as soon as what is paid for is over': async (world) => {
    const host = world.host();
    const machine = await host.start();
    const init = readInit(world.directoryOf(machine.order.id))!;
    await inside(machine, `setsid sh -c 'trap "" TERM; while :; do sleep 0.05; done' >/dev/null 2>&1 &`);
    const from = performance.now();
    await machine.setDeadline(100, 200);
    await host.host.close();
    await until('its end', () => !processes.isAlive(init));
    // Its own grace is 10 s.
    ok(performance.now() - from < 9_000);
  },

  'ends when its directory was removed': async (world) => {
    const host = world.host();
    const machine = await host.start({ type: { name: 't3.micro', vcpus: 1, memoryBytes: MEMORY_BYTES, gpus: 0 } });
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    await host.host.close();
    // As an ordinary user only this removes what overlayfs has made.
    spawnSync(nativeProgram('instance'), ['remove', directory]);
    rmdirSync(directory);
    // It looks when it is awake, or after seconds; this wakes it up and says nothing.
    await until('its end', () => {
      processes.signal(init, 'SIGCHLD');
      return !processes.isAlive(init);
    });
    await until('the end of its group', () => groupsOf().length === 0);
  },
};

/** The first ones of sandboxes say what they are; all have what lies in the directory mounted. */
function processesOf({ instances }: SandboxWorld): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const files = ['cmdline', 'mountinfo'].map((name) => readText(`/proc/${pid}/${name}`));
    return files.some((text) => text.includes(`${instances}/i-`));
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function directoriesOf({ instances }: SandboxWorld): string[] {
  const arrays = join(instances, '.arrays');
  return [
    ...readdirSync(instances).filter((name) => !name.startsWith('.')),
    ...(existsSync(arrays) ? readdirSync(arrays) : []),
  ];
}

/** Groups of this test: its ids begin with the number of this process. */
function groupsOf(): string[] {
  const mine = `spawn-instance-i-${process.pid.toString(16).padStart(8, '0')}`;
  const found: string[] = [];
  const walk = (path: string): void => {
    for (const name of namesOfDirectories(path)) {
      if (name.startsWith(mine)) found.push(name);
      else walk(join(path, name));
    }
  };
  walk('/sys/fs/cgroup');
  return found;
}

/** Nothing where it cannot be read, or has gone: groups of others come and go. */
function namesOfDirectories(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}
