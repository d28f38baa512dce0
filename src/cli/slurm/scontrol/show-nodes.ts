import { freemem, hostname, loadavg, release, version } from 'node:os';
import type { ServerView, SessionView } from '../../../api/server-view.ts';
import { PARTITION } from '../../../api/slurm-names.ts';
import { parseHostlist } from '../../../config/slurm/hostlist.ts';
import { visible } from '../../../core/error-text.ts';
import { localZone } from '../../local-zone.ts';
import { localTime } from '../clock-text.ts';
import { SLURM_VERSION } from '../dialect-help.ts';
import type { Session } from './session.ts';

const MIB = 1_048_576;

/** `show node`: the workers of the pool. @param list their names; undefined: all */
export async function showNodes(session: Session, list: string | undefined): Promise<void> {
  const server = await (await session.world.connect()).server();
  const known = nodesOf(server);
  if (list === undefined && known.size === 0) return session.print('No nodes in the system\n');
  for (const name of list === undefined ? known.keys() : parseHostlist(list)) {
    const node = known.get(name);
    if (node === undefined) {
      session.print(`Node ${visible(name)} not found\n`);
      session.exitCode = 1;
    } else {
      const lines = linesOf(node);
      session.print(session.oneLine ? `${lines.join(' ')}\n` : `${lines.join('\n   ')}\n\n`);
    }
  }
}

/** `show aliases`: the names alone. */
export async function showNames(session: Session): Promise<void> {
  const names = [...nodesOf(await (await session.world.connect()).server()).keys()];
  session.print(`${names.map(visible).join(' ')}\n`);
}

/** By name; of a worker that came back the connection that is open. */
function nodesOf({ sessions }: ServerView): ReadonlyMap<string, SessionView> {
  const byName = new Map<string, SessionView>();
  for (const node of sessions.toSorted((a, b) => a.worker.localeCompare(b.worker, 'en', { numeric: true }))) {
    if (byName.get(node.worker)?.connected !== true) byName.set(node.worker, node);
  }
  return byName;
}

function linesOf(node: SessionView): readonly string[] {
  const { resources, freeCpus, freeMemoryBytes = resources.memoryBytes, worker, host } = node;
  const total = Math.floor(resources.cpus);
  const taken = Math.min(total, Math.ceil(resources.cpus - freeCpus));
  const memory = Math.floor(resources.memoryBytes / MIB);
  const takenMemory = Math.ceil((resources.memoryBytes - freeMemoryBytes) / MIB);
  const gpus = Math.floor(resources.gpus ?? 0);
  const freeGpus = Math.floor(node.freeGpus ?? gpus);
  // Of another machine nobody reports them.
  const isHere = host === hostname();
  const load = isHere ? loadavg()[0]!.toFixed(2) : 'N/A';
  const free = isHere ? String(Math.floor(freemem() / MIB)) : 'N/A';
  const system = isHere ? `OS=Linux ${release()} ${version()} ` : 'OS=Linux ';
  const opened = localTime(node.openedAt, localZone, 'Unknown');
  const named = Object.entries(resources.named ?? {}).map(([name, amount]) => `${name}:${amount}`);
  const gres = [...(gpus === 0 ? [] : [`gpu:${gpus}`]), ...named].join(',');
  const used = gpus === freeGpus ? '' : `,gres/gpu=${gpus - freeGpus}`;
  return [
    `NodeName=${visible(worker)} Arch=${isHere ? (ARCHES[process.arch] ?? process.arch) : 'N/A'} CoresPerSocket=1 `,
    `CPUAlloc=${taken} CPUEfctv=${total} CPUTot=${total} CPULoad=${load}`,
    'AvailableFeatures=(null)',
    'ActiveFeatures=(null)',
    `Gres=${gres === '' ? '(null)' : gres}`,
    `NodeAddr=${visible(host)} NodeHostName=${visible(host)} Version=${SLURM_VERSION}`,
    system,
    `RealMemory=${memory} AllocMem=${takenMemory} FreeMem=${free} Sockets=${total} Boards=1`,
    `State=${stateOf(node, taken, total)} ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A`,
    `Partitions=${PARTITION} `,
    `BootTime=Unknown SlurmdStartTime=${opened}`,
    'LastBusyTime=Unknown',
    `CfgTRES=cpu=${total},mem=${memory}M,billing=${total}${gpus === 0 ? '' : `,gres/gpu=${gpus}`}`,
    `AllocTRES=${taken === 0 ? '' : `cpu=${taken}${takenMemory === 0 ? '' : `,mem=${takenMemory}M`}${used}`}`,
    'CapWatts=n/a',
    'CurrentWatts=0 AveWatts=0',
    'ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s',
  ];
}

const ARCHES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

function stateOf({ connected, draining }: SessionView, taken: number, total: number): string {
  if (!connected) return 'DOWN*';
  const busy = taken === 0 ? 'IDLE' : taken < total ? 'MIXED' : 'ALLOCATED';
  return draining ? `${busy}+DRAIN` : busy;
}
