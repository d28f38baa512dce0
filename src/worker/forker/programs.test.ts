import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isSpawnError } from '../../core/errors.ts';
import { startForker } from './forker.ts';
import { chooseForkerKind, forkerProgram, nativeForkerPath } from './programs.ts';

test('the native forker is used where it is built, unless the environment says otherwise', () => {
  expect(chooseForkerKind(undefined, {})).toBe(existsSync(nativeForkerPath()) ? 'native' : 'node');
  expect(chooseForkerKind('node', {})).toBe('node');
  expect(chooseForkerKind('node', { SPAWN_FORKER: 'native' })).toBe('native');
  expect(chooseForkerKind('native', { SPAWN_FORKER: 'node' })).toBe('node');
  expect(chooseForkerKind('node', { SPAWN_FORKER: 'other' })).toBe('node');
  expect(existsSync(forkerProgram('node').args[0]!)).toBe(true);
});

test('one that cannot read its log directory says so', async () => {
  const exit = Promise.withResolvers<string>();
  const nothing = () => {};
  const forker = await startForker({
    kind: 'native',
    logDir: join(tmpdir(), 'no-such-directory'),
    sessionTag: 'x',
    callbacks: {
      onStarted: nothing,
      onEnded: nothing,
      onSpawnFailed: nothing,
      onRefused: nothing,
      onExit: (e) => exit.resolve(e.stderr),
    },
  });
  expect(await exit.promise).toContain('no-such-directory: No such file or directory');
  forker.quit();
  await forker.close();
});

test('building: compiles once, and without a compiler says so in one line each and goes on', () => {
  const root = mkdtempSync(join(tmpdir(), 'forker-build-'));
  const copy = join(root, 'native');
  cpSync(fileURLToPath(new URL('../../../native', import.meta.url)), copy, {
    recursive: true,
    preserveTimestamps: true,
  });
  cpSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), join(root, 'package.json'));
  rmSync(join(copy, 'bin'), { recursive: true, force: true });
  const build = (CC: string) =>
    execFileSync(process.execPath, [join(copy, 'build.mjs')], { env: { ...process.env, CC }, encoding: 'utf8' });
  const built = () => (existsSync(join(copy, 'bin')) ? readdirSync(join(copy, 'bin')) : []);
  expect(build('no-such-compiler')).toMatch(
    /^spawn: no C compiler \(no-such-compiler\) for the native forker; .*\nspawn: no C compiler \(no-such-compiler\) for the native instance; .*\n$/,
  );
  expect(build('false')).toMatch(
    /^spawn: the native forker did not compile.*\nspawn: the native instance did not compile.*\n$/,
  );
  expect(built()).toEqual([]);
  expect(build('cc')).toBe('');
  expect(built()).toHaveLength(2);
  expect(build('false')).toBe('');
  rmSync(root, { recursive: true });
});

test('a program that is not there is an error with its reason', async () => {
  const nothing = () => {};
  const callbacks = {
    onStarted: nothing,
    onEnded: nothing,
    onSpawnFailed: nothing,
    onRefused: nothing,
    onExit: nothing,
  };
  const program = { kind: 'native', command: '/no/such/forker', args: [] } as const;
  const error = await startForker({ logDir: '/', sessionTag: 'x', callbacks, program }).catch(
    (reason: unknown) => reason,
  );
  expect(isSpawnError(error) && error.message).toContain('the forker did not start');
});
