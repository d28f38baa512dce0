import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

let box: Sandbox;
beforeAll(() => {
  box = makeSandbox();
});
afterAll(() => box.close());

const spawn = (...words: string[]) => box.spawn(words);
const write = (path: string, text: string) => writeFileSync(join(box.folder, path), text);
const content = (path: string) => readFileSync(join(box.folder, path), 'utf8');

test('a wrong file: all of it is told, and no coordinator is started', async () => {
  write('wrong.yaml', 'aray: 10\nalgorithm: {command: x}\ncompute: {memory: 4000}\n');
  for (const verb of ['validate', 'submit', 'run']) {
    const { code, out, err } = await spawn(verb, 'wrong.yaml');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(
      err
        .trimEnd()
        .split('\n')
        .map((line) => /wrong\.yaml:\d+:\d+: [\w.]+/.exec(line)?.[0]),
    ).toEqual(['wrong.yaml:1:1: aray', 'wrong.yaml:3:19: compute.memory']);
  }
  expect((await spawn('server', 'status')).code).toBe(3);
});

test('init, run, and the exit code of the worst task', async () => {
  expect((await spawn('init', '--template', 'script', 'job.yaml')).code).toBe(0);
  const ran = await spawn('run', 'job.yaml', '--follow', '--array', '2');
  expect(ran.code).toBe(0);
  expect(ran.out).toMatch(/^\[[01]\] task [01] of 2 on /m);
  write('bad.yaml', 'array: 4\nalgorithm: {command: "exit $TASK_ARRAY_INDEX"}\n');
  expect(await spawn('run', 'bad.yaml')).toMatchObject({ code: 3, err: expect.stringContaining('3 failed') });
});

test('what a file says reaches the tasks as it is: words, variables, its directory', async () => {
  const text = `a 'b' "c" $HOME \`x\` ; # \\\\n`;
  write(
    'words.yaml',
    `params: {p: x}\nenv: {E: '\${env:WORDS}'}\nalgorithm:\n  command: [sh, -c, 'printf "%s|%s|" "$1" "$E"; pwd', sh, '\${p}']\n  stdout: words.txt\n`,
  );
  const ran = await box.spawn(['submit', 'words.yaml', '--wait', '--param', `p=${text}`], { env: { WORDS: text } });
  expect(ran).toMatchObject({ code: 0 });
  expect(content('words.txt')).toBe(`${text}|${text}|${box.folder}\n`);
});

test('stages run after each other, and what waits for a failed one is skipped', async () => {
  const stage = (command: string, after = '') => `{algorithm: {command: '${command}'}${after}}`;
  write(
    'stages.yaml',
    `name: pipe\nadvanced:\n  stages:\n    last: ${stage('echo last >> order', ', after: afterok:middle')}\n    middle: ${stage('echo middle >> order', ', after: {afterok: first}')}\n    first: ${stage('echo first >> order')}\n`,
  );
  expect((await spawn('run', 'stages.yaml')).code).toBe(0);
  expect(content('order')).toBe('first\nmiddle\nlast\n');
  write(
    'fails.yaml',
    `advanced:\n  stages:\n    a: ${stage('exit 7')}\n    b: ${stage('echo b >> order', ', after: afterok:a')}\n`,
  );
  expect((await spawn('run', 'fails.yaml')).code).toBe(7);
  expect(content('order')).toBe('first\nmiddle\nlast\n');
});

test('a job that was submitted as a file comes back as one that says the same', async () => {
  write(
    'kept.yaml',
    'name: kept\narray: 0-8:2%3\nenv: {A: "1.10"}\nalgorithm:\n  script: |\n    #!/bin/sh\n    echo "${A}"\ncompute: {retries: {max: 2, delay: 1s, retry_on: oom}}\nadvanced: {hold: true}\n',
  );
  const one = (await spawn('submit', 'kept.yaml', '-q')).out.trim();
  write('again.yaml', (await spawn('export', one, '--format', 'yaml')).out);
  const again = (await spawn('submit', 'again.yaml', '-q')).out.trim();
  expect(JSON.parse((await spawn('export', again)).out)).toEqual(JSON.parse((await spawn('export', one)).out));
});
