import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { MachineOrder } from '../../api/instance-session.ts';
import type { HaltHow, MachineFact } from '../provider.ts';
import type { ProcessIdentity } from './instance-records.ts';
import type { Processes } from './local-provider.ts';
import { type ConfigParts, configText, GRACE_MS } from './sandbox-config.ts';
import { killLeft } from './sandbox-left.ts';
import { BESIDE, IN_RUN, IN_SANDBOX, peersDirectory } from './sandbox-paths.ts';
import { memberFile, removeGroup, removeSandbox } from './sandbox-remains.ts';

/** The first look comes after 1 ms, each next one after twice as long. */
const MOST_LOOK_MS = 100;
/** An init that was told to end has so long beyond the grace; then it is killed. */
const INIT_WITHIN_MS = 12_000;

/** What the functions here need of the system's processes. */
export type SandboxProcesses = Pick<Processes, 'isAlive' | 'signal'>;

/** Asks the agent to start an instance: it does so once, whether it runs now or later. */
export function requestStart(directory: string, order: MachineOrder): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeWhole(join(directory, IN_SANDBOX.order), JSON.stringify(order));
  rmSync(join(directory, IN_SANDBOX.run, IN_RUN.ended), { force: true });
  writeWhole(join(directory, IN_SANDBOX.start), '');
  writeFileSync(join(dirname(directory), BESIDE.poke), '', { mode: 0o600 });
}

export function wantsStart(directory: string): boolean {
  return existsSync(join(directory, IN_SANDBOX.start));
}

/** It shall not be started, with why for people. */
export function withdrawStart(directory: string, why: string): void {
  rmSync(join(directory, IN_SANDBOX.start), { force: true });
  if (!existsSync(join(directory, IN_SANDBOX.run))) return;
  writeWhole(join(directory, IN_SANDBOX.run, IN_RUN.ended), `${why}\n`);
}

/** Undefined when there is none, or none that can be understood. */
export function readOrder(directory: string): MachineOrder | undefined {
  try {
    return MachineOrder.parse(JSON.parse(readFileSync(join(directory, IN_SANDBOX.order), 'utf8')));
  } catch {
    return undefined;
  }
}

/** How it was started last: what was made visible in it, with which programs, and whether without namespaces. */
export function readStarted(directory: string): { visible: string[]; programs: string | undefined; isPlain: boolean } {
  const text = readWhole(join(directory, IN_SANDBOX.config)) ?? '';
  return {
    visible: [...text.matchAll(/^visible (.*)$/gm)].map((match) => match[1]!),
    programs: /^bin (.*)$/m.exec(text)?.[1],
    isPlain: /^plain /m.test(text),
  };
}

/** The first process of the sandbox, when one was ever started; whether it lives is another question. */
export function readInit(directory: string): ProcessIdentity | undefined {
  const [pid, startTicks, bootId] = readLine(join(directory, IN_SANDBOX.run, IN_RUN.init))?.split('\t') ?? [];
  if (pid === undefined || startTicks === undefined || bootId === undefined) return undefined;
  return { pid: Number(pid), startTicks: Number(startTicks), bootId };
}

/** Why the sandbox ended: `stop`, `deadline`, … Undefined while it runs, and when it was killed. */
export function readEnding(directory: string): string | undefined {
  return readLine(join(directory, IN_SANDBOX.run, IN_RUN.ended));
}

/** What is known of a sandbox without asking its agent. */
export function describeSandbox(directory: string, processes: SandboxProcesses): MachineFact['state'] {
  const init = readInit(directory);
  if (init !== undefined && processes.isAlive(init)) return 'up';
  if (!existsSync(join(directory, IN_SANDBOX.order))) return 'gone';
  return wantsStart(directory) ? 'starting' : 'down';
}

/** Ends all that runs in a sandbox, without an agent; `terminate` also removes it from the disk. Does nothing where nothing is. */
export async function haltSandbox(directory: string, how: HaltHow, processes: SandboxProcesses): Promise<void> {
  rmSync(join(directory, IN_SANDBOX.start), { force: true });
  const init = readInit(directory);
  if (init !== undefined) {
    processes.signal(init, 'SIGTERM');
    await waitUntilDead(init, GRACE_MS + INIT_WITHIN_MS, processes);
  }
  await killLeft(directory);
  await removeGroup(directory);
  if (how === 'terminate') removeSandbox(directory);
}

