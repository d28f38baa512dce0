import { InputSpec } from '../../src/api/data.ts';
import { isSpawnError } from '../../src/core/errors.ts';
import { openPart } from '../../src/inputs/open/open-part.ts';
import type { PlanManifest } from '../../src/inputs/plan/manifest.ts';
import { type Plan, readPlan } from '../../src/inputs/plan/reader.ts';
import type { PlanContext } from '../../src/inputs/plan-context.ts';
import { planInput } from '../../src/inputs/plan-input.ts';
import { MemoryBlobs, MemorySources, planContext } from './memory-sources.ts';

/** A plan with everything that its parts have. */
export interface CutInput {
  readonly manifest: PlanManifest;
  readonly plan: Plan;
  readonly blobs: MemoryBlobs;
  readonly sources: MemorySources;
  /** Of each part. */
  readonly records: readonly (readonly unknown[])[];
  readonly bytes: readonly Buffer[];
}

type Files = Readonly<Record<string, Uint8Array | string>>;

/** Cuts files in memory, and opens all parts of the plan. `chunk`: bytes that a source gives at a time. */
export async function cutInput(
  spec: Readonly<Record<string, unknown>>,
  files: Files,
  chunk?: number,
  more: Partial<PlanContext> = {},
): Promise<CutInput> {
  const sources = new MemorySources(files, chunk);
  const blobs = new MemoryBlobs();
  const input = InputSpec.parse(spec.type === 'list' || spec.type === 'range' ? spec : { from: ['x'], ...spec });
  const { hash, manifest } = await planInput(input, planContext(sources, blobs, more));
  const plan = await readPlan(hash, blobs.get);
  const context = { reader: sources, signal: new AbortController().signal };
  const records: unknown[][] = [];
  const bytes: Buffer[] = [];
  for (let at = 0; at < manifest.parts; at++) {
    const part = await openPart(plan, at, context);
    records.push(await Array.fromAsync(part.records()));
    bytes.push(Buffer.concat(await Array.fromAsync(part.bytes())));
  }
  if (sources.opened !== 0) throw new Error(`${sources.opened} sources are still open`);
  return { manifest, plan, blobs, sources, records, bytes };
}

/** Text as bytes of an encoding, with its byte order mark or without. */
export function encode(text: string, encoding: string, bom = false): Buffer {
  const marked = bom ? `\ufeff${text}` : text;
  if (encoding === 'utf-8') return Buffer.from(marked);
  if (encoding === 'latin1') return Buffer.from(text, 'latin1');
  const bytes = Buffer.from(marked, 'utf16le');
  return encoding === 'utf-16be' ? bytes.swap16() : bytes;
}

/** A name, an input, its data as a file `f` or as several, and the message. */
export type WrongCase = readonly [name: string, spec: Spec, data: Data | Files, message: string];

type Spec = Readonly<Record<string, unknown>>;
type Data = Uint8Array | string;

/** What cutting data and reading its parts ends with: a message for people, or `no error`. */
export async function messageOf(spec: Spec, data: Data | Files, chunk?: number): Promise<string> {
  const files = typeof data === 'string' || data instanceof Uint8Array ? { f: data } : data;
  return cutInput(spec, files, chunk).then(
    () => 'no error',
    (error: Error) => (isSpawnError(error) ? error.message : `not a SpawnError: ${error.stack}`),
  );
}

/** Texts and single bytes, one behind the other. */
export function bytes(...parts: readonly (string | readonly number[])[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
}
