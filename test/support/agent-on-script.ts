import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Directive, InstanceReport, MachineOrder } from '../../src/api/instance-session.ts';
import { withoutProcess } from '../../src/core/outcome.ts';
import type { MachineHost } from '../../src/providers/provider.ts';
import type { Instance } from '../../src/worker/instances/instance.ts';
import { InstanceAgent } from '../../src/worker/instances/instance-agent.ts';
import { BOOT, FakeBox, fakeOrder } from './fake-machine.ts';
import { ScriptedCoordinator, scriptedJob } from './scripted-coordinator.ts';
import { until } from './until.ts';

/** A clock that a test can move. */
export class TestClock {
  bootId = 'boot';
  #moreMs = 0;

  bootMs(): number {
    return performance.now() + this.#moreMs;
  }

  wallMs(): number {
    return Date.now() + this.#moreMs;
  }

  jump(ms: number): void {
    this.#moreMs += ms;
  }
}

/** One instance on a fake machine, its agent, and a scripted coordinator; until the test ends. Then no fault may have been noted. */
export class AgentOnScript {
  readonly folder = mkdtempSync(join(tmpdir(), 'spawn-agent-'));
  readonly coordinator = new ScriptedCoordinator();
  readonly clock = new TestClock();
  readonly lines: string[] = [];
  readonly box: FakeBox;
  agent: InstanceAgent | undefined;
  done: Promise<string> = Promise.resolve('');
  endIdleAfterMs = 60_000;
  /** With nothing to serve. */
  isEmpty = false;
  #version = 0;

  constructor(order: Partial<MachineOrder> = {}) {
    this.coordinator.logDir = this.folder;
    this.box = new FakeBox(fakeOrder(order));
    writeFileSync(join(this.folder, 'spored'), BOOT, { mode: 0o755 });
    onTestFinished(async () => {
      this.coordinator.failure = undefined;
      this.agent?.release();
      await this.done;
      await this.box.close();
      rmSync(this.folder, { recursive: true, force: true });
      expect(this.coordinator.faults).toEqual([]);
    });
  }

  /** A new agent; the machine is started, or taken over when it runs. */
  start(): void {
    const machines: MachineHost = {
      serve: async ({ onUp }) => {
        if (!this.isEmpty) onUp(this.box.machine());
      },
      close: async () => {},
    };
    this.agent = new InstanceAgent({
      client: this.coordinator,
      machines,
      dataDir: join(this.folder, 'data'),
      untoldDir: join(this.folder, 'untold'),
      host: 'here',
      version: '0',
      spored: join(this.folder, 'spored'),
      clock: this.clock,
      isServerThere: async () => this.coordinator.failure === undefined,
      endIdleAfterMs: this.endIdleAfterMs,
      log: (line) => this.lines.push(line),
    });
    this.done = this.agent.run();
  }

  /** As after `kill -9` of the agent: what it would say now reaches nobody. */
  async crash(): Promise<void> {
    this.box.forgetAgent();
    const { memory } = this.box;
    this.agent!.release();
    await this.done;
    this.box.forgetAgent();
    this.box.memory = memory;
  }

  get instance(): Instance {
    return [...this.agent!.instances.values()][0]!;
  }

  async up(): Promise<Instance> {
    return until('the instance', () => this.agent!.instances.values().next().value);
  }

  /** Time goes on at once. */
  pass(ms: number): void {
    this.clock.jump(ms);
    this.instance?.tick(this.clock.bootMs());
  }

  /** A job whose only task runs a text, with the file `out` for what it prints. */
  job(text: string | undefined, more = {}): void {
    const run = text === undefined ? { kind: 'signal' as const } : { kind: 'shell' as const, text };
    const changes = { run, env: { OUT: this.folder }, outputPath: join(this.folder, 'out'), graceMs: 500, ...more };
    this.coordinator.send({ type: 'job', job: scriptedJob(1, '', changes) });
  }

  grant(attempt = 1): number {
    return this.coordinator.grant(1, 0, 1, attempt);
  }

  direct(changes: Partial<Directive> = {}): number {
    this.#version += 1;
    const directive = {
      version: this.#version,
      wanted: 'running' as const,
      size: 2,
      peers: 0,
      done: false,
      ...changes,
    };
    this.coordinator.send({ type: 'instance', directive });
    return this.#version;
  }

  /** The last that was said. */
  get report(): InstanceReport | undefined {
    return this.coordinator.exchanges.findLast(({ instance }) => instance !== undefined)?.instance;
  }

  reported(what: string, look: (report: InstanceReport) => boolean): Promise<InstanceReport> {
    return until(what, () => {
      const { report } = this;
      return report !== undefined && look(report) && report;
    });
  }

  async started(fence: number): Promise<void> {
    const { coordinator } = this;
    await until('the start', () => coordinator.started.has(fence) || coordinator.endOf(fence) !== undefined);
  }

  /** How the attempt ended; what the process made of it when it was made to end is left out. */
  outcome(fence: number): Promise<number> {
    return until('the end', () => this.coordinator.endOf(fence)).then(({ outcome }) => withoutProcess(outcome));
  }

  read(name: string): string {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Lets what waits for it go on. */
  touch(name: string, text = ''): void {
    writeFileSync(join(this.folder, name), text);
  }
}

/** Notes its start, waits for the file `go`, notes its end. */
export const WAITS =
  'echo "start $SPAWN_ATTEMPT" >>"$OUT/ran"; until [ -e "$OUT/go" ]; do sleep 0.02; done; echo end >>"$OUT/ran"';

/** An instance whose task runs. */
export async function runningInstance(
  order = {},
  text: string | undefined = WAITS,
  directive = {},
  endIdleAfterMs = 60_000,
) {
  const world = new AgentOnScript(order);
  world.endIdleAfterMs = endIdleAfterMs;
  world.start();
  world.job(text);
  const fence = world.grant();
  world.direct(directive);
  await world.started(fence);
  await world.reported('the directive', ({ version }) => version === 1);
  return { world, fence };
}
