import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
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
  /** It touches this file every few seconds while it is well. */
  readonly beatFile: string;
  /** How long a process has waited for a processor since it began, ms; undefined where nobody tells. */
  readonly queuedMs: (pid: number) => number | undefined;
}

/** The one process that serves all instances of this machine. It is detached: it lives on when this process dies. */
export interface AgentProcess {
  /**
   * Starts it unless it lives and is well. After short lives, and while another one is on its way out, it waits: so call again, about once a
   * second.
   *
   * @param nowMs on a clock that nobody sets
   */
  ensure(nowMs: number): void;
  readonly alive: boolean;
  stop(): void;
}

/** One that lived so long had a good start. */
const GOOD_LIFE_MS = 10_000;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 30_000;
/** One that was killed counts as so many short lives at most: it would not have ended by itself. */
const MOST_KILLED = 3;
/** One that gives no sign of life for so long is killed; what it served runs on, and is taken over by the next. */
const SILENT_MS = 60_000;
/** From TERM to KILL of one of another version. */
const LET_GO_MS = 30_000;
/** Of the time between two looks so much counts: where the machine slept, or this process stood still, the agent may have done so too. */
const MOST_STEP_MS = 2_000;

export function createAgentProcess(options: AgentProcessOptions): AgentProcess {
  const { processes, command, env, logFile, note } = options;
  const records = openInstanceRecords(options.recordsDir);
  const name = `agent-${options.version}`;
  let bornAtMs = 0;
  let shortLives = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let beat: number | undefined;
  let silentMs = 0;
  let queuedMs = 0;
  /** How long ago those of other versions were asked to end, by process, ms. */
  const asked = new Map<string, number>();

  const lives = (id: string): boolean => {
    const record = records.read(id);
    return record !== undefined && processes.isAlive(record);
  };
  const isAlive = (): boolean => lives(name) || options.serving()?.version === options.version;

  /** Asks it to let go of its instances; one that stands still cannot hear that. */
  const askToEnd = (other: ProcessIdentity, stepMs: number): void => {
    const key = `${other.pid}-${other.startTicks}`;
    const since = asked.get(key);
    asked.set(key, (since ?? -stepMs) + stepMs);
    if (since === undefined) processes.signal(other, 'SIGTERM');
    else if (since >= LET_GO_MS && processes.signal(other, 'SIGKILL')) {
      note(`an agent of another version (process ${other.pid}) did not let go of its instances; it was killed`);
    }
  };

  /** Whether agents of other versions are still on their way out. */
  const othersLive = (stepMs: number): boolean => {
    const others = new Map<number, ProcessIdentity>();
    const unknown = options.serving();
    if (unknown !== undefined) others.set(unknown.pid, unknown);
    for (const id of records.ids()) {
      if (id === name) continue;
      const record = records.read(id)!;
      if (lives(id)) others.set(record.pid, record);
      else records.remove(id);
    }
    for (const other of others.values()) askToEnd(other, stepMs);
    return others.size > 0;
  };

  /** Kills one of this version that has shown no sign of life for long. */
  const endSilent = (stepMs: number): void => {
    const last = statSync(options.beatFile, { throwIfNoEntry: false })?.mtimeMs;
    const serving = options.serving();
    const before = queuedMs;
    queuedMs = options.queuedMs((serving ?? records.read(name))?.pid ?? 0) ?? 0;
    // One that gets no processor cannot show that it is well, and to start another would take longer still.
    const countedMs = Math.max(0, stepMs - Math.max(0, queuedMs - before));
    // Where the file could never be made nobody can tell.
    silentMs = last === undefined || last !== beat ? 0 : silentMs + countedMs;
    beat = last;
    if (silentMs < SILENT_MS) return;
    silentMs = 0;
    for (const each of [records.read(name), serving?.version === options.version ? serving : undefined]) {
      if (each !== undefined) processes.signal(each, 'SIGKILL');
    }
    note(`the agent of the instances gave no sign of life for ${SILENT_MS / 1_000} s; it was killed`);
  };

  const makeBeatFile = (): void => {
    try {
      closeSync(openSync(options.beatFile, 'a', 0o600));
    } catch {
      // The disk is full: it is made later, by the agent.
    }
    silentMs = 0;
  };

  const start = (nowMs: number): void => {
    makeBeatFile();
    const log = openSync(logFile, 'a', 0o600);
    try {
      const [program, ...args] = command;
      const child = spawn(program, args, { cwd: '/', detached: true, env, stdio: ['ignore', log, log] });
      child.once('error', (error) => note(`the agent of the instances cannot be started: ${error.message}`));
      child.once('exit', (_, signal) => {
        if (signal === 'SIGKILL') shortLives = Math.min(shortLives, MOST_KILLED);
      });
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
      const stepMs = Math.min(Math.max(0, nowMs - lookedAtMs), MOST_STEP_MS);
      lookedAtMs = nowMs;
      if (isAlive()) {
        endSilent(stepMs);
        return;
      }
      if (othersLive(stepMs)) return;
      asked.clear();
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
