// How long until N local instances all run and each has the complete peers file; how soon all files follow a change; how long their end takes; what
// memory and processor time they need when they do nothing; and is anything left of them afterwards?
//
//     npm run build && node bench/instances.ts [--sizes 20,100,400,1000] [--leaks 500] [--idle 500,1000]
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { MachineOrder } from '../src/api/instance-session.ts';
import {
  agentOf,
  cpuMs,
  insideOf,
  isRemoved,
  lengthOf,
  namesIn,
  proportionalBytes,
  type Servers,
  type Traces,
  tracesOf,
} from './instances-traces.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '20,100,400,1000' },
    leaks: { type: 'string', default: '500' },
    idle: { type: 'string', default: '500,1000' },
  },
});
const numbers = (text: string) => text.split(',').filter(Boolean).map(Number);
/** Changes of members that are timed at each size. */
const CHANGES = 3;
/** For so long idle instances are watched, after so long. */
const IDLE_MS = 30_000;
const SETTLE_MS = 5_000;
/** In which everything must be as before. */
const SAME_WITHIN_MS = 100_000;

const server = await startBenchServer(1);
const { client, dataDir } = server;
const machines = join(dataDir, 'instances');
const figures: Record<string, unknown> = {};
const idleSizes = numbers(values.idle);

interface Launched {
  readonly arrayId: string;
  readonly ids: readonly string[];
  /** From the request until each has the complete file. */
  readonly readyMs: number;
  /** From the moment the last one runs. */
  readonly barrierMs: number;
  readonly freeBefore: number;
}

async function launch(size: number): Promise<Launched> {
  const freeBefore = freemem();
  const from = performance.now();
  const { job } = await client.submit({
    spec: {
      name: `bench-${size}`,
      array: `0-${size - 1}`,
      cwd: '/',
      run: { kind: 'signal' },
      instances: { ttlMs: 1_800_000 },
    },
  });
  let ranMs = 0;
  await until(() => namesIn(machines).length === size);
  const ids = namesIn(machines);
  await allHave(ids, 'run/init', (path) => readsAs(path));
  ranMs = performance.now() - from;
  await allHave(ids, 'spawn/job-array-peers.json', (path) => lengthOf(path) === size);
  const readyMs = performance.now() - from;
  return { arrayId: job.arrayId, ids, readyMs, barrierMs: readyMs - ranMs, freeBefore };
}

function readsAs(path: string): boolean {
  try {
    return readFileSync(path, 'utf8') !== '';
  } catch {
    return false;
  }
}

/** Looks again only at those that were not yet as they shall be. */
async function allHave(ids: readonly string[], file: string, isSo: (path: string) => boolean): Promise<void> {
  let rest = ids.map((id) => join(machines, id, file));
  await until(() => {
    const at = rest.findIndex((path) => !isSo(path));
    rest = at < 0 ? [] : rest.slice(at);
    return rest.length === 0;
  });
}

/** From the order to end one member until the files of all others are without it, ms. */
async function follow(ids: string[], size: number): Promise<number[]> {
  const all: number[] = [];
  for (let change = 1; change <= Math.min(CHANGES, size - 1); change++) {
    const first = ids.shift()!;
    const from = performance.now();
    // Not waited for: its own end takes longer than the others take to hear of it.
    const ended = client.instanceVerb('terminate', { target: { instance: first } });
    await allHave(ids, 'spawn/job-array-peers.json', (path) => lengthOf(path) === size - change);
    all.push(performance.now() - from);
    await ended;
    await until(() => !namesIn(machines).includes(first));
  }
  return all;
}

/** Until nothing of them runs and they are gone from the list; then also from the disk. */
async function terminate(arrayId: string): Promise<{ endedMs: number; removedMs: number }> {
  const from = performance.now();
  await client.instanceVerb('terminate', { target: { arrayId } });
  await until(() => namesIn(machines).length === 0);
  await until(async () => {
    const { instances } = await client.instances({ arrayId, limit: 1, state: 'shutting-down' });
    return instances.length === 0;
  });
  const endedMs = performance.now() - from;
  await until(() => isRemoved(machines));
  return { endedMs: round(endedMs), removedMs: round(performance.now() - from) };
}

async function until(look: () => boolean | Promise<boolean>, withinMs = 300_000): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > end) return false;
    await wait(10);
  }
  return true;
}

