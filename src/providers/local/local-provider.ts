import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { SpawnError } from '../../core/errors.ts';
import type { Provider } from '../provider.ts';
import { type InstanceRecord, openInstanceRecords, type ProcessIdentity } from './instance-records.ts';

/** What the provider needs of the system's processes. */
export interface Processes {
  /** Undefined when no process of this number lives. */
  identify(pid: number): ProcessIdentity | undefined;
  isAlive(identity: ProcessIdentity): boolean;
  /** False when it is gone. */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals): boolean;
  /** Those that live. */
  childrenOf(pid: number): readonly ProcessIdentity[];
  bootId(): string;
}

export interface LocalProviderOptions {
  readonly processes: Processes;
  /** Where the records of what was started are kept. */
  readonly instancesDir: string;
  /** Program and arguments of an agent that calls itself `id`. */
  readonly command: (id: string) => readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error of the agents are appended here. */
  readonly logFile: string;
  /** An agent ended that this process started. */
  readonly onExit?: (id: string) => void;
}

/** An agent lets what runs go on after the first TERM, and ends it at the second. Two at once would count as one. */
const SECOND_TERM_MS = 250;

/**
 * Agents as processes of this machine. They are detached: they live on when this process dies, and are found again by
 * their records.
 */
export function createLocalProvider(options: LocalProviderOptions): Provider {
  const { processes } = options;
  const records = openInstanceRecords(options.instancesDir);

  const live = (id: string): InstanceRecord | undefined => {
    const record = records.read(id);
    return record !== undefined && processes.isAlive(record) ? record : undefined;
  };

  return {
    name: 'local',

    async start(id) {
      const child = launch(options, id);
      child.once('exit', () => options.onExit?.(id));
      await started(child);
      // A child that has ended is not forgotten by the system before the event above, so the number is still its own.
      const identity = processes.identify(child.pid ?? 0);
      if (identity !== undefined) records.write(id, identity);
    },

    async list() {
      return records.ids().filter((id) => {
        const record = records.read(id);
        if (record === undefined) return false;
        const lives = processes.isAlive(record);
        if (!lives && !hasForker(record, processes)) records.remove(id);
        return lives;
      });
    },

    async stop(id, how) {
      const record = live(id);
      if (record === undefined) return;
      processes.signal(record, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
      if (how === 'end') setTimeout(() => processes.signal(record, 'SIGTERM'), SECOND_TERM_MS);
    },

    async isGone(place) {
      const id = place.instance;
      if (id === undefined || !id.startsWith('local-')) return false;
      if (place.bootId !== processes.bootId()) return true;
      const record = records.read(id);
      const agent = record?.pid === place.pid ? record : processes.identify(place.pid);
      if (agent !== undefined && processes.isAlive(agent)) {
        if (record === agent) rememberForker(id, agent);
        return false;
      }
      return record === undefined || !hasForker(record, processes);
    },
  };

  /** The one child of an agent. It is found while the agent lives: nobody can tell afterwards. */
  function rememberForker(id: string, record: InstanceRecord): void {
    const [forker] = processes.childrenOf(record.pid);
    if (forker !== undefined && forker.pid !== record.forker?.pid) records.write(id, { ...record, forker });
  }
}

function hasForker(record: InstanceRecord, processes: Processes): boolean {
  return record.forker !== undefined && processes.isAlive(record.forker);
}

function launch(options: LocalProviderOptions, id: string): ChildProcess {
  const [program, ...args] = options.command(id);
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      cwd: '/',
      detached: true,
      env: options.env,
      stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new SpawnError('INTERNAL', { why: error.message }, { cause: error })));
  });
}
