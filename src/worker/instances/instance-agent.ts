import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LastWords } from '../../api/instance-memory.ts';
import type { MachineOrder } from '../../api/instance-session.ts';
import type { Machine, MachineHost } from '../../providers/provider.ts';
import { JobFiles } from '../job-files.ts';
import type { AgentPlace, InstanceClient } from './agent-place.ts';
import { type InstanceClock, machineClock } from './boot-clock.ts';
import { Instance } from './instance.ts';
import { failedLaunch, tellLast } from './last-words.ts';
import { PeersBook } from './peers-book.ts';
import { Untold } from './untold.ts';

export interface InstanceAgentOptions {
  readonly client: InstanceClient;
  readonly machines: MachineHost;
  /** Absolute; scripts, environments and, where the coordinator names no place, logs are kept in it. */
  readonly dataDir: string;
  readonly host: string;
  /** Of this package. */
  readonly version: string;
  /** The in-instance program, seen from inside; default: that of the machine. */
  readonly spored?: string;
  /** Default: those of this machine. */
  readonly clock?: InstanceClock;
  /** Whether the server answers; asked when there is nothing to serve. */
  readonly isServerThere: () => Promise<boolean>;
  /** Where is kept what an agent that ends could not tell. */
  readonly untoldDir: string;
  /** With nothing that runs for so long, and the server gone, the agent ends, ms. Default 60,000. */
  readonly endIdleAfterMs?: number;
  /** One line for a person, without its end. */
  readonly log: (line: string) => void;
}

/** How it ended: let go; nothing that runs and no server; another agent has taken an instance, so it has let go of all. */
export type AgentEnd = 'released' | 'idle' | 'taken';

const TICK_MS = 1_000;
const PEERS_WITHIN_MS = 10_000;
const END_IDLE_AFTER_MS = 60_000;

/** Serves all instances of one machine host: each has its session, and one tick a second looks after all. */
export class InstanceAgent {
  readonly #options: InstanceAgentOptions;
  readonly #instances = new Map<string, Instance>();
  readonly #place: Promise<AgentPlace>;
  readonly #stop = new AbortController();
  readonly #ended = Promise.withResolvers<AgentEnd>();
  readonly #scripts = new Map<string, Promise<string>>();
  readonly #untold: Untold;
  /** Of those that did not start, by id. */
  readonly #unsaid = new Map<string, LastWords>();
  #idleSinceMs = performance.now();
  #asking = false;
  #isTaken = false;

  constructor(options: InstanceAgentOptions) {
    this.#options = options;
    this.#untold = new Untold(options.untoldDir);
    this.#place = this.#makePlace();
  }

  /** By id. */
  get instances(): ReadonlyMap<string, Instance> {
    return this.#instances;
  }

