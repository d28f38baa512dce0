// How long do submit, hold, release and cancel of an array of 1,000,000 take, durable? Measured from outside: the whole request over
// the Unix socket, so the time in the coordinator is less. The same for 1,000 tasks shows how cost grows.
//
//     npm run build && node bench/array-verbs.ts [--rounds 9]
import { parseArgs } from 'node:util';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const rounds = Number(values.rounds);
const server = await startBenchServer(0);
const { client } = server;
const figures: Record<string, unknown> = {};

async function timed(times: number[], work: () => Promise<unknown>): Promise<void> {
  const from = performance.now();
  await work();
  times.push(performance.now() - from);
}

for (const size of [1_000, 1_000_000]) {
  const times: Record<string, number[]> = { submit: [], hold: [], release: [], cancel: [], status: [] };
  for (let round = 0; round <= rounds; round++) {
    let ref = '';
    const spec = { run: { kind: 'argv' as const, argv: ['true'] }, cwd: '/', name: 'verbs', array: `0-${size - 1}` };
    await timed(times.submit!, async () => {
      ref = String((await client.submit({ spec })).job.id);
    });
    await timed(times.hold!, () => client.hold(ref));
    await timed(times.release!, () => client.release(ref));
    await timed(times.status!, () => client.job(ref));
    await timed(times.cancel!, () => client.cancel(ref));
  }
  for (const [verb, all] of Object.entries(times)) {
    // The first round warms up the server's compiler.
    const counted = all.slice(1);
    figures[`${verb} ${size} ms`] = { median: round2(median(counted)), max: round2(Math.max(...counted)) };
  }
}

await server.stop();
report('array-verbs', figures);
process.exit(0);

function round2(ms: number): number {
  return Math.round(ms * 100) / 100;
}
