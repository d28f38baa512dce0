import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { builtProgram } from '../../client/node/package-files.ts';
import { shownBytes } from '../output/format.ts';
import { type Check, fail, info, ok, warn } from './check.ts';

const TIME_MS = 20_000;

/** What `spored --describe` prints, as far as it is told here; another release may leave something out. */
interface Description {
  readonly resources?: { readonly cpus?: number; readonly memoryBytes?: number; readonly gpus?: number };
  readonly gpus?: { readonly source?: string; readonly problems?: readonly string[] };
  readonly cpuBinding?: boolean;
  readonly forker?: string;
  readonly kills?: string;
  readonly memoryLimit?: string;
}

/** What the agent would offer on this machine, and how it holds tasks to it: it starts none, and serves nobody. */
export async function checkAgent(env: NodeJS.ProcessEnv): Promise<Check[]> {
  try {
    const args = [builtProgram('spored'), '--describe'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: TIME_MS });
    return checksOf(JSON.parse(stdout) as Description);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const why = (stderr || message).trim().split('\n').at(-1)!;
    return [fail('agent', why, 'npm ci builds it again; spored --describe shows the whole message')];
  }
}

/** Exported for its test. */
export function checksOf({ resources, gpus, cpuBinding, forker, kills, memoryLimit }: Description): Check[] {
  const { cpus, memoryBytes, gpus: devices = 0 } = resources ?? {};
  const offers = [
    ...(cpus === undefined ? [] : [`${cpus} CPUs`]),
    ...(memoryBytes === undefined ? [] : [`${shownBytes(memoryBytes)} of memory`]),
    ...(devices > 0 ? [`${devices} GPUs (${gpus?.source})`] : ['no GPU']),
  ];
  const problems = gpus?.problems ?? [];
  return [
    forker === 'native'
      ? ok('forker', 'native')
      : warn(
          'forker',
          forker ?? 'not known',
          'install a C compiler and run npm ci: the native one starts tasks twice as fast',
        ),
    ok('offers', offers.join(', ')),
    ...problems.map((problem) => warn('GPUs', problem, 'declare them: spored --gpus, or SPAWN_LOCAL_GPUS')),
    kills === 'descendants'
      ? ok('kill level', 'every process that a task started, however it detached')
      : warn(
          'kill level',
          'the process group of a task: what it detaches lives on',
          'run on Linux with the native forker',
        ),
    memoryCheck(memoryLimit),
    cpuBinding === true
      ? ok('CPU binding', 'each task runs on its own CPUs')
      : info('CPU binding', 'none: tasks share all CPUs'),
  ];
}

function memoryCheck(limit: string | undefined): Check {
  if (limit === 'cgroup') return ok('memory limit', 'held by the kernel (cgroup)');
  if (limit === 'none') return warn('memory limit', 'not held: tasks may use more than they asked for', 'run on Linux');
  return info('memory limit', limit === 'sampled' ? 'looked at 10 times a second (sampled)' : (limit ?? 'not known'));
}
