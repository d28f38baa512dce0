import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLogRecords } from '../../core/log-record.ts';
import type { Forker, ForkerKind, LeaseClock, TaskEnded, TaskSpawnFailed } from '../forker/types.ts';
import type { ForkerPort } from '../forker-lives.ts';
import type { KnownJob } from '../job-book.ts';

/** Above all that a coordinator gives, so that nobody's processes are taken for another's. */
const FIRST_FENCE = 2 ** 52;
/** Of what a host writes past Node; its end says why it died. */
const KEPT_BYTES = 64 * 1024;

/** How a host left. */
export type HostEnd =
  | { readonly kind: 'ended'; readonly event: TaskEnded; readonly words: string }
  | { readonly kind: 'notStarted'; readonly event: TaskSpawnFailed }
  /** Neither a forker nor a socket for it can be had. */
  | { readonly kind: 'broken'; readonly why: string }
  /** The forker died with it, or its lease was over. */
  | { readonly kind: 'lost' };

export interface HostForkerOptions {
  /** A directory of the session. */
  readonly directory: string;
  readonly port: ForkerPort;
  readonly kind: ForkerKind | undefined;
}

interface HostStart {
  readonly job: KnownJob;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly memoryBytes: number;
  readonly onEnd: (end: HostEnd) => void;
}

/** The forker of the hosts of a session: they die with the worker, and are held to its lease. */
export class HostForker {
  readonly #options: HostForkerOptions;
  readonly #hosts = new Map<number, HostStart>();
  readonly #environments = new Map<KnownJob, number>();
  #forker: Promise<Forker> | undefined;
  #current: Forker | undefined;
  #lease: { readonly untilMs: number; readonly graceMs: number; readonly clock: LeaseClock | undefined } | undefined;
  #last = 0;
  #lives = 0;

  constructor(options: HostForkerOptions) {
    this.#options = options;
  }

  /** The lease of the session, as its own forker is told. */
  lease(ms: number, graceMs: number, clock: LeaseClock | undefined): void {
    this.#lease = { untilMs: performance.now() + ms, graceMs, clock };
    this.#current?.lease(ms, graceMs, clock);
  }

  /** Starts a host; gives its number. */
  async start(id: number, host: HostStart): Promise<void> {
    this.#forker ??= this.#startForker().catch((error: unknown) => {
      // The next one tries again.
      this.#forker = undefined;
      throw error;
    });
    const forker = await this.#forker;
    const fence = FIRST_FENCE + id;
    const { description, prepared } = host.job;
    this.#hosts.set(fence, host);
    forker.run({
      ...{ fence, jobId: description.id, position: 0, attempt: 1, graceMs: 0, logCapBytes: KEPT_BYTES },
      envId: this.#envOf(forker, host.job),
      env: [`SPAWN_FENCE=${fence}`, ...host.env],
      argv: host.argv,
      cwd: prepared!.cwd,
      umask: description.umask,
      memoryBytes: host.memoryBytes,
    });
  }

  kill(id: number): void {
    this.#current?.kill(FIRST_FENCE + id, 'cancel', 0);
  }

  suspend(id: number, on: boolean): void {
    this.#current?.suspend(FIRST_FENCE + id, on);
  }

  signal(id: number, signal: number, mainOnly: boolean): void {
    this.#current?.signal(FIRST_FENCE + id, signal, mainOnly);
  }

  /** The job is over here. */
  forget(job: KnownJob): void {
    const env = this.#environments.get(job);
    this.#environments.delete(job);
    if (env !== undefined) this.#current?.dropEnv(env);
    this.#current?.forgetJob(job.description.id);
    void rm(join(this.#options.directory, String(job.description.id)), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    const forker = await this.#forker?.catch(() => undefined);
    await forker?.close();
    await rm(this.#options.directory, { recursive: true, force: true });
  }

  #envOf(forker: Forker, job: KnownJob): number {
    let id = this.#environments.get(job);
    if (id === undefined) {
      id = ++this.#last;
      this.#environments.set(job, id);
      forker.setEnv(id, job.prepared!.env);
    }
    return id;
  }

  async #startForker(): Promise<Forker> {
    const { directory, port, kind } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    this.#environments.clear();
    const tag = `hosts-${this.#lives++}`;
    const forker = await port.start({
      logDir: directory,
      sessionTag: tag,
      ...(kind === undefined ? {} : { kind }),
      callbacks: {
        onStarted: () => {},
        onEnded: (event) => void this.#ended(tag, event),
        onSpawnFailed: (event) => this.#over(event.fence, { kind: 'notStarted', event }),
        onRefused: ({ fence, reason }) => reason !== 'duplicateFence' && this.#over(fence, { kind: 'lost' }),
        onExit: () => {
          this.#forker = this.#current = undefined;
          for (const fence of [...this.#hosts.keys()]) this.#over(fence, { kind: 'lost' });
        },
      },
    });
    this.#current = forker;
    if (this.#lease !== undefined) {
      const { untilMs, graceMs, clock } = this.#lease;
      forker.lease(Math.max(0, untilMs - performance.now()), graceMs, clock);
    }
    return forker;
  }

  async #ended(tag: string, event: TaskEnded): Promise<void> {
    if (event.cause === 'lease' || event.cause === 'shutdown') return this.#over(event.fence, { kind: 'lost' });
    const jobId = this.#hosts.get(event.fence)?.job.description.id;
    const words = jobId === undefined ? '' : await this.#wordsOf(jobId, tag, event).catch(() => '');
    this.#over(event.fence, { kind: 'ended', event, words });
  }

  /** What it wrote past Node. */
  async #wordsOf(jobId: number, tag: string, { fence, keptStderrBytes, keptStdoutBytes }: TaskEnded): Promise<string> {
    if (keptStderrBytes + keptStdoutBytes === 0) return '';
    const folder = join(this.#options.directory, String(jobId));
    let words = '';
    for (const name of (await readdir(folder)).filter((file) => file.startsWith(tag)).toSorted()) {
      const { records } = parseLogRecords(await readFile(join(folder, name)), fence);
      for (const { data } of records) words += Buffer.from(data).toString();
    }
    return words;
  }

  #over(fence: number, end: HostEnd): void {
    const host = this.#hosts.get(fence);
    this.#hosts.delete(fence);
    host?.onEnd(end);
  }
}
