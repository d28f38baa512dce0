import { refuse, type SlurmCommand } from '../../config/slurm/refusal.ts';
import { splitList } from '../../config/slurm/split-list.ts';
import { isSpawnError } from '../../core/errors.ts';
import { type JobRef, parseJobRef } from '../../core/ids.ts';
import { IndexSet, type Run } from '../../core/index-set.ts';

/** A job, tasks or a step of one, as an operand or in a list names it. */
export interface SlurmId {
  readonly ref: Exclude<JobRef, { readonly kind: 'name' }>;
  /** `batch`, `extern` or a number behind a dot. */
  readonly step?: string;
  /** As it was written. */
  readonly text: string;
}

const STEP = /^(.*?)\.(batch|extern|interactive|\d{1,9})$/;
const MOST_IDS = 100_000;
/** Characters of refs in one question. */
const MOST_REF = 60_000;
/** The longest of one run is `4294967293-4294967294:1,`. */
const MOST_RUNS = 1_800;
const MOST_REFS = 2_000;

/** Reads `12`, `12_7`, `12_[1,3-5]`, `12_*`, `12_` (which Slurm reads as 12_0), each with a step or not. Undefined when it is none. */
export function readSlurmId(text: string): SlurmId | undefined {
  const [, job = text.trimStart(), step] = STEP.exec(text.trimStart()) ?? [];
  try {
    const ref = parseJobRef(/^\d+_$/.test(job) ? `${job}0` : job);
    if (ref.kind === 'name') return undefined;
    return { ref, ...(step === undefined ? {} : { step }), text };
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    return undefined;
  }
}

/**
 * The ids of a list by `,`, empty ones left out; a comma in brackets separates indices.
 * @throws SpawnError with the words of the command
 */
export function readSlurmIds(command: SlurmCommand, list: string): readonly SlurmId[] {
  const texts = splitList(list, ',').items.filter((text) => text !== '');
  if (texts.length > MOST_IDS) throw badSlurmId(command, `${list.slice(0, 20)}...`);
  return texts.map((text) => {
    const id = readSlurmId(text);
    const isStep = id?.step !== undefined && command !== 'sacct' && command !== 'sstat' && command !== 'squeue';
    if (id === undefined || isStep) throw badSlurmId(command, text);
    return id;
  });
}

/** What a command says to a text that is no id. */
function badSlurmId(command: SlurmCommand, text: string) {
  switch (command) {
    case 'squeue':
      return refuse([{ form: 'error', text: `Invalid job id: ${text}` }], 1);
    case 'scancel': {
      const range = /^\d+_\[([^\]]*)\]$/.exec(text)?.[1]?.split(',');
      const bad = range?.find((part) => !/^\d+(?:-\d+)?$/.test(part));
      const line = { form: 'error', text: `_parse_single_range: Invalid range: \`${bad}'` } as const;
      return refuse([...(bad === undefined ? [] : [line]), { form: 'error', text: `Invalid job id ${text}` }], 1);
    }
    case 'sacct':
    case 'sstat':
      return refuse([{ form: 'fatal', text: `Bad job/step specified: ${text}` }], 1);
    case 'scontrol':
    case 'sbatch':
    case 'srun':
    case 'sinfo':
    case 'sacctmgr':
    case 'sshare':
      return refuse([{ form: 'bare', text: `Invalid job id specified for job ${text}` }], 1);
  }
}

/** Jobs and tasks as the coordinator reads them. */
export interface NamedTasks {
  readonly job: number;
  /** Undefined: all of them. */
  readonly indices: IndexSet | undefined;
}

/** What ids name, by number, tasks of one job together; of more than one text has room for they are in several. */
export function namedTasks(ids: readonly SlurmId[]): readonly NamedTasks[] {
  const runs = new Map<number, Run[] | null>();
  for (const { ref } of ids) {
    const before = runs.get(ref.id);
    if (ref.kind === 'job' || before === null) runs.set(ref.id, null);
    else if (before === undefined) runs.set(ref.id, [...ref.indices.ranges()]);
    else before.push(...ref.indices.ranges());
  }
  return [...runs]
    .toSorted(([one], [other]) => one - other)
    .flatMap(([job, named]): NamedTasks[] =>
      named === null
        ? [{ job, indices: undefined }]
        : splitSet(IndexSet.fromRuns(named)).map((indices) => ({ job, indices })),
    );
}

function splitSet(set: IndexSet): readonly IndexSet[] {
  if (set.toString().length <= MOST_REF) return [set];
  const runs = [...set.ranges()];
  const count = Math.ceil(runs.length / MOST_RUNS);
  return Array.from({ length: count }, (_, at) => IndexSet.fromRuns(runs.slice(at * MOST_RUNS, (at + 1) * MOST_RUNS)));
}

/** `12`, `12_[1-3]` */
export function refText({ job, indices }: NamedTasks): string {
  return indices === undefined ? String(job) : `${job}_[${indices}]`;
}

/** Refs of all of them, as many together as one question has room for. */
export function refChunks(ids: readonly SlurmId[]): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let room = 0;
  for (const ref of namedTasks(ids).map(refText)) {
    room -= ref.length;
    if (room < 0 || chunks.at(-1)!.length === MOST_REFS) {
      chunks.push([]);
      room = MOST_REF - ref.length;
    }
    chunks.at(-1)!.push(ref);
  }
  return chunks;
}
