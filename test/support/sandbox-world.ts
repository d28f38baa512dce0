import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineOrder } from '../../src/api/instance-session.ts';
import { bootId, identify, isAlive, signalProcess } from '../../src/client/node/process-identity.ts';
import { createMachineHost } from '../../src/providers/local/machine-host.ts';
import { haltSandbox, requestStart } from '../../src/providers/local/sandbox-directory.ts';
import type { Machine, MachineHost } from '../../src/providers/provider.ts';
import { anOrder } from './machine-order.ts';
import { until } from './until.ts';

export const processes = { identify, isAlive, signal: signalProcess, bootId };

/** One directory of instances with everything that was started there; `close` leaves nothing. */
export interface SandboxWorld {
  readonly instances: string;
  /** Seen inside. */
  readonly data: string;
  /** Another host on the same directory, as after the death of an agent. */
  host(instances?: string): SandboxHostUnderTest;
  directoryOf(id: string): string;
  close(): Promise<void>;
}

export interface SandboxHostUnderTest {
  readonly host: MachineHost;
  readonly failed: string[];
  /** Ids of those that another host took. */
  readonly taken: string[];
  /** Requests a start and waits until it is up. */
  start(order?: Partial<MachineOrder>): Promise<Machine>;
  request(order: Partial<MachineOrder>): string;
  machine(id: string): Promise<Machine>;
}

let lastId = 0;

/** @param isPlain without namespaces */
export function makeSandboxWorld(isPlain = false): SandboxWorld {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-sandbox-'));
  const instances = join(folder, 'instances');
  const data = join(folder, 'data');
  mkdirSync(data);
  const hosts: MachineHost[] = [];
  const directoryOf = (id: string) => join(instances, id);

  return {
    instances,
    data,
    directoryOf,
    host(where = instances) {
      const up = new Map<string, Machine>();
      const failed: string[] = [];
      const taken: string[] = [];
      const host = createMachineHost({ directory: where, visible: [data], processes, isPlain });
      hosts.push(host);
      void host.serve({
        onUp: (machine) => up.set(machine.order.id, machine),
        onFailed: (_, why) => failed.push(why),
        onTaken: ({ id }) => taken.push(id),
      });
      const request = (given: Partial<MachineOrder>) => {
        const order = makeOrder(given);
        up.delete(order.id);
        requestStart(join(where, order.id), order);
        return order.id;
      };
      const machine = (id: string) =>
        until(`instance ${id}`, () => {
          if (failed.length > 0) throw new Error(failed.join('\n'));
          return up.get(id);
        });
      return { host, failed, taken, request, machine, start: (given = {}) => machine(request(given)) };
    },
    async close() {
      for (const host of hosts) await host.close();
      const ids = existsSync(instances) ? readdirSync(instances).filter((name) => !name.startsWith('.')) : [];
      await Promise.all(ids.map((id) => haltSandbox(directoryOf(id), 'terminate', processes)));
      await nothingLeft(instances);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What was removed is off the disk, too. */
export async function nothingLeft(instances: string): Promise<void> {
  const trash = join(instances, '.gone');
  await until('nothing to be left', () => !existsSync(trash) || readdirSync(trash).length === 0);
}

function makeOrder(given: Partial<MachineOrder>): MachineOrder {
  lastId += 1;
  const id = `i-${process.pid.toString(16).padStart(8, '0')}${lastId.toString(16).padStart(9, '0')}`;
  return anOrder({
    id,
    index: lastId,
    size: 1,
    type: { name: 't3.micro', vcpus: 1, memoryBytes: 0, gpus: 0 },
    address: `127.4.0.${lastId % 250}`,
    master: { address: '127.4.0.1', port: 29_500 },
    preStopTimeoutMs: 1_000,
    ...given,
  });
}

/** Runs a shell command inside, which must end with 0; its output. */
export async function inside(machine: Machine, command: string): Promise<string> {
  const { code, output } = await machine.run(command, 20_000);
  if (code !== 0) throw new Error(`${command}: ended with ${code}: ${output}`);
  return output.trim();
}

/** Process ids, as they are outside, of what runs in the sandbox with this init. */
export function processesUnder(initPid: number): number[] {
  const listed = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const parents = listed
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found = new Set([initPid]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

export function privateBytesOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce((sum, match) => sum + Number(match[1]) * 1024, 0);
}
