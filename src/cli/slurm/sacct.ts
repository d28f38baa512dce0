import type { HistoryJob, HistoryQueryInput, HistoryReply } from '../../api/history.ts';
import { nameOf } from '../../config/slurm/getopt.ts';
import { refuse } from '../../config/slurm/refusal.ts';
import { SACCT_OPTIONS } from '../../config/slurm/sacct-options.ts';
import type { Client } from '../client.ts';
import { localZone } from '../local-zone.ts';
import type { World } from '../world.ts';
import {
  ACCT_NAMES,
  type AcctFacts,
  acctFields,
  BRIEF_FIELDS,
  DEFAULT_FIELDS,
  fieldTable,
  LONG_FIELDS,
} from './acct-fields.ts';
import { type AcctField, acctHeader, acctLine, readAcctFormat } from './acct-format.ts';
import { type AcctAsk, readAcctAsk } from './acct-query.ts';
import { type AcctRow, batchStep, readAcctRows } from './acct-rows.ts';
import { readSizes } from './acct-sizes.ts';
import { chosenStyle } from './acct-style.ts';
import { truncateRow } from './acct-window.ts';
import { type DialectInput, defineDialect, isGiven, lastValue } from './dialect.ts';
import { readTimeFormat } from './time-format.ts';
import { readUsers, type Users, uidOfJob } from './users.ts';

/** `sacct`: what became of jobs, from the history that the coordinator keeps. */
export const sacct = defineDialect({
  command: 'sacct',
  usage: ['[options]'],
  about:
    'Shows jobs and what became of them: with -j whenever they were, else those since midnight. The history is durable, and nothing has to be set up for it.',
  options: SACCT_OPTIONS,
  run,
});

async function run(input: DialectInput, world: World): Promise<number> {
  if (input.operands.length > 0) {
    const lines = ['Unknown arguments:', ...input.operands.map((word) => ` ${word}`)];
    throw refuse(
      lines.map((text) => ({ form: 'error', text })),
      1,
    );
  }
  refuseMissing(input);
  if (isGiven(input, 'helpformat')) {
    world.stdout.write(fieldTable(ACCT_NAMES));
    return 0;
  }
  const users = readUsers();
  const now = world.now();
  const ask = readAcctAsk(input, users, { now, zone: localZone });
  if (isGiven(input, 'batch-script')) return await writeScripts(ask, world);
  const { text: time, fault } = readTimeFormat(world.env, now, localZone);
  if (fault !== undefined) world.stderr.write(`sacct: error: ${fault}\n`);
  let told = now;
  const facts: AcctFacts = {
    now: () => told,
    env: world.env,
    users,
    time,
    sizes: readSizes(lastValue(input, 'units'), isGiven(input, 'noconvert')),
  };
  const rows = readRows(await world.connect(), ask, users, (at) => {
    told = at;
  });
  if (isGiven(input, 'json')) return await writeJson(input, rows, facts, world);
  await writeTable(input, ask, rows, facts, world);
  return 0;
}

const NO_JOBS = "When requesting job scripts you must also request specific jobs with the '-j' option.";

function refuseMissing(input: DialectInput): void {
  const file = lastValue(input, 'file');
  if (file !== undefined) throw refuse([{ form: 'bare', text: `${file} is not a valid file` }], 1);
  for (const name of ['yaml', 'env-vars']) {
    if (isGiven(input, name)) throw refuse([{ form: 'error', text: `--${name} is not supported here` }], 1);
  }
  if (isGiven(input, 'batch-script') && lastValue(input, 'jobs') === undefined) {
    throw refuse([{ form: 'fatal', text: NO_JOBS }], 1);
  }
}

/** Rows page by page, so that a million of them need no room. */
async function* readRows(
  client: Client,
  ask: AcctAsk,
  users: Users,
  tell: (now: number) => void,
): AsyncGenerator<readonly { readonly row: AcctRow; readonly step: string | undefined }[], void, undefined> {
  for (const { queries, step } of ask.asks) {
    const parts = readParts(client, queries, tell);
    for await (const rows of readAcctRows(parts, ({ job }) => uidOfJob(job, users))) {
      yield rows.filter(ask.fits).map((row) => ({ row, step }));
    }
  }
}

