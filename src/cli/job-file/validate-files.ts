import type { CompiledFile } from '../../config/job-file/compile.ts';
import { compileJobFile } from '../../config/job-file/compile.ts';
import { isSpawnError } from '../../core/errors.ts';
import { localZone } from '../local-zone.ts';
import { counted } from '../output/format.ts';
import { jsonText } from '../output/json.ts';
import type { World } from '../world.ts';
import { readGivenFile } from './read-file.ts';
import { placeJob } from './to-spec.ts';

/** A file and what is wrong with it, as -o json prints it. */
interface Checked {
  readonly path: string;
  readonly valid: boolean;
  readonly jobs: number | null;
  readonly faults: readonly { line: number | null; column: number | null; where: string | null; says: string }[];
}

const WRONG = 2;

/** Checks files in their order, and says what is wrong with each. @returns the exit code */
export async function validateFiles(
  paths: readonly string[],
  params: Readonly<Record<string, string>>,
  format: 'json' | undefined,
  world: World,
): Promise<number> {
  const all: Checked[] = [];
  for (const path of paths) {
    try {
      const given = await readGivenFile('validate', path, world, params);
      const compiled = compileJobFile(given.file, localZone);
      for (const job of compiled.jobs) placeJob(job, given);
      all.push({ path, valid: true, jobs: compiled.jobs.length, faults: [] });
      if (format === undefined) world.stdout.write(`${given.path}: valid, ${summaryOf(compiled)}\n`);
    } catch (error) {
      if (!isSpawnError(error)) throw error;
      const { issues } = error.details;
      const faults = Array.isArray(issues)
        ? (issues as Checked['faults'])
        : [{ line: null, column: null, where: null, says: error.message }];
      all.push({ path, valid: false, jobs: null, faults });
      if (format === undefined) world.stderr.write(`${error.message}\n`);
    }
  }
  if (format === 'json') world.stdout.write(jsonText(all));
  return all.every(({ valid }) => valid) ? 0 : WRONG;
}

function summaryOf({ jobs, isWorkflow }: CompiledFile): string {
  if (isWorkflow) return counted(jobs.length, 'stage');
  const { tasks } = jobs[0]!;
  return tasks === undefined ? 'one job, a task for each part of its input' : `one job, ${counted(tasks, 'task')}`;
}
