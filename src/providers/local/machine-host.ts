import { existsSync, type FSWatcher, mkdirSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { MachineOrder } from '../../api/instance-session.ts';
import type { Machine, MachineHost } from '../provider.ts';
import { ArrayFiles } from './array-files.ts';
import type { ProcessIdentity } from './instance-records.ts';
import {
  prepareSandbox,
  readEnding,
  readInit,
  readOrder,
  readStarted,
  type SandboxProcesses,
  waitUntilDead,
  wantsStart,
  withdrawStart,
} from './sandbox-directory.ts';
import type { OnceWritten } from './sandbox-files.ts';
import { SandboxLauncher } from './sandbox-launch.ts';
import { killLeft } from './sandbox-left.ts';
import { InitLink } from './sandbox-link.ts';
import { openMachine } from './sandbox-machine.ts';
import { BESIDE, IN_RUN, IN_SANDBOX, placesOf } from './sandbox-paths.ts';
import { installPrograms, requireRunnable } from './sandbox-programs.ts';
import { leaveArray } from './sandbox-remains.ts';
import { connectTo } from './sandbox-sockets.ts';
import { sweepRemains } from './sandbox-sweep.ts';
import { SharedFiles } from './shared-files.ts';

/** More at once are not faster: the kernel makes namespaces one after the other. */
const AT_ONCE = 8;
/** Launches of one instance that ended with the launcher. */
const MOST_TRIES = 3;
const LOOK_EVERY_MS = 5_000;
const LOOK_UNWATCHED_MS = 500;
/** Orders that come one after the other are looked for together. */
const LOOK_AFTER_MS = 10;

export interface MachineHostOptions {
  /** Where the directories of instances are. */
  readonly directory: string;
  /** Directories of the agent that tasks' forkers need: for logs and files of its sessions. */
  readonly visible: readonly string[];
  readonly processes: SandboxProcesses;
  /** Without namespaces: where the kernel refuses them. Default false. */
  readonly isPlain?: boolean;
  /** Where native programs are; default: those of this package. */
  readonly sources?: { readonly instance: string; readonly forker: string };
}

type Serving = Parameters<MachineHost['serve']>[0];

/** The sandboxes of this machine: starts those for which a start was requested, takes over those that run. */
export function createMachineHost(options: MachineHostOptions): MachineHost {
  return new SandboxHost(options);
}

class SandboxHost implements MachineHost {
  readonly #options: MachineHostOptions;
  /** By id, those that are being taken in hand or are; undefined while not yet. */
  readonly #machines = new Map<string, Machine | undefined>();
  readonly #queue: (() => Promise<void>)[] = [];
  /** Of those whose launcher died, how often that was. */
  readonly #tries = new Map<string, number>();
  readonly #once: OnceWritten;
  readonly #programs: string;
  readonly #launcher: SandboxLauncher;
  /** Machines are taken up. */
  #looks = false;
  #running = 0;
  #serving: Serving | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: MachineHostOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    this.#programs = installPrograms(options.directory, options.sources);
    this.#launcher = new SandboxLauncher(this.#programs, options.directory);
    this.#once = {
      shared: new SharedFiles(join(options.directory, BESIDE.shared)),
      arrays: new ArrayFiles(options.directory),
    };
    sweepRemains(options.directory);
  }

  async serve(serving: Serving): Promise<void> {
    this.#serving = serving;
    this.#looks = true;
    const watches = this.#watch();
    this.#timer = setInterval(() => this.#look(), watches ? LOOK_EVERY_MS : LOOK_UNWATCHED_MS);
    this.#look();
  }

  async close(): Promise<void> {
    this.#stopLooking();
    this.#serving = undefined;
    for (const machine of [...this.#machines.values()]) machine?.release();
    await this.#launcher.close();
  }

  #stopLooking(): void {
    this.#looks = false;
    this.#watcher?.close();
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#queue.length = 0;
  }

  /** False where the kernel gives this user no more watches: inotify(7), max_user_instances. */
  #watch(): boolean {
    try {
      this.#watcher = watch(this.#options.directory, () => this.#lookSoon());
      this.#watcher.on('error', () => this.#watcher?.close());
      return true;
    } catch {
      return false;
    }
  }

  #lookSoon(): void {
    if (!this.#looks) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#look();
    }, LOOK_AFTER_MS);
  }

  #look(): void {
    for (const id of readdirSync(this.#options.directory)) {
      if (id.startsWith('.') || this.#machines.has(id)) continue;
      const directory = join(this.#options.directory, id);
      const init = this.#liveInit(directory);
      if (init === undefined && !wantsStart(directory)) continue;
      const order = readOrder(directory);
      if (order === undefined) continue;
      this.#machines.set(id, undefined);
      this.#queue.push(() => this.#takeUp(directory, order));
    }
    this.#pump();
  }

  #liveInit(directory: string): ProcessIdentity | undefined {
    const init = readInit(directory);
    return init !== undefined && this.#options.processes.isAlive(init) ? init : undefined;
  }

  #pump(): void {
    for (; this.#running < AT_ONCE && this.#queue.length > 0; this.#running += 1) {
      this.#queue.shift()!().finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  async #takeUp(directory: string, order: MachineOrder): Promise<void> {
    try {
      const running = this.#liveInit(directory);
      const started = running ?? (await this.#launch(directory, order));
      if (started === undefined) {
        this.#machines.delete(order.id);
        this.#isCalledOff(directory, order);
        return;
      }
      const init = this.#liveInit(directory);
      if (init === undefined) {
        // Nobody would find what has no directory any more, or says nothing of itself there.
        await waitUntilDead(started, 0, this.#options.processes);
        throw new Error('it ended at once; its log is spawn.log');
      }
      // It runs for whoever comes next.
      if (!this.#looks) return;
      await this.#connect(directory, order, init, running !== undefined);
    } catch (error) {
      this.#machines.delete(order.id);
      // It runs, and only cannot be reached: another agent took it at the same moment, or this one has no file descriptor left. Tried again.
      if (this.#liveInit(directory) !== undefined) return;
      if (!this.#isCalledOff(directory, order)) this.#fail(directory, order, (error as Error).message);
    }
  }

  /** It was ended or removed while it was started, by somebody who knows that. */
  #isCalledOff(directory: string, order: MachineOrder): boolean {
    if (existsSync(join(directory, IN_SANDBOX.order))) return readEnding(directory) === 'stop';
    // What came after that among the members of its array goes, too.
    leaveArray(directory, order.arrayId);
    return true;
  }

  /** Its first process; undefined: somebody else is starting it, or has called it off, so it is looked at again. */
  async #launch(directory: string, order: MachineOrder): Promise<ProcessIdentity | undefined> {
    const programs = this.#programs;
    const { visible, isPlain = false } = this.#options;
    requireRunnable(programs);
    if (isPlain) await killLeft(directory);
    const places = placesOf(directory, programs, isPlain);
    prepareSandbox({ order, directory, programs, visible, isPlain, places });
    const launched = await this.#launcher.launch(directory);
    if ('init' in launched) {
      this.#tries.delete(order.id);
      return launched.init;
    }
    const { failure } = launched;
    if (failure.step === 'launcher') {
      const tries = (this.#tries.get(order.id) ?? 0) + 1;
      this.#tries.set(order.id, tries);
      // It may have come up all the same, or comes up while this is written.
      if (tries < MOST_TRIES) return this.#lookAgain();
    }
    this.#tries.delete(order.id);
    if (failure.step !== 'lock' && failure.step !== 'withdrawn') throw new Error(failure.why);
    return this.#lookAgain();
  }

  /** Nothing is taken up any more: not even what was taken from this one. */
  #taken(order: MachineOrder): void {
    this.#stopLooking();
    this.#serving?.onTaken(order);
  }

  #lookAgain(): undefined {
    this.#lookSoon();
    return undefined;
  }

  async #connect(directory: string, order: MachineOrder, init: ProcessIdentity, adopted: boolean): Promise<void> {
    const { processes } = this.#options;
    // What an agent before this one made visible may be something else.
    const { visible, programs = this.#programs, isPlain } = readStarted(directory);
    const socket = await connectTo(join(directory, IN_SANDBOX.run, IN_RUN.initSocket));
    const machine = await openMachine({
      order,
      directory,
      adopted,
      init,
      link: new InitLink(socket),
      visible,
      places: placesOf(directory, programs, isPlain),
      programs: this.#programs,
      once: this.#once,
      processes,
      onEnd: () => this.#forget(order.id),
      onTaken: () => this.#taken(order),
    });
    if (!this.#looks || this.#serving === undefined) {
      machine.release();
      return;
    }
    this.#machines.set(order.id, machine);
    this.#serving.onUp(machine);
  }

  /** A start may have been requested again meanwhile. */
  #forget(id: string): void {
    this.#machines.delete(id);
    this.#lookSoon();
  }

  #fail(directory: string, order: MachineOrder, why: string): void {
    withdrawStart(directory, `failed: ${why}`);
    this.#serving?.onFailed(order, why);
  }
}
