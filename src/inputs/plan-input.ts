import type { InputSpec } from '../api/data.ts';
import { SpawnError } from '../core/errors.ts';
import type { PlanManifest } from './plan/manifest.ts';
import { planBinary, planFiles } from './plan-bytes.ts';
import type { PlanContext } from './plan-context.ts';
import { planRecords } from './plan-records.ts';
import { planItems, planModule } from './plan-values.ts';

/** A plan that is kept. */
export interface MadePlan {
  /** Of its manifest. */
  readonly hash: string;
  readonly manifest: PlanManifest;
}

/**
 * Cuts an input into parts and keeps the plan. Memory does not grow with the data: with the number of sources for a cut by tasks
 * (about 200 bytes each), with the number of values for a cut by group. Throws SpawnError BAD_INPUT with file, line and column
 * for data that is not what the input says, and for an input of which nothing is left to read.
 */
export async function planInput(input: InputSpec, context: PlanContext): Promise<MadePlan> {
  switch (input.type) {
    case 'files':
      return planFiles(input, context);
    case 'binary':
      return planBinary(input, context);
    case 'list':
    case 'range':
      return planItems(input, context);
    case 'module':
      return planModule(input, context);
    case 'text':
    case 'jsonl':
    case 'csv':
    case 'json':
      if (input.cut !== undefined && 'group' in input.cut && input.type === 'text')
        throw new SpawnError('BAD_REQUEST', {
          where: 'input.cut',
          expected: 'files, rows, bytes or tasks for type text',
          found: 'group',
        });
      return planRecords(input, context);
    case 'job':
      // What another job made has places by then, and is planned as these.
      throw new SpawnError('BAD_REQUEST', {
        where: 'input.type',
        expected: 'a type with sources of its own',
        found: input.type,
      });
  }
}
