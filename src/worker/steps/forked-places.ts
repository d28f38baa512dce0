import { createSocket } from 'node:dgram';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GangMessage, MemberMessage } from '../../api/gang.ts';
import { builtProgram } from '../../client/node/package-files.ts';
import { signalSteps } from '../../client/node/steps/signal-steps.ts';
import { gangFile, makeStepFolder, stepFolder } from '../../client/node/steps/step-folder.ts';
import type { Gpu } from '../../core/gpu-list.ts';
import { minimalEnvironment } from '../environment.ts';
import type { Forker, ForkerKind, LeaseClock } from '../forker/types.ts';
import type { ForkerPort } from '../forker-lives.ts';
import { gpuEnvironment } from '../gpu-environment.ts';
import type { StepAddress, StepPlaces } from '../step-places.ts';
import { placePath, portPath, writePrivate } from './place-file.ts';

export interface ForkedPlacesOptions {
  /** What `SPAWN_STEP_DIR` of every task is. */
  readonly base: string;
  /** What `SPAWN_SESSION` of every task is. */
  readonly marker: string;
  readonly port: ForkerPort;
  readonly kind: ForkerKind | undefined;
  readonly gpus: readonly Gpu[];
  readonly bindCpus: boolean;
  /** The coordinator is on this machine, too. */
  readonly sameHost: boolean;
  /** Where other workers reach this one, when it was said. */
  readonly address: string | undefined;
  /** Name or address of the server; undefined for a Unix socket. */
  readonly serverHost: string | undefined;
}

const ENV = 1;
const READY_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 10;
/** Of the host itself, beside what its steps may use. */
const HOST_MEMORY_BYTES = 128 * 1024 * 1024;
/** From TERM to KILL for steps whose attempt is over. */
const GRACE_MS = 2_000;
const LOOPBACK = '127.0.0.1';

interface Place {
  readonly address: Promise<StepAddress>;
  readonly over: PromiseWithResolvers<void>;
}

/** The places of members of gangs on this worker, each a process of a forker that they share: it dies with the worker, and holds the worker's lease. */
export class ForkedStepPlaces implements StepPlaces {
  readonly #options: ForkedPlacesOptions;
  readonly #places = new Map<number, Place>();
  #forker: Promise<Forker> | undefined;
  #lease: { readonly untilMs: number; readonly graceMs: number; readonly clock: LeaseClock | undefined } | undefined;

  constructor(options: ForkedPlacesOptions) {
    this.#options = options;
  }

  /** The same port, whose forkers pass their lease on to the forker of the places. */
  sharing(port: ForkerPort): ForkerPort {
    return {
      killLeftovers: (session) => port.killLeftovers(session),
      start: async (options) => {
        const forker = await port.start(options);
        const own = forker.lease.bind(forker);
        forker.lease = (ms, graceMs, clock) => {
          own(ms, graceMs, clock);
          this.#lease = { untilMs: performance.now() + ms, graceMs, clock };
          void this.#forker?.then((steps) => steps.lease(ms, graceMs, clock)).catch(() => undefined);
        };
        return forker;
      },
    };
  }

  admit(member: MemberMessage, devices: readonly number[]): Promise<StepAddress> {
    const known = this.#places.get(member.fence);
    if (known !== undefined) return known.address;
    const over = Promise.withResolvers<void>();
    const address = this.#open(member, devices, over);
    this.#places.set(member.fence, { address, over });
    address.catch(() => undefined);
    return address;
  }

