// How many DNS answers a second? dnsperf asks our server (in a process of its own, as in the server), Knot DNS and BIND the same questions
// about the same zone, in turn in one run: 1,000 members with an address each, their group, and names that are not there.
//
//     node bench/dns.ts [--rounds 3] [--seconds 5] [--clients 20]
//
// From Debian: dnsperf, knot, bind9.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, report } from './support/report.ts';

const MEMBERS = 1_000;
const DOMAIN = 'spore.host';
const SUFFIX = `1kpqzg2c.${DOMAIN}`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '20' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'spawn-bench-dns-'));
const address = (index: number) => `127.4.${index >> 8}.${index & 255}`;
const PORTS = { spawn: 5_391, knot: 5_392, bind9: 5_393 } as const;
type Server = keyof typeof PORTS;

/** BIND listens only on addresses that an interface has. */
const HOST = '127.0.0.1';

function has(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}

function writeZone(): string {
  const path = join(folder, 'zone');
  const lines = [
    `$ORIGIN ${DOMAIN}.`,
    '$TTL 60',
    `@ IN SOA ns hostmaster 1 60 60 3600 5`,
    '@ IN NS ns',
    `ns IN A ${HOST}`,
    ...Array.from({ length: MEMBERS }, (_, index) => `compute-${index}.1kpqzg2c IN A ${address(index)}`),
    ...Array.from({ length: 8 }, (_, index) => `small.1kpqzg2c IN A ${address(index)}`),
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** One question in ten is about a group of 8, one in twenty about a name that is not there. */
function writeQuestions(): string {
  const path = join(folder, 'questions');
  const lines = Array.from({ length: 20_000 }, (_, at) => {
    if (at % 10 === 0) return `small.${SUFFIX} A`;
    if (at % 20 === 1) return `nobody-${at}.${SUFFIX} A`;
    return `compute-${(at * 7) % MEMBERS}.${SUFFIX} A`;
  });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const OURS = `
import { startDnsServer } from ${JSON.stringify(new URL('../src/dns/server.ts', import.meta.url).href)};
const server = await startDnsServer({ domain: '${DOMAIN}', listen: { host: '${HOST}', port: ${PORTS.spawn} } });
const address = ${address.toString()};
for (let index = 0; index < ${MEMBERS}; index++) {
  server.zone.set({ id: 'i-' + index, arrayId: 'compute', generation: 1 }, [
    { name: 'compute-' + index + '.${SUFFIX}', address: address(index), shared: false },
    ...(index < 8 ? [{ name: 'small.${SUFFIX}', address: address(index), shared: true }] : []),
  ]);
}
`;

function start(server: Server, zone: string): ChildProcess {
  const port = PORTS[server];
  const at = join(folder, server);
  mkdirSync(at, { recursive: true });
  // BIND gives up root, and must still reach its files.
  chmodSync(folder, 0o755);
  chmodSync(at, 0o777);
  if (server === 'spawn') return spawn(process.execPath, ['--input-type=module', '-e', OURS], { stdio: 'ignore' });
  if (server === 'knot') {
    const config = join(at, 'knot.conf');
    const text = `server:\n  rundir: ${at}\n  listen: ${HOST}@${port}\ndatabase:\n  storage: ${at}\nzone:\n  - domain: ${DOMAIN}\n    file: ${zone}\n    zonefile-sync: -1\n`;
    writeFileSync(config, text);
    return spawn('knotd', ['-c', config], { stdio: 'ignore' });
  }
  const config = join(at, 'named.conf');
  const text = `options { directory "${at}"; listen-on port ${port} { ${HOST}; }; listen-on-v6 { none; }; recursion no; pid-file none; session-keyfile none; };\ncontrols { };\nzone "${DOMAIN}" { type primary; file "${zone}"; };\n`;
  writeFileSync(config, text);
  return spawn('named', ['-g', '-c', config], { stdio: 'ignore' });
}

async function answering(server: Server): Promise<void> {
  for (let tried = 0; tried < 100; tried++) {
    const { stdout } = spawnSync('dig', [
      `@${HOST}`,
      '-p',
      String(PORTS[server]),
      '+short',
      '+tries=1',
      '+time=1',
      `compute-1.${SUFFIX}`,
    ]);
    if (String(stdout).trim() === address(1)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${server} does not answer`);
}

interface Measured {
  readonly answers: number;
  readonly lost: number;
  readonly latencyMs: number;
}

function measure(server: Server, questions: string, mode: 'udp' | 'tcp'): Measured {
  const words = [
    '-s',
    HOST,
    '-p',
    String(PORTS[server]),
    '-d',
    questions,
    '-l',
    values.seconds,
    '-c',
    values.clients,
    '-m',
    mode,
  ];
  const { stdout, status } = spawnSync('dnsperf', words, { encoding: 'utf8' });
  const figure = (name: string) => Number(new RegExp(`${name}:\\s+([\\d.]+)`).exec(stdout)?.[1] ?? Number.NaN);
  if (status !== 0 || !(figure('Queries completed') > 0)) throw new Error(`dnsperf on ${server}: ${stdout}`);
  if (!/NOERROR \d+ \(9[45]\.\d+%\), NXDOMAIN \d+/.test(stdout))
    throw new Error(`${server} gave other answers: ${stdout}`);
  return {
    answers: Math.round(figure('Queries per second')),
    lost: figure('Queries lost'),
    latencyMs: figure('Average Latency \\(s\\)') * 1_000,
  };
}

const peers: readonly Server[] = [
  'spawn',
  ...(has('knotd') ? (['knot'] as const) : []),
  ...(has('named') ? (['bind9'] as const) : []),
];
if (!has('dnsperf') || peers.length === 1) throw new Error('this needs dnsperf and at least one of knot and bind9');
const zone = writeZone();
const questions = writeQuestions();
const results = new Map<string, Measured[]>();
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const server of peers) {
      // One at a time, because there are as few cores as there are servers.
      const running = start(server, zone);
      try {
        await answering(server);
        for (const mode of ['udp', 'tcp'] as const) {
          const key = `${server} over ${mode}`;
          results.set(key, [...(results.get(key) ?? []), measure(server, questions, mode)]);
        }
      } finally {
        const ended = once(running, 'exit');
        running.kill('SIGTERM');
        await ended;
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const of = (key: string) => {
  const all = results.get(key)!;
  return {
    'answers per second': median(all.map(({ answers }) => answers)),
    rates: all.map(({ answers }) => answers),
    'lost questions': all.reduce((sum, { lost }) => sum + lost, 0),
    'mean latency ms': Math.round(median(all.map(({ latencyMs }) => latencyMs)) * 100) / 100,
  };
};
const ratio = (peer: Server, mode: string) => {
  const pairs = results
    .get(`spawn over ${mode}`)!
    .map(({ answers }, round) => answers / results.get(`${peer} over ${mode}`)![round]!.answers);
  return Math.round(median(pairs) * 100) / 100;
};
report('dns', {
  members: MEMBERS,
  rounds: Number(values.rounds),
  'seconds of each': Number(values.seconds),
  clients: Number(values.clients),
  ...Object.fromEntries([...results.keys()].map((key) => [key, of(key)])),
  ...Object.fromEntries(
    peers
      .slice(1)
      .flatMap((peer) => (['udp', 'tcp'] as const).map((mode) => [`ratio to ${peer} over ${mode}`, ratio(peer, mode)])),
  ),
});
