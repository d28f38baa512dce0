import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fatal, type HandlerContext } from '../../client/handler.ts';
import { isSpawnError } from '../../core/errors.ts';
import { leftOutRecords } from '../../inputs/open/left-out-records.ts';
import { readPlan } from '../../inputs/plan/reader.ts';
import { openSources } from '../../inputs/sources/open.ts';
import { planJob } from '../parts/plan-job.ts';
import type { BuiltinTools } from './builtin-tools.ts';

/** Wrong data and missing files stay what they are, however often they are looked at. */
const WORTH_ANOTHER_TRY: ReadonlySet<string> = new Set(['STORAGE_UNREACHABLE', 'SERVER_UNREACHABLE']);

/** `spawn:plan`: cuts the input of a job into parts, keeps the plan with the coordinator, and gives what it has found. */
export async function planInputOf(context: HandlerContext, tools: BuiltinTools): Promise<object> {
  const { input, cwd } = tools.job;
  if (input === undefined) throw new Fatal('this job has no input to plan');
  try {
    const { hash, manifest } = await planJob({
      ...{ input, cwd, signal: context.signal },
      sink: { put: (bytes) => tools.putPiece(bytes) },
      // How much there is altogether is not known before the end.
      onProgress: ({ bytes, sources, parts }) =>
        context.progress(0, `${bytes} bytes of ${sources} sources read, ${parts} parts so far`),
    });
    const { parts, bytes, records, sourceCount: sources, leftOut } = manifest;
    if (leftOut?.list !== undefined && 'bad' in input && typeof input.bad === 'object') {
      await tellLeftOut(input.bad.to, hash, context, tools);
    }
    await tools.planned({ hash, parts });
    return {
      parts,
      bytes,
      sources,
      ...(records === undefined ? {} : { records }),
      ...(leftOut === undefined ? {} : { leftOut }),
    };
  } catch (error) {
    if (isSpawnError(error) && !WORTH_ANOTHER_TRY.has(error.code)) throw new Fatal(error.message);
    throw error;
  }
}

/** Writes the records that were left out, as JSON lines, into a file of the output. */
async function tellLeftOut(name: string, hash: string, context: HandlerContext, tools: BuiltinTools): Promise<void> {
  const { input } = tools.job;
  const folder = await mkdtemp(join(tmpdir(), 'spawn-left-out-'));
  const reader = openSources(input !== undefined && 's3' in input && input.s3 !== undefined ? { s3: input.s3 } : {});
  try {
    const plan = await readPlan(hash, (piece) => tools.getPiece(piece));
    const path = join(folder, 'records');
    const file = await open(path, 'wx');
    try {
      const records = leftOutRecords(plan, (piece) => tools.getPiece(piece), reader, context.signal);
      for await (const record of records) await file.writeFile(`${JSON.stringify(record)}\n`);
    } finally {
      await file.close();
    }
    await context.emit(name, { file: path });
  } finally {
    reader.close();
    await rm(folder, { recursive: true, force: true });
  }
}