/** Per cent of one processor. */
async function watchIdle(size: number, { server: serverPid, agent }: Servers): Promise<void> {
  await wait(SETTLE_MS);
  const parts = { server: [serverPid], agent: [agent], 'the instances themselves': insideOf(machines) };
  const before = Object.values(parts).map(cpuMs);
  const from = performance.now();
  await wait(IDLE_MS);
  const tookMs = performance.now() - from;
  const percent = Object.entries(parts).map(([name, pids], place) => {
    return [name, round(((cpuMs(pids) - before[place]!) / tookMs) * 100)];
  });
  figures[`${size}: idle, per cent of one processor`] = Object.fromEntries(percent);
}

function measureMemory(size: number, { freeBefore }: Launched, agent: number): void {
  const inside = insideOf(machines);
  const bytes = proportionalBytes(inside);
  figures[`${size}: memory of each, its first processes alone (PSS), MB`] = round(bytes / size / 2 ** 20);
  figures[`${size}: memory of each with its share of the agent (PSS), MB`] = round(
    (bytes + proportionalBytes([agent])) / size / 2 ** 20,
  );
  figures[`${size}: memory that the machine gave for each, kernel and caches included, MB`] = round(
    (freeBefore - freemem()) / size / 2 ** 20,
  );
  figures[`${size}: processes of each`] = round(inside.length / size);
}

/** Addresses that the DNS server gives for the array as a whole, and for its members one by one. */
async function recordsOf(orders: readonly MachineOrder[]): Promise<number> {
  const [first] = orders;
  if (first?.dnsServer === undefined) return 0;
  const resolver = new Resolver();
  resolver.setServers([`${first.dnsServer.address}:${first.dnsServer.port}`]);
  const names = [first.groupDns, ...orders.map(({ dns }) => dns)];
  const found = await Promise.all(names.map((name) => resolver.resolve4(name).catch(() => [])));
  return found.reduce((sum, addresses) => sum + addresses.length, 0);
}

/** Launches and ends so many, and compares what there is on the machine. */
async function lookForLeaks(size: number, servers: Servers): Promise<void> {
  const before = tracesOf(dataDir, servers);
  const launched = await launch(size);
  const orders = launched.ids.map((id) => {
    return JSON.parse(readFileSync(join(machines, id, 'order.json'), 'utf8')) as MachineOrder;
  });
  const during = { ...tracesOf(dataDir, servers), dnsRecords: await recordsOf(orders) };
  if (idleSizes.includes(size)) await watchIdle(size, servers);
  const ended = await terminate(launched.arrayId);
  const same = () => isSame(before, tracesOf(dataDir, servers));
  const from = performance.now();
  const isAsBefore = await until(same, SAME_WITHIN_MS);
  const after = { ...tracesOf(dataDir, servers), dnsRecords: await recordsOf(orders) };
  figures[`${size}: launched, ended and nothing left`] = {
    before: { ...before, dnsRecords: 0 },
    during,
    after,
    'launched, ms': round(launched.readyMs),
    'ended, and off the disk, ms': ended,
    'until all is as before, ms': round(performance.now() - from),
  };
  if (!isAsBefore || after.dnsRecords > 0) {
    throw new Error(`left behind of ${size}: ${JSON.stringify({ before, after })}`);
  }
}

/** Connections between the two that wait for the next request are closed one after the other, and may be fewer than before. */
function isSame(before: Traces, now: Traces): boolean {
  return Object.entries(before).every(([name, count]) => {
    const there = now[name as keyof Traces];
    return name.endsWith('Descriptors') ? there <= count : there === count;
  });
}

/** Milliseconds are whole, megabytes and per cents are not. */
function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}

// What is made once for all instances is there before anything is measured.
await terminate((await launch(2)).arrayId);
const servers: Servers = { server: server.process.pid!, agent: agentOf(dataDir)! };
for (const size of numbers(values.sizes)) {
  const launched = await launch(size);
  figures[`${size}: all run and have complete peers files, ms`] = round(launched.readyMs);
  figures[`${size}: from the start of the last one until all have them, ms`] = round(launched.barrierMs);
  measureMemory(size, launched, servers.agent);
  if (idleSizes.includes(size) && size !== Number(values.leaks)) await watchIdle(size, servers);
  const followed = await follow([...launched.ids], size);
  figures[`${size}: all peers files follow the end of a member, ms`] = {
    median: round(median(followed)),
    all: followed.map(round),
  };
  figures[`${size}: all ended, and off the disk, ms`] = await terminate(launched.arrayId);
}
for (const size of numbers(values.leaks)) await lookForLeaks(size, servers);
await server.stop();
report('instances', figures);
process.exit(0);
