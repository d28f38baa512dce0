import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { identify } from '../process-identity.ts';
import { type RankEnd, RankProcesses, type RankStart } from './rank-processes.ts';

const PIPES = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' } as const;
const rank = (number: number, ...argv: string[]): RankStart => {
  const env = { PATH: process.env.PATH!, RANK: String(number) };
  return { rank: number, argv, env, cwd: '/', alone: true, ...PIPES };
};

/** Starts them and gathers what they say. @param most bytes before a pause */
function run(starts: readonly RankStart[], most = Number.POSITIVE_INFINITY) {
  const texts = new Map<string, string>();
  const ends = new Map<number, RankEnd | string>();
  let bytes = 0;
  const paused = Promise.withResolvers<void>();
  const processes = new RankProcesses({
    onOutput: (number, stream, data) => {
      bytes += data.length;
      const key = `${number}/${stream}`;
      texts.set(key, (texts.get(key) ?? '') + Buffer.from(data).toString());
      if (bytes >= most) paused.resolve();
      return bytes < most;
    },
    onEnd: (number, end) => ends.set(number, end),
    onFailed: (number, name, errno) => ends.set(number, `${name} ${errno}`),
  });
  const identities = processes.start(starts);
  return { processes, identities, texts, ends, paused: paused.promise, count: () => bytes };
}

test('each rank has its streams, its environment and its end', async () => {
  const { processes, texts, ends } = run([
    rank(0, 'sh', '-c', 'echo out $RANK; echo err $RANK >&2; exit 3'),
    rank(1, 'sh', '-c', 'kill -9 $$'),
    rank(2, 'no-such-program'),
    rank(3, '/etc/passwd'),
  ]);
  await processes.over;
  expect(Object.fromEntries(texts)).toEqual({ '0/1': 'out 0\n', '0/2': 'err 0\n' });
  expect([...ends].toSorted(([a], [b]) => a - b)).toEqual([
    [0, { code: 3 }],
    [1, { signal: constants.signals.SIGKILL }],
    [2, 'ENOENT 2'],
    [3, 'EACCES 13'],
  ]);
});

test('all that read get the same bytes; one that does not holds nobody up for ever', async () => {
  const { processes, texts } = run([rank(0, 'wc', '-c'), rank(1, 'wc', '-c'), rank(2, 'true')]);
  for (let at = 0; at < 20; at += 1) await processes.write(new Uint8Array(64 * 1024));
  processes.endInput();
  await processes.over;
  expect([texts.get('0/1'), texts.get('1/1')].map(Number)).toEqual([20 * 65_536, 20 * 65_536]);
});

test('output waits until it is wanted', async () => {
  const ran = run([rank(0, 'sh', '-c', 'head -c 3000000 /dev/zero')], 100_000);
  await ran.paused;
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(ran.count()).toBeLessThan(1_000_000);
  expect(ran.ends.size).toBe(0);
  const more = setInterval(() => ran.processes.resume(), 1);
  await ran.processes.over;
  clearInterval(more);
  expect(ran.count()).toBe(3_000_000);
});

test('what a rank leaves behind ends with the step', async () => {
  const { processes, texts } = run([rank(0, 'sh', '-c', 'sleep 300 & echo $!')]);
  await processes.over;
  const pid = Number(texts.get('0/1'));
  expect(pid).toBeGreaterThan(1);
  await until('it is gone', async () => identify(pid) === undefined);
});

test('a signal for one of them, and for all', async () => {
  const { processes, identities, ends } = run([rank(0, 'sleep', '300'), rank(1, 'sleep', '300')]);
  expect(identities.length).toBe(2);
  processes.signal(constants.signals.SIGINT, 1);
  processes.signal(constants.signals.SIGTERM, 0);
  await processes.over;
  expect(Object.fromEntries(ends)).toEqual({ 0: { signal: 15 }, 1: { signal: 2 } });
});

test('nothing at all', async () => {
  await run([]).processes.over;
});
