import { dependencyOption } from '../../config/slurm/dependency.ts';
import { memoryOption } from '../../config/slurm/memory.ts';
import { refusalOf, refuse, refuseLine } from '../../config/slurm/refusal.ts';
import { slurmTimeLimit } from '../../config/slurm/time-limit.ts';
import { readSlurmTime, type SlurmClock } from '../../config/slurm/times.ts';
import type { TimeText } from '../../core/time-text.ts';
import { readSlurmIds, type SlurmId } from './job-ids.ts';

/** A time limit that is set, or changed by so much. */
export interface LimitChange {
  readonly by: '=' | '+' | '-';
  readonly ms: number;
}

/** What `scontrol update JobId=…` changes; absent: nothing of it. */
export interface JobChanges {
  readonly timeLimit?: LimitChange;
  readonly throttle?: number;
  /** In our spelling; '' removes it. */
  readonly after?: string;
  readonly nice?: number;
  readonly priority?: number;
  readonly name?: string;
  readonly begin?: TimeText;
  readonly deadline?: TimeText;
  readonly requeue?: boolean;
  readonly comment?: string;
  readonly cpus?: number;
  readonly memory?: { readonly per: 'cpu' | 'node'; readonly bytes: number };
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly wckey?: string;
  readonly output?: string;
  readonly mailUser?: string;
}

/** A command line of `scontrol update` for jobs. */
export interface JobUpdate {
  readonly ids: readonly SlurmId[];
  readonly changes: JobChanges;
}

const JOB_ID = /^job(?:id)?$/i;
const DEFAULT_NICE = 100;
const MOST = 1_000_000_000;
const MOST_PRIORITY = 4_294_967_293;

type Read = (text: string, clock: SlurmClock, tag: string) => JobChanges;

function invalid(tag: string): never {
  throw refuseLine(`Invalid ${tag} value`, 1);
}

function numberOf(text: string, tag: string, least: number, most: number): number {
  const number = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : invalid(tag);
}

function textOf(text: string, tag: string): string {
  return /\p{Cc}/u.test(text) ? invalid(tag) : text;
}

function timeOf(text: string, clock: SlurmClock, tag: string): TimeText {
  return readSlurmTime(text, clock) ?? invalid(tag);
}

function limitOf(text: string, tag: string): LimitChange {
  const [, sign, rest] = /^(\+|-(?!1$))?(.*)$/s.exec(text)!;
  const ms = slurmTimeLimit(rest!) ?? invalid(tag);
  return { by: (sign ?? '=') as LimitChange['by'], ms };
}

function memoryOf(text: string, tag: string): number {
  try {
    return memoryOption(text, tag);
  } catch {
    return invalid(tag);
  }
}

/** By tag, as it is written; any case, and cut short as long as it is unique. */
const TAGS: Readonly<Record<string, Read>> = {
  Account: (text, _, tag) => ({ account: textOf(text, tag) }),
  ArrayTaskThrottle: (text, _, tag) => ({ throttle: numberOf(text, tag, 0, MOST) }),
  Comment: (text, _, tag) => ({ comment: textOf(text, tag) }),
  Deadline: (text, clock, tag) => ({ deadline: timeOf(text, clock, tag) }),
  Dependency: (text) => ({ after: dependencyOption(text) ?? '' }),
  EligibleTime: (text, clock, tag) => ({ begin: timeOf(text, clock, tag) }),
  JobName: (text, _, tag) => ({ name: textOf(text, tag) }),
  MailUser: (text, _, tag) => ({ mailUser: textOf(text, tag) }),
  MinMemoryCPU: (text, _, tag) => ({ memory: { per: 'cpu', bytes: memoryOf(text, tag) } }),
  MinMemoryNode: (text, _, tag) => ({ memory: { per: 'node', bytes: memoryOf(text, tag) } }),
  Name: (text, _, tag) => ({ name: textOf(text, tag) }),
  Nice: (text, _, tag) => ({ nice: text === '' ? DEFAULT_NICE : numberOf(text, tag, -MOST, MOST) }),
  NumCPUs: (text, _, tag) => ({ cpus: numberOf(text, tag, 1, 1_000_000) }),
  Partition: (text, _, tag) => ({ partition: textOf(text, tag) }),
  Priority: (text, _, tag) => ({ priority: numberOf(text, tag, 0, MOST_PRIORITY) }),
  QOS: (text, _, tag) => ({ qos: textOf(text, tag) }),
  Requeue: (text, _, tag) => ({ requeue: numberOf(text, tag, 0, 1) === 1 }),
  StartTime: (text, clock, tag) => ({ begin: timeOf(text, clock, tag) }),
  StdOut: (text, _, tag) => ({ output: textOf(text, tag) }),
  TimeLimit: (text, _, tag) => ({ timeLimit: limitOf(text, tag) }),
  WCKey: (text, _, tag) => ({ wckey: textOf(text, tag) }),
};

