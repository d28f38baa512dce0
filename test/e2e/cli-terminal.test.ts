import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { hasProgram, requireOr } from '../support/require.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** script(1): runs a program on a terminal of its own, and gives what it writes there. */
const terminal = 'script';
const test = requireOr('script (util-linux or bsdutils)', hasProgram(terminal));

let box: Sandbox;
beforeAll(async () => {
  box = makeSandbox();
  await box.spawn(['server', 'start']);
});
afterAll(() => box.close());

/** All that a command writes to a terminal of its own. */
function onTerminal(line: string, env: Record<string, string> = {}): string {
  const spawn = `'${join(root, 'node_modules/node/bin/node')}' '${join(root, 'dist/bin/spawn.js')}'`;
  const ran = spawnSync(terminal, ['-qec', `${spawn} ${line}`, '/dev/null'], {
    cwd: box.folder,
    env: { ...box.env, TERM: 'xterm', ...env },
    encoding: 'utf8',
    input: '',
  });
  return ran.stdout.replaceAll('\r\n', '\n');
}

const CLEAR = '\r\x1b[K';

test('--wait draws its progress over one line, and leaves only the result', () => {
  const text = onTerminal("submit --array 8 --wait --command 'sleep 0.3'");
  const [submitted, ...drawn] = text.split(CLEAR);
  expect(submitted).toMatch(/^Submitted job \d+: sleep, 8 tasks \(array id .*\)\n$/);
  expect(drawn.slice(0, -1).join('\n')).toMatch(/ [1-7]\/8, .*left/);
  expect(drawn.at(-1)).toMatch(/^job \d+ completed: 8 tasks in [\d.]+s\n$/);
});

test('--follow shows whole lines with the progress below them', () => {
  const text = onTerminal("submit --array 4 --follow --command 'sleep 0.3; echo done'");
  const shown = text.split(CLEAR).flatMap((piece) => piece.match(/^\[\d\] done$/gm) ?? []);
  expect(shown.toSorted()).toEqual(['[0] done', '[1] done', '[2] done', '[3] done']);
  expect(text).toContain(`${CLEAR}job `);
});

test('lists are tables with a header, coloured unless NO_COLOR says otherwise', () => {
  const coloured = onTerminal('jobs --all');
  expect(coloured).toContain('\x1b[1mJOB\x1b[0m  \x1b[1mNAME');
  expect(coloured).toContain('\x1b[32mcompleted\x1b[0m');
  const plain = onTerminal('jobs --all', { NO_COLOR: '1' });
  expect(plain).toMatch(/^JOB {2}NAME {3}STATE {6}TASKS {2}DONE {2}RUNNING {2}FAILED +AGE {2}COMMAND\n/);
  expect(plain).not.toContain('\x1b');
  expect(onTerminal('jobs --all', { TERM: 'dumb' })).not.toContain('\x1b');
});
