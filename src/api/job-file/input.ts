import { z } from 'zod';
import { exactlyOne, leaf, oneOrMore, path, secretRef, section, size, stageName, text } from './leaves.ts';

const MOST_PLACES = 10_000;
const count = z.int().min(1).max(1_000_000_000_000);

/** How an S3 is reached. */
export const s3 = section({
  endpoint: path.optional().describe('URL of the server; default Amazon'),
  region: text(64).optional().describe('Region, as eu-central-1'),
  path_style: z
    .boolean()
    .optional()
    .describe('Bucket in the path instead of the host name; default true with endpoint'),
  access_key_id: secretRef.optional().describe('Where the id of the key is read from'),
  secret_access_key: secretRef.optional().describe('Where the key is read from'),
});

const CUTS = ['files', 'rows', 'bytes', 'tasks', 'group'];

const cut = exactlyOne(
  section({
    files: count.optional().describe('So many whole files in each part'),
    rows: count.optional().describe('So many records in each part'),
    bytes: size({ least: 1, most: 1e12, bare: true })
      .optional()
      .describe('About so much in each part; no record is cut'),
    tasks: count.optional().describe('So many parts of about equal size'),
    group: text(1_024).optional().describe('A part for each value of this column or field'),
  }),
  CUTS,
).describe('How it is cut into parts, one for each task; default: a part for each file or item');

const bad = z.union([
  z.enum(['fail', 'skip']),
  section({
    to: text(255).describe('Name of a file of the output that gets them'),
    max: z.int().min(1).optional().describe('More than this fail the plan'),
  }),
]);

const FROM = {
  from: oneOrMore(path, MOST_PLACES).describe('Paths, globs, http(s)://… or s3://bucket/prefix; one or a list'),
  exclude: oneOrMore(path, 1_000).optional().describe('Globs of what is left out'),
  cut: cut.optional(),
  s3: s3.optional().describe('How S3 is reached'),
};
const RECORDS = {
  encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'latin1']).optional().describe('Default utf-8'),
  bad: bad.optional().describe('What becomes of a record that cannot be read; default fail'),
};

/** What `from` of a stage's input may be: `clean.output`, `clean.results`. */
const STAGE_OUTPUT = /^([A-Za-z_][A-Za-z0-9_-]{0,62})\.(output|results)$/;

const stageOutput = leaf(
  'a stage and what of it, as clean.output or clean.results',
  { type: 'string', pattern: STAGE_OUTPUT.source },
  (value) => {
    const [, stage, what] = STAGE_OUTPUT.exec(String(value)) ?? [];
    if (stage === undefined) return undefined;
    return { stage: stageName.parse(stage), what: what as 'output' | 'results' };
  },
);

const type = <T extends string>(name: T, says: string) => z.literal(name).describe(says);

const forms = z.discriminatedUnion('type', [
  section({ type: type('files', 'Whole files, of whatever kind'), ...FROM }),
  section({ type: type('text', 'Lines'), ...FROM, ...RECORDS }),
  section({ type: type('jsonl', 'A value of JSON on each line'), ...FROM, ...RECORDS }),
  section({
    type: type('csv', 'Rows of fields'),
    ...FROM,
    ...RECORDS,
    delimiter: text(8).optional().describe('Between fields; default ","'),
    quote: text(1).optional().describe('Around fields; default a double quote'),
    header: z.boolean().optional().describe('Whether the first row names the columns; default true'),
    uneven: z
      .enum(['bad', 'keep'])
      .optional()
      .describe('Rows with more or fewer fields than the first: bad records, or taken as they are; default bad'),
  }),
  section({
    type: type('json', 'The items of an array in a document of JSON'),
    ...FROM,
    ...RECORDS,
    at: text(1_024).optional().describe('Where the array is, as data.items; default the whole document'),
  }),
  section({
    type: type('binary', 'Bytes, or records of one size'),
    ...FROM,
    record_bytes: size({ least: 1, most: 1e12, bare: true })
      .optional()
      .describe('Parts hold whole records of this size'),
    overlap_bytes: size({ most: 1_073_741_824, bare: true })
      .optional()
      .describe('So much of the next part also stands at the end of each'),
  }),
  section({
    type: type('list', 'Items that are written here'),
    items: z.array(z.unknown()).min(1).max(MOST_PLACES).describe('Any values'),
    cut: cut.optional(),
  }),
  section({
    type: type('range', 'Numbers'),
    first: z.number().describe('The first number'),
    last: z.number().describe('No number beyond this'),
    step: z.number().optional().describe('From one to the next; default 1'),
    cut: cut.optional(),
  }),
  section({
    type: type('module', 'A module of yours with plan and open; also written as type: ./my-input.ts'),
    module: path.describe('The module'),
    options: z.unknown().optional().describe('Given to it as they are'),
  }),
  section({
    type: type('stage', 'What another stage made; the type may be left out'),
    from: stageOutput.describe('As clean.output (its files) or clean.results (what its tasks returned)'),
    as: z
      .enum(['same', 'files', 'text', 'jsonl', 'csv', 'results'])
      .optional()
      .describe('same: part i is what task i made; else all of it is read as that type and cut'),
    cut: cut.optional(),
  }),
  section({
    type: type('job', 'What a job made that was submitted before'),
    job: z.int().min(1).describe('Its number'),
    as: z.enum(['same', 'files', 'text', 'jsonl', 'csv', 'results']).optional().describe('As with type stage'),
    cut: cut.optional(),
  }),
]);

const BY_ENDING: Readonly<Record<string, string>> = {
  csv: 'csv',
  tsv: 'csv',
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  txt: 'text',
  log: 'text',
};

/** What the user wrote, with the type where it can only be one: `data/*.csv` is csv, `clean.output` a stage. */
function withType(value: unknown): unknown {
  if (typeof value === 'string' || Array.isArray(value)) return withType({ from: value });
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Readonly<Record<string, unknown>>;
  if (typeof given.type === 'string' && /^\.{0,2}\/.*\.m?[jt]s$/.test(given.type) && given.module === undefined) {
    return { ...given, type: 'module', module: given.type };
  }
  if (given.type !== undefined) return given;
  if (typeof given.from === 'string' && STAGE_OUTPUT.test(given.from)) return { ...given, type: 'stage' };
  const from: readonly unknown[] = Array.isArray(given.from) ? given.from : [given.from];
  const endings = new Set(from.map((place) => /\.([a-z]+)$/.exec(String(place))?.[1] ?? ''));
  const [ending = ''] = endings;
  const only = endings.size === 1 && Object.hasOwn(BY_ENDING, ending) ? BY_ENDING[ending] : undefined;
  if (only === undefined) return given;
  return ending === 'tsv' ? { delimiter: '\t', ...given, type: only } : { ...given, type: only };
}

/** What the tasks read. */
export const FileInput = z.preprocess(withType, forms);
export type FileInput = z.infer<typeof FileInput>;
