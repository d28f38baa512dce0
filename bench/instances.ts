// How long until N local instances all run and each has the complete peers file; how long until all files follow a change; what memory each takes; and is
// anything left of them after they were terminated?
//
//     npm run build && node bench/instances.ts [--sizes 100,500,1000] [--rounds 1]
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '100,500,1000' }, rounds: { type: 'string', default: '1' } },
});
const server = await startBenchServer(1);
const { client } = server;
const machines = join(server.dataDir, 'instances');
const figures: Record<string, unknown> = {};

/** Directories of instances that have a peers file with so many members. */
function complete(members: number): number {
  return names().filter((id) => {
    const path = join(machines, id, 'spawn/job-array-peers.json');
    return existsSync(path) && countOf(path) === members;
  }).length;
}

/** Files that are the same one (hard links) are read once. */
const counted = new Map<string, number>();
function countOf(path: string): number {
  const { ino, mtimeMs } = statSync(path);
  const key = `${ino} ${mtimeMs}`;
  const known = counted.get(key) ?? (JSON.parse(readFileSync(path, 'utf8')) as unknown[]).length;
  counted.set(key, known);
  return known;
}

function names(): string[] {
  return existsSync(machines) ? readdirSync(machines).filter((name) => name.startsWith('i-')) : [];
}

/** Processes, private memory in bytes, and mounts that belong to this data directory. */
function traces(): { processes: number; memory: number; mounts: number } {
  let processes = 0;
  let memory = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!inInstance(pid)) continue;
      processes += 1;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      for (const [, kb] of rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)) memory += Number(kb) * 1024;
    } catch {
      // It has ended.
    }
  }
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(server.dataDir)).length;
  return { processes, memory, mounts };
}

/** Its mounts show the directory of an instance. */
function inInstance(pid: string): boolean {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(
    `${server.dataDir.replace(/^\/tmp/, '')}/instances/i-`,
  );
}

async function launch(name: string, count: number): Promise<string> {
  const { job } = await client.submit({
    spec: { name, array: `0-${count - 1}`, cwd: '/', run: { kind: 'signal' }, instances: { ttlMs: 1_800_000 } },
  });
  return job.arrayId;
}

async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await look())) await wait(20);
}

for (const size of values.sizes.split(',').map(Number)) {
  const started: number[] = [];
  const followed: number[] = [];
  const ended: number[] = [];
  let [each, processes] = [0, 0];
  for (let round = 0; round < Number(values.rounds); round++) {
    const before = traces();
    const freeBefore = freemem();
    const from = performance.now();
    const arrayId = await launch(`bench-${size}-${round}`, size);
    await until(() => complete(size) === size);
    started.push(performance.now() - from);
    const during = traces();
    each = (during.memory - before.memory) / size;
    processes = (during.processes - before.processes) / size;
    figures[`${size}: memory that the machine gave, all, MB`] = Math.round((freeBefore - freemem()) / 2 ** 20);
    const first = (await client.instances({ arrayId, limit: 1 })).instances[0]!;
    const change = performance.now();
    await client.instanceVerb('terminate', { target: { instance: first.id } });
    await until(() => complete(size - 1) >= size - 1);
    followed.push(performance.now() - change);
    const end = performance.now();
    await client.instanceVerb('terminate', { target: { arrayId } });
    await until(() => names().length === 0);
    ended.push(performance.now() - end);
    const after = traces();
    if (after.processes > 0 || after.mounts > 0) throw new Error(`left behind: ${JSON.stringify(after)}`);
  }
  figures[`${size}: all run and have complete peers files, ms`] = { median: median(started), all: started };
  figures[`${size}: all peers files follow the end of a member, ms`] = { median: median(followed), all: followed };
  figures[`${size}: all terminated, nothing left, ms`] = { median: median(ended), all: ended };
  figures[`${size}: private memory of each, MB`] = each / 2 ** 20;
  figures[`${size}: processes of each`] = processes;
}
await server.stop();
report('instances', figures);
process.exit(0);
