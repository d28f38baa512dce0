import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasProgram, requireOr } from '../support/require.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

let box: Sandbox;
beforeAll(() => {
  box = makeSandbox();
});
afterAll(() => box.close());

async function run(...words: string[]): Promise<string> {
  const ran = await box.spawn(words);
  expect(ran).toMatchObject({ code: 0 });
  return ran.out;
}

describe('before any coordinator runs', () => {
  test('completion and doctor start none', async () => {
    expect(await box.spawn(['complete', 'jobs'])).toMatchObject({ code: 0, out: '', err: '' });
    const checks = JSON.parse((await box.spawn(['doctor', '-o', 'json'])).out) as { name: string; result: string }[];
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Node', 'data directory', 'forker', 'clock']),
    );
    expect(checks.find(({ name }) => name === 'coordinator')).toMatchObject({ result: 'info' });
    expect(box.processes()).toEqual([]);
  });

  test('a settings file counts, and one that is broken stops all but spawn config', async () => {
    const home = join(box.folder, 'config');
    mkdirSync(join(home, 'spawn'), { recursive: true });
    const env = { XDG_CONFIG_HOME: home };
    const path = join(home, 'spawn', 'config.json');
    writeFileSync(path, '{"server": "http://127.0.0.1:9"}');
    expect(await box.spawn(['server', 'stop'], { env })).toMatchObject({
      code: 2,
      err: 'spawn: server stop: expected no SPAWN_SERVER (the coordinator is elsewhere), found "http://127.0.0.1:9"\n',
    });
    expect((await box.spawn(['config', 'get', 'server'], { env })).out).toBe('http://127.0.0.1:9\n');
    writeFileSync(path, '{"server": }');
    const fault = `spawn: ${path}:1:12: expected a value, found "}"\n`;
    expect(await box.spawn(['jobs'], { env })).toMatchObject({ code: 2, out: '', err: fault });
    expect(await box.spawn(['config', 'path'], { env })).toMatchObject({ code: 0, out: `${path}\n`, err: '' });
    expect(await box.spawn(['config'], { env })).toMatchObject({ code: 2, err: fault });
    expect(box.processes()).toEqual([]);
  });
});

describe('what a job is given', () => {
  test('variables: the environment, then files, then --env', async () => {
    writeFileSync(
      join(box.folder, 'a.env'),
      'B=file\nC=file\n# NODE_OPTIONS is not for this program\nNODE_OPTIONS=--no-such\n',
    );
    const ran = await box.spawn(
      ['submit', '--follow', '--env-file', 'a.env', '--env', 'C=word', '--command', 'echo $A $B $C $NODE_OPTIONS'],
      { env: { A: 'snapshot', B: 'snapshot', C: 'snapshot' } },
    );
    expect(ran).toMatchObject({ code: 0, out: 'snapshot file word --no-such\n' });
  });

  test('a job comes back as a spec that runs the same', async () => {
    writeFileSync(join(box.folder, 'run.sh'), '#!/bin/sh\necho "ü $1 $TASK_ARRAY_INDEX"\n');
    const number = (
      await run('submit', '--wait', '-q', '--array', '5-6', '--env', 'X=1', '--name', 'fit', 'run.sh', 'a b')
    ).trim();
    const spec = await run('export', number);
    expect(JSON.parse(spec)).toMatchObject({
      name: 'fit',
      array: '5-6',
      env: { X: '1' },
      run: { kind: 'script', name: 'run.sh', args: ['a b'], content: expect.stringContaining('ü') },
    });
    const again = await box.spawn(['submit', '--spec', '-', '--wait', '-q', '--array', '7-8'], { input: spec });
    expect(again.code).toBe(0);
    expect((await run('logs', again.out.trim())).split('\n').sort()).toEqual(['', '[7] ü a b 7', '[8] ü a b 8']);
  });
});

describe('a job whose tasks fail', () => {
  let number = '';
  beforeAll(async () => {
    const command = 'echo all is said; [ $TASK_ARRAY_INDEX = 2 ] && { echo oh no >&2; exit 3; }; true';
    const ran = await box.spawn(['submit', '--wait', '-q', '--array', '4', '--command', command]);
    expect(ran.code).toBe(3);
    number = ran.out.trim();
  });

  test('is searched and told apart', async () => {
    expect(await run('logs', number, '--grep', 'OH', '-i')).toBe(`${number}_2: oh no\n`);
    expect(await box.spawn(['logs', number, '--grep', 'never said'])).toMatchObject({ code: 1, out: '' });
    expect(await run('logs', number, '--diff')).toBe(`1\t${number}_2\toh no\n`);
    expect(await run('logs', number, '--state', 'failed', '--stderr')).toContain('oh no');
    const summary = JSON.parse(await run('status', number, '-o', 'json'));
    expect(summary.failures).toMatchObject([{ cause: 'exit', exit_code: 3, tasks: 1, indices: '2', message: 'oh no' }]);
  });

  requireOr('script of util-linux', hasProgram('script'))(
    'is drawn on a terminal, and gives its exit code',
    async () => {
      const file = join(box.folder, 'typescript');
      const node = join(process.cwd(), 'node_modules/node/bin/node');
      const program = join(process.cwd(), 'dist/bin/spawn.js');
      const line = `stty cols 70 rows 20; '${node}' '${program}' watch ${number}; echo "code $?"`;
      const { execFileSync } = await import('node:child_process');
      execFileSync('script', ['-qec', line, file], {
        env: { ...box.env, TERM: 'xterm', NO_COLOR: '1' },
        stdio: 'ignore',
        timeout: 60_000,
      });
      const shown = readFileSync(file, 'utf8').replaceAll('\r', '');
      expect(shown).toContain('\n##x#\nx failed  # completed\n1 × exit 3');
      expect(shown).toContain('code 3\n');
    },
  );

  test('runs again by how it ended, and is removed when it is old', async () => {
    expect(await run('retry', number, '--where', 'exit=3')).toBe(`job ${number}: 1 task to run again\n`);
    expect((await box.spawn(['wait', number])).code).toBe(3);
    expect(await box.spawn(['why', `${number}_2`, '-o', 'json'])).toMatchObject({ code: 0 });
    expect(await run('prune', number, '--dry-run')).toMatch(/^would remove 1 job \(4 tasks, /);
    expect(await run('prune', number)).toMatch(/^removed 1 job \(4 tasks, /);
    expect(await box.spawn(['status', number])).toMatchObject({ code: 66, err: `spawn: job "${number}" not found\n` });
  });
});
