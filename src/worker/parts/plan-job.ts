import type { InputSpec } from '../../api/data.ts';
import type { BlobSink } from '../../inputs/plan/manifest.ts';
import type { PlanProgress } from '../../inputs/plan-context.ts';
import { type MadePlan, planInput } from '../../inputs/plan-input.ts';
import type { Source } from '../../inputs/source.ts';
import { openSources } from '../../inputs/sources/open.ts';
import { resolveSources } from '../../inputs/sources/resolve.ts';

/** What planning the input of a job needs from around it. */
export interface PlanJobOptions {
  readonly input: InputSpec;
  /** Of its tasks. */
  readonly cwd: string;
  readonly sink: BlobSink;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PlanProgress) => void;
}

/** Finds what an input names, cuts it, and keeps the plan. Errors: SpawnErrors of what is wrong with the input. */
export async function planJob({ input, ...context }: PlanJobOptions): Promise<MadePlan> {
  const access = 's3' in input && input.s3 !== undefined ? { s3: input.s3 } : {};
  const reader = openSources(access);
  const { cwd, signal } = context;
  const sources = 'from' in input ? resolveSources(input.from, input.exclude, { cwd, signal, ...access }) : none();
  try {
    return await planInput(input, { ...context, sources, reader });
  } finally {
    reader.close();
  }
}

async function* none(): AsyncGenerator<Source> {}
