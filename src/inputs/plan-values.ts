import type { InputSpec } from '../api/data.ts';
import { SpawnError } from '../core/errors.ts';
import { loadInputModule } from './module-input.ts';
import type { PlanManifest } from './plan/manifest.ts';
import { PlanWriter } from './plan/writer.ts';
import { MAX_PARTS, type PlanContext } from './plan-context.ts';
import { badInput } from './refuse.ts';

type ListInput = Extract<InputSpec, { type: 'list' | 'range' }>;
type ModuleInput = Extract<InputSpec, { type: 'module' }>;

/** What a part of a module may be as JSON, bytes. */
const MOST_VALUE_BYTES = 1024 * 1024;

/** Values of a range: from `first` up to and with `last`, if a step reaches it; a negative step goes down. */
function rangeLength({ first, last, step }: Extract<InputSpec, { type: 'range' }>): number {
  const steps = (last - first) / step;
  // A last value that a step misses by a rounding error counts.
  return steps < 0 ? 0 : Math.floor(steps + 1e-9) + 1;
}

/** Plans a list or a range: a part is some of its items, by their numbers. */
export async function planItems(
  input: ListInput,
  { sink, maxParts = MAX_PARTS }: PlanContext,
): Promise<{ hash: string; manifest: PlanManifest }> {
  const { cut } = input;
  if (input.type === 'range' && (input.step === 0 || !Number.isFinite(rangeLength(input))))
    throw new SpawnError('BAD_REQUEST', { where: 'input.step', expected: 'a number that is not 0', found: input.step });
  if (cut !== undefined && !('rows' in cut) && !('tasks' in cut)) {
    const expected = `rows or tasks for type ${input.type}`;
    throw new SpawnError('BAD_REQUEST', { where: 'input.cut', expected, found: Object.keys(cut)[0] });
  }
  const items = input.type === 'list' ? input.items.length : rangeLength(input);
  if (items === 0) throw badInput(`input ${input.type}`, 'at least one item', 'none');
  const plan = new PlanWriter(sink, input, 'numbers', maxParts);
  const parts = cut === undefined ? items : 'rows' in cut ? Math.ceil(items / cut.rows) : Math.min(cut.tasks, items);
  const border = (part: number): number => {
    if (cut === undefined) return part;
    return Math.min(items, 'rows' in cut ? part * cut.rows : Math.round((items * part) / parts));
  };
  for (let part = 0; part < parts; part++) {
    plan.endPart(border(part + 1) - border(part));
    if (plan.waiting) await plan.flush();
  }
  return plan.finish(undefined);
}

/** Plans an input of the user's own: its `plan` gives the parts, any JSON value each. */
export async function planModule(
  input: ModuleInput,
  { sink, signal, maxParts = MAX_PARTS, cwd = '.', onProgress }: PlanContext,
): Promise<{ hash: string; manifest: PlanManifest }> {
  const module = await loadInputModule(input.module, cwd);
  const plan = new PlanWriter(sink, input, 'values', maxParts);
  for await (const value of module.plan(input.options, { signal, cwd })) {
    signal.throwIfAborted();
    const json = asJson(value, `${input.module}: part ${plan.parts}`);
    plan.value(json);
    if (!plan.waiting) continue;
    await plan.flush();
    onProgress?.({ bytes: 0, sources: 0, parts: plan.parts });
  }
  if (plan.parts === 0) throw badInput(input.module, 'at least one part of plan()', 'none');
  return plan.finish(undefined);
}

function asJson(value: unknown, where: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw badInput(where, 'a JSON value', (error as Error).message.split('\n')[0]!);
  }
  if (json === undefined) throw badInput(where, 'a JSON value', typeof value);
  const bytes = Buffer.byteLength(json);
  if (bytes > MOST_VALUE_BYTES) throw badInput(where, `at most ${MOST_VALUE_BYTES} bytes of JSON`, `${bytes}`);
  return json;
}
