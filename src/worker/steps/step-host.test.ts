import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { makeStepFolder } from '../../client/node/steps/step-folder.ts';
import {
  type Frame,
  FrameCutter,
  FrameType,
  frame,
  jsonFrame,
  jsonOf,
  type RunFrame,
  STEP_TLS,
  stepIdentity,
} from '../../client/node/steps/step-wire.ts';
import { placePath, portPath, writePrivate } from './place-file.ts';

const SECRET = 'ab'.repeat(32);
const FENCE = 77;
const entry = fileURLToPath(new URL('../../bin/spored.ts', import.meta.url));
let host: Awaited<ReturnType<typeof startHost>>;

async function startHost() {
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  makeStepFolder(folder);
  const env = { SPAWN_FENCE: String(FENCE), OWN: 'host' };
  writePrivate(placePath(folder), JSON.stringify({ fence: FENCE, secret: SECRET, address: '127.0.0.1', env }));
  const host = spawn(process.execPath, [entry, 'step-host', folder], { stdio: 'inherit' });
  const read = () => {
    try {
      return Number(readFileSync(portPath(folder), 'utf8'));
    } catch {
      return 0;
    }
  };
  await until('the host listens', async () => read() > 0);
  const stop = async () => {
    host.kill('SIGTERM');
    if (host.exitCode === null) await once(host, 'exit');
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, port: read(), stop };
}

beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.stop());

function dial(secret = SECRET, identity = stepIdentity(FENCE), port = host.port): TLSSocket {
  const psk = Buffer.from(secret, 'hex');
  const checkServerIdentity = () => undefined;
  const socket = connect({
    host: '127.0.0.1',
    port,
    ...STEP_TLS,
    checkServerIdentity,
    pskCallback: () => ({ psk, identity }),
  });
  socket.on('error', () => {});
  return socket;
}

const runOf = (more: Partial<RunFrame> = {}): RunFrame => {
  const env = { PATH: process.env.PATH!, OWN: 'srun' };
  return {
    step: 0,
    argv: ['true'],
    env,
    cwd: '/',
    umask: 0o027,
    ranks: [{ rank: 4, env: {} }],
    input: 'none',
    ...more,
  };
};

/** Sends frames and gives all that comes back until the host closes. */
async function talk(socket: TLSSocket, ...send: Buffer[]): Promise<readonly Frame[]> {
  const cutter = new FrameCutter();
  const frames: Frame[] = [];
  socket.on('data', (bytes: Buffer) => frames.push(...cutter.add(bytes)));
  socket.once('secureConnect', () => socket.write(Buffer.concat(send)));
  await once(socket, 'close');
  return frames;
}

const text = (frames: readonly Frame[], type: number, skip = 4) =>
  Buffer.concat(frames.filter((each) => each.type === type).map(({ data }) => data.subarray(skip))).toString();
const ends = (frames: readonly Frame[]) => frames.filter(({ type }) => type === FrameType.end).map(jsonOf);

test('runs ranks with their environment, umask, streams and ends', async () => {
  const argv = ['sh', '-c', 'umask; echo $RANK $OWN $SPAWN_FENCE; echo oops >&2; cat; exit $RANK'];
  const ranks = [3, 5].map((rank) => ({ rank, env: { RANK: String(rank) } }));
  const run = jsonFrame(FrameType.run, runOf({ argv, ranks, input: 3 }));
  const frames = await talk(dial(), run, frame(FrameType.input, Buffer.from('in')), frame(FrameType.input));
  expect(frames.map(({ type }) => type)).toContain(FrameType.took);
  const out = text(frames, FrameType.out);
  expect([out.includes('3 host 77\n'), out.includes('5 host 77\n'), out.match(/0027/g)?.length]).toEqual([
    true,
    true,
    2,
  ]);
  expect(out.match(/in/g)?.length).toBe(1);
  expect(text(frames, FrameType.err)).toBe('oops\noops\n');
  expect(ends(frames).toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
    { rank: 3, code: 3 },
    { rank: 5, code: 5 },
  ]);
});

test('much output comes whole, before the end', async () => {
  const argv = ['sh', '-c', 'head -c 3000000 /dev/zero'];
  const frames = await talk(dial(), jsonFrame(FrameType.run, runOf({ argv })));
  expect(text(frames, FrameType.out).length).toBe(3_000_000);
  expect(frames.at(-1)?.type).toBe(FrameType.end);
});

test('a program or a directory that is not there', async () => {
  const none = await talk(dial(), jsonFrame(FrameType.run, runOf({ argv: ['no-such-program'] })));
  expect(ends(none)).toEqual([{ rank: 4, failed: 'ENOENT', errno: 2 }]);
  const away = await talk(dial(), jsonFrame(FrameType.run, runOf({ argv: ['pwd'], cwd: '/nosuch' })));
  expect(text(away, FrameType.notice, 0)).toContain("couldn't chdir to `/nosuch'");
  expect(text(away, FrameType.out)).toBe('/tmp\n');
});

