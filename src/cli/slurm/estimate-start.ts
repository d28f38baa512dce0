import type { JobSpecInput } from '../../api/job-spec.ts';
import type { SessionView } from '../../api/server-view.ts';
import { PARTITION } from '../../api/slurm-names.ts';
import { notSubmitted } from '../../config/slurm/refusal.ts';
import { formatHostlist } from '../../core/hostlist.ts';
import type { Client } from '../client.ts';
import { localZone } from '../local-zone.ts';
import type { World } from '../world.ts';
import { testOnlyText } from './submit-answers.ts';

interface Tested {
  readonly spec: JobSpecInput;
  readonly quiet: boolean;
  /** Who says it; default sbatch. */
  readonly command?: 'sbatch' | 'srun';
}

/**
 * `--test-only`: checks a job, changes nothing and says where and when it would start, as far as that can be told.
 * @throws SpawnError with Slurm's words when no workers could ever run it
 */
export async function estimateStart(
  client: Client,
  { spec, quiet, command = 'sbatch' }: Tested,
  world: World,
): Promise<number> {
  const [{ job }, { sessions }, { jobs }] = await Promise.all([
    client.submit({ spec, dryRun: true }),
    client.server(),
    client.jobs({ show: 'all', limit: 1 }),
  ]);
  const cpus = Math.ceil(job.cpus);
  const count = spec.gang?.nodes?.min ?? 1;
  const nodes = nodesFor(sessions, cpus / count, job.memoryBytes, job.gpus ?? 0).slice(0, count);
  if (nodes.length < count) throw notSubmitted('Requested node configuration is not available');
  if (quiet) return 0;
  const at = Math.max(world.now(), job.beginAt ?? 0);
  const partition = job.slurm?.partition?.split(',')[0] ?? PARTITION;
  const names = formatHostlist(nodes.map(({ worker }) => worker));
  const estimate = { command, job: (jobs[0]?.id ?? 0) + 1, at, cpus, nodes: names, partition };
  world.stderr.write(testOnlyText(estimate, localZone));
  return 0;
}

/** Workers that are large enough, those with most room first. */
function nodesFor(sessions: readonly SessionView[], cpus: number, memoryBytes: number, gpus: number): SessionView[] {
  return sessions
    .filter(({ connected, draining }) => connected && !draining)
    .filter(
      ({ resources }) =>
        resources.cpus >= cpus && resources.memoryBytes >= memoryBytes && (resources.gpus ?? 0) >= gpus,
    )
    .sort((one, other) => other.freeCpus - one.freeCpus || (one.worker < other.worker ? -1 : 1));
}
