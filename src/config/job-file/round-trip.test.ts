import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyJobFile } from '../../../test/support/any-job-file.ts';
import { JobSpec } from '../../api/job-spec.ts';
import { isSpawnError } from '../../core/errors.ts';
import { compileJobFile } from './compile.ts';
import { decompileSpec } from './decompile.ts';
import { readJobFile } from './read-job-file.ts';
import { writeYaml } from './write-yaml.ts';

const utc = () => 0;

/** The spec that a coordinator would have, with what a submit adds. */
function specOf(yaml: string): { spec: JobSpec; script: string | undefined } {
  const [job] = compileJobFile(readJobFile('job.yaml', yaml), utc).jobs;
  const { run, spec, cwd = '/here' } = job!;
  if (run.kind === 'scriptFile') throw new Error('a path of a script is not in a spec');
  if (run.kind !== 'scriptText') return { spec: JobSpec.parse({ ...spec, run, cwd }), script: undefined };
  const script = { kind: 'script', name: run.name, hash: '0'.repeat(64), args: run.args };
  return { spec: JobSpec.parse({ ...spec, run: script, cwd }), script: run.text };
}

describe('a file, the spec it compiles to, and the file that is written of that', () => {
  test('mean the same', () => {
    fc.assert(
      fc.property(anyJobFile, (given) => {
        const first = specOf(writeYaml(given));
        const written = writeYaml(decompileSpec(first.spec, first.script));
        expect(specOf(written)).toEqual(first);
      }),
      { numRuns: 300 },
    );
  });

  test('JSON is YAML', () => {
    fc.assert(
      fc.property(anyJobFile, (given) => {
        expect(readJobFile('job.json', JSON.stringify(given, null, 1))).toEqual(
          readJobFile('job.yaml', writeYaml(given)),
        );
      }),
      { numRuns: 100 },
    );
  });
});

test('whatever becomes of the text of a file, it is taken or told of with places', () => {
  const change = fc.record({
    at: fc.nat(),
    length: fc.nat(8),
    put: fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom(
        '\t',
        ': ',
        '- ',
        '\n',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '&a ',
        '*a ',
        '<<: ',
        '|\n',
        '${',
        '${env:X}',
        '---\n',
        '!!str ',
        '#',
        '\0',
        '\ud800',
      ),
    ),
  });
  fc.assert(
    fc.property(
      anyJobFile,
      fc.boolean(),
      fc.array(change, { minLength: 1, maxLength: 5 }),
      (given, isJson, changes) => {
        let text = isJson ? JSON.stringify(given) : writeYaml(given);
        for (const { at, length, put } of changes) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + put + text.slice(place + length);
        }
        try {
          const file = readJobFile('job.yaml', text, { env: { X: 'x' } });
          compileJobFile(file, utc);
        } catch (error) {
          if (!isSpawnError(error)) throw error;
          expect(error.code).toBe('BAD_JOB_FILE');
          const lines = text.split(/\n/).length;
          for (const { line, column } of error.details.issues as { line: number; column: number }[]) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(line).toBeLessThanOrEqual(lines);
            expect(column).toBeGreaterThanOrEqual(1);
          }
          for (const line of error.message.split('\n'))
            expect(line).toMatch(/^job\.yaml:(?:\d+:\d+: (?:[^ ].*: )?.*expected .|.* more$)/);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
