import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import type { SubmitRequestInput } from '../../api/job.ts';

let folder: string;
let templates: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-template-'));
  templates = join(folder, '.config/spawn/templates');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(...words: string[]) {
  const ran = await runCli(words, {
    world: { cwd: folder, env: { HOME: folder, NOW: 'value of now', SPAWN_SERVER: 'http://127.0.0.1:1' } },
    client: {
      putBlob: async () => ({ hash: 'e'.repeat(64) }),
      submit: async ({ dryRun }: SubmitRequestInput) => ({
        job: aJob({ size: 4 }),
        replayed: false,
        dryRun: dryRun ?? false,
      }),
      instances: async () => ({ instances: [] }),
      tasks: async () => ({ tasks: [] }),
    },
  });
  const request = ran.calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined;
  return { ...ran, spec: request?.spec };
}

const save = (...words: string[]) => run('template', 'save', 'gpu', ...words);
const kept = () => JSON.parse(readFileSync(join(templates, 'gpu.json'), 'utf8'));

describe('save', () => {
  test('options as they were typed; paths in full; only the user may read it', async () => {
    const words = [
      '--instance-type',
      'g5.xlarge',
      '--ttl',
      '1d12h',
      '--spot',
      '--tag',
      'a=1',
      '--tag',
      'b=2',
      '--user-data',
      '@boot.sh',
    ];
    const ran = await save(...words, '--cwd', 'work', '--', 'python', 'train.py');
    expect(ran).toMatchObject({ code: 0, out: `saved ${templates}/gpu.json\n`, err: '', calls: [] });
    expect(kept()).toEqual({
      version: 1,
      options: {
        'instance-type': 'g5.xlarge',
        ttl: '1d12h',
        spot: true,
        tag: ['a=1', 'b=2'],
        'user-data': `@${folder}/boot.sh`,
        cwd: `${folder}/work`,
      },
      argv: ['python', 'train.py'],
    });
    expect(statSync(join(templates, 'gpu.json')).mode & 0o777).toBe(0o600);
    expect(statSync(templates).mode & 0o777).toBe(0o700);
  });

  test('a value of --env is kept only when it was typed, and that is said', async () => {
    const { err } = await save('--env', 'A=typed', '--env', 'NOW');
    expect(err).toBe(
      'spawn: note: the values of --env A are in that file as they were typed; --env K keeps the name alone\n',
    );
    expect(kept().options).toEqual({ env: ['A=typed', 'NOW'] });
    expect(readFileSync(join(templates, 'gpu.json'), 'utf8')).not.toContain('value of now');
    const { spec } = await run('template', 'use', 'gpu', 'x');
    expect(spec?.env).toEqual({ A: 'typed', NOW: 'value of now' });
  });

  test('again: it replaces, also a file of another ending', async () => {
    mkdirSync(templates, { recursive: true });
    writeFileSync(join(templates, 'gpu.yaml'), 'options: {ttl: 1h}\n');
    expect((await save('--ttl', '2h')).out).toBe(`replaced ${templates}/gpu.json\n`);
    expect(existsSync(join(templates, 'gpu.yaml'))).toBe(false);
  });

  test.each([
    [['--ttl', '4'], /^spawn: --ttl: duration, column 2: expected a unit/],
    [['--tttl', '4h'], /^spawn: template save: unknown option "--tttl"; did you mean "--ttl"\?\n$/],
    [
      ['--dry-run'],
      /^spawn: template save: expected options that can be kept, found --dry-run, which belongs to one launch\n$/,
    ],
    [['-o', 'json'], /found -o, which belongs to one launch\n$/],
    [
      ['--user-data', '@-'],
      /^spawn: template save: --user-data: expected text or a file to keep, found standard input\n$/,
    ],
    [[], /^spawn: template save: expected options of spawn launch to keep, found none; see: spawn help template\n$/],
  ])('refuses %j', async (words, message) => {
    const { code, err } = await save(...words);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(existsSync(join(templates, 'gpu.json'))).toBe(false);
  });
});

describe('use, the same as launch --template', () => {
  beforeEach(async () => {
    const words = [
      '--count',
      '4',
      '--job-array-name',
      'old',
      '--instance-type',
      'm7i.large',
      '--ttl',
      '4h',
      '--ttl-mode',
      'wall',
    ];
    await save(...words, '--tag', 'a=1', '--tag', 'b=2', '--spot', '--on-complete', 'terminate', '--command', 'date');
  });

  test('without more it is what was kept', async () => {
    const { spec } = await run('template', 'use', 'gpu');
    expect(spec).toMatchObject({
      name: 'old',
      array: '0-3',
      run: { kind: 'shell', text: 'date' },
      instances: {
        type: 'm7i.large',
        ttlMs: 14_400_000,
        ttlMode: 'wall',
        tags: { a: '1', b: '2' },
        spot: true,
        onComplete: 'terminate',
      },
    });
    expect((await run('launch', '--template', 'gpu')).spec).toEqual(spec);
  });

  test.each([
    [['new'], { name: 'new', array: '0-3' }],
    [['--name', 'new'], { name: 'new', array: '0-3' }],
    [['--array', '0-8:2'], { array: '0-8:2' }],
    [['--instance-type', 't3.small'], { instances: { type: 't3.small', ttlMs: 14_400_000 } }],
    [['--tag', 'b=3', '--tag', 'c=4'], { instances: { tags: { a: '1', b: '3', c: '4' } } }],
    [['--', 'ls'], { run: { kind: 'argv', argv: ['ls'] } }],
    [['--command', 'who'], { run: { kind: 'shell', text: 'who' } }],
  ])('what is given goes before it: %j', async (words, part) => {
    expect((await run('template', 'use', 'gpu', ...words)).spec).toMatchObject(part);
  });

  test('--no-timeout takes its TTL away, and what belongs to that', async () => {
    const { spec } = await run('template', 'use', 'gpu', '--no-timeout');
    expect(spec?.instances).not.toHaveProperty('ttlMs');
    expect(spec?.instances).not.toHaveProperty('ttlMode');
  });

  test('--unset leaves options out', async () => {
    const { spec } = await run('template', 'use', 'gpu', '--unset', 'spot', '--unset=--tag');
    expect(spec?.instances).not.toHaveProperty('spot');
    expect(spec?.instances).not.toHaveProperty('tags');
  });
});

