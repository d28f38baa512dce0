import type { Logger } from 'pino';
import type { DataFiles } from '../client/node/data-files.ts';
import { builtProgram, packageVersion } from '../client/node/package-files.ts';
import { bootId, childrenOf, identify, isAlive, queuedMs, signalProcess } from '../client/node/process-identity.ts';
import { readLiveRecord } from '../client/node/process-record.ts';
import { backgroundEnv } from '../client/node/start-keeper.ts';
import type { InstanceSettings } from '../config/instance-settings.ts';
import type { InstancePorts, NamesPort } from '../coordinator/instances/ports.ts';
import { startLoop } from '../coordinator/loops/start-loop.ts';
import { systemClock } from '../coordinator/system-clock.ts';
import { startDns } from '../dns/choose-address.ts';
import type { DnsServer, NameZone } from '../dns/dns.ts';
import { Zone } from '../dns/zone.ts';
import { hash } from '../providers/local/addresses.ts';
import { createAgentProcess } from '../providers/local/agent-process.ts';
import { createLocalInstances, namesIn, untoldIn } from '../providers/local/local-instances.ts';
import { INSTANCE_PATH } from '../providers/local/sandbox-config.ts';
import type { Arguments } from './arguments.ts';

/** How often it is seen to it that an agent serves what there is. */
const LOOK_MS = 1_000;

export interface LocalInstances {
  readonly ports: InstancePorts;
  /** Instances go on, and their agent with them. With `end` an agent that has none ends. */
  stop(end: boolean): Promise<void>;
}

/** What the coordinator needs for instances on this machine: the provider, whose agent is kept running, and the DNS server. */
export async function openLocalInstances(
  { socketPath, dataDir }: Arguments,
  files: DataFiles,
  storeId: string,
  settings: InstanceSettings,
  log: Logger,
): Promise<LocalInstances> {
  const agent = createAgentProcess({
    processes: { identify, isAlive, signal: signalProcess, childrenOf, bootId },
    recordsDir: files.agentDir,
    version: packageVersion(),
    command: [
      process.execPath,
      builtProgram('spored'),
      'instances',
      ...['--server', `unix:${socketPath}`, '--data-dir', dataDir],
    ],
    env: { ...backgroundEnv(process.env), PATH: INSTANCE_PATH },
    logFile: files.agentLog,
    note: (text) => log.info(text),
    serving: () => readLiveRecord(files.agentPlace),
    beatFile: files.agentBeat,
    queuedMs,
  });
  const ensureAgent = (): void => agent.ensure(systemClock.steady());
  const provider = createLocalInstances({
    directory: files.machinesDir,
    untold: files.untoldDir,
    processes: { isAlive, signal: signalProcess },
    ensureAgent,
    salt: hash(storeId),
  });
  const dns = await openDns(settings, `127.53.${hash(storeId) % 250}.1`, log);
  const zone = dns?.zone ?? new Zone(settings.domain);
  const loop = startLoop(
    async () => {
      if (namesIn(files.machinesDir).length + untoldIn(files.untoldDir).length > 0) ensureAgent();
      return LOOK_MS;
    },
    (error) => log.error({ err: error }, 'the agent of the instances cannot be kept; it is tried again'),
  );
  return {
    ports: {
      provider,
      names: publishIn(zone),
      domain: settings.domain,
      dnsServer: () => dns && { address: dns.address, port: dns.port },
      retentionMs: settings.retentionMs,
    },
    async stop(end) {
      await loop.stop();
      const left = namesIn(files.machinesDir).length;
      if (left > 0) log.warn({ instances: left }, 'instances go on until they end by themselves');
      else if (end) agent.stop();
      await dns?.close();
    },
  };
}

function publishIn(zone: NameZone): NamesPort {
  return {
    set(id, { arrayId, generation, dns, groupDns, address }) {
      zone.set({ id, arrayId, generation }, [
        { name: dns, address, shared: false },
        ...(groupDns === dns ? [] : [{ name: groupDns, address, shared: true }]),
      ]);
    },
    remove: (id) => zone.remove(id),
  };
}

/** Instances find each other without it too, by their /etc/hosts: a port that is taken must not keep the coordinator from serving. */
async function openDns(
  { domain, dnsListen }: InstanceSettings,
  host: string,
  log: Logger,
): Promise<DnsServer | undefined> {
  if (dnsListen === 'off') return undefined;
  try {
    const onError = (error: Error): void => log.warn({ err: error }, 'the DNS server');
    const dns = await startDns({ domain, host, listen: dnsListen, onError });
    log.info({ address: dns.address, port: dns.port, domain }, 'answering DNS');
    return dns;
  } catch (error) {
    log.warn({ err: error }, 'no DNS server: names of instances are known inside them only');
    return undefined;
  }
}
