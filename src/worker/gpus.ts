import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpawnError } from '../core/errors.ts';
import {
  type Gpu,
  type GpuDeclaration,
  type GpuVendor,
  NVIDIA_QUERY,
  parseKfdNodes,
  parseNvidiaList,
  parseRocmList,
  ROCM_QUERY,
  visibleGpus,
} from '../core/gpu-list.ts';

/** Who said that they are there. */
export type GpuSource = 'declared' | 'nvidia-smi' | 'rocm-smi' | 'kfd' | 'none';

export interface FoundGpus {
  readonly gpus: readonly Gpu[];
  readonly source: GpuSource;
  /** What a person should know, a line each: a tool that is there and does not work. */
  readonly problems: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** A driver that is loaded anew takes seconds. */
const ANSWER_WITHIN_MS = 5_000;
const MAX_ANSWER = 1024 * 1024;
const MOST_SHOWN = 200;
const KFD_NODES = '/sys/class/kfd/kfd/topology/nodes';

/**
 * The GPUs of this machine: those that a person declared, else what the vendor's tool lists, and of these what this process
 * inherited (CUDA_VISIBLE_DEVICES, ROCR_VISIBLE_DEVICES). A tool that is absent lists none; one that fails or hangs lists none and is a problem.
 *
 * @throws BAD_REQUEST when more are declared than were inherited
 */
export async function findGpus(
  env: Env,
  declared?: GpuDeclaration,
  answerWithinMs = ANSWER_WITHIN_MS,
): Promise<FoundGpus> {
  if (declared !== undefined) return { gpus: declaredGpus(declared, env), source: 'declared', problems: [] };
  // Nothing was inherited, so nobody need be asked.
  if (env.CUDA_VISIBLE_DEVICES === '') return { gpus: [], source: 'none', problems: [] };
  const problems: string[] = [];
  const ask = async (tool: string, query: readonly string[]) => {
    const { text, problem } = await answerOf(tool, query, env, answerWithinMs);
    if (problem !== undefined) problems.push(problem);
    return text;
  };
  const nvidia = parseNvidiaList(await ask('nvidia-smi', NVIDIA_QUERY));
  if (nvidia.length > 0) return { gpus: visibleGpus(nvidia, env.CUDA_VISIBLE_DEVICES), source: 'nvidia-smi', problems };
  const rocm = parseRocmList(await ask('rocm-smi', ROCM_QUERY));
  const amd = rocm.length > 0 ? rocm : kernelGpus();
  if (amd.length === 0) return { gpus: [], source: 'none', problems };
  const source = rocm.length > 0 ? 'rocm-smi' : 'kfd';
  return { gpus: visibleGpus(amd, env.ROCR_VISIBLE_DEVICES), source, problems };
}

function declaredGpus(declared: GpuDeclaration, env: Env): Gpu[] {
  const vendor: GpuVendor = existsSync('/dev/kfd') && !existsSync('/dev/nvidiactl') ? 'amd' : 'nvidia';
  const made = (id: string): Gpu => ({ id, vendor, uuid: '', name: '', memoryBytes: 0 });
  if ('ids' in declared) return declared.ids.map(made);
  const inherited = vendor === 'nvidia' ? env.CUDA_VISIBLE_DEVICES : env.ROCR_VISIBLE_DEVICES;
  if (inherited === undefined) return Array.from({ length: declared.count }, (_, number) => made(String(number)));
  const ids = inherited.split(',').map((id) => id.trim());
  const end = ids.findIndex((id) => id === '' || id === '-1');
  const usable = end < 0 ? ids : ids.slice(0, end);
  if (usable.length < declared.count) {
    const expected = `at most ${usable.length}, which were inherited (${vendor === 'nvidia' ? 'CUDA' : 'ROCR'}_VISIBLE_DEVICES)`;
    throw new SpawnError('BAD_REQUEST', { where: '--gpus', expected, found: declared.count });
  }
  return usable.slice(0, declared.count).map(made);
}

interface Answer {
  readonly text: string;
  readonly problem?: string;
}

/** What a program of the PATH prints. It is not waited for longer than that, even when it cannot be killed. */
function answerOf(tool: string, query: readonly string[], env: Env, withinMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    // A group of its own, so that what a script has started ends with it.
    const child = spawn(tool, query, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    let stderr = '';
    const end = (problem?: string) => {
      clearTimeout(timer);
      resolve(problem === undefined ? { text } : { text: '', problem: `${tool}: ${problem}` });
    };
    const giveUp = (problem: string) => {
      end(problem);
      killGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    };
    const timer = setTimeout(() => giveUp(`no answer within ${withinMs / 1000} s`), withinMs);
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.length > MAX_ANSWER) giveUp(`more than ${MAX_ANSWER} characters`);
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      stderr = `${stderr}${piece}`.slice(0, MOST_SHOWN);
    });
    // A tool that is not there is none, and no problem; EACCES: nor is it where this user may look (execvp(3)).
    child.on('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ENOENT' || error.code === 'EACCES' ? undefined : error.message),
    );
    child.on('close', (code, signal) => {
      const [said = ''] = `${stderr}${text}`.trim().split('\n');
      end(code === 0 ? undefined : `${signal ?? `exit ${code}`}${said === '' ? '' : `: ${said.slice(0, MOST_SHOWN)}`}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

function kernelGpus(): Gpu[] {
  let nodes: string[];
  try {
    nodes = readdirSync(KFD_NODES);
  } catch {
    return [];
  }
  const properties = nodes
    .toSorted((a, b) => Number(a) - Number(b))
    .flatMap((node) => {
      try {
        return [readFileSync(join(KFD_NODES, node, 'properties'), 'utf8')];
      } catch {
        return [];
      }
    });
  return parseKfdNodes(properties);
}
