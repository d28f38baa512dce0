import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect } from 'vitest';
import { LogStream, parseLogRecords } from '../../src/core/log-record.ts';
import { LEASE_MS, type Machines, startMachines } from '../support/machines.ts';
import { canHaveHosts } from '../support/network-hosts.ts';
import { hasProgram, requireOr } from '../support/require.ts';
import { until } from '../support/until.ts';

const run = requireOr('network namespaces (root and iproute2) and openssl', canHaveHosts() && hasProgram('openssl'));
const relay = fileURLToPath(new URL('../support/slow-relay.ts', import.meta.url));

let at: Machines;
beforeEach(async () => {
  at = await startMachines(['w1', 'w2']);
});
afterEach(() => at.close());

/** Prints 64 KiB that nobody can guess, and leaves their hash on the shared disk. */
const NOISE = `
noise=$(head -c 49152 /dev/urandom | base64 -w 0)
printf %s "$noise"
printf %s "$noise" | sha256sum | cut -c 1-64 >sum.$TASK_ARRAY_INDEX
uname -n >host.$TASK_ARRAY_INDEX
`;

async function standardOutput(ref: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of at.client.logs(ref, { stream: 'out' })) chunks.push(chunk);
  const { records } = parseLogRecords(Buffer.concat(chunks));
  return Buffer.concat(records.filter(({ stream }) => stream === LogStream.STDOUT).map(({ data }) => data));
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Submits tasks that make noise, waits for them, and checks at once what they have said. */
async function makeNoise(count: number): Promise<string[]> {
  const { out } = await at.ok(['submit', '-q', '--array', `${count}`, '--wait', '--command', NOISE], {
    cwd: at.shared,
  });
  const job = out.trim();
  const [last] = await Promise.all([at.ok(['logs', `${job}_${count - 1}`])]);
  expect(hashOf(last.bytes)).toBe(at.lines(`sum.${count - 1}`)[0]);
  for (let index = 0; index < count; index++) {
    const said = await standardOutput(`${job}_${index}`);
    expect([index, said.length, hashOf(said)]).toEqual([index, 65_536, at.lines(`sum.${index}`)[0]]);
  }
  return Array.from({ length: count }, (_, index) => at.lines(`host.${index}`)[0]!);
}

run('an array spreads over the workers, and all that its tasks say is there when it has ended', async () => {
  await Promise.all(['w1', 'w2'].map((host) => at.join(host, ['--cpus', '2'])));
  const places = await makeNoise(200);
  expect(new Set(places)).toEqual(new Set(['w1', 'w2']));
  for (const host of ['w1', 'w2']) expect(places.filter((place) => place === host).length).toBeGreaterThan(20);

  const followed = await at.ok(['submit', '--follow', '--command', 'seq 20000'], { cwd: at.shared });
  expect(followed.out).toBe(Array.from({ length: 20_000 }, (_, at) => `${at + 1}\n`).join(''));
});

run('a long and bad line: 200 ms there and back, and a stop now and then', async () => {
  const { hosts } = at;
  const to = `${hosts.headAddress('w1')}:7700`;
  const argv = [process.execPath, relay, '--port', '7701', '--to', to, '--delay', '100', '--stall', '600'];
  const line = hosts.start('w1', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => line.stdout!.once('data', resolve));
  const access = ['--token-file', await at.token('far'), '--ca-file', at.caFile];
  at.spored('w1', ['--server', 'https://127.0.0.1:7701', ...access, '--name', 'far', '--cpus', '2']);
  await until('it to join', async () => (await at.connected()).includes('far'));
  expect(new Set(await makeNoise(40))).toEqual(new Set(['w1']));
  const { sessions, counters } = await at.client.server();
  expect([sessions.length, counters.staleReports ?? 0]).toEqual([1, 0]);
});

