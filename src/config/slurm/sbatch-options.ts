import type { GetoptOption } from './getopt.ts';

/**
 * acts: does here what it does in Slurm, unless `note` says otherwise. noted: read, checked as far as its form goes, recorded in the job, and
 * without effect. refused: answered with Slurm's words.
 */
export type Verdict = 'acts' | 'noted' | 'refused';

/** An option of one of Slurm's commands. Parsing and docs/slurm.md come from these rows. */
export interface SlurmOption extends GetoptOption {
  readonly verdict: Verdict;
  /** The variable that sets it, below the command line and above the script. */
  readonly variable?: string;
  /** What differs from Slurm, or what there is to say. */
  readonly note?: string;
}

/** A row of a table: name, letter or '', how it takes a value, verdict, variable or '', note. */
export type OptionRow = readonly [
  long: string,
  short: string,
  argument: '' | '=' | '[=]',
  verdict: Verdict,
  variable?: string,
  note?: string,
];

const ARGUMENTS = { '': 'none', '=': 'required', '[=]': 'optional' } as const;

const SAME = /^the same as `--([\w-]+)`$/;

/** Options of rows. A note that says `the same as` makes another name of an option. */
export function optionsOf(rows: readonly OptionRow[]): readonly SlurmOption[] {
  return rows.map(([long, short, argument, verdict, variable = '', note = '']) => ({
    long,
    ...(SAME.test(note) ? { sameAs: SAME.exec(note)![1]! } : {}),
    argument: ARGUMENTS[argument],
    verdict,
    ...(short === '' ? {} : { short }),
    ...(variable === '' ? {} : { variable }),
    ...(note === '' ? {} : { note }),
  }));
}

const NODES_HAVE_NO_PARTS = 'workers say nothing of sockets, cores and threads';
const NO_CONSTRAINTS = 'workers have no features';
const ONE_CLUSTER = 'there is one cluster, whatever it is called';

