import { tmpdir } from 'node:os';
import {
  BytesCutter,
  type Cutter,
  equalParts,
  everyBytes,
  RowsCutter,
  type Target,
  WholeCutter,
} from './cut/cutters.ts';
import { balancedFiles, type EndsBehind, everyFiles, shareParts } from './cut/file-groups.ts';
import { GroupCutter } from './cut/group-cutter.ts';
import { groupKeys } from './cut/group-keys.ts';
import { PartBuilder } from './cut/part-builder.ts';
import { seekBorders } from './cut/seek-borders.ts';
import { BadRecordPolicy } from './left-out.ts';
import type { PlanManifest } from './plan/manifest.ts';
import { PlanWriter } from './plan/writer.ts';
import { MAX_PARTS, type PlanContext } from './plan-context.ts';
import { type Probe, probe } from './probe.ts';
import { ProgressReport } from './progress-report.ts';
import { type RecordInput, scanOf } from './record-input.ts';
import { Found } from './records/scan.ts';
import { badInput } from './refuse.ts';
import { scanSource } from './scan-source.ts';
import type { OpenSource, Source } from './source.ts';

/** Parts of fewer bytes are found by reading everything: that is faster than to look for each border. */
const SEEK_FROM_BYTES = 256 * 1024;

/** Plans an input of texts, tables or JSON. */
export async function planRecords(
  input: RecordInput,
  context: PlanContext,
): Promise<{ hash: string; manifest: PlanManifest }> {
  const plan = new RecordPlan(input, context);
  try {
    return await plan.make();
  } finally {
    plan.close();
  }
}

class RecordPlan {
  readonly #input: RecordInput;
  readonly #context: PlanContext;
  readonly #plan: PlanWriter;
  readonly #part: PartBuilder;
  readonly #bad: BadRecordPolicy;
  readonly #found = new Found();
  readonly #progress: ProgressReport;
  #groups: GroupCutter | undefined;
  /** The source that all of a part of several are like. */
  #like: Probe | undefined;

  constructor(input: RecordInput, context: PlanContext) {
    const most = context.maxParts ?? MAX_PARTS;
    this.#input = input;
    this.#context = context;
    this.#plan = new PlanWriter(context.sink, input, 'extents', most);
    this.#part = new PartBuilder(this.#plan);
    this.#bad = new BadRecordPolicy(input.bad);
    this.#progress = new ProgressReport(this.#plan, context.onProgress);
    if (input.cut !== undefined && 'group' in input.cut)
      this.#groups = new GroupCutter(this.#plan, most, context.temporaryDirectory ?? tmpdir(), context.groupBytes);
  }

  close(): void {
    this.#groups?.close();
  }

