import { expect, test } from 'vitest';
import { checkFunction, functionOption } from './function-option.ts';

test.each([
  ['./tasks.ts#score', './tasks.ts', 'score'],
  ['tasks.mjs', 'tasks.mjs', 'default'],
  ['/a b/c.cts#$_x1', '/a b/c.cts', '$_x1'],
])('%s', (text, module, name) => {
  expect(functionOption(text, '--handler')).toEqual({ kind: 'handler', module, export: name });
});

test.each(['', 'tasks', 'tasks.py#run', 'tasks.ts#', 'tasks.ts#1a', 'tasks.ts#a-b', '#run', 'spawn:plan'])(
  '%j is refused',
  (text) => {
    expect(() => functionOption(text, '--handler')).toThrow(
      /^--handler: expected a module of TypeScript or JavaScript/,
    );
  },
);

test('a module that is not there is refused', () => {
  const run = functionOption('./gone.ts', '--handler');
  expect(() => checkFunction(run, '/tmp')).toThrow('--handler: expected a module that exists, found "/tmp/gone.ts"');
  const own = functionOption('./function-option.test.ts', '--handler');
  expect(checkFunction(own, import.meta.dirname)).toBe(own);
});