run(
  'a directory that is not there: what to do; staged, the tasks run in a copy of it that goes with the job',
  async () => {
    await at.join('w1', ['--cpus', '1']);
    const work = join(at.box.folder, 'work');
    mkdirSync(join(work, 'lib'), { recursive: true });
    mkdirSync(join(work, '.git'));
    writeFileSync(join(work, '.git/config'), 'secret');
    writeFileSync(join(work, 'data.tmp'), 'large');
    writeFileSync(join(work, '.spawnignore'), '*.tmp\n');
    writeFileSync(join(work, 'lib/greet.sh'), 'echo "hello from $(uname -n)"; pwd; ls -A; echo out >result');
    const run = ['--command', '. lib/greet.sh; echo "$PWD $SLURM_SUBMIT_DIR"'];
    const { out } = await at.ok(['submit', '-q', '--stage', '--hold', ...run], { cwd: work });
    const again = await at.ok(['submit', '-q', '--stage', '--hold', ...run], { cwd: work });
    const stageOf = async (ref: string) => (await at.client.spec(ref.trim())).spec.stage;
    expect(await stageOf(again.out)).toBe(await stageOf(out));
    await at.ok(['submit', '-q', '--hold', ...run], { cwd: work });
    rmSync(work, { recursive: true });

    await at.ok(['release', '1']);
    await at.ok(['wait', '1']);
    const copies = join(at.box.folder, 'data-of-w1/worker/work');
    const [copy] = readdirSync(copies);
    const place = join(copies, copy!);
    expect((await at.ok(['logs', '1'])).out).toBe(`hello from w1\n${place}\n.spawnignore\nlib\n${place} ${work}\n`);
    expect(readFileSync(join(place, 'result'), 'utf8')).toBe('out\n');
    await at.ok(['release', '3']);
    expect((await at.box.spawn(['wait', '3'])).code).toBe(126);
    expect((await at.ok(['logs', '3', '--stderr'])).out).toBe(
      `spawn: ${work} does not exist on worker w1 (another machine): put it on a shared file system, or submit with --stage\n`,
    );
    // Ended jobs leave memory after a moment, and the worker is told to forget them.
    await until('the copy to go', () => readdirSync(copies).length === 0);
    await at.ok(['release', '2']);
    await at.ok(['wait', '2']);
  },
);

run('a worker whose token is revoked stops its tasks at once and ends; they run elsewhere', async () => {
  const first = await at.join('w1', ['--slots', '1']);
  const task = 'uname -n >>seen; until [ -e go ]; do sleep 0.1; done';
  await at.ok(['submit', '-q', '--command', task], { cwd: at.shared });
  await until('it to start', () => at.lines('seen').length === 1);
  await at.join('w2', ['--slots', '1']);
  await at.ok(['token', 'revoke', 'w1']);
  expect(await first.ended).toBe(77);
  expect(first.said()).toContain('not authenticated: expected a valid token');
  await until('nothing of it to run', () => at.hosts.pids('w1').length === 0);
  await until('it to run elsewhere', () => at.lines('seen').length === 2, 4 * LEASE_MS);
  expect(at.lines('seen')).toEqual(['w1', 'w2']);
  writeFileSync(join(at.shared, 'go'), '');
  await at.ok(['wait', '1']);
});

run('who may not join is told why', async () => {
  const { caFile, box } = at;
  const server = at.url('w1');
  const good = await at.token('good');
  const fake = join(box.folder, 'fake.token');
  writeFileSync(fake, `${readFileSync(good, 'utf8').trim().slice(0, -4)}0000\n`, { mode: 0o600 });
  const flags = (url: string, token: string) => ['--server', url, '--token-file', token];
  const wrong = at.spored('w1', [...flags(server, fake), '--ca-file', caFile]);
  expect([await wrong.ended, wrong.said()]).toEqual([
    77,
    expect.stringMatching(/not authenticated: expected a valid token\n$/),
  ]);
  const reader = at.spored('w1', [...flags(server, await at.token('reader', 'read')), '--ca-file', caFile]);
  expect([await reader.ended, reader.said()]).toEqual([77, expect.stringContaining('not permitted')]);
  const distrusting = at.spored('w1', flags(server, good));
  expect([await distrusting.ended, distrusting.said()]).toEqual([
    69,
    expect.stringMatching(/its certificate is not trusted \(.*\); SPAWN_CA_FILE or --ca-file names who signed it\n$/),
  ]);
  const plain = at.spored('w1', flags(server.replace('https', 'http'), good));
  await until('its word', () => plain.said().includes('is it https?'));
  expect(await at.connected()).toEqual([]);
});
