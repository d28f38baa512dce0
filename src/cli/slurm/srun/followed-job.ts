import { constants } from 'node:os';
import type { JobView, TaskView } from '../../../api/job.ts';
import { refuse } from '../../../config/slurm/refusal.ts';
import { LogStream } from '../../../core/log-record.ts';
import { awaitJob, throughRestarts } from '../../await-job.ts';
import { LogRecords, noteText } from '../../output/merge-logs.ts';
import type { World } from '../../world.ts';

export interface FollowedJobOptions {
  readonly job: JobView;
  readonly quiet: boolean;
  /** How long it may wait for its start, ms. */
  readonly immediateMs: number | undefined;
  readonly world: World;
  readonly onStarted: () => void;
}

/** A job that starts so soon has not waited. */
const QUIET_MS = 1_000;
/** From the signal to the cancel of a job that is interrupted. */
const CANCEL_AFTER_MS = 2_000;

/** A job whose only task is followed from its submit to its end, as srun does. */
export class FollowedJob {
  readonly #options: FollowedJobOptions;
  readonly #id: string;
  readonly #over = new AbortController();
  #state: 'pending' | 'running' | 'ended' = 'pending';
  #stopped = false;
  #toldToWait = false;

  constructor(options: FollowedJobOptions) {
    this.#options = options;
    this.#id = String(options.job.id);
  }

  /** @returns the exit code of srun */
  async run(): Promise<number> {
    const { world, immediateMs, job } = this.#options;
    if (job.held) this.#say('srun: Job is in held state, pending scheduler release');
    const wait = immediateMs === undefined ? setTimeout(() => this.#tellToWait(), job.held ? 0 : QUIET_MS) : undefined;
    const late = immediateMs === undefined ? undefined : setTimeout(() => void this.#cancel(), immediateMs);
    const started = () => {
      clearTimeout(wait);
      clearTimeout(late);
      if (this.#state !== 'pending') return;
      this.#state = 'running';
      this.#options.onStarted();
      if (this.#toldToWait) this.#say(`srun: job ${this.#id} has been allocated resources`);
    };
    const ended = awaitJob(world, this.#id, this.#over.signal, ({ counts }) => {
      if (counts.running > 0) started();
    });
    try {
      await Promise.all([ended, this.#output(started)]);
      this.#state = 'ended';
      const task = await this.#task();
      if (task?.startedAt === undefined) throw this.#neverRan();
      return codeOf(task);
    } finally {
      clearTimeout(wait);
      clearTimeout(late);
      this.#over.abort();
    }
  }

  /** The first Ctrl-C says how it is. */
  interrupted(): void {
    if (this.#state === 'pending') {
      this.stop(constants.signals.SIGINT);
      return;
    }
    this.#options.world.stderr.write('srun: interrupt (one more within 1 sec to abort)\n');
    this.#options.world.stderr.write(`srun: StepId=${this.#id}.0 ${this.#state}\n`);
  }

  /** Ends it: what runs gets the signal first. */
  stop(signal: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#state === 'running') {
      const { SIGINT } = constants.signals;
      const what = signal === SIGINT ? `sending Ctrl-C to StepId=${this.#id}.0` : 'forcing job termination';
      this.#options.world.stderr.write(`srun: ${what}\n`);
      this.signal(signal);
      setTimeout(() => void this.#cancel(), CANCEL_AFTER_MS).unref();
    } else {
      void this.#cancel();
    }
  }

  /** Passed on to its processes. */
  signal(signal: number): void {
    void this.#send((client) => client.signal(this.#id, { signal, scope: 'steps' }));
  }

  #cancel(): Promise<void> {
    return this.#send((client) => client.cancel(this.#id));
  }

  /** What fails here shows in how the job ends. */
  async #send(call: (client: Awaited<ReturnType<World['connect']>>) => Promise<unknown>): Promise<void> {
    try {
      await call(await this.#options.world.connect());
    } catch {
      // As above.
    }
  }

  /** Both streams as they come, each byte once: after a loss of the coordinator the log comes again from its start. */
  async #output(started: () => void): Promise<void> {
    const { world } = this.#options;
    let shown = 0;
    await throughRestarts(world, this.#over.signal, async (client) => {
      const records = new LogRecords();
      let came = 0;
      for await (const chunk of client.logs(this.#id, { follow: '1' }, { signal: this.#over.signal })) {
        for (const record of records.add(chunk)) {
          came += 1;
          if (came <= shown) continue;
          shown = came;
          started();
          if (record.stream === LogStream.NOTE) world.stderr.write(`srun: ${noteText(record)}\n`);
          else (record.stream === LogStream.STDOUT ? world.stdout : world.stderr).write(record.data.slice());
        }
      }
      return true;
    });
  }

  async #task(): Promise<TaskView | undefined> {
    return throughRestarts(this.#options.world, this.#over.signal, async (client) => {
      const { tasks } = await client.tasks(this.#id, { limit: 1 });
      return tasks[0];
    });
  }

  #tellToWait(): void {
    if (this.#state !== 'pending') return;
    this.#toldToWait = true;
    this.#say(`srun: job ${this.#id} queued and waiting for resources`);
  }

  #neverRan() {
    const late = this.#options.immediateMs !== undefined && !this.#stopped;
    const why = late
      ? 'Requested partition configuration not available now'
      : 'Job/step already completing or completed';
    const cancelled = { form: 'command', text: 'Job has been cancelled' } as const;
    const error = { form: 'error', text: `Unable to allocate resources: ${why}` } as const;
    return refuse(late ? [error] : [cancelled, error], 1);
  }

  #say(line: string): void {
    if (!this.#options.quiet) this.#options.world.stderr.write(`${line}\n`);
  }
}

/** Of the srun in the job, also where that was ended from outside. */
function codeOf({ state, process: own, exitCode, signal }: TaskView): number {
  if (own?.code !== undefined) return own.code;
  const by = own?.signal ?? signal;
  if (by !== undefined) return 128 + by;
  return exitCode ?? (state === 'completed' ? 0 : 1);
}
