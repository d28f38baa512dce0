import type { TimeText } from '../../core/time-text.ts';
import { arrayOption, type SlurmArray } from './array.ts';
import { dependencyOption } from './dependency.ts';
import { type ExportedEnvironment, exportOption } from './export.ts';
import { type Gres, gpusOption, gresOption } from './gres.ts';
import { type MailType, mailTypeOption } from './mail.ts';
import { memoryOption } from './memory.ts';
import { type NodeCount, nodesOption } from './nodes.ts';
import { countOption, niceOption } from './numbers.ts';
import { BAD_OPTION_EXIT, badSpecification, notSubmitted, refuse, refuseLine } from './refusal.ts';
import type { SbatchName } from './sbatch-options.ts';
import { type EarlySignal, signalOption } from './signal.ts';
import { timeLimitOption } from './time-limit.ts';
import { type SlurmClock, timeOption } from './times.ts';

/** What options are read against. */
export interface SbatchContext {
  readonly clock: SlurmClock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** May take a job forward. */
  readonly isAdmin: boolean;
}

/** What the options of a job say; absent: not given. */
export interface SbatchValues {
  readonly array?: SlurmArray | undefined;
  /** In our spelling; undefined: none. */
  readonly after?: string | undefined;
  readonly killOnInvalidDependency?: boolean;
  readonly name?: string | undefined;
  readonly output?: string;
  readonly error?: string;
  readonly input?: string;
  readonly openMode?: 'append' | 'truncate';
  readonly directory?: string;
  /** 0 for none. */
  readonly timeLimitMs?: number;
  /** It may be given no less. */
  readonly leastTimeMs?: number;
  readonly memory?: { readonly per: 'node' | 'cpu' | 'gpu'; readonly bytes: number };
  readonly nodes?: NodeCount;
  readonly tasks?: number;
  readonly tasksPerNode?: number;
  readonly tasksPerGpu?: number;
  readonly cpusPerTask?: number;
  readonly cpusPerGpu?: number;
  readonly leastCpus?: number;
  /** What is shown of `--gres` or `--gpus-per-node`. */
  readonly gresText?: string;
  readonly gres?: Gres;
  readonly gpus?: Gres;
  readonly gpusPerNode?: Gres;
  readonly gpusPerTask?: Gres;
  /** `node`: no other job beside it. */
  readonly exclusive?: 'node' | 'user' | 'mcs';
  readonly exported?: ExportedEnvironment;
  readonly exportFile?: string;
  readonly hold?: boolean;
  readonly begin?: TimeText;
  readonly deadline?: TimeText;
  readonly nice?: number;
  readonly requeue?: boolean;
  readonly signal?: EarlySignal;
  readonly mailTypes?: readonly MailType[];
  readonly mailUser?: string | undefined;
  readonly comment?: string | undefined;
  readonly partition?: string | undefined;
  readonly account?: string | undefined;
  readonly qos?: string | undefined;
  readonly wckey?: string | undefined;
  readonly reservation?: string | undefined;
  readonly constraint?: string | undefined;
  readonly licenses?: string | undefined;
  readonly nodelist?: string | undefined;
  readonly excludeNodes?: string | undefined;
  /** The answer names it. */
  readonly cluster?: string;
  readonly wrap?: string;
  readonly wait?: boolean;
  readonly parsable?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly testOnly?: boolean;
  /** The command shows this alone. */
  readonly shows?: 'help' | 'usage' | 'version';
}

type Read = (text: string, context: SbatchContext, name: SbatchName) => SbatchValues;

const flag = (values: SbatchValues) => () => values;

/** A value that is only counted; whether it is a number is checked, as Slurm does. */
const counted: Read = (text, _context, name) => {
  countOption(text, name);
  return {};
};

function fileOf(text: string): string | undefined {
  if (text === '') return undefined;
  return text === 'none' ? '/dev/null' : text;
}

/** A text that is shown among others: a control character in it would forge some. Undefined for an empty one. */
function shownText(text: string, name: SbatchName): string | undefined {
  if (/\p{Cc}/u.test(text)) throw badSpecification(name);
  return text === '' ? undefined : text;
}

function exclusiveTo(text: string): 'node' | 'user' | 'mcs' {
  const word = text.toLowerCase();
  if (word === '' || word === 'exclusive') return 'node';
  if (word !== 'user' && word !== 'mcs') throw badSpecification('exclusive');
  return word;
}

function openMode(text: string): 'append' | 'truncate' {
  const mode = (['append', 'truncate'] as const).find((word) => word.startsWith(text.toLowerCase()));
  if (mode === undefined || text === '') throw badSpecification('open-mode');
  return mode;
}

function yesOrNo(text: string): boolean {
  if (!/^(?:yes|no)$/i.test(text)) throw badSpecification('kill-on-invalid-dep');
  return text.toLowerCase() === 'yes';
}

const onCluster: Read = (text) => (/^(?!all$)[\w.-]{1,255}$/i.test(text) ? { cluster: text } : {});

const forRoot: Read = (_text, _context, name) => {
  throw refuseLine(`--${name} only permitted by root user`, BAD_OPTION_EXIT);
};

function niceOf(text: string | undefined, isAdmin: boolean): number {
  const nice = niceOption(text);
  if (nice < 0 && !isAdmin) throw notSubmitted('Invalid --nice value');
  return nice;
}

