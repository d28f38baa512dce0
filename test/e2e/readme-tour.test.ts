import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OwnHome, ownHome } from '../support/own-home.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

/** The commands of the tour, each with what the README says that it prints. */
const steps = [...readme.matchAll(/^```console\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = '', ...output] = step.trimEnd().split('\n');
      return { command, output: output.join('\n') };
    }),
);

/** What differs from run to run, and from machine to machine. */
function withoutChance(output: string): string {
  return output
    .replaceAll(/-\d{8}-[0-9a-f]{6}\b/g, '-DATE-ID')
    .replaceAll(/\b\d+(?:\.\d+)?m?s\b/g, 'TIME')
    .replaceAll(/pid \d+, data in \S+\)/g, 'pid PID, data in FOLDER)');
}

let home: OwnHome;
beforeAll(() => {
  home = ownHome();
});
afterAll(() => home.close());

test('the tour of the README prints what the README says', () => {
  expect(steps.length).toBeGreaterThan(5);
  const program = fileURLToPath(new URL('dist/bin/spawn.js', root));
  const script = [
    'exec 2>&1',
    `spawn() { '${process.execPath}' '${program}' "$@"; }`,
    ...steps.flatMap(({ command }) => [command, "echo '---8<---'"]),
  ];
  const run = spawnSync('bash', ['-c', script.join('\n')], { cwd: home.folder, env: home.env, encoding: 'utf8' });
  const outputs = run.stdout.split('---8<---\n').map((output) => output.trimEnd());
  const found = steps.map(({ command }, at) => ({ command, output: withoutChance(outputs[at] ?? '') }));
  expect(found).toEqual(steps.map(({ command, output }) => ({ command, output: withoutChance(output) })));
});
