import { type OptionRow, optionsOf, SBATCH_OPTIONS, type SlurmOption } from './sbatch-options.ts';

/** Options that only sbatch has. */
const SBATCH_ONLY = new Set([
  'array',
  'batch',
  'export-file',
  'get-user-env',
  'ignore-pbs',
  'kill-on-invalid-dep',
  'no-requeue',
  'parsable',
  'requeue',
  'wait',
  'wait-all-nodes',
  'wrap',
]);

/** Options that srun has in addition, or reads otherwise. */
const ROWS = [
  ['accel-bind', '', '=', 'noted'],
  ['bcast', '', '[=]', 'refused', 'SLURM_BCAST', 'programs are not copied to the workers'],
  ['bcast-exclude', '', '=', 'noted', 'SLURM_BCAST_EXCLUDE'],
  ['compress', '', '[=]', 'noted', 'SLURM_COMPRESS'],
  ['cpu-bind', '', '=', 'noted', 'SLURM_CPU_BIND'],
  ['cpu_bind', '', '=', 'noted', '', 'the same as `--cpu-bind`'],
  ['debugger-test', '', '', 'noted'],
  ['disable-status', 'X', '', 'noted', 'SLURM_DISABLE_STATUS'],
  ['epilog', '', '=', 'noted', 'SLURM_EPILOG'],
  ['exact', '', '', 'acts', 'SLURM_EXACT'],
  ['het-group', '', '=', 'refused'],
  ['immediate', 'I', '[=]', 'acts', 'SLURM_IMMEDIATE'],
  ['interactive', '', '', 'noted'],
  ['jobid', '', '=', 'acts', 'SLURM_JOB_ID', 'only that of the job in which it runs'],
  ['kill-on-bad-exit', 'K', '[=]', 'acts', 'SLURM_KILL_BAD_EXIT'],
  ['label', 'l', '', 'acts', 'SLURM_LABELIO'],
  ['mpi', '', '=', 'noted', 'SLURM_MPI_TYPE'],
  ['msg-timeout', '', '=', 'noted'],
  ['multi-prog', '', '', 'refused', '', 'all ranks run one program, which can look at SLURM_PROCID'],
  ['no-allocate', 'Z', '', 'refused'],
  ['overlap', '', '[=]', 'acts', 'SLURM_OVERLAP'],
  ['pack-group', '', '=', 'refused'],
  ['preserve-env', 'E', '', 'noted'],
  ['prolog', '', '=', 'noted', 'SLURM_PROLOG'],
  ['pty', '', '', 'noted', '', 'a job has no terminal'],
  ['quit-on-interrupt', '', '', 'acts'],
  ['relative', 'r', '=', 'acts'],
  ['resv-ports', '', '[=]', 'noted', 'SLURM_RESV_PORTS'],
  ['send-libs', '', '[=]', 'noted', 'SLURM_SEND_LIBS'],
  ['slurmd-debug', '', '=', 'noted', 'SLURMD_DEBUG'],
  ['task-epilog', '', '=', 'noted', 'SLURM_TASK_EPILOG'],
  ['task-prolog', '', '=', 'noted', 'SLURM_TASK_PROLOG'],
  ['threads', 'T', '=', 'noted', 'SLURM_THREADS'],
  ['unbuffered', 'u', '', 'acts', 'SLURM_UNBUFFEREDIO'],
  ['wait', 'W', '=', 'acts', 'SLURM_WAIT'],
  ['whole', '', '', 'noted'],
  ['x11', '', '[=]', 'refused'],
] as const satisfies readonly OptionRow[];

/** Where the variable of srun is not that of sbatch with SLURM in place of SBATCH; '' for none. */
const VARIABLES: Readonly<Record<string, string>> = {
  batch: '',
  'cpu-freq': 'SLURM_CPU_FREQ_REQ',
  'cpus-per-task': 'SRUN_CPUS_PER_TASK',
  dependency: 'SLURM_DEPENDENCY',
  error: 'SLURM_STDERRMODE',
  export: 'SLURM_EXPORT_ENV',
  bb: 'SLURM_BURST_BUFFER',
  chdir: 'SLURM_REMOTE_CWD',
  container: 'SRUN_CONTAINER',
  input: 'SLURM_STDINMODE',
  'mem-per-node': 'SLURM_MEM_PER_NODE',
  nodes: 'SLURM_NNODES',
  ntasks: 'SLURM_NTASKS',
  'ntasks-per-core': 'SLURM_NTASKS_PER_CORE',
  'ntasks-per-gpu': 'SLURM_NTASKS_PER_GPU',
  'ntasks-per-node': 'SLURM_NTASKS_PER_NODE',
  'ntasks-per-socket': 'SLURM_NTASKS_PER_SOCKET',
  output: 'SLURM_STDOUTMODE',
};

const OF_STEPS = 'of a step; it does not choose workers for a job';

/** What options of sbatch do in srun besides. */
const OTHERWISE: Readonly<Record<string, Pick<SlurmOption, 'verdict' | 'note'>>> = {
  distribution: { verdict: 'acts', note: '`block` and `cyclic` over nodes' },
  exclude: { verdict: 'acts', note: OF_STEPS },
  nodelist: { verdict: 'acts', note: OF_STEPS },
  overcommit: { verdict: 'acts', note: OF_STEPS },
  oversubscribe: { verdict: 'acts', note: 'as `--overlap`' },
};

/** Where the order of names is not that of the alphabet: what a name is sorted as. */
const SORTED_AS: Readonly<Record<string, string>> = {
  bb: 'beh',
  bbf: 'bei',
  'cluster-constraint': 'ca',
  constraint: 'contj',
  cpu_bind: 'cpu-bine',
  'job-name': 'jobz',
  threads: 'task',
  usage: 'usf',
};

function sortedAs({ long }: SlurmOption): string {
  return SORTED_AS[long] ?? long;
}

function forSrun(option: SlurmOption): SlurmOption {
  const { variable: own, ...rest } = option;
  const variable = VARIABLES[option.long] ?? own?.replace(/^SBATCH_/, 'SLURM_');
  const here = { ...rest, ...OTHERWISE[option.long] };
  return variable === undefined || variable === '' ? here : { ...here, variable };
}

/** Every option of srun. */
export const SRUN_OPTIONS: readonly SlurmOption[] = [
  ...SBATCH_OPTIONS.filter(({ long }) => !SBATCH_ONLY.has(long)).map(forSrun),
  ...optionsOf(ROWS),
].toSorted((a, b) => (sortedAs(a) < sortedAs(b) ? -1 : 1));
