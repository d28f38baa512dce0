import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { MachineOrder } from '../../src/api/instance-session.ts';
import { isAlive, signalProcess } from '../../src/client/node/process-identity.ts';
import { haltSandbox, prepareSandbox, requestStart } from '../../src/providers/local/sandbox-directory.ts';
import { placesOf } from '../../src/providers/local/sandbox-paths.ts';
import { installPrograms, instanceProgram } from '../../src/providers/local/sandbox-programs.ts';
import { anOrder } from '../support/machine-order.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Given {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Members of one array: real sandboxes with a real init, and no agent but what a test puts in its place. */
export class Members {
  readonly folder = mkdtempSync('/var/tmp/spawn-inside-');
  readonly programs: string;
  readonly #instances = join(this.folder, 'instances');
  readonly #servers: Server[] = [];
  readonly count: number;

  constructor(count: number) {
    this.count = count;
    mkdirSync(this.#instances);
    mkdirSync(join(this.folder, 'work'));
    this.programs = installPrograms(this.#instances);
  }

  directory(index: number): string {
    return join(this.#instances, this.id(index));
  }

  id(index: number): string {
    return `i-${String(index).padStart(3, '0')}`;
  }

  start(index: number): void {
    const { programs } = this;
    requestStart(this.directory(index), this.#order(index));
    const directory = this.directory(index);
    const places = placesOf(directory, programs, false);
    prepareSandbox({ order: this.#order(index), directory, programs, visible: [], isPlain: false, places });
    const environment = Object.entries(this.#environment(index)).map(([name, value]) => `${name}='${value}'\n`);
    this.write(index, 'environment', environment.join(''));
    this.write(index, 'instance.json', JSON.stringify({ instance_id: this.id(index), name: `m-${index}` }));
    const words = ['start', this.directory(index)];
    const { stdout } = spawnSync(instanceProgram(programs), words, { argv0: 'instance', encoding: 'utf8' });
    if (!stdout.startsWith('ready\t')) throw new Error(stdout);
  }

  /** Starts all members, then writes what the agent writes when all run. */
  startAll(): void {
    for (let index = 0; index < this.count; index++) this.start(index);
    for (let index = 0; index < this.count; index++) this.writePeers(index);
  }

  writePeers(index: number): void {
    const peers = Array.from({ length: this.count }, (_, at) => ({
      index: at,
      instance_id: this.id(at),
      ip: this.address(at),
      private_ip: this.address(at),
      dns: `m-${at}.abc.spore.host`,
    }));
    const hosts = peers.map(({ ip, dns }, at) => `${ip} ${dns} m-${at}\n`).join('');
    this.write(index, 'hosts', `127.0.0.1 localhost\n${hosts}`);
    this.write(index, 'hostfile', peers.map(({ dns }) => `${dns}\n`).join(''));
    this.write(index, 'job-array-peers.json', JSON.stringify(peers));
  }

  address(index: number): string {
    return `127.77.0.${10 + index}`;
  }

  /** A file below /etc/spawn. */
  write(index: number, name: string, text: string): void {
    writeFileSync(join(this.directory(index), 'spawn', name), text, { mode: 0o755 });
  }

  /** Answers `spored` in a member as the agent would; gives what was asked. */
  async answer(
    index: number,
    reply: (request: Record<string, unknown>) => unknown,
  ): Promise<Record<string, unknown>[]> {
    const asked: Record<string, unknown>[] = [];
    const server = createServer((link: Socket) => {
      let text = '';
      link.on('error', () => {});
      link.on('data', (bytes) => {
        text += bytes;
        if (!text.includes('\n')) return;
        const request = JSON.parse(text) as Record<string, unknown>;
        asked.push(request);
        link.end(`${JSON.stringify(reply(request))}\n`);
      });
    });
    this.#servers.push(server);
    const path = join(this.directory(index), 'run/agent.sock');
    rmSync(path, { force: true });
    // By a short way: a path in an address has at most 107 bytes.
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    return asked;
  }

  begin(index: number, argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const socket = join(this.directory(index), 'run/exec.sock');
    const additions = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const words = ['exec', '--socket', socket, '--cwd', join(this.folder, 'work'), ...additions, '--', ...argv];
    return spawn(instanceProgram(this.programs), words, { argv0: 'instance' });
  }

  run(index: number, argv: readonly string[], { input = '', env = {} }: Given = {}): Promise<Ended> {
    const child = this.begin(index, argv, env);
    child.stdin?.on('error', () => {}).end(input);
    return ended(child);
  }

  async halt(index: number, how: 'stop' | 'terminate'): Promise<void> {
    await haltSandbox(this.directory(index), how, { isAlive, signal: signalProcess });
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (let index = 0; index < this.count; index++) {
      if (existsSync(this.directory(index))) await this.halt(index, 'terminate');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #environment(index: number): Record<string, string> {
    return {
      JOB_ARRAY_NAME: 'm',
      JOB_ARRAY_SIZE: String(this.count),
      JOB_ARRAY_INDEX: String(index),
      TASK_ARRAY_INDEX: String(index),
      TASK_ARRAY_SIZE: String(this.count),
    };
  }

  #order(index: number): MachineOrder {
    return anOrder({
      id: this.id(index),
      arrayName: 'm',
      arrayId: 'm-20260101-0a1b2c',
      index,
      size: this.count,
      address: this.address(index),
      rate: 0,
      master: { address: this.address(0), port: 29_500 },
      cwd: join(this.folder, 'work'),
      ttlMs: 600_000,
      preStopTimeoutMs: 0,
    });
  }
}

/** What a child wrote, and how it ended. */
export function ended(child: ChildProcess): Promise<Ended> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (bytes) => (out += bytes));
  child.stderr?.on('data', (bytes) => (err += bytes));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}
