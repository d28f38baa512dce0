import { hostname } from 'node:os';

/** What a rig is asked to be. Everything has a default; sizes are those Slurm believes, not those of the machine. */
export interface RigOptions {
  /** Virtual nodes `n1`…; each has a slurmd of its own on this host. */
  readonly nodes: number;
  readonly cpusPerNode: number;
  readonly memoryMbPerNode: number;
  /** What a job gets that asks for none; 0: nothing is counted. */
  readonly memoryMbPerCpu: number;
  readonly gpusPerNode: number;
  /** Largest array index plus one, as Slurm counts it. */
  readonly maxArraySize: number;
  readonly maxJobCount: number;
  /** Seconds that an ended job stays visible. */
  readonly minJobAge: number;
  /** Seconds between TERM and KILL. */
  readonly killWait: number;
  /** `none`, or `slurmdbd` over an own MariaDB, so that sacct answers. */
  readonly accounting: 'none' | 'slurmdbd';
  /** Users whom accounting knows. */
  readonly users: readonly string[];
  /** More `Key=value` lines; the last one of a key wins. */
  readonly extra: readonly string[];
}

export const DEFAULTS: RigOptions = {
  nodes: 1,
  cpusPerNode: 8,
  memoryMbPerNode: 16_000,
  memoryMbPerCpu: 100,
  gpusPerNode: 2,
  maxArraySize: 1_001,
  maxJobCount: 10_000,
  minJobAge: 300,
  killWait: 2,
  accounting: 'none',
  users: ['root', 'nobody'],
  extra: [],
};

/** Ports that were free a moment ago. */
export interface Ports {
  readonly slurmctld: number;
  readonly slurmd: readonly number[];
  readonly slurmdbd: number;
  readonly mysql: number;
}

/** Text of slurm.conf for a rig whose files live in `dir`. */
export function writeSlurmConf(dir: string, ports: Ports, o: RigOptions): string {
  const host = hostname();
  const names = Array.from({ length: o.nodes }, (_, i) => `n${i + 1}`);
  const half = names.slice(0, Math.ceil(o.nodes / 2));
  const gres = o.gpusPerNode > 0 ? ` Gres=gpu:${o.gpusPerNode}` : '';
  const lines = [
    'ClusterName=rig',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${ports.slurmctld}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${dir}/munge/socket`,
    'CredType=cred/munge',
    `StateSaveLocation=${dir}/state`,
    `SlurmdSpoolDir=${dir}/spool-%n`,
    `SlurmctldPidFile=${dir}/slurmctld.pid`,
    `SlurmdPidFile=${dir}/slurmd-%n.pid`,
    `SlurmctldLogFile=${dir}/slurmctld.log`,
    `SlurmdLogFile=${dir}/slurmd-%n.log`,
    'SlurmctldDebug=info',
    'SlurmdDebug=info',
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SwitchType=switch/none',
    'MpiDefault=none',
    'JobAcctGatherType=jobacct_gather/linux',
    'JobAcctGatherFrequency=task=5',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU_Memory',
    ...(o.memoryMbPerCpu > 0 ? [`DefMemPerCPU=${o.memoryMbPerCpu}`] : []),
    'SlurmdParameters=config_overrides',
    'SchedulerType=sched/backfill',
    'SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1,bf_resolution=1,batch_sched_delay=0,default_queue_depth=10000',
    'PriorityType=priority/basic',
    `MaxArraySize=${o.maxArraySize}`,
    `MaxJobCount=${o.maxJobCount}`,
    `MinJobAge=${o.minJobAge}`,
    `KillWait=${o.killWait}`,
    'InactiveLimit=0',
    'ReturnToService=2',
    'SlurmctldTimeout=30',
    'SlurmdTimeout=300',
    'MessageTimeout=20',
    'JobCompType=jobcomp/filetxt',
    `JobCompLoc=${dir}/jobcomp.txt`,
    `MailProg=${dir}/mail`,
    'PropagateResourceLimits=NONE',
  ];
  if (o.gpusPerNode > 0) lines.push('GresTypes=gpu');
  if (o.accounting === 'slurmdbd') {
    lines.push(
      'AccountingStorageType=accounting_storage/slurmdbd',
      'AccountingStorageHost=127.0.0.1',
      `AccountingStoragePort=${ports.slurmdbd}`,
      `AccountingStoragePass=${dir}/munge/socket`,
    );
  } else {
    lines.push('AccountingStorageType=accounting_storage/none');
  }
  for (const [i, name] of names.entries()) {
    lines.push(
      `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports.slurmd[i]} CPUs=${o.cpusPerNode} RealMemory=${o.memoryMbPerNode}${gres} State=UNKNOWN`,
    );
  }
  lines.push(`PartitionName=main Nodes=${names.join(',')} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO`);
  lines.push(`PartitionName=short Nodes=${half.join(',')} Default=NO MaxTime=60 DefaultTime=10 State=UP`);
  return `${[...lines, ...o.extra].join('\n')}\n`;
}

/** gres.conf: device files of the rig stand for GPUs, so that CUDA_VISIBLE_DEVICES is set as on a real node. */
export function writeGresConf(dir: string, o: RigOptions): string {
  if (o.gpusPerNode === 0) return '';
  return `Name=gpu File=${dir}/gpu[0-${o.gpusPerNode - 1}]\n`;
}

/** slurmdbd.conf; slurmdbd insists on mode 0600. */
export function writeSlurmdbdConf(dir: string, ports: Ports): string {
  return [
    'AuthType=auth/munge',
    `AuthInfo=socket=${dir}/munge/socket`,
    'DbdHost=localhost',
    'DbdAddr=127.0.0.1',
    `DbdPort=${ports.slurmdbd}`,
    'SlurmUser=root',
    `LogFile=${dir}/slurmdbd.log`,
    `PidFile=${dir}/slurmdbd.pid`,
    'StorageType=accounting_storage/mysql',
    'StorageHost=127.0.0.1',
    `StoragePort=${ports.mysql}`,
    'StorageUser=root',
    'StorageLoc=slurm_rig',
    '',
  ].join('\n');
}
