import { PARTITION } from '../../api/slurm-names.ts';
import { notSubmitted, refuse, refuseLine } from './refusal.ts';
import { SBATCH_OPTIONS, type SbatchName } from './sbatch-options.ts';
import { readSbatchValue, type SbatchContext, type SbatchValues } from './sbatch-values.ts';
import type { GivenOption, OptionSource } from './sbatch-words.ts';
import { momentOf } from './times.ts';

/** A job as the options of sbatch ask for it. */
export interface SbatchRequest {
  readonly values: SbatchValues;
  /** What was read and has no effect here, by option: recorded in the job. */
  readonly noted: Readonly<Record<string, string>>;
  /** The same as sentences for a person. */
  readonly notes: readonly string[];
}

const MEMORY = new Set(['mem', 'mem-per-cpu', 'mem-per-gpu']);
const WEAKEST_FIRST: readonly OptionSource[] = ['script', 'variable', 'line'];
const VERDICTS = new Map(SBATCH_OPTIONS.map(({ long, verdict, note }) => [long, { verdict, note }]));

/**
 * Every option is read, also one that another overrides; then the line counts more than variables, and these more than the script.
 * @throws SpawnError with Slurm's words
 */
export function readSbatchRequest(given: readonly GivenOption[], context: SbatchContext): SbatchRequest {
  const read = new Map(given.map((option) => [option, readSbatchValue(option.name, option.value, context)]));
  const ordered = WEAKEST_FIRST.flatMap((source) => given.filter((option) => option.source === source));
  checkMemory(given);
  const values: SbatchValues = Object.assign({}, ...ordered.map((option) => read.get(option)));
  checkTimes(values, context);
  const noted = ordered.filter(({ name }) => VERDICTS.get(name)?.verdict === 'noted');
  return {
    values,
    noted: Object.fromEntries(noted.map(({ name, value }) => [name, value ?? ''])),
    notes: [...new Set(noted.map(({ name }) => name))].map(noteOf).concat(partitionNote(values)),
  };
}

function noteOf(name: SbatchName): string {
  const why = VERDICTS.get(name)!.note;
  return `--${name} is recorded and has no effect${why === undefined ? '' : `: ${why}`}`;
}

/** Of several partitions the one that there is counts. */
function partitionNote({ partition }: SbatchValues): readonly string[] {
  if (partition === undefined || partition.split(',').includes(PARTITION)) return [];
  return [`--partition is recorded and has no effect: the only partition is ${PARTITION}`];
}

function checkMemory(given: readonly GivenOption[]): void {
  const named = (isVariable: boolean) =>
    new Set(
      given
        .filter(({ name, source }) => MEMORY.has(name) && (source === 'variable') === isVariable)
        .map(({ name }) => name),
    );
  const fatal = (text: string) => refuse([{ form: 'fatal', text: `${text} are mutually exclusive.` }], 1);
  if (named(false).size > 1) throw fatal('--mem, --mem-per-cpu, and --mem-per-gpu');
  if (named(true).size > 1) throw fatal('SLURM_MEM_PER_CPU, SLURM_MEM_PER_GPU, and SLURM_MEM_PER_NODE');
}

function checkTimes(
  { begin, deadline, timeLimitMs = 0, leastTimeMs = 0 }: SbatchValues,
  { clock }: SbatchContext,
): void {
  if (timeLimitMs > 0 && leastTimeMs > timeLimitMs) {
    throw notSubmitted("Invalid time-min specification (exceeds job's time or other limits)");
  }
  if (deadline === undefined) return;
  const end = momentOf(deadline, clock.now);
  if (begin !== undefined && momentOf(begin, clock.now) > end) {
    throw refuseLine('Incompatible begin and deadline time specification', 1);
  }
  if (end <= clock.now) {
    throw notSubmitted('Requested time limit is invalid (missing or exceeds some limit)');
  }
}
