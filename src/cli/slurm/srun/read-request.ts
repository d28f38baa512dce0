import type { GivenWord } from '../../../config/slurm/getopt.ts';
import { nameOf } from '../../../config/slurm/getopt.ts';
import { parseHostlist } from '../../../config/slurm/hostlist.ts';
import { BAD_OPTION_EXIT, refuse, refuseLine } from '../../../config/slurm/refusal.ts';
import type { SlurmOption } from '../../../config/slurm/sbatch-options.ts';
import { readSbatchRequest, type SbatchRequest } from '../../../config/slurm/sbatch-request.ts';
import { type GivenOption, variablesOf } from '../../../config/slurm/sbatch-words.ts';
import { SRUN_OPTIONS } from '../../../config/slurm/srun-options.ts';
import { localZone } from '../../local-zone.ts';
import type { World } from '../../world.ts';
import type { StepShape } from './plan-step.ts';

/** One option of srun, from the line or from a variable. */
export interface SrunGiven {
  readonly name: string;
  readonly value: string | undefined;
  readonly source: 'line' | 'variable';
}

/** What is said to srun. */
export interface SrunRequest {
  /** Options that sbatch has too, as it reads them. */
  readonly shared: SbatchRequest;
  readonly argv: readonly string[];
  readonly given: readonly SrunGiven[];
  readonly shape: StepShape;
  /** As written: a file pattern, `all`, `none` or a rank. */
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly input: string | undefined;
  readonly append: boolean;
  readonly label: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly pty: boolean;
  readonly distribution: string | undefined;
  /** Ends all ranks when one ends badly. */
  readonly killOnBadExit: boolean;
  /** How long the others may go on when one has ended, ms; undefined: for ever. */
  readonly waitMs: number | undefined;
  /** How long may be waited for resources, ms; undefined: for ever. */
  readonly immediateMs: number | undefined;
  readonly quitOnInterrupt: boolean;
  /** `--jobid` of the line. */
  readonly jobId: string | undefined;
}

const REFUSED: Readonly<Record<string, string>> = {
  bcast: 'programs are not copied to the workers',
  'het-group': 'there are no heterogeneous jobs',
  'pack-group': 'there are no heterogeneous jobs',
  'no-allocate': 'nothing runs outside of an allocation',
  'multi-prog': 'all ranks run one program, which can look at SLURM_PROCID',
  x11: 'displays are not forwarded',
};

/** More is for ever. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @throws SpawnError with Slurm's words */
export function readSrunRequest(
  words: readonly GivenWord<SlurmOption>[],
  argv: readonly string[],
  world: Pick<World, 'env' | 'now'>,
): SrunRequest {
  const line = words.map(({ option, value }): SrunGiven => ({ name: nameOf(option), value, source: 'line' }));
  const given = [...variablesOf(SRUN_OPTIONS, world.env), ...line];
  const refused = line.find(({ name }) => REFUSED[name] !== undefined);
  if (refused !== undefined) throw refuseLine(`--${refused.name}: ${REFUSED[refused.name]}`, BAD_OPTION_EXIT);
  const shared = readSbatchRequest(
    given.flatMap((option) => (OWN.has(option.name) ? [] : [option as GivenOption])),
    {
      clock: { now: world.now(), zone: localZone },
      env: world.env,
      isAdmin: process.getuid?.() === 0,
    },
  );
  if (argv.length === 0) throw refuse([{ form: 'fatal', text: 'No command given to execute.' }], 1);
  const last = (name: string) => given.findLast((option) => option.name === name);
  const onLine = (name: string) => line.findLast((option) => option.name === name)?.value;
  const seconds = (name: string) => {
    const value = last(name)?.value;
    return value === undefined ? undefined : Math.min(numberOf(value, name) * 1_000, LONGEST_TIMER_MS);
  };
  const { values } = shared;
  const waitMs = seconds('wait');
  return {
    shared,
    argv,
    given,
    shape: shapeOf(shared, onLine, last),
    output: last('output')?.value,
    error: last('error')?.value,
    input: last('input')?.value,
    append: values.openMode === 'append',
    label: last('label') !== undefined,
    quiet: values.quiet === true,
    verbose: values.verbose === true,
    pty: last('pty') !== undefined,
    distribution: last('distribution')?.value,
    killOnBadExit: last('kill-on-bad-exit') !== undefined && last('kill-on-bad-exit')!.value !== '0',
    waitMs: waitMs === 0 ? undefined : waitMs,
    immediateMs: last('immediate') === undefined ? undefined : (seconds('immediate') ?? 1_000),
    quitOnInterrupt: last('quit-on-interrupt') !== undefined,
    jobId: onLine('jobid'),
  };
}

function shapeOf(
  { values }: SbatchRequest,
  onLine: (name: string) => string | undefined,
  last: (name: string) => SrunGiven | undefined,
): StepShape {
  const relative = onLine('relative');
  const nodelist = onLine('nodelist');
  const exclude = onLine('exclude');
  return {
    nodes: values.nodes,
    tasks: values.tasks,
    tasksPerNode: values.tasksPerNode,
    cpusPerTask: values.cpusPerTask,
    relative: relative === undefined ? undefined : numberOf(relative, 'relative'),
    nodelist: nodelist === undefined ? undefined : parseHostlist(nodelist),
    exclude: exclude === undefined ? undefined : parseHostlist(exclude),
    cyclic: /^cyclic/i.test(last('distribution')?.value ?? ''),
    overcommit: last('overcommit') !== undefined,
    exact: last('exact') !== undefined || last('exclusive') !== undefined,
    overlap: last('overlap') !== undefined || last('oversubscribe') !== undefined,
  };
}

/** Options that sbatch does not have, or reads otherwise; the rest goes to its readers. */
const OWN = new Set([
  ...Object.keys(REFUSED),
  'accel-bind',
  'bcast-exclude',
  'compress',
  'cpu-bind',
  'debugger-test',
  'disable-status',
  'epilog',
  'exact',
  'immediate',
  'interactive',
  'jobid',
  'kill-on-bad-exit',
  'label',
  'mpi',
  'msg-timeout',
  'overlap',
  'preserve-env',
  'prolog',
  'pty',
  'quit-on-interrupt',
  'relative',
  'resv-ports',
  'send-libs',
  'slurmd-debug',
  'task-epilog',
  'task-prolog',
  'threads',
  'unbuffered',
  'wait',
  'whole',
]) as ReadonlySet<string>;

/** A whole number from 0 on. */
function numberOf(text: string, option: string): number {
  if (!/^\s*\+?\d{1,9}$/.test(text)) throw refuseLine(`Invalid numeric value "${text}" for --${option}.`, 1);
  return Number(text);
}
