import { z } from 'zod';
import { MAX_DURATION_MS } from './limits.ts';

/** What the tasks of a job read, how that is cut into parts, and what becomes of what they make. Sizes are bytes, durations ms. */

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'must not hold a NUL byte')
    .refine((value) => value.isWellFormed(), 'must not hold half a surrogate pair');

/** Characters of one path, URL or pattern. */
const LONGEST_PLACE = 4_096;
/** Places, items or patterns that one input may list. */
const MAX_INPUT_ITEMS = 10_000;

/** Any value of JSON. */
export const JsonValue = z.unknown();

const Encoding = z.enum(['utf-8', 'utf-16le', 'utf-16be', 'latin1']);
export type Encoding = z.infer<typeof Encoding>;

/** A value that is not written down here: a variable of the environment, or a file, of the process that needs it. */
export const SecretRef = z.union([
  z.strictObject({ env: text(255).min(1) }),
  z.strictObject({ file: text(LONGEST_PLACE).min(1) }),
]);
export type SecretRef = z.infer<typeof SecretRef>;

/** How an S3 is reached that is not Amazon's by default. */
export const S3Access = z.strictObject({
  endpoint: text(LONGEST_PLACE).optional(),
  region: text(64).optional(),
  /** `http://host/bucket/key` instead of `http://bucket.host/key`; default true with an endpoint. */
  pathStyle: z.boolean().optional(),
  accessKeyId: SecretRef.optional(),
  secretAccessKey: SecretRef.optional(),
});
export type S3Access = z.infer<typeof S3Access>;

const count = z.int().min(1).max(1_000_000_000_000);

/** One of: how much each part has. Absent: a part for each file; for a list or range, for each item. */
export const Cut = z.union([
  z.strictObject({ files: count }),
  z.strictObject({ rows: count }),
  z.strictObject({ bytes: count }),
  /** So many parts of about equal size. */
  z.strictObject({ tasks: count }),
  /** A part for each value of a column (csv) or field (json, jsonl). */
  z.strictObject({ group: text(1_024).min(1) }),
]);
export type Cut = z.infer<typeof Cut>;

/** What becomes of a record that cannot be read: the plan fails; it is left out; it is left out and written to a file of the output. */
export const BadRecords = z.union([
  z.literal('fail'),
  z.literal('skip'),
  z.strictObject({ to: text(255).min(1), max: z.int().min(1).optional() }),
]);
export type BadRecords = z.infer<typeof BadRecords>;

const places = z.array(text(LONGEST_PLACE).min(1)).min(1).max(MAX_INPUT_ITEMS);

/** Of all that is read from files and objects. */
const FROM = {
  /** Paths and globs (relative to the directory of the job), `http(s)://…`, `s3://bucket/prefix-or-glob`. */
  from: places,
  /** Globs of what is left out. */
  exclude: z.array(text(LONGEST_PLACE).min(1)).max(1_000).default([]),
  cut: Cut.optional(),
  s3: S3Access.optional(),
};

const RECORDS = {
  /** Absent: what the byte order mark of a file says, else utf-8. One that says otherwise than this is refused. */
  encoding: Encoding.optional(),
  bad: BadRecords.default('fail'),
};