const READERS: Readonly<Partial<Record<SbatchName, Read>>> = {
  account: (text, _, name) => ({ account: shownText(text, name) }),
  array: (text) => ({ array: arrayOption(text) }),
  begin: (text, { clock }) => ({ begin: timeOption(text, 'begin', clock) }),
  chdir: (directory) => ({ directory }),
  clusters: onCluster,
  comment: (text, _, name) => ({ comment: shownText(text, name) ?? '' }),
  constraint: (text, _, name) => ({ constraint: shownText(text, name) }),
  'core-spec': counted,
  'cores-per-socket': counted,
  'cpus-per-gpu': (text, _, name) => ({ cpusPerGpu: countOption(text, name) }),
  'cpus-per-task': (text, _, name) => ({ cpusPerTask: countOption(text, name) }),
  deadline: (text, { clock }) => ({ deadline: timeOption(text, 'deadline', clock) }),
  dependency: (text) => ({ after: dependencyOption(text) }),
  exclude: (text, _, name) => ({ excludeNodes: shownText(text, name) }),
  error: (text) => ({ error: fileOf(text) ?? '/dev/null' }),
  exclusive: (text) => ({ exclusive: exclusiveTo(text) }),
  export: (text, { env }) => ({ exported: exportOption(text, env) }),
  'export-file': (exportFile) => ({ exportFile }),
  gid: forRoot,
  gpus: (text, _, name) => ({ gpus: gpusOption(text, name) }),
  'gpus-per-node': (text, _, name) => ({ gpusPerNode: gpusOption(text, name), gresText: `gpu:${text}` }),
  'gpus-per-task': (text, _, name) => ({ gpusPerTask: gpusOption(text, name) }),
  gres: (text) => ({ gres: gresOption(text), gresText: text === 'none' ? '' : text }),
  help: flag({ shows: 'help' }),
  hold: flag({ hold: true }),
  input: (text) => ({ input: fileOf(text) ?? '/dev/null' }),
  'job-name': (text, _, name) => ({ name: shownText(text, name) }),
  'kill-on-invalid-dep': (text) => ({ killOnInvalidDependency: yesOrNo(text) }),
  licenses: (text, _, name) => ({ licenses: shownText(text, name) }),
  'mail-type': (text) => ({ mailTypes: mailTypeOption(text) }),
  'mail-user': (text, _, name) => ({ mailUser: shownText(text, name) }),
  mem: (text, _, name) => ({ memory: { per: 'node', bytes: memoryOption(text, name) } }),
  'mem-per-cpu': (text, _, name) => ({ memory: { per: 'cpu', bytes: memoryOption(text, name) } }),
  'mem-per-gpu': (text, _, name) => ({ memory: { per: 'gpu', bytes: memoryOption(text, name) } }),
  mincpus: (text, _, name) => ({ leastCpus: countOption(text, name) }),
  'no-requeue': flag({ requeue: false }),
  nodelist: (text, _, name) => ({ nodelist: shownText(text, name) }),
  nodes: (text) => ({ nodes: nodesOption(text) }),
  ntasks: (text, _, name) => ({ tasks: countOption(text, name) }),
  'ntasks-per-core': counted,
  'ntasks-per-gpu': (text, _, name) => ({ tasksPerGpu: countOption(text, name) }),
  'ntasks-per-node': (text, _, name) => ({ tasksPerNode: countOption(text, name) }),
  'ntasks-per-socket': counted,
  'open-mode': (text) => ({ openMode: openMode(text) }),
  output: (text) => ({ output: fileOf(text) ?? '/dev/null' }),
  parsable: flag({ parsable: true }),
  partition: (text, _, name) => ({ partition: shownText(text, name) }),
  qos: (text, _, name) => ({ qos: shownText(text, name) }),
  quiet: flag({ quiet: true }),
  reboot: () => {
    const error = { form: 'error', text: 'rebooting of nodes is only allowed for admins' } as const;
    throw refuse([error, { form: 'submit', text: 'Access/permission denied' }], 1);
  },
  requeue: flag({ requeue: true }),
  reservation: (text, _, name) => ({ reservation: shownText(text, name) }),
  signal: (text) => ({ signal: signalOption(text) }),
  'sockets-per-node': counted,
  'test-only': flag({ testOnly: true }),
  'thread-spec': counted,
  'threads-per-core': counted,
  time: (text, _, name) => ({ timeLimitMs: timeLimitOption(text, name) }),
  'time-min': (text, _, name) => ({ leastTimeMs: timeLimitOption(text, name) }),
  tmp: (text, _, name) => {
    memoryOption(text, name);
    return {};
  },
  uid: forRoot,
  usage: flag({ shows: 'usage' }),
  verbose: flag({ verbose: true }),
  version: flag({ shows: 'version' }),
  wait: flag({ wait: true }),
  wckey: (text, _, name) => ({ wckey: shownText(text, name) }),
  wrap: (wrap) => ({ wrap }),
};

/**
 * What one option says; nothing for one that is noted.
 * @throws SpawnError with Slurm's words
 */
export function readSbatchValue(name: SbatchName, value: string | undefined, context: SbatchContext): SbatchValues {
  if (name === 'nice') return { nice: niceOf(value, context.isAdmin) };
  return READERS[name]?.(value ?? '', context, name) ?? {};
}
