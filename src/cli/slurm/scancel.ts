import { MAX_PAGE } from '../../api/limits.ts';
import { SCANCEL_OPTIONS } from '../../config/slurm/query-options.ts';
import { refuse, refuseLine } from '../../config/slurm/refusal.ts';
import { slurmSignal } from '../../config/slurm/signal.ts';
import { visible } from '../../core/error-text.ts';
import { FIRST_RAW_ID } from '../../core/ids.ts';
import type { Client } from '../client.ts';
import type { World } from '../world.ts';
import { type CancelWay, cancelAll } from './cancel-calls.ts';
import { type CancelFilter, isNamed, readCancelFilter, readSwitch, refuseStranger } from './cancel-filter.ts';
import { namedTargets, rowTarget, wholeTargets } from './cancel-targets.ts';
import { type DialectInput, defineDialect, isGiven, lastValue } from './dialect.ts';
import { readSlurmIds, type SlurmId } from './job-ids.ts';
import { openQueue } from './queue-pages.ts';
import { compareIds, jobName, mergeWaiting, type QueueRow, readRows, rowId } from './queue-rows.ts';
import { rowPartition } from './queue-values.ts';

const ACTIVE = 'blocked,ready,leased,running';

/** `scancel`: ends jobs, or sends them a signal. */
export const scancel = defineDialect({
  command: 'scancel',
  usage: ['[options] [JOB[_INDICES]…]'],
  about:
    'Cancels jobs and tasks by id, or those that all of the conditions fit; with -s sends a signal: to what srun started in the job, with -b\n' +
    'to the batch shell alone, with -f to all processes. Variables SCANCEL_* stand for options that are not given.',
  options: SCANCEL_OPTIONS,
  async run(input, world) {
    const way = readWay(input, world);
    const filter = readCancelFilter(input, world);
    const asks = readSwitch(input, world, 'interactive', 'SCANCEL_INTERACTIVE');
    // All are read before the first is cancelled.
    const ids = input.operands.flatMap((operand) => readOperand(operand));
    if (ids.length === 0 && !filter.any) throw refuseLine('No job identification provided', 1);
    const jobs = ids.filter(({ step }) => step === undefined);
    const lost = refuseSteps(ids, world);
    if (ids.length > 0 && jobs.length === 0) return lost;
    const client = await world.connect();
    const isSimple = !filter.any && !asks && way.signal === undefined && way.scope !== 'main';
    const exit = isSimple
      ? await cancelAll(client, namedTargets(jobs, way.verbose), way, true, world)
      : await cancelChosen(client, { ids: jobs, filter, way, asks }, world);
    return Math.max(lost, exit);
  },
});

function readWay(input: DialectInput, world: World): CancelWay {
  const text = lastValue(input, 'signal');
  const signal = text === undefined ? undefined : /^\d{1,9}$/.test(text) ? Number(text) : slurmSignal(text);
  if (text !== undefined && signal === undefined) {
    throw refuse([{ form: 'bare', text: `Unknown job signal: ${text}` }], 1);
  }
  const full = readSwitch(input, world, 'full', 'SCANCEL_FULL');
  const batch = readSwitch(input, world, 'batch', 'SCANCEL_BATCH');
  const verbose = readSwitch(input, world, 'verbose', 'SCANCEL_VERBOSE') && !isGiven(input, 'quiet');
  return { signal, scope: full ? 'all' : batch ? 'main' : 'steps', verbose };
}

/** Slurm knows steps by number; nothing but the job's own script is its step `batch`. */
function readOperand(operand: string): readonly SlurmId[] {
  const [, job, step] = /^(\d+(?:_\d+)?)\.(\d{1,9})$/.exec(operand) ?? [];
  if (job === undefined || step === undefined) return readSlurmIds('scancel', operand);
  return readSlurmIds('scancel', job).map((id) => ({ ...id, step, text: operand }));
}

/** Steps have no life of their own here. @returns the exit code */
function refuseSteps(ids: readonly SlurmId[], { stderr }: World): number {
  const steps = ids.filter(({ step }) => step !== undefined);
  for (const { text } of steps) {
    stderr.write(`scancel: error: Kill job error on job step id ${text}: Invalid job id specified\n`);
  }
  return steps.length === 0 ? 0 : 1;
}

interface Chosen {
  readonly ids: readonly SlurmId[];
  readonly filter: CancelFilter;
  readonly way: CancelWay;
  readonly asks: boolean;
}

/** Lists first: what is submitted later is not touched, whatever it is called. */
async function cancelChosen(client: Client, { ids, filter, way, asks }: Chosen, world: World): Promise<number> {
  const query = {
    limit: MAX_PAGE,
    states: ACTIVE,
    ...(filter.name === undefined ? {} : { names: filter.name }),
    ...(filter.owners === undefined ? {} : { owners: [...filter.owners] }),
  };
  const { parts, missing } = await openQueue(client, query, ids);
  const rows = await readRows(parts);
  refuseStranger(filter, rows);
  const gone = goneIds(ids, rows, new Set(missing.map((ref) => Number.parseInt(ref, 10))), filter);
  for (const { text } of gone) {
    world.stderr.write(`scancel: error: Kill job error on job id ${text}: Invalid job id specified\n`);
  }
  const fitting = rows.filter(filter.fits);
  const targets = asks
    ? (await askEach(mergeWaiting(fitting), world)).map((row) => rowTarget(row, world.env))
    : wholeTargets(fitting, { ids, filter, way }, world.env);
  const exit = await cancelAll(client, targets, way, false, world);
  return Math.max(gone.length === 0 ? 0 : 1, exit);
}

/** Ids of which nothing waits or runs; another name or owner than asked for is no fault of theirs. */
function goneIds(
  ids: readonly SlurmId[],
  rows: readonly QueueRow[],
  missing: ReadonlySet<number>,
  { name, owners }: CancelFilter,
): readonly SlurmId[] {
  const rowsOfJob = Map.groupBy(rows, ({ job }) => job.id);
  const raw = new Set(rows.map(({ task }) => task?.rawId));
  return ids.filter((id) => {
    if (missing.has(id.ref.id)) return true;
    if (name !== undefined || owners !== undefined) return false;
    // A task that waits does not tell its raw number.
    if (id.ref.kind === 'job' && id.ref.id >= FIRST_RAW_ID) return rows.length === 0;
    if (raw.has(id.ref.id)) return false;
    return !(rowsOfJob.get(id.ref.id) ?? []).some((row) => isNamed(row, id));
  });
}

/** Asks for each; an answer that is neither is asked for again, and at the end of the input nothing more is cancelled. */
async function askEach(rows: readonly QueueRow[], { stdin, stdout, env }: World): Promise<readonly QueueRow[]> {
  const answers = stdin.lines('')[Symbol.asyncIterator]();
  const chosen: QueueRow[] = [];
  for (const row of rows.toSorted(compareIds)) {
    for (;;) {
      const asked = `Cancel job_id=${rowId(row, env)} name=${jobName(row.job)} partition=${rowPartition(row)} [y/n]? `;
      stdout.write(visible(asked));
      const { value, done } = await answers.next();
      if (done === true) return chosen;
      if (/^[yY]/.test(value)) chosen.push(row);
      if (/^[yYnN]/.test(value)) break;
    }
  }
  await answers.return?.();
  return chosen;
}
