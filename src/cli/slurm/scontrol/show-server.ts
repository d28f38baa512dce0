import { hostname } from 'node:os';
import { DEFAULT_GRACE_MS } from '../../../api/limits.ts';
import type { ServerView } from '../../../api/server-view.ts';
import { CLUSTER } from '../../../api/slurm-names.ts';
import { localZone } from '../../local-zone.ts';
import { localTime } from '../clock-text.ts';
import { SLURM_VERSION, VERSION_TEXT } from '../dialect-help.ts';
import { MIN_JOB_AGE } from '../queue-pages.ts';
import type { Session } from './session.ts';

const NAME_WIDTH = 23;

/** `ping` starts no coordinator: that would make its answer true. */
async function ping(session: Session): Promise<void> {
  const client = await session.world.connectIfRunning();
  const server = await client?.server().catch(() => undefined);
  const host = (server?.host ?? hostname()).split('.', 1)[0];
  session.print(`Slurmctld(primary) at ${host} is ${server === undefined ? 'DOWN' : 'UP'}\n`);
  if (server === undefined) session.exitCode = 1;
}

/** Commands that tell of the coordinator. */
export const SHOW: Readonly<Record<'ping' | 'version', (session: Session) => void | Promise<void>>> = {
  ping,
  version: (session) => session.print(VERSION_TEXT),
};

/** `show config`: what of Slurm's configuration holds here, and no more. */
export async function showConfig(session: Session): Promise<void> {
  const server = await (await session.world.connect()).server();
  const time = (at: number) => localTime(at, localZone, 'N/A');
  const lines = Object.entries(configOf(server, time)).map(([name, value]) => `${name.padEnd(NAME_WIDTH)} = ${value}`);
  session.print(`Configuration data as of ${time(session.world.now())}\n${lines.join('\n')}\n\n`);
}

function configOf(server: ServerView, time: (at: number) => string): Readonly<Record<string, string | number>> {
  return {
    AccountingStorageType: 'accounting_storage/slurmdbd',
    BOOT_TIME: time(server.startedAt),
    ClusterName: CLUSTER,
    DependencyParameters: '(null)',
    FirstJobId: 1,
    InactiveLimit: '0 sec',
    JobRequeue: 1,
    KillWait: `${DEFAULT_GRACE_MS / 1_000} sec`,
    // Slurm's is above the largest index.
    ...(server.maxArraySize === undefined ? {} : { MaxArraySize: server.maxArraySize + 1 }),
    MinJobAge: `${MIN_JOB_AGE} sec`,
    OverTimeLimit: '0 min',
    PreemptMode: 'OFF',
    PriorityType: 'priority/basic',
    SelectType: 'select/cons_tres',
    SelectTypeParameters: 'CR_CPU_MEMORY',
    'SlurmctldHost[0]': server.host,
    SLURM_VERSION,
    StateSaveLocation: server.dataDir,
  };
}