  /** Serves until `release`, until nothing runs and no server is there, or another agent comes. Rejects when the machines cannot be found. */
  async run(): Promise<AgentEnd> {
    const { machines } = this.#options;
    const place = await this.#place;
    const timer = setInterval(() => this.#tick(place), TICK_MS);
    for (const words of this.#untold.all()) void this.#tell(words, place);
    try {
      await machines.serve({
        onUp: (machine) => void this.#up(machine, place),
        onFailed: (order, why) => void this.#failed(order, why, place),
        onTaken: (order) => this.#taken(order, place),
      });
      return await this.#ended.promise;
    } finally {
      clearInterval(timer);
      if (!this.#isTaken) this.#keepUntold(place);
      this.#stop.abort();
      await Promise.all([...this.#instances.values()].map((instance) => instance.release(!this.#isTaken)));
      await machines.close();
    }
  }

  /** Lets go of all machines; they run on, and another agent can take them over. */
  release(): void {
    this.#ended.resolve('released');
  }

  #taken(order: MachineOrder, { log }: AgentPlace): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    log(`another agent has taken ${order.name} (${order.id}): lets go of ${this.#instances.size} instances, and ends`);
    this.#ended.resolve('taken');
  }

  async #makePlace(): Promise<AgentPlace> {
    const { client, dataDir, host, version, log, spored, clock = machineClock() } = this.#options;
    const directory = join(dataDir, 'worker');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return {
      client,
      clock,
      directory,
      host,
      version,
      log,
      ...(spored === undefined ? {} : { spored }),
      files: new JobFiles(directory, client),
      peers: new PeersBook((id) => client.peers(id, { signal: AbortSignal.timeout(PEERS_WITHIN_MS) })),
      resolvConf: await readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
      userData: (hash) => this.#script(hash),
    };
  }

  async #up(machine: Machine, place: AgentPlace): Promise<void> {
    // Another agent has had the machine meanwhile: what serves it here without a connection to it would only disturb.
    await this.#instances.get(machine.order.id)?.release();
    const instance = await Instance.open(machine, place, (over) => this.#over(over));
    if (this.#stop.signal.aborted) return instance.release();
    place.log(`${machine.order.name} (${machine.order.id}): ${machine.adopted ? 'taken over' : 'up'}`);
    this.#instances.set(machine.order.id, instance);
  }

  async #failed(order: MachineOrder, why: string, place: AgentPlace): Promise<void> {
    place.log(`${order.name} (${order.id}) does not start: ${why}`);
    await this.#tell(failedLaunch(order, why, place.clock.wallMs()), place);
  }

  async #tell(words: LastWords, place: AgentPlace): Promise<void> {
    const { id } = words.order;
    this.#unsaid.set(id, words);
    if (!(await tellLast(words, place, this.#stop.signal))) return;
    this.#unsaid.delete(id);
    this.#untold.forget(id);
  }

  /** The agent after this one says it. */
  #keepUntold({ log }: AgentPlace): void {
    for (const { life, sessions } of this.#instances.values()) {
      if (life.isDown) this.#unsaid.set(life.order.id, sessions.lastWords());
    }
    for (const words of this.#unsaid.values()) {
      try {
        this.#untold.keep(words);
      } catch (error) {
        log(`what is to be said of ${words.order.name} (${words.order.id}) is lost: ${(error as Error).message}`);
      }
    }
  }

  #over(instance: Instance): void {
    const { id, jobId } = instance.machine.order;
    if (this.#instances.get(id) === instance) this.#instances.delete(id);
    const isLast = ![...this.#instances.values()].some(({ machine }) => machine.order.jobId === jobId);
    if (isLast) void this.#place.then(({ peers }) => peers.forget(jobId));
  }

  #tick({ clock, log }: AgentPlace): void {
    const nowMs = clock.bootMs();
    for (const instance of this.#instances.values()) {
      try {
        instance.tick(nowMs);
      } catch (error) {
        // One of many must not take the others along.
        log(`${instance.machine.order.id}: ${(error as Error).stack}`);
      }
    }
    if (this.#runs) this.#idleSinceMs = performance.now();
    else void this.#endIdle();
  }

  async #endIdle(): Promise<void> {
    const { endIdleAfterMs = END_IDLE_AFTER_MS, isServerThere } = this.#options;
    if (this.#asking || performance.now() - this.#idleSinceMs < endIdleAfterMs) return;
    this.#asking = true;
    const isThere = await isServerThere().catch(() => false);
    this.#asking = false;
    if (!isThere && !this.#runs) this.#ended.resolve('idle');
  }

  get #runs(): boolean {
    return [...this.#instances.values()].some(({ life }) => !life.isDown);
  }

  #script(hash: string): Promise<string> {
    let text = this.#scripts.get(hash);
    if (text === undefined) {
      text = this.#options.client.getBlob(hash).then((bytes) => new TextDecoder().decode(bytes));
      this.#scripts.set(hash, text);
      text.catch(() => this.#scripts.delete(hash));
    }
    return text;
  }
}