function tagMeant(word: string): string | undefined {
  const lower = word.toLowerCase();
  const tags = Object.keys(TAGS);
  const meant = tags.filter((tag) => lower.length > 2 && tag.toLowerCase().startsWith(lower));
  return tags.find((tag) => tag.toLowerCase() === lower) ?? (meant.length === 1 ? meant[0] : undefined);
}

/** `Tag=Value`, `Tag+=Value`, and `Tag Value` in two words. */
function pairsOf(words: readonly string[]): readonly (readonly [tag: string, value: string, word: string])[] {
  const pairs: [string, string, string][] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    const [, tag, sign = '', value] = /^([^=]*?)([+-]?)=(.*)$/s.exec(word) ?? [];
    if (tag !== undefined) {
      // With a zero, since `-1` alone means no limit.
      pairs.push([tag, sign === '' ? value! : `${sign}0${value}`, word]);
    } else {
      const next = words[at + 1];
      const isAlone = next === undefined || next.includes('=');
      pairs.push([word, isAlone ? '' : next, word]);
      at += isAlone ? 0 : 1;
    }
  }
  return pairs;
}

/**
 * Reads the words after `scontrol update` for jobs.
 * @throws SpawnError with Slurm's words
 */
export function readJobUpdate(words: readonly string[], clock: SlurmClock): JobUpdate {
  const pairs = pairsOf(words);
  const [, id] = pairs.findLast(([tag]) => JOB_ID.test(tag)) ?? [];
  const ids = readSlurmIds('scontrol', id ?? '');
  if (ids.length === 0) {
    throw lines(
      'No valid entity in update command',
      'Input line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"',
    );
  }
  const changes: JobChanges = {};
  for (const [word, value, whole] of pairs.filter(([tag]) => !JOB_ID.test(tag))) {
    const tag = tagMeant(word);
    if (tag === undefined) throw lines(`Update of this parameter is not supported: ${whole}`, 'Request aborted');
    Object.assign(changes, readChange(tag, value, clock, id!));
  }
  if (Object.keys(changes).length === 0) throw lines('No changes specified');
  return { ids, changes };
}

/** What the controller would refuse is told of the job. */
function readChange(tag: string, value: string, clock: SlurmClock, id: string): JobChanges {
  try {
    return TAGS[tag]!(value, clock, tag);
  } catch (error) {
    const why = refusalOf(error)?.lines.find(({ form }) => form === 'submit')?.text;
    throw why === undefined ? error : lines(refusedFor(id, why));
  }
}

function lines(...texts: string[]) {
  return refuse(
    texts.map((text) => ({ form: 'bare' as const, text })),
    1,
  );
}

/** What scontrol says of a job that refuses a change: `72_3: …` of tasks, else `… for job 72`. */
export function refusedFor(id: string, why: string): string {
  return id.includes('_') ? `${id}: ${why}` : `${why} for job ${id}`;
}
