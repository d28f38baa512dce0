import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { MachineOrder } from '../../api/instance-session.ts';
import type { ForkerChannel, Machine, MachinePlaces } from '../provider.ts';
import type { ProcessIdentity } from './instance-records.ts';
import { isDeadSoon, readEnding, type SandboxProcesses, waitUntilDead } from './sandbox-directory.ts';
import { type OnceWritten, SandboxFiles } from './sandbox-files.ts';
import { serveInside } from './sandbox-inside.ts';
import { killLeft } from './sandbox-left.ts';
import type { InitHello, InitLink } from './sandbox-link.ts';
import { SandboxMemory } from './sandbox-memory.ts';
import { IN_RUN, IN_SANDBOX, pathInside } from './sandbox-paths.ts';
import { removeGroup, removeSandbox } from './sandbox-remains.ts';
import { runInSandbox } from './sandbox-run.ts';

/** Beyond the grace: what the init takes to let the forker report and leave. */
const INIT_WITHIN_MS = 12_000;
/** From the end of its connection to that of the process. */
const CLOSED_WITHIN_MS = 2_000;

export interface MachineParts {
  readonly order: MachineOrder;
  readonly directory: string;
  readonly adopted: boolean;
  readonly init: ProcessIdentity;
  readonly link: InitLink;
  readonly visible: readonly string[];
  readonly places: MachinePlaces;
  readonly programs: string;
  readonly once: OnceWritten;
  readonly processes: SandboxProcesses;
  /** Nothing more will come from this machine: it ended or was let go. */
  readonly onEnd: () => void;
  /** Another agent has taken it: this one is one too many. */
  readonly onTaken: () => void;
}

/** A sandbox that is up, as the agent has it in its hands. */
export async function openMachine(parts: MachineParts): Promise<Machine> {
  const { order, directory, init, link, processes } = parts;
  const hello = await link.hello;
  const inside = await serveInside(join(directory, IN_SANDBOX.run, IN_RUN.agentSocket));
  const channel = openChannel(link, hello);
  const memory = new SandboxMemory(join(directory, IN_SANDBOX.memory));
  const files = new SandboxFiles(directory, order.arrayId, parts.once);
  let ours = false;
  /** It is in other hands, or will be again: what these remember is old. */
  let isLeft = false;
  let goneWhy: string | undefined;
  let onGone: ((why: string) => void) | undefined;

  let left = false;
  const leave = () => {
    if (left) return;
    left = true;
    inside.close();
    parts.onEnd();
  };
  const tellGone = async (ending: string | undefined) => {
    // Its connections are closed a moment before a process is seen to be dead.
    const dead = await isDeadSoon(init, processes);
    isLeft = !dead;
    leave();
    // Else only the connection is lost: the machine is well, and looked for again.
    if (!dead) return;
    channel.end();
    goneWhy = ending ?? readEnding(directory) ?? 'it was killed';
    onGone?.(goneWhy);
  };
  const tellTaken = () => {
    isLeft = true;
    leave();
    parts.onTaken();
  };
  link.onClose((ending) => {
    if (ours) channel.end();
    else if (link.isTaken) tellTaken();
    else void tellGone(ending);
  });

  const end = async (graceMs: number, removes: boolean) => {
    ours = true;
    // Asked for when it ran already: it must not come up again by that. A start that is meant comes when it has stopped.
    rmSync(join(directory, IN_SANDBOX.start), { force: true });
    // One that does not answer is ended by a signal below, and at last killed.
    const asked = await link.stop(graceMs).then(
      () => true,
      () => false,
    );
    if (!asked) processes.signal(init, 'SIGTERM');
    // Looking whether a process lives costs; a thousand of them may be ending.
    const patience = new AbortController();
    const late = wait(graceMs + INIT_WITHIN_MS, undefined, { signal: patience.signal, ref: false }).catch(() => {});
    if (asked) await Promise.race([link.closed, late]);
    patience.abort();
    await waitUntilDead(init, asked ? CLOSED_WITHIN_MS : graceMs + INIT_WITHIN_MS, processes);
    link.close();
    await killLeft(directory);
    await removeGroup(directory);
    leave();
    if (removes) removeSandbox(directory);
  };

  return {
    order,
    adopted: parts.adopted,
    startId: `${init.pid}-${init.startTicks}-${init.bootId}`,
    memory: {
      read: async () => memory.read(),
      write: async (text) => {
        if (!isLeft) memory.write(text);
      },
    },
    places: parts.places,
    inside: (path) => (parts.places.isOwn ? pathInside(path, parts.visible) : path),
    forker: async () => channel.forker,
    write: async (given) => files.write(given),
    setDeadline: (inMs, graceMs) => link.setDeadline(inMs, graceMs),
    activity: async () => ({ ...(await link.activity()), networkBytes: undefined }),
    run: (command, timeoutMs) => runInSandbox({ directory, programs: parts.programs, command, timeoutMs }),
    freeze: () => link.freeze(),
    thaw: () => link.thaw(),
    stop: (graceMs) => end(graceMs, false),
    terminate: (graceMs) => end(graceMs, true),
    release() {
      ours = true;
      link.close();
      leave();
    },
    onInside: inside.onRequest,
    onGone(listener) {
      onGone = listener;
      if (goneWhy !== undefined) queueMicrotask(() => listener(goneWhy ?? ''));
    },
  };
}

function openChannel(link: InitLink, hello: InitHello): { forker: ForkerChannel; end(): void } {
  let closed = false;
  let onClose: (() => void) | undefined;
  return {
    forker: {
      pid: hello.forkerPid,
      onData: (listener, onMemoryKill) => link.onForkerBytes(listener, onMemoryKill),
      onClose(listener) {
        onClose = listener;
        if (closed) queueMicrotask(listener);
      },
      send: (bytes) => link.sendToForker(bytes),
    },
    end() {
      closed = true;
      onClose?.();
    },
  };
}
