import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSpawnError } from './errors.ts';
import { checkOutputPath, expandOutputPath, type OutputFacts } from './output-path.ts';

const FACTS: OutputFacts = { jobId: 12, index: 7, rawId: 1_000_000_006, name: 'render', user: 'anna', host: 'node1' };
const expand = (pattern: string, facts: Partial<OutputFacts> = {}) => expandOutputPath(pattern, { ...FACTS, ...facts });

function refusal(pattern: string): string {
  try {
    checkOutputPath(pattern, '--output');
  } catch (error) {
    if (isSpawnError(error)) return error.message;
    throw error;
  }
  return '';
}

describe('a pattern', () => {
  test.each([
    ['out.txt', 'out.txt'],
    ['%A_%a.out', '12_7.out'],
    ['slurm-%j.out', 'slurm-1000000006.out'],
    ['/scratch/%u/%x/%N-%A.log', '/scratch/anna/render/node1-12.log'],
    ['%4a', '0007'],
    ['%04a', '0007'],
    ['%1A', '12'],
    ['%10A', '0000000012'],
    ['%12j|%3b', '1000000006|007'],
    ['%5x%2N', 'rendernode1'],
    ['%J.%s-%n-%3t', '1000000006.batch-0-000'],
    ['%12J|%4s', '1000000006|batch'],
    ['100%%-%%a', '100%-%a'],
    ['%A%a%%%A', '127%12'],
    ['%q and %', '%q and %'],
    ['%A\\_%a', '%A_%a'],
    ['\\%A', '%A'],
    ['a\\\\%A', 'a\\%A'],
    ['', ''],
  ])('%j is %j', (pattern, expected) => {
    expect(expand(pattern)).toBe(expected);
  });

  test('%b is the last digit of the index', () => {
    expect(expand('%a %b', { index: 1_234 })).toBe('1234 4');
  });

  test('what it is filled with cannot lead into another directory', () => {
    expect(expand('logs/%x/%u/%N', { name: '../../etc', user: '..', host: 'a/b\0' })).toBe('logs/.._.._etc/_/a_b_');
    expect(expand('%x', { name: '.' })).toBe('_');
    expect(expand('%x', { name: '...' })).toBe('...');
  });

  test('a name that holds a sign stays as it is', () => {
    expect(expand('%x', { name: '%A$1' })).toBe('%A$1');
  });

  test('as many slashes as it had itself, whatever it is filled with', () => {
    const slashes = (text: string) => text.split('/').length;
    fc.assert(
      fc.property(
        fc.constantFrom('%x/%u', '/%N/%4a/%x', 'a/%u.%x'),
        fc.string(),
        fc.string(),
        (pattern, name, user) => {
          const path = expand(pattern, { name, user });
          expect(slashes(path)).toBe(slashes(pattern));
          expect(path.split('/')).not.toContain('..');
        },
      ),
    );
  });
});

describe('at submit', () => {
  test.each(['out', '%A_%4a-%10j.%x.%u.%N.%b%%', '%J.%n.%t.%s', '\\%q', 'a/b c/ü', '%1x'])(
    '%j is accepted',
    (pattern) => {
      expect(refusal(pattern)).toBe('');
    },
  );

  test.each([
    ['%q', '%q'],
    ['log.%A_%i', '%i'],
    ['%0a', '%0a'],
    ['%11a', '%11a'],
    ['%', '%'],
    ['%5%', '%5%'],
    ['%A%3', '%3'],
    ['%ü', '%ü'],
  ])('%j is refused, and %j named', (pattern, sign) => {
    const expected = '%A %a %j %J %x %u %N %b %n %t %s or %%, with a width of 1 to 10 before the letter (%4a)';
    expect(refusal(pattern)).toBe(`--output: expected ${expected}, found "${sign}"`);
  });

  test.each(['a\0b', '%q\0', '\\\0'])('%j is refused for its NUL byte', (pattern) => {
    expect(refusal(pattern)).toMatch(/^--output: expected a path without NUL bytes, found /);
  });

  test('what is accepted leaves no sign behind', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[%AajJxqts4\\/.]{0,12}$/), (pattern) => {
        fc.pre(refusal(pattern) === '' && !pattern.includes('\\') && !pattern.includes('%%'));
        expect(expand(pattern)).not.toContain('%');
      }),
    );
  });
});
