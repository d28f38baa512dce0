import { beforeAll, describe, expect } from 'vitest';
import { hasProgram, requireOr } from '../support/require.ts';
import { readReadme, readTour, runTour, type Step } from '../support/tour.ts';

const test = requireOr('script (util-linux or bsdutils)', hasProgram('script'));

/** What differs from run to run, and from machine to machine. */
function withoutChance({ command, output }: Step): Step {
  const lines = output
    .replaceAll(/-\d{8}-[0-9a-f]{6}\b/g, '-DATE-ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'MOMENT')
    .replaceAll(/\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?m?s\b/g, 'TIME')
    .replaceAll(/pid:? \d+/g, 'pid PID')
    .replaceAll(/\d+ of \d+ CPUs/g, 'N of N CPUs')
    .replaceAll(/\bi-[0-9a-f]{17}\b/g, 'i-ID')
    .replaceAll(/\b127\.(?!0\.0\.1\b)\d+\.\d+\.\d+\b/g, 'ADDRESS')
    // Only a machine that is smaller than what was asked for says so.
    .replaceAll(/^spawn: note: \d+ x .* this machine .*\n/gm, '')
    .replaceAll(command.startsWith('spawn extend') ? /\b\d+h\d\dm/g : /(?!)/g, 'TIME')
    .replaceAll(command.startsWith('spawn cost') ? /\$\d+\.\d+/g : /(?!)/g, 'AMOUNT')
    // Whether an instance was gone, or still going, when it was told.
    .replaceAll(command.startsWith('spawn terminate') ? /terminated|shutting-down/g : /(?!)/g, 'ENDING')
    .replaceAll(command.startsWith('spawn terminate') ? /^\d+ instances ENDING.*$/gm : /(?!)/g, 'INSTANCES')
    .replaceAll(/^spawn (?:cost|terminate)/.test(command) ? /(?<=\S) {2,}/g : /(?!)/g, '  ')
    // Which tasks were the slowest, and which lines were seen last.
    .replaceAll(/^ {2}\d+_\d+ {2}TIME {2}.*$/gm, '  TASK  TIME  END')
    .replaceAll(command.startsWith('spawn watch') ? /^\[\d+\] .*\n/gm : /(?!)/g, '')
    .split('\n');
  // What a machine has is its own; that it is told is not.
  const shown = command.endsWith('doctor') ? lines.map((line) => line.slice(6, 24).trimEnd()) : lines;
  return { command, output: shown.join('\n') };
}

describe('the tour of the README', () => {
  const steps = readTour(readReadme());
  let outputs: string[];
  beforeAll(() => {
    outputs = runTour(steps);
  }, 250_000);

  test('runs to its end', () => {
    expect(steps.length).toBeGreaterThan(20);
    expect(outputs).toHaveLength(steps.length);
  });

  for (const [at, step] of steps.entries()) {
    test(`\`${step.command}\` prints what is said`, () => {
      expect(withoutChance({ command: step.command, output: outputs[at] ?? 'nothing' })).toEqual(withoutChance(step));
    });
  }
});
