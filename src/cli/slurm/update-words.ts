import { dependencyOption } from '../../config/slurm/dependency.ts';
import { gresOption } from '../../config/slurm/gres.ts';
import { type MailType, mailTypeOption } from '../../config/slurm/mail.ts';
import { memoryOption } from '../../config/slurm/memory.ts';
import { refusalOf, refuse, refuseLine } from '../../config/slurm/refusal.ts';
import { slurmTimeLimit } from '../../config/slurm/time-limit.ts';
import { readSlurmTime, type SlurmClock } from '../../config/slurm/times.ts';
import type { TimeText } from '../../core/time-text.ts';

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
  readonly mailType?: readonly MailType[];
  /** What runs is to end then: its time limit follows. */
  readonly end?: TimeText;
  readonly gpus?: number;
  readonly constraint?: string;
  readonly nodelist?: string;
  readonly excludeNodes?: string;
  readonly licenses?: string;
  readonly reservation?: string;
  /** Names of what Slurm would change of a job and nobody can change here. */
  readonly refused?: readonly string[];
  /** Names of what has no effect here. */
  readonly ignored?: readonly string[];
}

/** A command line of `scontrol update` for jobs. */
export interface JobUpdate {
  /** Ids by `,`, or `JobName=…`. */
  readonly list: string;
  readonly changes: JobChanges;
}

const JOB_ID = /^job(?:id)?$/i;
const JOB_NAME = /^jobn(?:a(?:me?)?)?$/i;
const OTHER_ENTITY =
  /^(?:node|nodename|partition|partitionname|reservation|reservationname|step|stepid|slurmctlddebug|frontend|frontendname)$/i;
const DEFAULT_NICE = 100;
/** What Slurm says of what it was not built for. */
export const NOT_SUPPORTED = 'Requested operation not supported on this system';
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

function mailOf(text: string): JobChanges {
  try {
    return { mailType: mailTypeOption(text) };
  } catch {
    throw lines(`Invalid MailType: ${text}`);
  }
}

const ignored: Read = (_text, _clock, tag) => ({ ignored: [tag] });
const refused: Read = (_text, _clock, tag) => ({ refused: [tag] });
const least = (text: string, tag: string) => numberOf(/^(\d+)-\d+$/.exec(text)?.[1] ?? text, tag, 1, 1_000_000);