export const InputSpec = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('files'), ...FROM }),
  z.strictObject({ type: z.literal('text'), ...FROM, ...RECORDS }),
  z.strictObject({ type: z.literal('jsonl'), ...FROM, ...RECORDS }),
  z.strictObject({
    type: z.literal('csv'),
    ...FROM,
    ...RECORDS,
    delimiter: text(8).min(1).default(','),
    quote: text(1).min(1).default('"'),
    /** The first record names the columns, and goes before each part; else they are `1`, `2`, … */
    header: z.boolean().default(true),
    /** Rows with more or fewer fields than the first record: bad records, or taken as they are. */
    uneven: z.enum(['bad', 'keep']).default('bad'),
  }),
  z.strictObject({
    type: z.literal('json'),
    ...FROM,
    ...RECORDS,
    /** Where the array is, as `data.items`; default the whole document. */
    at: text(1_024).optional(),
  }),
  z.strictObject({
    type: z.literal('binary'),
    ...FROM,
    /** Parts hold whole records of this size. */
    recordBytes: count.optional(),
    /** So many bytes of the next part are also given at the end of each. */
    overlapBytes: z.int().min(0).max(1_073_741_824).default(0),
  }),
  z.strictObject({
    type: z.literal('list'),
    items: z.array(JsonValue).min(1).max(MAX_INPUT_ITEMS),
    cut: Cut.optional(),
  }),
  z.strictObject({
    type: z.literal('range'),
    first: z.number(),
    last: z.number(),
    step: z.number().default(1),
    cut: Cut.optional(),
  }),
  /** A module of the user with `plan` and `open`. */
  z.strictObject({
    type: z.literal('module'),
    module: text(LONGEST_PLACE).min(1),
    options: JsonValue.optional(),
  }),
  /** What another job of the same workflow made: its output files, or its results as JSON lines. */
  z.strictObject({
    type: z.literal('job'),
    /** Its number; a key in a workflow is replaced by it. */
    job: z.union([z.int().min(1), text(63).min(1)]),
    /** `same`: part i is what task i made (with aftercorr), else all is read as that type and cut. */
    as: z.enum(['same', 'files', 'text', 'jsonl', 'csv', 'results']).default('same'),
    cut: Cut.optional(),
  }),
]);
export type InputSpec = z.infer<typeof InputSpec>;

/** One thing made of the results or outputs of all tasks, in the order of their indices. */
export const Aggregate = z.union([
  z.enum(['concat', 'merge-json', 'csv', 'sum']),
  z.strictObject({ command: text(1_048_576).min(1) }),
  z.strictObject({ module: text(LONGEST_PLACE).min(1), export: text(255).min(1).default('default') }),
]);
export type Aggregate = z.infer<typeof Aggregate>;

export const OutputSpec = z.strictObject({
  /** A directory, or `s3://bucket/prefix`; absent: results are kept with the job only. */
  to: text(LONGEST_PLACE).min(1).optional(),
  s3: S3Access.optional(),
  /** What a command's output is: its standard output as one file, or the files it puts into SPAWN_OUTPUT_DIR. Default files. */
  collect: z.enum(['stdout', 'files']).default('files'),
  /** Name of the file of standard output, `{index}`, `{index:06}`, `{batch}` replaced. */
  name: text(255).min(1).default('part-{index:06}.out'),
  aggregate: Aggregate.optional(),
  /** Name of the file it goes to, in `to`. Default `result.json`, `result.csv`, `result.out` by its kind. */
  aggregateTo: text(255).min(1).optional(),
  /** One aggregate for all, or one for each batch (`{batch}` in its name). */
  aggregateBy: z.enum(['job', 'batch']).default('job'),
  /** Name of a file in `to` that lists every file with size and SHA-256. */
  manifest: text(255).min(1).optional(),
});
export type OutputSpec = z.infer<typeof OutputSpec>;

/** When a task that takes much longer than others is tried a second time beside its first; the end that is accepted first counts. */
export const Speculation = z.strictObject({
  /** As soon as this part of the tasks has ended. */
  after: z.number().min(0).max(1).default(0.75),
  /** And it has run for so many times the median. */
  times: z.number().min(1).max(1_000).default(3),
  /** And at least this long. */
  leastMs: z.int().min(0).max(MAX_DURATION_MS).default(10_000),
});
export type Speculation = z.infer<typeof Speculation>;

/** What a planning task has found, said before its end. */
export const Planned = z.strictObject({
  /** The attempt that planned. */
  fence: z.int().min(1),
  /** Blob with the manifest of the plan. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  parts: z.int().min(1),
});
export type Planned = z.infer<typeof Planned>;