  async release(fence: number): Promise<void> {
    const place = this.#places.get(fence);
    if (place === undefined) return;
    // One that is being opened is there in a moment, or fails.
    await place.address.catch(() => undefined);
    const forker = await this.#forker?.catch(() => undefined);
    forker?.kill(fence, 'cancel', GRACE_MS);
    if (forker === undefined) place.over.resolve();
    await place.over.promise;
    this.#places.delete(fence);
    await rm(stepFolder(this.#options.base, fence), { recursive: true, force: true });
  }

  gangReady({ fence, secret, nodes }: GangMessage): void {
    const folder = stepFolder(this.#options.base, fence);
    makeStepFolder(folder);
    writePrivate(gangFile(folder), JSON.stringify({ fence, secret, nodes }));
  }

  signal(fence: number, signal: number): void {
    signalSteps(stepFolder(this.#options.base, fence), fence, signal);
  }

  async close(): Promise<void> {
    const forker = await this.#forker?.catch(() => undefined);
    await forker?.close();
    for (const { over } of this.#places.values()) over.resolve();
    this.#places.clear();
  }

  async #open(
    member: MemberMessage,
    devices: readonly number[],
    over: PromiseWithResolvers<void>,
  ): Promise<StepAddress> {
    const { fence, job, position, attempt, cpus, memoryBytes } = member;
    const { address, folder, marks, forker } = await this.#prepare(member, devices).catch((error: unknown) => {
      // The forker has never heard of it, and tells no end.
      over.resolve();
      throw error;
    });
    forker.run({
      ...{ fence, jobId: job, position, attempt, envId: ENV, env: marks, logCapBytes: 0, graceMs: GRACE_MS, cwd: '/' },
      argv: [process.execPath, builtProgram('spored'), 'step-host', folder],
      ...(memoryBytes > 0 ? { memoryBytes: memoryBytes + HOST_MEMORY_BYTES } : {}),
      ...(this.#options.bindCpus ? { cpuMilli: Math.max(1, Math.round(cpus * 1_000)) } : {}),
    });
    return { address, port: await portOf(folder, over.promise) };
  }

  async #prepare({ fence, secret }: MemberMessage, devices: readonly number[]) {
    const { base, marker, gpus } = this.#options;
    const folder = stepFolder(base, fence);
    makeStepFolder(folder);
    const address = await this.#ownAddress();
    const vendor = gpus[0]?.vendor;
    const mine = devices.map((device) => gpus[device]!);
    const marks = [`SPAWN_FENCE=${fence}`, `SPAWN_SESSION=${marker}`, `SPAWN_STEP_DIR=${base}`];
    const env = [...marks, ...(vendor === undefined ? [] : gpuEnvironment(vendor, mine))];
    const place = { fence, secret, address, env: Object.fromEntries(env.map(split)) };
    writePrivate(placePath(folder), JSON.stringify(place));
    this.#forker ??= this.#startForker().catch((error: unknown) => {
      // The next one tries again.
      this.#forker = undefined;
      throw error;
    });
    return { address, folder, marks, forker: await this.#forker };
  }

  async #startForker(): Promise<Forker> {
    const { base, port, kind, marker } = this.#options;
    await mkdir(base, { recursive: true, mode: 0o700 });
    const over = (fence: number) => this.#places.get(fence)?.over.resolve();
    const forker = await port.start({
      logDir: base,
      sessionTag: 'steps',
      ...(kind === undefined ? {} : { kind }),
      callbacks: {
        onStarted: () => {},
        onEnded: ({ fence }) => over(fence),
        onSpawnFailed: ({ fence }) => over(fence),
        onRefused: ({ fence, reason }) => reason !== 'duplicateFence' && over(fence),
        onExit: () => {
          this.#forker = undefined;
          for (const place of this.#places.values()) place.over.resolve();
        },
      },
    });
    forker.setEnv(ENV, [...minimalEnvironment(), `SPAWN_SESSION=${marker}`]);
    if (this.#lease !== undefined) {
      const { untilMs, graceMs, clock } = this.#lease;
      forker.lease(Math.max(0, untilMs - performance.now()), graceMs, clock);
    }
    return forker;
  }

  /** The one by which this machine reaches the server, unless it was said; on the server's own machine nobody else needs one. */
  async #ownAddress(): Promise<string> {
    const { address, sameHost, serverHost } = this.#options;
    if (address !== undefined) return address;
    return sameHost || serverHost === undefined ? LOOPBACK : addressTowards(serverHost);
  }
}

function split(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}

async function portOf(folder: string, over: Promise<void>): Promise<number> {
  const until = performance.now() + READY_WITHIN_MS;
  let ended = false;
  void over.then(() => {
    ended = true;
  });
  while (!ended && performance.now() < until) {
    const text = await readFile(portPath(folder), 'utf8').catch(() => undefined);
    if (text !== undefined) return Number(text);
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(ended ? 'the host of its steps ended at once' : 'the host of its steps does not listen');
}

/** Sends nothing: the system only chooses a way. */
function addressTowards(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.connect(9, host, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });
}
