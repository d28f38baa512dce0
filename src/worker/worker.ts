import { join } from 'node:path';
import { API_VERSION } from '../api/limits.ts';
import type { HelloReply, HelloRequest } from '../api/session.ts';
import { isUntrusted } from '../client/node/http-request.ts';
import type { Gpu } from '../core/gpu-list.ts';
import type { WorkerClient } from './client.ts';
import type { WorkerFlags } from './flags.ts';
import { ForkerLives, type ForkerPort } from './forker-lives.ts';
import { removeHostFolders } from './hosts/open-hosts.ts';
import { JobFiles } from './job-files.ts';
import type { LeaseMoment } from './lease.ts';
import { SessionRecords } from './leftovers.ts';
import { shipLeft } from './own-logs.ts';
import { type Greeting, sayHello } from './say-hello.ts';
import { Session } from './session.ts';
import { removeCallFolders } from './session-desk.ts';
import { removeStages } from './stages.ts';
import { type ForkedPlacesOptions, ForkedStepPlaces } from './steps/forked-places.ts';
import { removeStepFolders, StepFolders } from './steps/step-folders.ts';

type OfMain = 'server' | 'forker' | 'revive' | 'gpus' | 'tokenFile' | 'caFile';

export interface WorkerOptions extends Omit<WorkerFlags, OfMain> {
  /** As many as `resources` says. */
  readonly gpus: readonly Gpu[];
  readonly client: WorkerClient;
  readonly forkers: ForkerPort;
  readonly forker?: WorkerFlags['forker'];
  /** How other workers reach this one; by default on this machine alone. */
  readonly reach?: Pick<ForkedPlacesOptions, 'address' | 'serverHost'>;
  readonly host: string;
  readonly bootId: string;
  /** Of this package. */
  readonly version: string;
  /** One line for a person, without its end. */
  readonly log: (line: string) => void;
}

/** The worker left its session, or the server was away for too long. */
export type WorkerEnd = 'left' | 'gone';

/** The agent of one machine: one session after the other, until it is told to end. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #ending = new AbortController();
  readonly #records: SessionRecords;
  readonly #files: JobFiles;
  readonly #directory: string;
  #session: Session | undefined;
  /** The server has taken a session of this worker. */
  #wasTaken = false;
  #contactMs = performance.now();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#directory = join(options.dataDir, 'worker');
    this.#files = new JobFiles(this.#directory, options.client);
    this.#records = new SessionRecords(join(this.#directory, 'sessions'), options.forkers.killLeftovers);
  }

  /** Works until `drain` or `end`. Rejects when the server refuses this worker, or no forker starts here. */
  async run(): Promise<WorkerEnd> {
    const swept = await this.#records.sweep();
    if (swept > 0) this.#options.log(`killed what dead workers had left (sessions: ${swept})`);
    for (;;) {
      const greeting = await this.#greet();
      if (greeting === undefined) return this.#ending.signal.aborted ? 'left' : 'gone';
      const end = await this.#serve(greeting.hello, greeting.sentAt);
      this.#contactMs = performance.now();
      this.#wasTaken = true;
      if (end === 'left' || end === 'gone') return end;
      this.#options.log('the server does not take this session any more; saying hello again');
    }
  }

  /** Takes no more tasks; gives those that run `graceMs` to finish, then ends them. */
  drain(): void {
    this.#ending.abort();
    this.#session?.drain(this.#options.graceMs);
  }

  /** As `drain`, with no time to finish: TERM now, KILL after the grace time of the job. */
  end(): void {
    this.#ending.abort();
    this.#session?.drain(0);
  }

  /** Says hello until it is answered; undefined when the worker ends before that, or the server is away for too long. */
  #greet(): Promise<Greeting | undefined> {
    const { client, exitWhenGoneMs, log } = this.#options;
    return sayHello({
      client,
      request: () => this.#helloRequest(),
      signal: this.#ending.signal,
      mostMs: 2_000,
      log,
      failed: async (error) => {
        // Once it was trusted, somebody may be changing it.
        if (isUntrusted(error) && !this.#wasTaken) throw error;
        return exitWhenGoneMs > 0 && performance.now() - this.#contactMs > exitWhenGoneMs ? 'give up' : undefined;
      },
    });
  }

  async #serve(hello: HelloReply, sentAt: LeaseMoment) {
    const { client, name, resources, gpus, bindCpus, host, forkers, forker, exitWhenGoneMs, log } = this.#options;
    // Session numbers are per store, and several workers of one user may be of several stores.
    const store = hello.storeId.replaceAll(/[^\w-]/g, '_');
    const marker = `${store}-${hello.sessionId}`;
    // Without its record only the cleaning up after two crashes is lost: no reason not to work on a full disk.
    await this.#records.open(marker).catch((error: Error) => log(`no record of the session: ${error.message}`));
    const stays = async (other: string) => other === marker || (await this.#records.isLive(other));
    void removeStages(this.#directory, stays);
    void removeStepFolders(this.#directory, stays);
    void removeCallFolders(this.#directory, stays);
    void removeHostFolders(this.#directory, stays);
    const stepFolders = new StepFolders(this.#directory, marker);
    const stepPlaces = new ForkedStepPlaces({
      ...{ base: stepFolders.base, marker, port: forkers, kind: forker, gpus, bindCpus, sameHost: hello.sameHost },
      ...(this.#options.reach ?? { address: undefined, serverHost: undefined }),
    });
    const session = new Session({
      client,
      hello,
      helloSentAt: hello.sameHost ? { ...sentAt, bootMs: sentAt.monotonicMs } : sentAt,
      resources,
      gpus,
      bindCpus,
      host,
      worker: name,
      dataDir: this.#directory,
      files: this.#files,
      lives: (wiring) => new ForkerLives({ port: stepPlaces.sharing(forkers), kind: forker, ...wiring }),
      marker,
      stepFolders,
      stepPlaces,
      hostForkers: { port: forkers, kind: forker },
      exitWhenGoneMs,
      log,
    });
    this.#session = session;
    void shipLeft(this.#directory, store, client, (other) => this.#records.isLive(other), log);
    if (this.#ending.signal.aborted) session.drain(0);
    try {
      return await session.run();
    } finally {
      this.#session = undefined;
      await stepFolders.close();
      await this.#records.close(marker);
    }
  }

  #helloRequest(): HelloRequest {
    const { name, host, bootId, resources, version, instance } = this.#options;
    return {
      worker: name,
      host,
      pid: process.pid,
      bootId,
      resources,
      api: API_VERSION,
      version,
      ...(instance === undefined ? {} : { instance }),
    };
  }
}