/** Kills it when it has not ended in time. */
export async function waitUntilDead(
  init: ProcessIdentity,
  withinMs: number,
  processes: SandboxProcesses,
): Promise<void> {
  for (let leftMs = withinMs, lookMs = 1; processes.isAlive(init); lookMs = Math.min(lookMs * 2, MOST_LOOK_MS)) {
    if (leftMs <= 0) processes.signal(init, 'SIGKILL');
    await wait(lookMs);
    leftMs -= lookMs;
  }
}

/** Whether it ends by itself within the time that an init takes to end. */
export async function isDeadSoon(init: ProcessIdentity, processes: SandboxProcesses): Promise<boolean> {
  for (let leftMs = INIT_WITHIN_MS, lookMs = 1; processes.isAlive(init) && leftMs > 0; leftMs -= lookMs) {
    lookMs = Math.min(lookMs * 2, MOST_LOOK_MS);
    await wait(lookMs);
  }
  return !processes.isAlive(init);
}

/** Makes what the launcher needs. A second start finds its disk as it was. */
export function prepareSandbox(parts: ConfigParts): void {
  const { directory, order } = parts;
  const paths = ['log', 'spawn', 'run', 'tmp', ...(parts.isPlain ? [] : ['etc', 'etc-work', 'bin', 'bin-work'])];
  for (const path of paths) makeDirectory(join(directory, path), path === 'tmp' ? 0o1777 : 0o755);
  link(directory, IN_SANDBOX.array, join('..', BESIDE.arrays, order.arrayId));
  for (const [name, text] of Object.entries(firstFiles(order))) {
    const path = join(directory, IN_SANDBOX.spawn, name);
    if (!existsSync(path)) writeWhole(path, text, 0o644);
  }
  const peers = peersDirectory(directory, order.arrayId);
  mkdirSync(peers, { recursive: true, mode: 0o700 });
  writeFileSync(join(peers, memberFile(order.id)), '', { mode: 0o600 });
  showPeers(join(directory, IN_SANDBOX.run, 'peers'), peers, parts.isPlain);
  writeWhole(join(directory, IN_SANDBOX.config), configText(parts));
}

/** Without mounts a link leads to them. What an earlier start has left there may be the other kind. */
function showPeers(at: string, peers: string, isPlain: boolean): void {
  rmSync(at, { recursive: true, force: true });
  if (isPlain) symlinkSync(peers, at);
}

/** Its mode does not depend on the umask of this process: other users of the sandbox go through it. */
function makeDirectory(path: string, mode: number): void {
  if (existsSync(path)) return;
  mkdirSync(path);
  chmodSync(path, mode);
}

/** Until the agent writes its own: what programs look for that start before. The agent's are the same, and then not written again. */
function firstFiles({ address, dns, name, groupDns }: MachineOrder): Record<string, string> {
  const names = [...new Set([dns, dns.split('.')[0]!, name, groupDns])].filter((each) => each !== '').join(' ');
  return {
    hosts: `127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n${address} ${names}\n`,
    hostname: `${name}\n`,
  };
}

function link(directory: string, at: string, target: string): void {
  try {
    symlinkSync(target, join(directory, at));
  } catch (error) {
    // It was there, or what the user has put in its place.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Whole or not at all: somebody may look at any moment. */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  const draft = join(dirname(path), `.${path.slice(path.lastIndexOf('/') + 1)}.new`);
  const file = openDraft(draft);
  try {
    writeFileSync(file, text);
    // Whatever the umask of this process is.
    if (mode !== 0o600) fchmodSync(file, mode);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

/** One that a killed process has left is removed: it may be a link. */
function openDraft(draft: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  try {
    return openSync(draft, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    rmSync(draft, { force: true });
    return openSync(draft, flags, 0o600);
  }
}

function readLine(path: string): string | undefined {
  return readWhole(path)?.trimEnd();
}

function readWhole(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
