import { join } from 'node:path';

/** Names inside a data directory that its background processes and the commands agree on. */
export interface DataFiles {
  /** Private; holds the records of the processes that live. */
  readonly runDir: string;
  /** Who restarts the server. */
  readonly keeper: string;
  /** Who serves; gone when it was stopped on purpose. */
  readonly server: string;
  /** Why the server cannot start: a SpawnError in JSON, from the last start that failed for good. */
  readonly failure: string;
  /** What the last `server start` said of the network (listen-record.ts); gone after `server stop`. */
  readonly listen: string;
  /** One record for each local worker that was started. */
  readonly instancesDir: string;
  /** The record of the agent that serves the instances of this machine. */
  readonly agentDir: string;
  /** Which agent serves them, by its own word. */
  readonly agentPlace: string;
  /** Touched by it again and again while it is well. */
  readonly agentBeat: string;
  /** One directory for each instance on this machine, with its disk. */
  readonly machinesDir: string;
  /** What their agent could not tell before it ended: a file for each instance, by its id. */
  readonly untoldDir: string;
  /** What the keeper and the server have to say, one JSON object a line. */
  readonly serverLog: string;
  readonly workerLog: string;
  readonly agentLog: string;
}

export function dataFiles(dataDir: string): DataFiles {
  const runDir = join(dataDir, 'run');
  return {
    runDir,
    keeper: join(runDir, 'keeper.json'),
    server: join(runDir, 'server.json'),
    failure: join(runDir, 'failure.json'),
    listen: join(runDir, 'listen.json'),
    instancesDir: join(runDir, 'instances'),
    agentDir: join(runDir, 'agent'),
    agentPlace: join(runDir, 'agent.json'),
    agentBeat: join(runDir, 'agent.beat'),
    machinesDir: join(dataDir, 'instances'),
    untoldDir: join(dataDir, 'instances', '.untold'),
    serverLog: join(dataDir, 'server.log'),
    workerLog: join(dataDir, 'worker.log'),
    agentLog: join(dataDir, 'instances.log'),
  };
}