/** Each page is asked for while the one before is shown. */
async function* readParts(
  client: Client,
  queries: readonly HistoryQueryInput[],
  tell: (now: number) => void,
): AsyncGenerator<HistoryJob> {
  for (const query of queries) {
    let asked: Promise<HistoryReply> | undefined = client.history(query);
    while (asked !== undefined) {
      const { now, jobs, next }: HistoryReply = await asked;
      asked = next === undefined ? undefined : client.history({ ...query, after: next });
      // It fails where it is waited for.
      asked?.catch(() => {});
      tell(now);
      yield* jobs;
    }
  }
}

type Rows = ReturnType<typeof readRows>;

async function writeTable(
  input: DialectInput,
  { window }: AcctAsk,
  rows: Rows,
  facts: AcctFacts,
  world: World,
): Promise<void> {
  const fields = chosenFields(input, facts, world);
  const style = chosenStyle(input);
  const isCut = isGiven(input, 'truncate');
  if (!isGiven(input, 'noheader')) world.stdout.write(acctHeader(fields, style));
  const onlyJobs = isGiven(input, 'allocations');
  for await (const some of rows) {
    let text = '';
    for (const { row: whole, step } of some) {
      const row = isCut ? truncateRow(whole, window) : whole;
      const batch = onlyJobs || (step ?? 'batch') !== 'batch' ? undefined : batchStep(row);
      if (step === undefined) text += acctLine(fields, row, style);
      if (batch !== undefined) text += acctLine(fields, batch, style);
    }
    if (text !== '') world.stdout.write(text);
  }
}

const STANDARD: Readonly<Record<string, string>> = { brief: BRIEF_FIELDS, long: LONG_FIELDS };

/** Formats are added up in the order of the line. */
function chosenFields(input: DialectInput, facts: AcctFacts, { env }: World): readonly AcctField<AcctRow>[] {
  const all = acctFields(facts);
  const formats = input.given.flatMap(({ option, value }) => {
    const name = nameOf(option);
    return name === 'format' ? [value ?? ''] : STANDARD[name] === undefined ? [] : [STANDARD[name]];
  });
  const texts = formats.length > 0 ? formats : [env.SACCT_FORMAT ?? DEFAULT_FIELDS];
  return texts.flatMap((text) => readAcctFormat(text, all));
}

async function writeJson(input: DialectInput, rows: Rows, facts: AcctFacts, world: World): Promise<number> {
  const { ACCT_PLUGIN, acctData } = await import('./acct-json.ts');
  const { listText } = await import('./openapi-text.ts');
  const { head, item, between, foot, none } = listText('json', 'jobs', ACCT_PLUGIN);
  const withSteps = !isGiven(input, 'allocations');
  let before = head;
  for await (const some of rows) {
    for (const { row, step } of some) {
      if (step !== undefined && step !== 'batch') continue;
      world.stdout.write(before + item(acctData(row, facts, withSteps)));
      before = between;
    }
  }
  world.stdout.write(`${before === head ? head + none : foot}\n`);
  return 0;
}

/** `--batch-script`: the script of each job; those of an array have one. */
async function writeScripts({ refs }: AcctAsk, world: World): Promise<number> {
  const client = await world.connect();
  for (const ref of refs) {
    const rule = '-'.repeat(80);
    world.stdout.write(`Batch Script for ${ref}\n${rule}\n`);
    world.stdout.write(await readScript(client, ref));
    world.stdout.write('\n');
  }
  return 0;
}

async function readScript(client: Client, ref: string): Promise<Uint8Array | string> {
  const { isSpawnError } = await import('../../core/errors.ts');
  try {
    return await client.script(ref);
  } catch (error) {
    if (isSpawnError(error) && error.code === 'NO_SCRIPT') return 'NONE\n';
    throw error;
  }
}