  async make(): Promise<{ hash: string; manifest: PlanManifest }> {
    const { cut } = this.#input;
    if (cut !== undefined && 'tasks' in cut) await this.#intoTasks(cut.tasks);
    else if (cut !== undefined && 'files' in cut)
      await this.#wholeFiles(this.#context.sources, everyFiles(cut.files), cut.files > 1);
    else if (cut !== undefined && 'group' in cut) await this.#byGroup(cut.group);
    else for await (const source of this.#context.sources) await this.#alone(source);
    await this.#groups?.finish();
    if (this.#plan.parts === 0) {
      const more = this.#bad.count > 0 ? `${this.#bad.count} bad ones were left out` : undefined;
      throw badInput(
        `input ${this.#input.type}`,
        'at least one record',
        `none in ${this.#progress.sources} sources`,
        more,
      );
    }
    return this.#plan.finish(await this.#bad.finish(this.#context.sink));
  }

  /** A source of which the parts have nothing of others. `share`: so many parts. */
  async #alone(source: Source, share?: number): Promise<void> {
    const { cut } = this.#input;
    await this.#open(source, async (open, found) => {
      this.#plan.batch(source.uri);
      if (cut === undefined) await this.#read(open, found, new WholeCutter(this.#part));
      else if ('rows' in cut) await this.#read(open, found, new RowsCutter(this.#part, cut.rows));
      else if (share !== undefined)
        await this.#intoBytes(open, found, equalParts(share), (source.size - found.from) / share);
      else if ('bytes' in cut) await this.#intoBytes(open, found, everyBytes(cut.bytes), cut.bytes);
      this.#part.close();
    });
  }

  /** `bytes`: of a part, about. */
  async #intoBytes(open: OpenSource, found: Probe, target: Target, bytes: number): Promise<void> {
    const { type, bad } = this.#input;
    const isSought =
      (type === 'text' || type === 'jsonl') &&
      bad === 'fail' &&
      bytes >= (this.#context.seekFromBytes ?? SEEK_FROM_BYTES);
    if (!isSought) return this.#read(open, found, new BytesCutter(this.#part, target));
    this.#part.begin(this.#plan.source(found.row), found.from);
    const { charset, lineEnd, from } = found;
    const skipsBlank = type === 'jsonl';
    const work = { open, charset, lineEnd, from, target, skipsBlank, signal: this.#context.signal };
    return seekBorders(work, this.#part, this.#onRead);
  }

  async #intoTasks(tasks: number): Promise<void> {
    const sources = await Array.fromAsync(this.#context.sources);
    const full = sources.filter(({ size }) => size > 0);
    const sizes = full.map(({ size }) => size);
    if (full.length > tasks) return this.#wholeFiles(full, balancedFiles(sizes, tasks), true);
    const shares = full.length === 0 ? [] : shareParts(sizes, tasks);
    for (const [at, source] of full.entries()) await this.#alone(source, shares[at]!);
    this.#progress.sources += sources.length - full.length;
  }

  /** Parts of whole sources. `several`: a part may have more than one. */
  async #wholeFiles(
    sources: AsyncIterable<Source> | Iterable<Source>,
    ends: EndsBehind,
    several: boolean,
  ): Promise<void> {
    const cutter = new WholeCutter(this.#part);
    for await (const source of sources)
      await this.#open(source, async (open, found) => {
        if (several) this.#checkLike(found);
        else this.#plan.batch(source.uri);
        await this.#read(open, found, cutter);
        if (ends(source.size)) this.#part.close();
      });
    this.#part.close();
  }

  async #byGroup(group: string): Promise<void> {
    for await (const source of this.#context.sources)
      await this.#open(source, async (open, found) => {
        this.#checkLike(found);
        await this.#read(open, found, this.#groups!, group);
      });
  }

  async #open(source: Source, use: (open: OpenSource, found: Probe) => Promise<void>): Promise<void> {
    const { reader, signal } = this.#context;
    const open = await reader.open(source, signal);
    try {
      const found = await probe(open, this.#input, signal);
      if (!found.empty) await use(open, found);
      await open.check(signal);
    } finally {
      await open.close();
    }
    this.#progress.sources++;
  }

  /** Gives all records of a source to a cutter, without a look at them where nobody needs to know them. */
  async #read(open: OpenSource, found: Probe, cutter: Cutter, group?: string): Promise<void> {
    const input = this.#input;
    const { charset, lineEnd, from, columns, fields } = found;
    const source = this.#plan.source(found.row);
    const { size } = open.source;
    cutter.begin(source, from, size);
    if (cutter instanceof WholeCutter && input.type !== 'json' && input.bad === 'fail') {
      this.#part.extend(size, undefined);
      return this.#onRead(size - from);
    }
    const scan = scanOf(input, charset, lineEnd, fields);
    const keys = group === undefined ? {} : { keys: groupKeys(input, group, found.row, columns) };
    const { signal } = this.#context;
    const work = {
      source,
      open,
      charset,
      lineEnd,
      from,
      scan,
      cutter,
      bad: this.#bad,
      ...keys,
      onRead: this.#onRead,
      signal,
    };
    return scanSource(work, this.#found);
  }

  /** Parts of several sources have one header and one encoding. */
  #checkLike(found: Probe): void {
    const first = this.#like;
    this.#like ??= found;
    if (first === undefined) return;
    const { uri } = found.row;
    const likeFirst = `, as in ${first.row.uri}, with which it shares parts`;
    if (found.charset.encoding !== first.charset.encoding)
      throw badInput(uri, `${first.charset.encoding}${likeFirst}`, found.charset.encoding);
    const [columns, expected] = [found.columns?.join(', '), first.columns?.join(', ')];
    if (columns !== expected) throw badInput(`${uri}:1:1`, `the columns ${expected}${likeFirst}`, `${columns}`);
  }

  readonly #onRead = async (bytes: number): Promise<void> => {
    if (this.#plan.waiting) await this.#plan.flush();
    this.#progress.read(bytes);
  };
}
