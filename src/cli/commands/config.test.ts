import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { SETTINGS } from '../../config/setting-table.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-config-'));
  path = join(folder, 'spawn', 'config.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = (words: readonly string[], env: Record<string, string> = {}) =>
  runCli(['config', ...words], { world: { env: { HOME: '/home/ada', XDG_CONFIG_HOME: folder, ...env } } });

function write(text: string): void {
  mkdirSync(join(folder, 'spawn'), { recursive: true });
  writeFileSync(path, text);
}

async function listed(env: Record<string, string> = {}): Promise<Record<string, [value: unknown, from: string]>> {
  const rows = JSON.parse((await config(['list', '-o', 'json'], env)).out) as {
    name: string;
    value: unknown;
    from: string;
  }[];
  return Object.fromEntries(rows.map(({ name, value, from }) => [name, [value, from]]));
}

test('a value is that of the environment, else of the file, else the default', async () => {
  write('{"server": "https://file:1", "max_array_size": 5, "data_dir": "/file"}');
  const env = { SPAWN_DATA_DIR: '/env', SPAWN_SERVER: '' };
  expect(await listed(env)).toMatchObject({
    server: ['https://file:1', 'file'],
    max_array_size: ['5', 'file'],
    data_dir: ['/env', 'SPAWN_DATA_DIR'],
    listen: [null, 'default'],
  });
  rmSync(path);
  expect(await listed()).toMatchObject({
    data_dir: ['/home/ada/.local/share/spawn', 'default'],
    max_array_size: ['1000000', 'default'],
  });
});

test('list names every setting on a line of its own, and the path is told', async () => {
  const { out } = await config([]);
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]),
  ).toEqual(SETTINGS.map(({ name }) => name));
  expect((await config(['path'])).out).toBe(`${path}\n`);
});

test('set, get and unset; the file is for its user alone', async () => {
  expect(await config(['set', 'server', 'https://a:1'])).toMatchObject({ code: 0, out: '', err: '' });
  expect((await config(['set', 'token_file', '/t'])).code).toBe(0);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ server: 'https://a:1', token_file: '/t' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'spawn')).mode & 0o777).toBe(0o700);
  expect(await config(['get', 'server'])).toMatchObject({ code: 0, out: 'https://a:1\n' });
  expect((await config(['unset', 'server'])).code).toBe(0);
  expect(await config(['get', 'server'])).toMatchObject({ code: 1, out: '' });
  expect((await config(['unset', 'server'])).code).toBe(1);
  expect((await config(['set', 'listen', '127.0.0.1:1'], { SPAWN_LISTEN: '127.0.0.1:2' })).err).toBe(
    'spawn: note: SPAWN_LISTEN is set and goes before it\n',
  );
});

test.each([
  ['{"server": "https://a:1",}', ':1:26: expected a name in double quotes, found "}"'],
  ['[]', ': expected a JSON object, found []'],
  ['{"servr": "x"}', /: servr: expected server, token_file, /],
  ['{"server": ["x"]}', ': server: expected text or a number, found "object"'],
  ['{"server": "ftp://x"}', ': server: expected http://HOST:PORT or https://HOST:PORT, found "ftp://x"'],
  ['{"max_array_size": 0}', ': max_array_size: expected a whole number from 1 to 100000000, found "0"'],
  ['{"data_dir": "data"}', ': data_dir: expected an absolute path, found "data"'],
])('a file that is wrong is told of, and the rest is shown: %s', async (text, message) => {
  write(text);
  const { code, out, err } = await config(['list'], { SPAWN_LISTEN: '127.0.0.1:2' });
  expect(code).toBe(2);
  expect(out).toContain('listen\t127.0.0.1:2\tSPAWN_LISTEN\t');
  const said = err.replace(`spawn: ${path}`, '').trimEnd();
  if (typeof message === 'string') expect(said).toBe(message);
  else expect(said).toMatch(message);
  expect((await config(['path'])).code).toBe(0);
  expect((await config(['set', 'listen', '127.0.0.1:1'])).code).toBe(2);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

describe('refused', () => {
  const names = SETTINGS.map(({ name }) => name).join(', ');
  test.each([
    [['lst'], 'config: expected list, get, set, unset or path, found "lst"; did you mean "list"?'],
    [['get'], 'config get: expected NAME, found nothing'],
    [['set', 'server'], 'config set: expected VALUE, found nothing'],
    [['path', 'x'], 'config path: expected no argument, found more'],
    [['get', 'servr'], 'config: unknown setting "servr"; did you mean "server"?'],
    [['get', 'xyzzy'], `config: unknown setting "xyzzy"; expected ${names}`],
    [['set', 'xyzzy', '1'], `config: xyzzy: expected ${names}`],
    [
      ['set', 'token', 's3cret'],
      'config: token: expected token_file, the path of a file that holds it: a secret is no setting',
    ],
    [['set', 'server', ''], 'config: server: expected a value (URL), found ""'],
    [['set', 'listen', 'here'], /^config: listen: expected /],
    [['set', 'local_cpus', 'many'], /^config: local_cpus: expected a number above 0/],
    [['set', 'bind_cpus', 'yes'], 'config: bind_cpus: expected 0 or 1, found "yes"'],
    [['get', 'server', '-o', 'json'], 'config get: expected -o with config list only'],
  ])('%j', async (words, message) => {
    const { code, out, err } = await config(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    const said = err.replace(/^spawn: /, '').trimEnd();
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
    expect(err).not.toContain('s3cret');
  });
});
