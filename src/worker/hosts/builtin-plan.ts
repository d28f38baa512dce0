import { Fatal, type HandlerContext } from '../../client/handler.ts';
import { isSpawnError } from '../../core/errors.ts';
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
