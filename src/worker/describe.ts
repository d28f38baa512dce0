import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resources } from '../api/session.ts';
import { packageVersion } from '../client/node/package-files.ts';
import type { Gpu } from '../core/gpu-list.ts';
import type { WorkerFlags } from './flags.ts';
import { startForker } from './forker/forker.ts';
import type { ForkerCapabilities, ForkerKind } from './forker/types.ts';
import type { FoundGpus, GpuSource } from './gpus.ts';

/** What `spored --describe` prints, as JSON: all that a worker with these flags would offer, and how it holds tasks to it. */
export interface OfferDescription {
  readonly version: string;
  readonly name: string;
  readonly host: string;
  readonly resources: Resources;
  readonly gpus: { readonly source: GpuSource; readonly devices: readonly Gpu[]; readonly problems: readonly string[] };
  readonly cpuBinding: boolean;
  readonly forker: ForkerKind;
  readonly capabilities: ForkerCapabilities;
  /** Who dies when a task is ended: every descendant, or those that stayed in its process group and session. */
  readonly kills: 'descendants' | 'processGroup';
  /** Who ends a task that uses more memory than it asked for. */
  readonly memoryLimit: ForkerCapabilities['memory'];
}

/** What is offered: the flags, and the devices that were found. */
export function offerOf({ resources }: Pick<WorkerFlags, 'resources'>, gpus: readonly Gpu[]): Resources {
  return gpus.length === 0 ? resources : { ...resources, gpus: gpus.length };
}

/** Starts a forker for a moment: what the kernel allows is known only then. Rejects with INTERNAL when none starts here. */
export async function describeOffer(flags: WorkerFlags, found: FoundGpus): Promise<OfferDescription> {
  const { kind, capabilities } = await lookAtForker(flags.forker);
  return {
    version: packageVersion(),
    name: flags.name,
    host: hostname(),
    resources: offerOf(flags, found.gpus),
    gpus: { source: found.source, devices: found.gpus, problems: found.problems },
    cpuBinding: flags.bindCpus && capabilities.affinity,
    forker: kind,
    capabilities,
    kills: capabilities.subreaper ? 'descendants' : 'processGroup',
    memoryLimit: capabilities.memory,
  };
}

async function lookAtForker(kind: ForkerKind | undefined) {
  const logDir = await mkdtemp(join(tmpdir(), 'spawn-describe-'));
  const ignore = () => {};
  try {
    const forker = await startForker({
      logDir,
      sessionTag: 'describe',
      callbacks: { onStarted: ignore, onEnded: ignore, onSpawnFailed: ignore, onRefused: ignore, onExit: ignore },
      ...(kind === undefined ? {} : { kind }),
    });
    const { kind: started, capabilities } = forker;
    await forker.close();
    return { kind: started, capabilities };
  } finally {
    await rm(logDir, { recursive: true, force: true });
  }
}