/** By tag, as it is written; any case, and cut short as long as it is unique. */
const TAGS: Readonly<Record<string, Read>> = {
  Account: (text, _, tag) => ({ account: textOf(text, tag) }),
  AdminComment: ignored,
  ArrayTaskThrottle: (text, _, tag) => ({ throttle: numberOf(text, tag, 0, MOST) }),
  BurstBuffer: ignored,
  ClusterFeatures: ignored,
  Comment: (text, _, tag) => ({ comment: textOf(text, tag) }),
  Contiguous: ignored,
  CoreSpec: ignored,
  CPUsPerTask: refused,
  Deadline: (text, clock, tag) => ({ deadline: timeOf(text, clock, tag) }),
  DelayBoot: ignored,
  Dependency: (text) => ({ after: dependencyOption(text) ?? '' }),
  EligibleTime: (text, clock, tag) => ({ begin: timeOf(text, clock, tag) }),
  EndTime: (text, clock, tag) => ({ end: timeOf(text, clock, tag) }),
  ExcNodeList: (text, _, tag) => ({ excludeNodes: textOf(text, tag) }),
  Features: (text, _, tag) => ({ constraint: textOf(text, tag) }),
  Gres: (text) => ({ gpus: gresOption(text).gpus }),
  JobName: (text, _, tag) => ({ name: textOf(text, tag) }),
  Licenses: (text, _, tag) => ({ licenses: textOf(text, tag) }),
  MailType: mailOf,
  MailUser: (text, _, tag) => ({ mailUser: textOf(text, tag) }),
  MinCPUsNode: (text, _, tag) => ({ cpus: least(text, tag) }),
  MinMemoryCPU: (text, _, tag) => ({ memory: { per: 'cpu', bytes: memoryOf(text, tag) } }),
  MinMemoryNode: (text, _, tag) => ({ memory: { per: 'node', bytes: memoryOf(text, tag) } }),
  MinTmpDiskNode: ignored,
  Name: (text, _, tag) => ({ name: textOf(text, tag) }),
  Nice: (text, _, tag) => ({ nice: text === '' ? DEFAULT_NICE : numberOf(text, tag, -MOST, MOST) }),
  NodeList: (text, _, tag) => ({ nodelist: textOf(text, tag) }),
  NumCPUs: (text, _, tag) => ({ cpus: least(text, tag) }),
  NumNodes: refused,
  NumTasks: refused,
  OverSubscribe: ignored,
  Partition: (text, _, tag) => ({ partition: textOf(text, tag) }),
  Prefer: ignored,
  Priority: (text, _, tag) => ({ priority: numberOf(text, tag, 0, MOST_PRIORITY) }),
  QOS: (text, _, tag) => ({ qos: textOf(text, tag) }),
  Reboot: ignored,
  ReqCores: ignored,
  ReqNodeList: (text, _, tag) => ({ nodelist: textOf(text, tag) }),
  ReqNodes: refused,
  ReqProcs: (text, _, tag) => ({ cpus: least(text, tag) }),
  ReqSockets: ignored,
  ReqThreads: ignored,
  Requeue: (text, _, tag) => ({ requeue: numberOf(text, tag, 0, 1) === 1 }),
  ReservationName: (text, _, tag) => ({ reservation: textOf(text, tag) }),
  ResetAccrueTime: ignored,
  Shared: ignored,
  SiteFactor: ignored,
  StartTime: (text, clock, tag) => ({ begin: timeOf(text, clock, tag) }),
  StdOut: (text, _, tag) => ({ output: textOf(text, tag) }),
  Switches: ignored,
  ThreadSpec: ignored,
  TimeLimit: (text, _, tag) => ({ timeLimit: limitOf(text, tag) }),
  TimeMin: ignored,
  TresPerNode: (text) => ({ gpus: gresOption(text).gpus }),
  UserID: ignored,
  WCKey: (text, _, tag) => ({ wckey: textOf(text, tag) }),
  WorkDir: refused,
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
 * Reads the words after `scontrol update` for jobs: with a `JobName` and no `JobId` the jobs of that name are meant.
 * @throws SpawnError with Slurm's words
 */
export function readJobUpdate(words: readonly string[], clock: SlurmClock): JobUpdate {
  const pairs = pairsOf(words);
  const chosen = pairs.findLast(([tag]) => JOB_ID.test(tag)) ?? pairs.findLast(([tag]) => JOB_NAME.test(tag));
  if (chosen === undefined) {
    if (pairs.some(([tag]) => OTHER_ENTITY.test(tag))) throw lines(`slurm_update error: ${NOT_SUPPORTED}`);
    throw lines(
      'No valid entity in update command',
      'Input line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"',
    );
  }
  const [tag, id] = chosen;
  let changes: JobChanges = {};
  for (const [word, value, whole] of pairs.filter((pair) => pair !== chosen && !JOB_ID.test(pair[0]))) {
    const meant = tagMeant(word);
    if (meant === undefined) throw lines(`Update of this parameter is not supported: ${whole}`, 'Request aborted');
    changes = laid(changes, readChange(meant, value, clock, id));
  }
  if (Object.keys(changes).length === 0) throw lines('No changes specified');
  return { list: JOB_ID.test(tag) ? id : `JobName=${id}`, changes };
}

/** The last one counts; of what is refused or ignored all are named. */
function laid(changes: JobChanges, more: JobChanges): JobChanges {
  const all = (name: 'refused' | 'ignored') => {
    const names = [...(changes[name] ?? []), ...(more[name] ?? [])];
    return names.length === 0 ? {} : { [name]: names };
  };
  return { ...changes, ...more, ...all('refused'), ...all('ignored') };
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
