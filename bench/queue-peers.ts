// How do no-op tasks go through spawn beside task queues of Node? The same number of tasks through each, in turn, several rounds. Every
// side has a server process of its own and one process that works: for spawn a worker that runs nothing, for a peer its worker in
// the setting that its documentation calls fast.
//
// In favour of the peers: spawn's time begins before the submit, a peer's after all its tasks are added (`with adding` counts
// that too); an end is synced to disk in spawn and PostgreSQL, and within a second in Redis.
//
//     npm ci --prefix bench/peers && npm run build && node bench/queue-peers.ts [--tasks 50000] [--rounds 5]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { emptyWorker, noopArrayMs } from './support/empty-worker.ts';
import { type PeerServer, startPostgres, startRedis } from './support/peer-servers.ts';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '50000' }, rounds: { type: 'string', default: '5' } },
});
const tasks = Number(values.tasks);
const rounds = Number(values.rounds);
const folder = new URL('peers/', import.meta.url);

interface Peer {
  readonly name: string;
  readonly setting: string;
  readonly server: PeerServer;
  readonly rates: number[];
  readonly ratesWithAdding: number[];
}

const servers: PeerServer[] = [];
const peers: Peer[] = [];

async function add(names: Record<string, string>, database: string, start: () => Promise<PeerServer | undefined>) {
  const installed = Object.entries(names).filter(([name]) => {
    const there = existsSync(new URL(`node_modules/${name}/package.json`, folder));
    if (!there) console.log(`skipped ${name}: not installed; run: npm ci --prefix bench/peers`);
    return there;
  });
  if (installed.length === 0) return;
  const server = await start();
  if (server === undefined) {
    for (const [name] of installed) console.log(`skipped ${name}: ${database} is not installed`);
    return;
  }
  servers.push(server);
  for (const [name, setting] of installed) {
    const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, folder), 'utf8'));
    const full = `${version} on ${database} ${server.version}, ${setting}`;
    peers.push({ name, setting: full, server, rates: [], ratesWithAdding: [] });
  }
}

function onePeerRound({ name, server, rates, ratesWithAdding }: Peer): void {
  const script = new URL(`${name}.mjs`, folder).pathname;
  const ran = spawnSync(process.execPath, [script, String(tasks), server.socket], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${name} ended with ${ran.status}: ${ran.stderr}`);
  const { addMs, runMs } = JSON.parse(ran.stdout) as { addMs: number; runMs: number };
  rates.push(Math.round(tasks / (runMs / 1_000)));
  ratesWithAdding.push(Math.round(tasks / ((addMs + runMs) / 1_000)));
}

const bench = await startBenchServer(0);
const stop = new AbortController();
const worker = emptyWorker(bench.client, stop.signal).catch(() => {});
const rates: number[] = [];
try {
  await add({ bullmq: 'addBulk 1000, concurrency 100' }, 'Redis', startRedis);
  const batches = {
    'pg-boss': 'insert 1000, two loops of fetch 500 and complete',
    'graphile-worker': 'localQueue 500, completion in batches, concurrency 24',
  };
  await add(batches, 'PostgreSQL', startPostgres);
  await noopArrayMs(bench.client, tasks);
  for (let round = 0; round < rounds; round++) {
    rates.push(Math.round(tasks / ((await noopArrayMs(bench.client, tasks)) / 1_000)));
    for (const peer of peers) onePeerRound(peer);
  }
} finally {
  stop.abort();
  await Promise.all([bench.stop(), ...servers.map((server) => server.stop())]);
  await worker;
}

const ratio = (others: number[]) => {
  const pairs = rates.map((rate, round) => rate / others[round]!);
  return Math.round(median(pairs) * 10) / 10;
};
const figures = peers.map(({ name, setting, rates: own, ratesWithAdding }) => [
  name,
  {
    setting,
    'tasks per second': { median: median(own), rates: own },
    'tasks per second with adding': { median: median(ratesWithAdding), rates: ratesWithAdding },
    'spawn / peer, median of pairs': ratio(own),
    'spawn / peer with adding, median of pairs': ratio(ratesWithAdding),
  },
]);
report('queue-peers', {
  tasks,
  rounds,
  spawn: { 'tasks per second': { median: median(rates), rates } },
  ...Object.fromEntries(figures),
});
process.exit(0);
