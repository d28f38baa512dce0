import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { openInstanceRecords, type ProcessIdentity } from './instance-records.ts';
import type { Processes } from './local-provider.ts';

export interface AgentProcessOptions {
  readonly processes: Processes;
  /** Where the record of the agent is kept. */
  readonly recordsDir: string;
  readonly command: readonly [string, ...string[]];
  /** Of this package: an agent of another one is told to let go of its instances, and followed by one of this. */
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error of the agent are appended here. */
  readonly logFile: string;
  readonly note: (text: string) => void;
  /** Who serves the instances, by its own word: a server that was killed had no time to write down whom it had started. */
  readonly serving: () => (ProcessIdentity & { readonly version: string }) | undefined;
}

/** The one process that serves all instances of this machine. It is detached: it lives on when this process dies. */
export interface AgentProcess {
  /** Starts it unless it lives. After short lives it waits a while, so call again. */
  ensure(nowMs: number): void;
  readonly alive: boolean;
  stop(): void;
}

/** One that lived so long had a good start. */
const GOOD_LIFE_MS = 10_000;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 30_000;

export function createAgentProcess(options: AgentProcessOptions): AgentProcess {
  const { processes, command, env, logFile, note } = options;
  const records = openInstanceRecords(options.recordsDir);
  const name = `agent-${options.version}`;
  let bornAtMs = 0;
  let shortLives = 0;

  const lives = (id: string): boolean => {
    const record = records.read(id);
    return record !== undefined && processes.isAlive(record);
  };
  const isAlive = (): boolean => lives(name) || options.serving()?.version === options.version;

  /** Whether agents of other versions are still on their way out. */
  const othersLive = (): boolean => {
    const unknown = options.serving();
    let any = unknown !== undefined;
    if (unknown !== undefined) processes.signal(unknown, 'SIGTERM');
    for (const id of records.ids()) {
      if (id === name) continue;
      if (!lives(id)) records.remove(id);
      else {
        any = true;
        processes.signal(records.read(id)!, 'SIGTERM');
      }
    }
    return any;
  };

  const start = (nowMs: number): void => {
    const log = openSync(logFile, 'a', 0o600);
    try {
      const [program, ...args] = command;
      const child = spawn(program, args, { cwd: '/', detached: true, env, stdio: ['ignore', log, log] });
      child.once('error', (error) => note(`the agent of the instances cannot be started: ${error.message}`));
      child.unref();
      bornAtMs = nowMs;
      const identity = processes.identify(child.pid ?? 0);
      if (identity !== undefined) records.write(name, identity);
    } finally {
      closeSync(log);
    }
  };

  return {
    get alive() {
      return isAlive();
    },

    ensure(nowMs) {
      if (isAlive() || othersLive()) return;
      const known = bornAtMs > 0;
      const livedMs = nowMs - bornAtMs;
      if (known && livedMs >= GOOD_LIFE_MS) shortLives = 0;
      const delayMs = shortLives < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (shortLives - 2), MAX_DELAY_MS);
      if (known && livedMs < delayMs) return;
      shortLives += 1;
      if (known) note('the agent of the instances ended; another is started');
      start(nowMs);
    },

    stop() {
      for (const id of records.ids()) processes.signal(records.read(id)!, 'SIGTERM');
      const unknown = options.serving();
      if (unknown !== undefined) processes.signal(unknown, 'SIGTERM');
    },
  };
}