test('a program with too many arguments', async () => {
  const argv = ['true', 'x'.repeat(1_000_000)];
  expect(ends(await talk(dial(), jsonFrame(FrameType.run, runOf({ argv }))))).toEqual([
    { rank: 4, failed: 'E2BIG', errno: 7 },
  ]);
});

test('a step of which no record can be written ends at once', async () => {
  const own = await startHost();
  rmSync(join(own.folder, 'live'), { recursive: true });
  const frames = await talk(
    dial(SECRET, undefined, own.port),
    jsonFrame(FrameType.run, runOf({ argv: ['sleep', '300'] })),
  );
  expect(text(frames, FrameType.notice, 0)).toMatch(/^srun: error: ENOENT/);
  await own.stop();
});

test('a signal reaches the ranks; they end with the connection', async () => {
  const argv = ['sh', '-c', 'trap "exit 9" USR1; echo ready; sleep 300 & wait'];
  const socket = dial();
  const frames = talk(socket, jsonFrame(FrameType.run, runOf({ argv })));
  socket.once('data', () => socket.write(frame(FrameType.signal, Uint8Array.of(10))));
  const end = ends(await frames)[0];
  // The signal may come before the shell has set its trap.
  expect([
    { rank: 4, code: 9 },
    { rank: 4, signal: 10 },
  ]).toContainEqual(end);

  const other = dial();
  const cutter = new FrameCutter();
  let said = '';
  other.on('data', (bytes: Buffer) => {
    said += text(cutter.add(bytes), FrameType.out);
  });
  other.once('secureConnect', () =>
    other.write(jsonFrame(FrameType.run, runOf({ argv: ['sh', '-c', 'echo $$; sleep 300'] }))),
  );
  await until('it says its number', async () => /^\d+\n/.test(said));
  other.destroy();
  const isGone = () => {
    try {
      process.kill(-Number(said), 0);
      return false;
    } catch {
      return true;
    }
  };
  await until('it is gone', async () => isGone());
});

test.each([
  ['another secret', () => dial('cd'.repeat(32))],
  ['the name of another attempt', () => dial(SECRET, stepIdentity(78))],
])('%s gets no further than the handshake', async (_, make) => {
  const socket = make();
  let isSecure = false;
  socket.once('secureConnect', () => {
    isSecure = true;
  });
  await once(socket, 'close').catch(() => undefined);
  expect(isSecure).toBe(false);
});

test('garbage without any handshake is closed, and hurts nobody', async () => {
  const socket = connectPlain(host.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.alloc(5_000, 'GET / HTTP/1.1\r\n'));
  await once(socket.resume(), 'close');
  expect(ends(await talk(dial(), jsonFrame(FrameType.run, runOf())))).toEqual([{ rank: 4, code: 0 }]);
});

test.each<[string, Buffer]>([
  ['an unknown frame', Buffer.from([200, 0, 0, 0, 0])],
  ['a huge frame', Buffer.from([FrameType.input, 0xff, 0xff, 0xff, 0xff])],
  ['input before a step', frame(FrameType.input, Buffer.from('x'))],
  ['no JSON', frame(FrameType.run, Buffer.from('{'))],
  ['null', jsonFrame(FrameType.run, null)],
  ['no program', jsonFrame(FrameType.run, runOf({ argv: [] }))],
  ['a NUL in a word', jsonFrame(FrameType.run, runOf({ argv: ['a\0b'] }))],
  ['a name that is two', jsonFrame(FrameType.run, runOf({ env: { 'A=B': '1' } }))],
  ['a relative directory', jsonFrame(FrameType.run, runOf({ cwd: 'x' }))],
  ['a rank twice', jsonFrame(FrameType.run, runOf({ ranks: [1, 1].map((rank) => ({ rank, env: {} })) }))],
  ['no rank', jsonFrame(FrameType.run, runOf({ ranks: [] }))],
])('%s is refused, and nothing runs', async (_, bytes) => {
  const frames = await talk(dial(), bytes);
  expect(frames.map(({ type }) => type)).toEqual([FrameType.notice]);
  expect(text(frames, FrameType.notice, 0)).toMatch(/^srun: error: /);
});

test('two steps on one connection are refused', async () => {
  const argv = ['sleep', '300'];
  const socket = dial();
  const run = jsonFrame(FrameType.run, runOf({ argv }));
  const frames = await talk(socket, run, run);
  expect(text(frames, FrameType.notice, 0)).toContain('once');
});
