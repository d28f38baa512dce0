import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import type { Letter } from './notify.ts';
import { openNotifier } from './open.ts';

const LETTER: Letter = {
  id: 'feedfeedfeed-a1-12-ended-1',
  subject: 'spawn: job 12 ($(touch /tmp/never)) completed',
  text: 'All of it.\n',
  facts: { event: 'ended', job: { id: 12, arrayId: 'a-20260101-abcdef', name: 'a', state: 'completed' } },
};

let folder: string;
const path = (name: string) => join(folder, name);
const run = (argv: string[], timeLimitMs = 20_000, signal = new AbortController().signal) =>
  openNotifier({ env: { PATH: process.env.PATH, SECRET: 'topsecret' } }).send(
    { kind: 'command', argv, timeLimitMs },
    LETTER,
    signal,
  );
const sh = (script: string, ...rest: [number?, AbortSignal?]) => run(['sh', '-c', script, 'sh', folder], ...rest);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-command-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a command gets the facts on its standard input and in its environment, and nothing else of ours', async () => {
  expect(await sh('cat >"$1/in"; env >"$1/env"')).toEqual({ kind: 'sent' });
  expect(JSON.parse(readFileSync(path('in'), 'utf8'))).toEqual({
    id: LETTER.id,
    subject: LETTER.subject,
    text: LETTER.text,
    ...LETTER.facts,
  });
  const env = readFileSync(path('env'), 'utf8');
  expect(env).toContain(`SPAWN_ALERT_ID=${LETTER.id}\n`);
  expect(env).toContain('SPAWN_ALERT_EVENT=ended\n');
  expect(env).toContain('SPAWN_ALERT_JOB=12\n');
  expect(env).toContain('SPAWN_ALERT_STATE=completed\n');
  expect(env).not.toContain('topsecret');
});

test('there is no shell', async () => {
  expect(await run(['touch', path('$(echo a)')])).toEqual({ kind: 'sent' });
  expect(existsSync(path('$(echo a)'))).toBe(true);
});

test.each([
  ['exit 3', { kind: 'later', reason: 'it ended with exit code 3' }],
  ['echo no such room >&2; exit 100', { kind: 'never', reason: 'it ended with exit code 100: no such room' }],
  ['kill -SEGV $$', { kind: 'later', reason: 'it was ended by SIGSEGV' }],
  ['exec 0<&-; exit 0', { kind: 'sent' }],
])('%s', async (script, sent) => {
  expect(await sh(script)).toEqual(sent);
});

test('one that is not there is not tried again', async () => {
  expect(await run([path('nothing')])).toEqual({ kind: 'never', reason: `${path('nothing')}: ENOENT` });
});

test('of what it says little is kept', async () => {
  const sent = await sh('yes long line | head -c 1000000 >&2; echo the end >&2; exit 1');
  expect(sent).toMatchObject({ kind: 'later', reason: expect.stringMatching(/the end$/) });
  expect(JSON.stringify(sent).length).toBeLessThan(500);
});

test('one that takes too long is killed with all that it started', async () => {
  const sent = await sh('sleep 1000 & echo $! >"$1/pid"; wait', 300);
  expect(sent).toEqual({ kind: 'later', reason: 'it took more than 0.3 s' });
  const pid = Number(readFileSync(path('pid'), 'utf8'));
  await until('its child is gone', () => !isAlive(pid));
});

test('what it leaves behind is killed', async () => {
  expect(await sh('sleep 1000 >&- 2>&- & echo $! >"$1/pid"')).toEqual({ kind: 'sent' });
  const pid = Number(readFileSync(path('pid'), 'utf8'));
  await until('its child is gone', () => !isAlive(pid));
});

test('it is killed when the coordinator stops', async () => {
  const stop = new AbortController();
  const sent = sh('echo $$ >"$1/up"; sleep 1000', 60_000, stop.signal);
  await until('it runs', () => existsSync(path('up')));
  stop.abort();
  expect(await sent).toEqual({ kind: 'later', reason: 'the coordinator stopped' });
});

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended; who reaps it is not ours to say.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
