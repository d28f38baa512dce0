import type { InputSpec } from '../api/data.ts';
import { SpawnError } from '../core/errors.ts';
import { equalParts, everyBytes, type Target } from './cut/cutters.ts';
import { balancedFiles, type EndsBehind, everyFiles, shareParts, untilBytes } from './cut/file-groups.ts';
import type { PlanManifest } from './plan/manifest.ts';
import { PlanWriter } from './plan/writer.ts';
import { MAX_PARTS, type PlanContext } from './plan-context.ts';
import { ProgressReport } from './progress-report.ts';
import { badInput } from './refuse.ts';
import type { Source } from './source.ts';

type FilesInput = Extract<InputSpec, { type: 'files' }>;
type BinaryInput = Extract<InputSpec, { type: 'binary' }>;

/** Plans parts of whole files, whatever is in them: a file is a record, also an empty one. */
export async function planFiles(
  input: FilesInput,
  context: PlanContext,
): Promise<{ hash: string; manifest: PlanManifest }> {
  const { cut } = input;
  if (cut !== undefined && ('rows' in cut || 'group' in cut)) throw wrongCut(input.type, Object.keys(cut)[0]!);
  const plan = new PlanWriter(context.sink, input, 'extents', context.maxParts ?? MAX_PARTS);
  const progress = new ProgressReport(plan, context.onProgress);
  let sources: AsyncIterable<Source> | readonly Source[] = context.sources;
  let ends: EndsBehind = everyFiles(1);
  if (cut !== undefined && 'files' in cut) ends = everyFiles(cut.files);
  else if (cut !== undefined && 'bytes' in cut) ends = untilBytes(cut.bytes);
  else if (cut !== undefined) {
    const all = await Array.fromAsync(sources);
    const sizes = all.map(({ size }) => size);
    ends = balancedFiles(sizes, Math.min(cut.tasks, all.length));
    sources = all;
  }
  const areAlone = cut === undefined || ('files' in cut && cut.files === 1);
  let files = 0;
  for await (const source of sources) {
    context.signal.throwIfAborted();
    if (areAlone) plan.batch(source.uri);
    plan.extent(plan.source(source), 0, source.size);
    files++;
    if (ends(source.size)) {
      plan.endPart(files);
      files = 0;
    }
    progress.sources++;
    progress.read(source.size);
    if (plan.waiting) await plan.flush();
  }
  if (files > 0) plan.endPart(files);
  if (plan.parts === 0) throw badInput('input files', 'at least one file', 'none');
  return plan.finish(undefined);
}

/** Plans parts of bytes by arithmetic; nothing is read. */
export async function planBinary(
  input: BinaryInput,
  context: PlanContext,
): Promise<{ hash: string; manifest: PlanManifest }> {
  const { cut, recordBytes } = input;
  if (cut !== undefined && 'group' in cut) throw wrongCut(input.type, 'group');
  if (cut !== undefined && 'rows' in cut && recordBytes === undefined)
    throw new SpawnError('BAD_REQUEST', {
      where: 'input.recordBytes',
      expected: 'the bytes of a record, to cut by rows',
    });
  const record = recordBytes ?? 1;
  const plan = new PlanWriter(context.sink, input, 'extents', context.maxParts ?? MAX_PARTS);
  const progress = new ProgressReport(plan, context.onProgress);
  const recordsOf = (bytes: number): number | undefined => (recordBytes === undefined ? undefined : bytes / record);
  const cutSource = async (source: Source, target: Target): Promise<void> => {
    plan.batch(source.uri);
    const position = plan.source(source);
    for (let from = 0; from < source.size; ) {
      const wanted = Math.max(1, Math.round((target(from, 0, source.size) - from) / record)) * record;
      const to = Math.min(source.size, from + wanted);
      plan.extent(position, from, to);
      plan.endPart(recordsOf(to - from));
      from = to;
      if (plan.waiting) await plan.flush();
    }
  };
  const full = new FullSources(context, record, progress);
  if (cut !== undefined && 'tasks' in cut) {
    const all = await Array.fromAsync(full.list());
    const sizes = all.map(({ size }) => size);
    if (all.length > cut.tasks) await groupFiles(all, balancedFiles(sizes, cut.tasks));
    else {
      const shares = all.length === 0 ? [] : shareParts(sizes, cut.tasks);
      for (const [at, source] of all.entries()) await cutSource(source, equalParts(shares[at]!));
    }
  } else if (cut !== undefined && 'files' in cut && cut.files > 1) await groupFiles(full.list(), everyFiles(cut.files));
  else for await (const source of full.list()) await cutSource(source, targetOf(cut, record));
  if (plan.parts === 0) throw badInput('input binary', 'at least one byte', `none in ${progress.sources} sources`);
  return plan.finish(undefined);

  async function groupFiles(sources: AsyncIterable<Source> | Iterable<Source>, ends: EndsBehind): Promise<void> {
    let bytes = 0;
    for await (const source of sources) {
      plan.extent(plan.source(source), 0, source.size);
      bytes += source.size;
      if (ends(source.size)) {
        plan.endPart(recordsOf(bytes));
        bytes = 0;
      }
      if (plan.waiting) await plan.flush();
    }
    if (bytes > 0) plan.endPart(recordsOf(bytes));
  }
}

function targetOf(cut: BinaryInput['cut'], record: number): Target {
  if (cut !== undefined && 'rows' in cut) return everyBytes(cut.rows * record);
  // Not more than what was asked for: whole records that fit, at least one.
  if (cut !== undefined && 'bytes' in cut) return everyBytes(Math.max(record, Math.floor(cut.bytes / record) * record));
  return (_begins, _from, to) => to;
}

/** Sources with something in them, of whole records. */
class FullSources {
  readonly #context: PlanContext;
  readonly #record: number;
  readonly #progress: ProgressReport;

  constructor(context: PlanContext, record: number, progress: ProgressReport) {
    this.#context = context;
    this.#record = record;
    this.#progress = progress;
  }

  async *list(): AsyncIterable<Source> {
    for await (const source of this.#context.sources) {
      this.#context.signal.throwIfAborted();
      this.#progress.sources++;
      this.#progress.read(source.size);
      const left = source.size % this.#record;
      if (left !== 0)
        throw badInput(
          `${source.uri}: byte ${source.size - left}`,
          `whole records of ${this.#record} bytes`,
          `${left} bytes at the end`,
        );
      if (source.size > 0) yield source;
    }
  }
}

function wrongCut(type: string, found: string): SpawnError {
  const expected = type === 'files' ? 'files, bytes or tasks' : 'files, rows, bytes or tasks';
  return new SpawnError('BAD_REQUEST', { where: 'input.cut', expected: `${expected} for type ${type}`, found });
}
