import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { parseLogRecords } from '../../src/core/log-record.ts';
import { startForker } from '../../src/worker/forker/forker.ts';
import { nativeForkerPath } from '../../src/worker/forker/programs.ts';
import { killLeftovers } from '../../src/worker/forker/sweep.ts';
import type { Forker, ForkerKind } from '../../src/worker/forker/types.ts';
import { Worker, type WorkerEnd, type WorkerOptions } from '../../src/worker/worker.ts';
import { ScriptedCoordinator } from './scripted-coordinator.ts';
import type { TakenEnd } from './taken-ends.ts';
import { until } from './until.ts';

/** The forkers that can be had here. */
export const FORKERS: readonly ForkerKind[] = existsSync(nativeForkerPath()) ? ['native', 'node'] : ['node'];

/** A worker with a real forker under a scripted coordinator, until the test ends. Then no fault may have been noted. */
export interface WorkerOnScript {
  readonly coordinator: ScriptedCoordinator;
  /** For the test's own files. */
  readonly folder: string;
  /** In order of their start. */
  readonly forkers: Forker[];
  /** What the worker said to people. */
  readonly lines: string[];
  worker: Worker;
  done: Promise<WorkerEnd>;
  start(changes?: Partial<WorkerOptions>): void;
  /** Resolves when so many ends were taken in. */
  ended(count: number): Promise<TakenEnd[]>;
  /** The text of a file in the folder; '' while there is none. */
  read(name: string): string;
  /** What an attempt wrote, both streams. */
  logOf(job: number, fence: number): string;
}

export function workerOnScript(): WorkerOnScript {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-worker-'));
  const coordinator = new ScriptedCoordinator();
  coordinator.logDir = join(folder, 'logs');
  const forkers: Forker[] = [];
  const lines: string[] = [];
  let failed: unknown;
  const script: WorkerOnScript = {
    coordinator,
    folder,
    forkers,
    lines,
    worker: undefined as never,
    done: Promise.resolve('left'),
    start(changes = {}) {
      script.worker = new Worker({
        client: coordinator,
        forkers: {
          killLeftovers,
          async start(options) {
            const forker = await startForker(options);
            forkers.push(forker);
            return forker;
          },
        },
        host: 'here',
        bootId: 'boot',
        version: '0',
        log: (line) => lines.push(line),
        name: 'w',
        resources: { cpus: 2, memoryBytes: 2 ** 30 },
        gpus: [],
        bindCpus: true,
        dataDir: join(folder, 'data'),
        graceMs: 30_000,
        exitWhenGoneMs: 0,
        ...changes,
      });
      script.done = script.worker.run();
      script.done.catch((error) => {
        failed = error;
      });
    },
    async ended(count) {
      await until(`${count} ends`, () => failed !== undefined || coordinator.ends.length >= count);
      if (failed !== undefined) throw failed;
      return coordinator.ends;
    },
    read(name) {
      const path = join(folder, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    },
    logOf(job, fence) {
      const directory = join(folder, 'logs', String(job));
      if (!existsSync(directory)) return '';
      return readdirSync(directory)
        .flatMap((name) => parseLogRecords(readFileSync(join(directory, name)), fence).records)
        .map(({ data }) => Buffer.from(data).toString())
        .join('');
    },
  };
  onTestFinished(async () => {
    coordinator.failure = undefined;
    coordinator.frozen = false;
    script.worker?.end();
    await script.done.catch(() => {});
    rmSync(folder, { recursive: true, force: true });
    expect(coordinator.faults).toEqual([]);
  });
  return script;
}
