import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { handlersOnScript } from '../../../test/support/handlers-on-script.ts';
import { until } from '../../../test/support/until.ts';

const unusable: readonly [what: string, name: string, module: string, text: RegExp][] = [
  ['a module that is not there', 'quick', './gone.ts', /^spawn: cannot load the module .*gone\.ts: Cannot find module/],
  [
    'an export that is not there',
    'nothing',
    './tasks.ts',
    /^spawn: the module .* has no export nothing; it exports the functions asks, leaks, params, quick/,
  ],
  [
    'an export that is no function',
    'notFunction',
    './tasks.ts',
    /^spawn: the export notFunction of .* is no function, but number\n$/,
  ],
  [
    'a module with an error in it',
    'quick',
    './broken.ts',
    /^spawn: cannot load the module .*broken\.ts[\s\S]*SyntaxError/,
  ],
  ['a module that throws', 'quick', './throws.ts', /^spawn: cannot load the module [\s\S]*Error: not today/],
  [
    'a module that exits',
    'quick',
    './exits.ts',
    /^spawn: the module ended its process with exit code 4 while it was loaded\n$/,
  ],
  [
    'a module that dies',
    'quick',
    './dies.ts',
    /^spawn: its host ended while the module was loaded \(SIGKILL \(9\)\)\n$/,
  ],
  ['a module of ours that is not there', 'x', 'spawn:nothing', /^spawn: there is no module spawn:nothing; known are: /],
];

test.each(unusable)('%s: every task says so, and no host is started again and again', async (_, name, module, text) => {
  const { submit, coordinator, how, logOf, folder } = handlersOnScript();
  writeFileSync(join(folder, 'broken.ts'), 'export const quick = ((;\n');
  writeFileSync(join(folder, 'throws.ts'), "throw new Error('not today');\n");
  writeFileSync(join(folder, 'exits.ts'), 'process.exit(4);\n');
  writeFileSync(join(folder, 'dies.ts'), "process.kill(process.pid, 'SIGKILL');\n");
  submit(name, {}, 1, module);
  const fence = coordinator.grant(1, 0, 500);
  await until('all ends', () => coordinator.ends.length === 500);
  expect([how(fence), how(fence + 499)]).toEqual(['exit 126', 'exit 126']);
  for (const one of [fence, fence + 250, fence + 499]) expect(logOf(1, one)).toMatch(text);
});

test('a directory that is not there: the tasks say so', async () => {
  const { submit, coordinator, logOf } = handlersOnScript();
  submit('quick', { cwd: '/no/such/place' });
  const fence = coordinator.grant(1, 0, 3);
  await until('all ends', () => coordinator.ends.length === 3);
  expect(logOf(1, fence)).toBe('spawn: cannot enter /no/such/place: No such file or directory\n');
});
