import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { hasS3, S3Server, testWithS3 } from '../../../test/support/s3-server.ts';
import { openS3 } from '../../objects/s3/open-s3.ts';
import { DirectoryTarget } from './directory-target.ts';
import { confined, fillName } from './output-name.ts';
import { S3Target } from './s3-target.ts';
import { StagedOutput } from './staged-output.ts';

let server: S3Server | undefined;
beforeAll(async () => {
  if (!hasS3) return;
  server = await S3Server.start();
  await server.makeBucket('made');
}, 60_000);
afterAll(() => server?.stop());

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'outputs-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const FACTS = { index: 7, position: 3, attempt: 2, batch: '/data/a b.csv' };

test.each([
  ['part-{index:06}.out', 'part-000007.out'],
  ['{batch}/{ordinal}-{attempt}.x', 'a b.csv/3-2.x'],
  ['{index:3}{index}{other}', '0077{other}'],
])('the name %j', (pattern, name) => {
  expect(fillName(pattern, FACTS)).toBe(name);
});

test.each(['', '..', '.', 'a\nb'])('a batch that is called %j is one word', (batch) => {
  expect(fillName('x/{batch}', { ...FACTS, batch })).toMatch(/^x\/(_|a_b)$/);
});

test.each([
  '',
  '/a',
  '../a',
  'a/../b',
  'a//b',
  './a',
  'a/',
  '.spawn/a',
  'a\0',
  'x'.repeat(256),
  `${'a/'.repeat(520)}a`,
])('%j leads nowhere', (name) => {
  expect(() => confined(name, 'emit')).toThrow('emit: expected ');
});

/** Publishes three files of 1 MB and is killed after the second one. */
const DYING = `
  import { DirectoryTarget } from ${JSON.stringify(join(import.meta.dirname, 'directory-target.ts'))};
  import { StagedOutput } from ${JSON.stringify(join(import.meta.dirname, 'staged-output.ts'))};
  const target = new DirectoryTarget(process.argv[1], '4-0', 9, 0o022);
  const publish = target.publish.bind(target);
  let left = 2;
  target.publish = async (name, path) => (left-- === 0 ? process.kill(process.pid, 'SIGKILL') : publish(name, path));
  const output = new StagedOutput(target, undefined, 0o022);
  for (const name of ['a', 'b', 'c']) await output.add(name, [Buffer.alloc(1_000_000, name)]);
  await output.publish();
`;

test('a worker that is killed while it publishes leaves whole files, and the next attempt clears up', async () => {
  const to = folder();
  const dying = spawn(process.execPath, ['--input-type=module', '-e', DYING, to], { stdio: 'inherit' });
  const [, signal] = await once(dying, 'exit');
  expect(signal).toBe('SIGKILL');
  expect(readdirSync(to).toSorted()).toEqual(['.spawn', 'a', 'b']);
  for (const name of ['a', 'b']) expect(readFileSync(join(to, name), 'utf8')).toBe(name.repeat(1_000_000));
  mkdirSync(join(to, '.spawn/4-1-3/files'), { recursive: true });
  const output = new StagedOutput(new DirectoryTarget(to, '4-0', 10, 0o022), undefined, 0o022);
  output.open();
  for (const name of ['a', 'b', 'c']) await output.add(name, [Buffer.from('new')]);
  expect((await output.publish()).map(({ size }) => size)).toEqual([3, 3, 3]);
  expect(readFileSync(join(to, 'c'), 'utf8')).toBe('new');
  // Another task's is left alone: it may be at work.
  expect(readdirSync(join(to, '.spawn'))).toEqual(['4-1-3']);
});

test('an output of any size goes through little memory', async () => {
  const to = folder();
  const output = new StagedOutput(new DirectoryTarget(to, '4-0', 1, 0o022), undefined, 0o022);
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const pieces = function* () {
    for (let at = 0; at < 200; at++) yield piece;
  };
  const before = process.memoryUsage().rss;
  await output.add('large', pieces());
  const [file] = await output.publish();
  expect(file!.size).toBe(200 * piece.length);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test('what is not whole when its bytes end early is not there', async () => {
  const to = folder();
  const output = new StagedOutput(new DirectoryTarget(to, '4-0', 1, 0o022), undefined, 0o022);
  output.open();
  const breaking = async function* () {
    yield Buffer.from('half');
    throw new Error('the link broke');
  };
  await expect(output.add('a', breaking())).rejects.toThrow('the link broke');
  expect(await output.publish()).toEqual([]);
  expect(readdirSync(to)).toEqual([]);
});

testWithS3('files appear under a prefix of S3, with their hashes, and nothing stays here', async () => {
  const stage = join(folder(), 'stage');
  const output = new StagedOutput(
    new S3Target('s3://made/some/where', server!.access, server!.env, stage),
    'out.txt',
    0o022,
  );
  output.open();
  writeFileSync(join(output.folder, 'ä b'), 'one');
  await output.add('d/two', [Buffer.from('two')]);
  writeFileSync(output.stdoutPath!, 'said');
  const files = await output.publish();
  expect(files.map(({ name, size }) => [name, size])).toEqual([
    ['d/two', 3],
    ['ä b', 3],
    ['out.txt', 4],
  ]);
  const s3 = await openS3(server!.access, { env: server!.env });
  const there: string[] = [];
  for await (const { key, size } of s3.list({ bucket: 'made', key: '' })) there.push(`${key} ${size}`);
  s3.close();
  expect(there).toEqual(['some/where/d/two 3', 'some/where/out.txt 4', 'some/where/ä b 3']);
  expect(existsSync(stage)).toBe(false);
});
