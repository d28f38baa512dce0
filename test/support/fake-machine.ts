import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { MachineOrder } from '../../src/api/instance-session.ts';
import type {
  ForkerChannel,
  InsideReply,
  InsideRequest,
  Machine,
  MachineActivity,
  MachinePlaces,
  SharedFile,
} from '../../src/providers/provider.ts';
import { forkerProgram, nativeForkerPath } from '../../src/worker/forker/programs.ts';
import { anOrder } from './machine-order.ts';

const KIND = existsSync(nativeForkerPath()) ? 'native' : 'node';

/** USD 3.60 an hour: a thousandth of a dollar a second. */
export function fakeOrder(changes: Partial<MachineOrder> = {}): MachineOrder {
  return anOrder({ rate: 3.6, dnsSuffix: 'acc.spore.host', launchedAt: Date.now(), ...changes });
}

/** Where a machine of its own has them. */
const FAKE_PLACES: MachinePlaces = {
  bin: '/run/spawn/bin',
  etc: '/etc/spawn',
  run: '/run/spawn',
  log: '/var/log',
  tmp: '/tmp',
  isOwn: true,
};

/** A machine that is only a forker on this one. It outlives the agents that serve it one after the other. */
export class FakeBox {
  readonly order: MachineOrder;
  readonly files = new Map<string, string>();
  /** What was done to it, in order. */
  readonly done: string[] = [];
  /** How long each run in it and each end of it might take, ms. */
  readonly limitsMs: number[] = [];
  memory: string | undefined;
  memoryWrites = 0;
  deadlineMs: number | undefined;
  /** From TERM to KILL at its deadline; undefined: its own. */
  lastGraceMs: number | undefined;
  activity: MachineActivity = {
    cpuUs: 0,
    diskBytes: 0,
    networkBytes: 0,
    logins: 0,
    memoryBytes: 1,
    processes: 1,
  };
  activityCalls = 0;
  canFreeze = true;
  /** What writing its files fails with. */
  writeFailure: Error | undefined;
  preStopCode = 0;
  readonly hasForker: boolean;
  #child: ChildProcess | undefined;
  #starts = 0;
  #said: Uint8Array[] = [];
  #listener: ((bytes: Uint8Array) => void) | undefined;
  #onClose: (() => void) | undefined;
  #onGone: ((why: string) => void) | undefined;
  #answer: ((request: InsideRequest) => Promise<InsideReply>) | undefined;
  #asked = false;

  constructor(order: MachineOrder, hasForker = true) {
    this.order = order;
    this.hasForker = hasForker;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** As an agent finds it now. */
  machine(): Machine {
    const adopted = this.#child !== undefined;
    this.#asked = false;
    return {
      order: this.order,
      places: FAKE_PLACES,
      adopted,
      startId: `start ${this.#starts + (adopted ? 0 : 1)}`,
      memory: {
        read: async () => this.memory,
        write: async (text) => {
          this.memoryWrites += 1;
          this.memory = text;
        },
      },
      inside: (directory) => directory,
      forker: async () => this.#channel(),
      write: async (files) => {
        if (this.writeFailure !== undefined) throw this.writeFailure;
        for (const [name, text] of Object.entries(files)) this.#write(name, text);
      },
      setDeadline: async (inMs, graceMs) => {
        this.deadlineMs = inMs;
        this.lastGraceMs = graceMs;
      },
      activity: async () => {
        this.activityCalls += 1;
        return this.activity;
      },
      run: async (command, timeoutMs) => {
        this.limitsMs.push(timeoutMs);
        this.done.push(`run ${command}`);
        return { code: this.preStopCode, output: 'said' };
      },
      freeze: async () => {
        if (!this.canFreeze) throw new Error('no freezer');
        this.done.push('freeze');
        this.#signal('SIGSTOP');
      },
      thaw: async () => {
        this.done.push('thaw');
        this.#signal('SIGCONT');
      },
      stop: (graceMs) => this.#end('stop', graceMs),
      terminate: (graceMs) => this.#end('terminate', graceMs),
      release: () => {
        this.done.push('release');
        this.#listener = this.#onClose = this.#onGone = undefined;
      },
      onInside: (answer) => {
        this.#answer = answer;
      },
      onGone: (listener) => {
        this.#onGone = listener;
      },
    };
  }

  inside(request: InsideRequest): Promise<InsideReply> {
    return this.#answer!(request);
  }

  /** As if the agent was killed: nothing reaches it any more. */
  forgetAgent(): void {
    this.#listener = this.#onClose = this.#onGone = undefined;
  }

  /** As if an agent had started it and died at once. */
  startAlone(): void {
    this.#start();
  }

  /** As if it lost power. */
  async lose(why: string): Promise<void> {
    const gone = this.#onGone;
    this.#listener = undefined;
    await this.#kill();
    gone?.(why);
  }

  async close(): Promise<void> {
    this.forgetAgent();
    await this.#kill();
  }

  async #channel(): Promise<ForkerChannel> {
    if (this.#asked) throw new Error('asked for its forker twice');
    this.#asked = true;
    if (this.#child === undefined && this.hasForker) this.#start();
    return {
      pid: this.#child?.pid ?? 0,
      onData: (listener) => {
        this.#listener = listener;
        for (const bytes of this.#said) listener(bytes);
      },
      onClose: (listener) => {
        this.#onClose = listener;
      },
      send: (bytes) => {
        if (this.#child?.stdin?.writable) this.#child.stdin.write(bytes);
      },
    };
  }

  #start(): void {
    const { command, args } = forkerProgram(KIND);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true, env: {}, cwd: '/' });
    this.#said = [];
    this.#starts += 1;
    child.stdin.on('error', () => {});
    child.stdout.on('data', (bytes: Buffer) => {
      this.#said.push(bytes);
      this.#listener?.(bytes);
    });
    this.#child = child;
  }

  #write(name: string, text: string | SharedFile | null): void {
    if (text === null) this.files.delete(name);
    else this.files.set(name, typeof text === 'string' ? text : text.text());
  }

  async #end(how: string, graceMs: number): Promise<void> {
    this.limitsMs.push(graceMs);
    this.done.push(how);
    await this.#kill();
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    const onClose = this.#onClose;
    this.#child = undefined;
    if (child === undefined) return;
    const exited = once(child, 'close');
    child.stdin?.end();
    await exited;
    onClose?.();
  }

  /** To every task: each is a group of its own. */
  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    const children = () => execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
    try {
      for (const line of children().split('\n').filter(Boolean)) process.kill(-Number(line), signal);
    } catch {
      // There is none.
    }
  }
}

/** `/bin/sh` in place of the in-instance program: `boot -- ARGV`, without ARGV until the file `complete` is there. */
export const BOOT = `#!/bin/sh
shift 2
if [ $# -gt 0 ]; then exec "$@"; fi
until [ -e "$OUT/complete" ]; do sleep 0.02; done
exit "$(cat "$OUT/complete")"
`;
