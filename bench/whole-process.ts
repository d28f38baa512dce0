// How long does a command take as a whole process? `spawn --version`, `spawn jobs` and `spawn submit` of a held array of 1,000,000,
// each beside a bare `node -e 0`, in turn, against a server that runs.
//
//     npm run build && node bench/whole-process.ts [--rounds 15]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { median, report } from './support/report.ts';
import { startBenchServer } from './support/server.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const rounds = Number(values.rounds);
const PROGRAM = 'dist/bin/spawn.js';
const ARRAY = 1_000_000;

const commands = {
  'spawn --version': [PROGRAM, '--version'],
  'spawn jobs': [PROGRAM, 'jobs'],
  [`spawn submit --array ${ARRAY}`]: [PROGRAM, 'submit', '--array', `${ARRAY}`, '--quiet', '--hold', '--', 'true'],
};
const bare = ['-e', '0'];

const server = await startBenchServer(0);

function wallMs(args: readonly string[]): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env: server.env, encoding: 'utf8' });
  const ms = performance.now() - from;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return ms;
}

const round2 = (value: number) => Math.round(value * 100) / 100;
const times = new Map(Object.keys(commands).map((name) => [name, { command: [] as number[], bare: [] as number[] }]));
// Round 0 fills the caches of the file system and of compiled code, as any earlier command of the user did.
for (let round = 0; round <= rounds; round++) {
  for (const [name, args] of Object.entries(commands)) {
    const command = wallMs(args);
    const beside = wallMs(bare);
    if (round === 0) continue;
    times.get(name)!.command.push(command);
    times.get(name)!.bare.push(beside);
  }
}
await server.stop();
const figures = [...times].map(([name, { command, bare: beside }]) => [
  name,
  {
    'median ms': round2(median(command)),
    'fastest ms': round2(Math.min(...command)),
    'bare node median ms': round2(median(beside)),
    'ratio, median of pairs': round2(median(command.map((ms, round) => ms / beside[round]!))),
  },
]);
report('whole-process', { rounds, ...Object.fromEntries(figures) });
process.exit(0);