/** In the order in which getopt names those that an abbreviation may mean. Source: sbatch of Slurm 22.05.8. */
const ROWS = [
  ['account', 'A', '=', 'noted', 'SBATCH_ACCOUNT', 'shown by squeue and sacct'],
  ['acctg-freq', '', '=', 'noted', 'SBATCH_ACCTG_FREQ'],
  ['array', 'a', '=', 'acts', 'SBATCH_ARRAY_INX', '`-` and `%2` alone are refused'],
  ['batch', '', '=', 'noted', 'SBATCH_BATCH', NO_CONSTRAINTS],
  ['begin', 'b', '=', 'acts'],
  ['bb', '', '=', 'noted'],
  ['bbf', '', '=', 'noted'],
  ['cluster-constraint', '', '=', 'noted', '', ONE_CLUSTER],
  ['chdir', 'D', '=', 'acts', '', 'a directory that is not there fails the task'],
  ['cluster', '', '=', 'noted', '', 'the same as `--clusters`'],
  ['clusters', 'M', '=', 'noted', 'SBATCH_CLUSTERS', ONE_CLUSTER],
  ['comment', '', '=', 'acts'],
  ['container', '', '=', 'noted', 'SBATCH_CONTAINER'],
  ['context', '', '=', 'noted'],
  ['contiguous', '', '', 'noted'],
  ['constraint', 'C', '=', 'noted', 'SBATCH_CONSTRAINT', NO_CONSTRAINTS],
  ['core-spec', 'S', '=', 'noted', 'SBATCH_CORE_SPEC'],
  ['cores-per-socket', '', '=', 'noted', '', NODES_HAVE_NO_PARTS],
  ['cpu-freq', '', '=', 'noted'],
  ['cpus-per-gpu', '', '=', 'acts', 'SBATCH_CPUS_PER_GPU'],
  ['cpus-per-task', 'c', '=', 'acts'],
  ['deadline', '', '=', 'acts'],
  ['delay-boot', '', '=', 'noted', 'SBATCH_DELAY_BOOT'],
  ['dependency', 'd', '=', 'acts', '', 'unknown ids and `,` mixed with `?` are refused; ended jobs are known'],
  ['distribution', 'm', '=', 'noted', 'SBATCH_DISTRIBUTION'],
  ['error', 'e', '=', 'acts', 'SBATCH_ERROR', 'missing folders are made'],
  ['exclude', 'x', '=', 'noted'],
  ['exclusive', '', '[=]', 'acts', 'SBATCH_EXCLUSIVE', '`user` and `mcs` count as without a value'],
  ['export', '', '=', 'acts', 'SBATCH_EXPORT'],
  ['export-file', '', '=', 'acts'],
  ['extra-node-info', 'B', '=', 'noted', '', NODES_HAVE_NO_PARTS],
  ['get-user-env', '', '[=]', 'noted', 'SBATCH_GET_USER_ENV'],
  ['gid', '', '=', 'refused'],
  ['gpu-bind', '', '=', 'noted', 'SBATCH_GPU_BIND'],
  ['gpu-freq', '', '=', 'noted', 'SBATCH_GPU_FREQ'],
  ['gpus', 'G', '=', 'acts', 'SBATCH_GPUS', 'a type has no effect'],
  ['gpus-per-node', '', '=', 'acts', 'SBATCH_GPUS_PER_NODE', 'a type is recorded'],
  ['gpus-per-socket', '', '=', 'noted', '', NODES_HAVE_NO_PARTS],
  ['gpus-per-task', '', '=', 'acts', 'SBATCH_GPUS_PER_TASK', 'a type has no effect'],
  ['gres', '', '=', 'acts', 'SBATCH_GRES', 'a type is recorded; other names are resources that workers offer'],
  ['gres-flags', '', '=', 'noted', 'SBATCH_GRES_FLAGS'],
  ['help', 'h', '', 'acts'],
  ['hint', '', '=', 'noted', 'SBATCH_HINT'],
  ['hold', 'H', '', 'acts'],
  ['ignore-pbs', '', '', 'noted', 'SBATCH_IGNORE_PBS', '`#PBS` and `#BSUB` lines are never read'],
  ['input', 'i', '=', 'acts', 'SBATCH_INPUT'],
  ['job-name', 'J', '=', 'acts', 'SBATCH_JOB_NAME', 'control characters are refused'],
  ['kill-on-invalid-dep', '', '=', 'acts'],
  ['licenses', 'L', '=', 'noted'],
  [
    'mail-type',
    '',
    '=',
    'acts',
    '',
    'BEGIN, END, FAIL, ALL and ARRAY_TASKS, where the coordinator sends mail; others are recorded',
  ],
  ['mail-user', '', '=', 'acts', '', 'without a domain: that of the setting mail_from'],
  ['mcs-label', '', '=', 'noted'],
  ['mem', '', '=', 'acts', 'SBATCH_MEM_PER_NODE'],
  ['mem-bind', '', '=', 'noted', 'SBATCH_MEM_BIND'],
  ['mem-per-cpu', '', '=', 'acts', 'SBATCH_MEM_PER_CPU'],
  ['mem-per-gpu', '', '=', 'acts', 'SBATCH_MEM_PER_GPU'],
  ['mincpus', '', '=', 'acts'],
  ['network', '', '=', 'noted', 'SBATCH_NETWORK'],
  ['nice', '', '[=]', 'acts'],
  ['no-kill', 'k', '[=]', 'noted', 'SBATCH_NO_KILL'],
  ['no-requeue', '', '', 'acts', 'SBATCH_NO_REQUEUE'],
  ['nodefile', 'F', '=', 'noted'],
  ['nodelist', 'w', '=', 'noted'],
  ['nodes', 'N', '=', 'acts'],
  ['ntasks', 'n', '=', 'acts'],
  ['ntasks-per-core', '', '=', 'noted', '', NODES_HAVE_NO_PARTS],
  ['ntasks-per-gpu', '', '=', 'acts'],
  ['ntasks-per-node', '', '=', 'acts'],
  ['ntasks-per-socket', '', '=', 'noted', '', NODES_HAVE_NO_PARTS],
  ['ntasks-per-tres', '', '=', 'acts', '', 'the same as `--ntasks-per-gpu`'],
  ['open-mode', '', '=', 'acts', 'SBATCH_OPEN_MODE'],
  ['output', 'o', '=', 'acts', 'SBATCH_OUTPUT', 'missing folders are made'],
  ['overcommit', 'O', '', 'noted', 'SBATCH_OVERCOMMIT'],
  ['oversubscribe', 's', '', 'noted'],
  ['parsable', '', '', 'acts'],
  ['partition', 'p', '=', 'acts', 'SBATCH_PARTITION', 'names of pools; others are recorded'],
  ['power', '', '=', 'noted', 'SBATCH_POWER'],
  ['prefer', '', '=', 'noted', '', NO_CONSTRAINTS],
  ['priority', '', '=', 'noted', '', 'takes the rights of an administrator'],
  ['profile', '', '=', 'noted', 'SBATCH_PROFILE'],
  ['propagate', '', '[=]', 'noted'],
  ['qos', 'q', '=', 'noted', 'SBATCH_QOS', 'shown by squeue and sacct'],
  ['quiet', 'Q', '', 'acts'],
  ['reboot', '', '', 'refused'],
  ['requeue', '', '', 'acts', 'SBATCH_REQUEUE'],
  ['reservation', '', '=', 'noted', 'SBATCH_RESERVATION'],
  ['signal', '', '=', 'acts', 'SBATCH_SIGNAL', '`R` has no meaning here'],
  ['sockets-per-node', '', '=', 'noted', '', NODES_HAVE_NO_PARTS],
  ['spread-job', '', '', 'noted', 'SBATCH_SPREAD_JOB'],
  ['switches', '', '=', 'noted', 'SBATCH_REQ_SWITCH'],
  ['tasks-per-node', '', '=', 'acts', '', 'the same as `--ntasks-per-node`'],
  ['test-only', '', '', 'acts'],
  ['thread-spec', '', '=', 'noted', 'SBATCH_THREAD_SPEC'],
  ['threads-per-core', '', '=', 'noted', 'SBATCH_THREADS_PER_CORE', NODES_HAVE_NO_PARTS],
  ['time', 't', '=', 'acts', 'SBATCH_TIMELIMIT', 'ends at its time; Slurm may take a minute more'],
  ['time-min', '', '=', 'noted'],
  ['tmp', '', '=', 'noted'],
  ['uid', '', '=', 'refused'],
  ['use-min-nodes', '', '', 'noted', 'SBATCH_USE_MIN_NODES'],
  ['usage', '', '', 'acts'],
  ['verbose', 'v', '', 'acts', 'SBATCH_DEBUG'],
  ['version', 'V', '', 'acts'],
  ['wait', 'W', '', 'acts', 'SBATCH_WAIT'],
  ['wait-all-nodes', '', '=', 'noted', 'SBATCH_WAIT_ALL_NODES'],
  ['wckey', '', '=', 'noted', 'SBATCH_WCKEY'],
  ['wrap', '', '=', 'acts'],
] as const satisfies readonly OptionRow[];

/** Long name of an option of sbatch. */
export type SbatchName = (typeof ROWS)[number][0];

/** Every option of sbatch. */
export const SBATCH_OPTIONS = optionsOf(ROWS) as readonly (SlurmOption & { readonly long: SbatchName })[];
