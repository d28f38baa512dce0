import { PARTITION } from '../../../api/slurm-names.ts';
import { visible } from '../../../core/error-text.ts';
import { formatHostlist } from '../../../core/hostlist.ts';
import type { Session } from './session.ts';

const MIB = 1_048_576;

/** `show partition`: the pool of workers. @param name undefined: all there are */
export async function showPartitions(session: Session, name: string | undefined): Promise<void> {
  if (name !== undefined && name !== PARTITION) {
    session.print(`Partition ${visible(name)} not found\n`);
    session.exitCode = 1;
    return;
  }
  const { sessions } = await (await session.world.connect()).server();
  const names = [...new Set(sessions.map(({ worker }) => worker))].toSorted((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const sum = (amount: (session: (typeof sessions)[number]) => number) =>
    Math.floor(sessions.reduce((total, each) => total + amount(each), 0));
  const cpus = sum(({ resources }) => resources.cpus);
  const memory = Math.floor(sum(({ resources }) => resources.memoryBytes) / MIB);
  const gpus = sum(({ resources }) => resources.gpus ?? 0);
  const lines = [
    `PartitionName=${PARTITION}`,
    'AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL',
    'AllocNodes=ALL Default=YES QoS=N/A',
    'DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO',
    'MaxNodes=UNLIMITED MaxTime=UNLIMITED MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED',
    `Nodes=${visible(formatHostlist(names))}`,
    'PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO OverSubscribe=NO',
    'OverTimeLimit=NONE PreemptMode=OFF',
    `State=UP TotalCPUs=${cpus} TotalNodes=${names.length} SelectTypeParameters=NONE`,
    'JobDefaults=(null)',
    'DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED',
    `TRES=cpu=${cpus},mem=${memory}M,node=${names.length},billing=${cpus}${gpus === 0 ? '' : `,gres/gpu=${gpus}`}`,
  ];
  session.print(session.oneLine ? `${lines.join(' ')}\n` : `${lines.join('\n   ')}\n\n`);
}
