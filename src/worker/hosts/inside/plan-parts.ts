import type { InputSpec } from '../../../api/data.ts';
import type { HandlerContext } from '../../../client/handler.ts';
import type { OpenedPart, OpenPart } from './context.ts';

/** Where the parts of a job's tasks come from. */
export interface PlanPlace {
  readonly input: InputSpec;
  /** Hash of its manifest. */
  readonly hash: string;
  readonly cwd: string;
}

/** Opens parts of a plan that is read once; nothing of it is loaded where no job reads an input. */
export async function planParts(
  { input, hash, cwd }: PlanPlace,
  get: (hash: string) => Promise<Uint8Array>,
): Promise<OpenPart> {
  const [{ readPlan }, { openPart }, { openSources }] = await Promise.all([
    import('../../../inputs/plan/reader.ts'),
    import('../../../inputs/open/open-part.ts'),
    import('../../../inputs/sources/open.ts'),
  ]);
  const plan = await readPlan(hash, get);
  const reader = openSources('s3' in input && input.s3 !== undefined ? { s3: input.s3 } : {});
  return async (position, signal): Promise<OpenedPart> => {
    const opened = await openPart(plan, position, { reader, signal, cwd });
    const { batch, records, bytes } = opened.part;
    const part: HandlerContext['part'] = {
      ...{ position, batch: batch.name, records, bytes },
      sources: async () => (await opened.sources()).map(({ uri }) => uri),
    };
    return { part, records: () => opened.records(), bytes: () => opened.bytes() };
  };
}
