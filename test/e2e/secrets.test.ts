import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Ended, makeSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

/** Of a variable of the submitter's terminal, which the job's tasks get. */
const IN_ENV = 'hunter2-in-the-environment-9f31';

let box: Sandbox;
/** What every command printed, but for the one that makes a token. */
let printed = '';
beforeEach(() => {
  box = makeSandbox();
  printed = '';
});
afterEach(async () => {
  await box.close();
});

async function run(args: readonly string[], options?: RunOptions): Promise<Ended> {
  const ended = await box.spawn(args, options);
  printed += ended.out + ended.err;
  return ended;
}

async function makeToken(name: string, role: string): Promise<string> {
  const { code, out, err } = await box.spawn(['token', 'create', name, '--role', role]);
  expect(code).toBe(0);
  printed += err;
  return out.trim();
}

/** Files of the data directory that hold `secret`, database and its log included. */
function filesWith(secret: string): string[] {
  return readdirSync(box.dataDir, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(box.dataDir, name);
    return statSync(path).isFile() && readFileSync(path).includes(secret);
  });
}

/** Everything that `ps` and whoever may read our processes' arguments can see. */
function commandLines(): string {
  return box
    .processes()
    .map((pid) => readOr(`/proc/${pid}/cmdline`))
    .join('\n');
}

/** What the processes that stay in the background were started with. */
function environments(): string {
  return box
    .processes()
    .map((pid) => readOr(`/proc/${pid}/environ`))
    .join('\n');
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

test('a token is in nothing that is written, printed or listed; a variable only where its tasks read it', async () => {
  expect((await run(['server', 'start', '--listen', '127.0.0.1:0'])).code).toBe(0);
  const { listens: url } = JSON.parse((await run(['server', 'status', '-o', 'json'])).out) as { listens: string };
  const [submit, read, admin] = [
    await makeToken('ada', 'submit'),
    await makeToken('eve', 'read'),
    await makeToken('root', 'admin'),
  ];
  const asFile = join(box.folder, 'ada.token');
  writeFileSync(asFile, submit, { mode: 0o600 });
  const ada = { env: { SPAWN_SERVER: url, SPAWN_TOKEN_FILE: asFile, SECRET_OF_TASK: IN_ENV } };
  const eve = { env: { SPAWN_SERVER: url, SPAWN_TOKEN: read } };
  const root = { env: { SPAWN_SERVER: url, SPAWN_TOKEN: admin } };

  const steps: [readonly string[], RunOptions, number][] = [
    [['submit', '--wait', '--', 'sh', '-c', 'env | grep -c ^SPAWN_TOKEN; test -n "$SECRET_OF_TASK"; exit 3'], ada, 3],
    [['submit', '--', 'sh', '-c', 'exec sleep 1000'], { env: { ...root.env, SECRET_OF_TASK: IN_ENV } }, 0],
    [['logs', '1'], eve, 0],
    [['status', '1', '-o', 'json'], eve, 0],
    [['cancel', '1'], eve, 77],
    [['submit', '--', 'true'], eve, 77],
    [['cancel', '2'], ada, 77],
    [['jobs', '--all', '-o', 'json'], ada, 0],
    [['token', 'list', '--all', '-o', 'json'], root, 0],
    [['token', 'list'], ada, 77],
    [['jobs'], { env: { SPAWN_SERVER: url, SPAWN_TOKEN: `${admin}x` } }, 2],
    [['jobs'], { env: { SPAWN_SERVER: url, SPAWN_TOKEN: `${admin.slice(0, -3)}AAA` } }, 77],
    [['jobs'], { env: { SPAWN_SERVER: `https://x:${admin}@127.0.0.1`, SPAWN_TOKEN: admin } }, 2],
    [['token', 'create', 'ada', '--role', 'read'], root, 65],
    [['token', 'revoke', 'eve'], root, 0],
    [['jobs'], eve, 77],
  ];
  for (const [args, options, code] of steps) {
    const ended = await run(args, options);
    expect([args.join(' '), ended.code, ended.err], ended.err).toEqual([args.join(' '), code, ended.err]);
  }
  expect((await run(['logs', '1'], ada)).out).toBe('0\n');
  await until('the second task', async () => (await run(['status', '2', '-o', 'json'])).out.includes('"running"'));

  const hidden = { submit, read, admin };
  for (const [name, token] of Object.entries(hidden)) {
    const secret = token.slice(-43);
    expect([name, filesWith(secret)]).toEqual([name, []]);
    expect([name, printed.includes(secret), commandLines().includes(secret)]).toEqual([name, false, false]);
    expect([name, environments().includes(secret)]).toEqual([name, false]);
  }
  expect(commandLines()).toContain('spored');
  expect(printed).not.toContain(IN_ENV);
  expect(commandLines()).not.toContain(IN_ENV);
  const places = filesWith(IN_ENV);
  expect(places).not.toEqual([]);
  // The store's copy, and that of the worker which ran it.
  expect(places.filter((name) => !/^(?:blobs|worker\/env)\//.test(name))).toEqual([]);
  for (const name of places) expect(statSync(join(box.dataDir, name)).mode & 0o777).toBe(0o600);

  await run(['cancel', '2']);
  expect((await run(['server', 'stop'])).code).toBe(0);
  for (const token of Object.values(hidden)) expect(filesWith(token.slice(-43))).toEqual([]);
});
