import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillArgument, placeholdersIn, shellText } from './placeholders.ts';

const values = (name: string) => ({ part: '/p a', index: '7', 'param:lr': '0.1' })[name];

test('arguments get what their placeholders stand for, and keep every other brace', () => {
  expect(fillArgument('--in={part}:{index}{index}', values)).toBe('--in=/p a:77');
  expect(fillArgument('{param:lr} {param:none} {print $1} {} {PART}', values)).toBe('0.1  {print $1} {} {PART}');
  expect(fillArgument('{part', values)).toBe('{part');
});

test('which there are', () => {
  expect([...placeholdersIn(['{part} {part}', 'x{param:a}{nothing}'])]).toEqual(['part', 'param:a']);
});

test.each([
  ['cat {part}', 'cat "@{SPAWN_PART_FILE}"'],
  ['cat "{part}.x"', 'cat "@{SPAWN_PART_FILE}.x"'],
  ["awk '{part}' {input}", 'awk \'{part}\' "@{SPAWN_INPUT}"'],
  ['echo \\"{index}', 'echo \\""@{SPAWN_ARRAY_INDEX}"'],
  ['echo "\\"{index}"', 'echo "\\"@{SPAWN_ARRAY_INDEX}"'],
  ["echo '\\'{index}", 'echo \'\\\'"@{SPAWN_ARRAY_INDEX}"'],
  ['cat <<X\n{param:lr}\nX', 'cat <<X\n@{PARAM_lr}\nX'],
  [
    'cp x {output_dir}/{ordinal}-{attempt} {output}',
    'cp x "@{SPAWN_OUTPUT_DIR}"/"@{SPAWN_ORDINAL}"-"@{SPAWN_ATTEMPT}" "@{SPAWN_OUTPUT_FILE}"',
  ],
  ['for i in {1..3}; do echo @{i}; done', 'for i in {1..3}; do echo @{i}; done'],
])('in a shell %j', (text, expected) => {
  expect(shellText(text.replaceAll('@', '$'))).toBe(expected.replaceAll('@', '$'));
});

test('whatever a value is, the shell takes it for nothing but text', () => {
  const texts = ['printf %s {param:v}', 'printf %s "{param:v}"', 'printf %s ""{param:v}', 'printf "%s" {param:v}""'];
  const value = fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.oneof(value, fc.constantFrom('$(touch /x)', '"; exit 3; "', '`id`', "'", '* *', '-n\n')), (text) => {
      for (const command of texts) {
        const said = execFileSync('/bin/sh', ['-c', shellText(command)], { env: { PARAM_v: text } }).toString();
        expect(said).toBe(text);
      }
    }),
    { numRuns: 40 },
  );
});