describe('list, show, delete', () => {
  test('list: aligned on a terminal; a file that cannot be read is listed with its fault', async () => {
    await save('--ttl', '4h', '--env', 'A=x y', '--', 'echo', "it's");
    writeFileSync(join(templates, 'bad.yaml'), 'options: [\n');
    const { out, code } = await run('template', 'list');
    expect(code).toBe(0);
    const [bad, gpu, array] = out.split('\n');
    expect(array).toBe('array\tjob\tOne task for each number');
    expect(bad).toMatch(/^bad\tlaunch\t.*bad\.yaml:2:1: expected YAML/);
    expect(gpu).toBe("gpu\tlaunch\t--env 'A=x y' --ttl 4h -- echo 'it'\\''s'");
  });

  test('list -o json', async () => {
    await save('--ttl', '4h', '--tag', 'a=1');
    const expected = [
      {
        name: 'gpu',
        kind: 'launch',
        path: join(templates, 'gpu.json'),
        options: { ttl: '4h', tag: ['a=1'] },
        argv: null,
        summary: null,
        fault: null,
      },
    ];
    expect(JSON.parse((await run('template', 'list', '-o', 'json')).out).slice(0, 1)).toEqual(expected);
    expect(JSON.parse((await run('template', '-o', 'json', 'list')).out).slice(0, 1)).toEqual(expected);
  });

  test('list without any of the user: the job files that came with the program', async () => {
    const { code, out } = await run('template', 'list', '-o', 'json');
    expect(code).toBe(0);
    const all = JSON.parse(out) as { kind: string; path: null; summary: string }[];
    expect(all.length).toBeGreaterThan(4);
    expect(all.every(({ kind, path, summary }) => kind === 'job' && path === null && summary !== '')).toBe(true);
  });

  test('show: as it could be typed', async () => {
    await save('--ttl', '4h', '--spot');
    const { out } = await run('template', 'show', 'gpu');
    expect(out).toBe(`${templates}/gpu.json\n\n  spawn launch \\\n    --spot \\\n    --ttl 4h\n`);
    expect(JSON.parse((await run('template', 'show', 'gpu', '-o', 'json')).out)).toMatchObject({
      name: 'gpu',
      argv: null,
    });
  });

  test('show checks what it says', async () => {
    mkdirSync(templates, { recursive: true });
    writeFileSync(join(templates, 'gpu.yaml'), 'options:\n  ttl: 4\n');
    const { code, err } = await run('template', 'show', 'gpu');
    expect(code).toBe(2);
    expect(err).toMatch(/gpu\.yaml:2:8 ttl: duration, column 2: expected a unit/);
  });

  test('delete', async () => {
    await save('--ttl', '4h');
    expect((await run('template', 'delete', 'gpu')).out).toBe(`deleted ${templates}/gpu.json\n`);
    expect((await run('template', 'delete', 'gpu')).code).toBe(2);
  });
});

test.each([
  [[], 'template: expected save, list, show, delete or use, found nothing; see: spawn help template'],
  [['sav'], 'template: expected save, list, show, delete, use, found "sav"; see: spawn help template'],
  [['show'], 'template show: expected NAME, found nothing; see: spawn help template show'],
  [['save'], 'template save: expected NAME first, found nothing; see: spawn help template'],
  [['save', '--ttl', '1h'], 'template save: expected NAME first, found "--ttl"; see: spawn help template'],
  [
    ['show', '../x'],
    'template show: NAME: name "../x": expected a DNS label: lower-case letters, digits and "-", found "." at column 1',
  ],
  [['list', 'x'], 'template list: expected no argument, found "x" too'],
  [['delete', 'x', '-o', 'json'], 'template delete: expected -o with list or show only; see: spawn help template'],
])('refuses %j', async (words, message) => {
  expect(await run('template', ...words)).toMatchObject({ code: 2, out: '', err: `spawn: ${message}\n` });
});

test.each([
  ['[]', 'expected an object with options, found a list'],
  ['{"option": {}}', '1:12 option: expected one of version, options, argv, found "option"'],
  ['{"version": 2}', '1:13 version: expected 1, found "2"'],
  ['{"options": []}', '1:13 options: expected an object of options, found a list'],
  ['{"options": {"ttl": null}}', '1:21 options.ttl: expected text, a number, true or false, found nothing'],
  ['{"options": {"spot": "maybe"}}', '1:22 spot: expected true or false, found "maybe"'],
  ['{"options": {"on-idle": "nap"}}', '1:25 on-idle: expected stop or hibernate or terminate, found "nap"'],
  ['{"argv": "ls"}', '1:10 argv: expected a list of words, found "ls"'],
])('a file that says %s', async (text, message) => {
  mkdirSync(templates, { recursive: true });
  writeFileSync(join(templates, 'gpu.json'), text);
  const { code, err } = await run('template', 'use', 'gpu', 'x');
  const at = message.startsWith('1:') ? `${templates}/gpu.json:` : `${templates}/gpu.json: `;
  expect({ code, err }).toEqual({ code: 2, err: `spawn: ${at}${message}\n` });
});
