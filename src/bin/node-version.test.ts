import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS } from '../core/error-table.ts';
import { isNewEnough } from './node-version.ts';

const MAIN = `
export async function main(argv) {
  const [what, ...rest] = argv;
  if (what === 'die') process.kill(process.pid, 'SIGKILL');
  if (what === 'wait') {
    const kept = setInterval(() => {}, 60_000);
    const got = new Promise((resolve) => process.on('SIGTERM', resolve));
    console.log('waiting');
    const signal = await got;
    clearInterval(kept);
    console.log('got ' + signal);
    return 3;
  }
  const input = await new Response(process.stdin).text();
  console.log(JSON.stringify({ version: process.versions.node, argv, input }));
  return Number(rest.at(-1) ?? 0);
}
`;

/** Where the machine's Node is new enough, one that says it is old stands for an old one. */
const realOldNode = ['/usr/bin/node', '/usr/local/bin/node'].find(
  (path) => existsSync(path) && !isNewEnough(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.slice(1)),
);
const pretend = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.20.2"}})';
const oldNode: [string, ...string[]] = realOldNode ? [realOldNode] : [process.execPath, '--import', pretend];
const newNode: [string, ...string[]] = [process.execPath];

let folder: string;
let entry: string;

function transpile(path: string): void {
  const source = readFileSync(new URL(`../${path}.ts`, import.meta.url), 'utf8');
  const code = stripTypeScriptTypes(source).replaceAll(/(['"]\.\.?\/[^'"]+)\.ts(['"])/g, '$1.js$2');
  writeFileSync(join(folder, `dist/${path}.js`), code);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-entry-'));
  entry = join(folder, 'dist/bin/spawn.js');
  for (const part of ['bin', 'core', 'cli']) mkdirSync(join(folder, 'dist', part), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "1.2.3" }');
  const core = readdirSync(new URL('../core', import.meta.url)).filter((name) => /^[\w-]+\.ts$/.test(name));
  for (const path of ['bin/node-version', 'bin/run-instead', 'bin/spawn']) transpile(path);
  for (const name of core) transpile(`core/${name.slice(0, -'.ts'.length)}`);
  writeFileSync(join(folder, 'dist/cli/main.js'), MAIN);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run([program, ...options]: [string, ...string[]], args: string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync(program, [...options, entry, ...args], { encoding: 'utf8', input, env: { PATH: '', HOME: folder } });
}

describe('isNewEnough', () => {
  test.each([
    ['22.18.0', true],
    ['22.19.1', true],
    ['24.0.0', true],
    ['22.17.9', false],
    ['20.20.2', false],
    ['9.99.0', false],
  ])('%s: %s', (version, enough) => {
    expect(isNewEnough(version)).toBe(enough);
  });
});

describe('on a new enough Node', () => {
  test('runs the program with its arguments and gives its exit code', () => {
    const result = run(newNode, ['echo', 'a b', '5'], 'hello');
    expect(JSON.parse(result.stdout)).toMatchObject({ argv: ['echo', 'a b', '5'], input: 'hello' });
    expect(result.status).toBe(5);
  });
});

describe.each([
  ['new', newNode],
  ['old', oldNode],
])('--version on a %s Node', (_, node) => {
  test.each(['--version', '-V'])('%s prints the version and loads nothing', (flag) => {
    const result = run(node, [flag]);
    expect(result).toMatchObject({ status: 0, stdout: '1.2.3\n', stderr: '' });
  });
});

describe('on an old Node without another', () => {
  test('says what is needed in one line, and where it looked', () => {
    const result = run(oldNode, ['echo']);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^spawn needs Node 22\.18 or newer; this is v\d+\.\d+\.\d+ \(.+\)\. .*`npm ci`.*\n$/);
    expect(result.stderr.split('\n')).toHaveLength(2);
    expect(result.status).toBe(ERRORS.NODE_TOO_OLD.exit);
  });
});

describe('on an old Node in a repository that brings its own', () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'node_modules/node/bin'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/node/bin/node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, {
      mode: 0o755,
    });
  });
  afterAll(() => rmSync(join(folder, 'node_modules'), { recursive: true }));

  test('runs there with the same arguments, input and exit code', () => {
    const result = run(oldNode, ['echo', '', "it's", '7'], 'typed');
    expect(JSON.parse(result.stdout)).toEqual({
      version: process.versions.node,
      argv: ['echo', '', "it's", '7'],
      input: 'typed',
    });
    expect(result.status).toBe(7);
  });

  test('dies of the same signal', () => {
    expect(run(oldNode, ['die'])).toMatchObject({ status: null, signal: 'SIGKILL' });
  });

  test('passes signals on', async () => {
    const [program, ...options] = oldNode;
    const child = spawn(program, [...options, entry, 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (text.includes('waiting')) child.kill('SIGTERM');
    });
    const [status] = await once(child, 'close');
    expect(output).toBe('waiting\ngot SIGTERM\n');
    expect(status).toBe(3);
  });
});

test('an own Node that is too old is not run again and again', () => {
  mkdirSync(join(folder, 'node_modules/node/bin'), { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node_modules/node/bin/node'));
  const result = run([process.execPath, '--import', pretend], ['echo']);
  rmSync(join(folder, 'node_modules'), { recursive: true });
  expect(result.status).toBe(ERRORS.NODE_TOO_OLD.exit);
});
