import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import type { GangMessage } from '../../../api/gang.ts';
import type { ProcessIdentity } from '../../../client/node/process-identity.ts';
import type { RankEvents } from '../../../client/node/steps/rank-processes.ts';
import { gangFile } from '../../../client/node/steps/step-folder.ts';
import {
  type EndFrame,
  type Frame,
  FrameCutter,
  FrameType,
  frame,
  jsonFrame,
  jsonOf,
  type RunFrame,
  STEP_TLS,
  stepIdentity,
} from '../../../client/node/steps/step-wire.ts';
import { refuseLine } from '../../../config/slurm/refusal.ts';
import type { Allocation } from './allocation.ts';
import type { NodeRanks } from './node-ranks.ts';

/** Where the nodes of a gang are, as its worker wrote it down. */
export type GangPlaces = Pick<GangMessage, 'fence' | 'secret' | 'nodes'>;

/** The other nodes of a gang are there within so long after the first, or something is wrong. */
const GANG_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 50;
const CONNECT_WITHIN_MS = 30_000;

/** Waits until the worker has written where the other nodes are. @throws SpawnError with Slurm's words when it does not come */
export async function readGang({ folder, fence, job }: Allocation, signal: AbortSignal): Promise<GangPlaces> {
  const until = performance.now() + GANG_WITHIN_MS;
  while (!signal.aborted && performance.now() < until) {
    const text = await readFile(gangFile(folder), 'utf8').catch(() => undefined);
    const gang = text === undefined ? undefined : (JSON.parse(text) as GangPlaces);
    if (gang?.fence === fence) return gang;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  throw refuseLine(`Unable to create step for job ${job}: the other nodes did not answer`, 1);
}

/** Ranks on another machine: its worker holds a place for them, which starts them and sends back what they write. */
export class RemoteRanks implements NodeRanks {
  readonly #run: RunFrame;
  readonly #gang: GangPlaces;
  readonly #place: number;
  readonly #events: RankEvents;
  readonly #notice: (text: string) => void;
  readonly #over = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();
  readonly #cutter = new FrameCutter();
  readonly #left: Set<number>;
  #socket: TLSSocket | undefined;
  #took: (() => void) | undefined;

  /** @param notice gets a line of the other machine for people */
  constructor(run: RunFrame, gang: GangPlaces, place: number, events: RankEvents, notice: (text: string) => void) {
    this.#run = run;
    this.#gang = gang;
    this.#place = place;
    this.#events = events;
    this.#notice = notice;
    this.#left = new Set(run.ranks.map(({ rank }) => rank));
    this.#over.promise.catch(() => undefined);
    this.#begun.promise.catch(() => undefined);
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  async start(): Promise<readonly ProcessIdentity[]> {
    const { address, port } = this.#gang.nodes[this.#place] ?? {};
    if (address === undefined || port === undefined) {
      this.#lost(new Error('nobody knows where it is'));
    } else {
      this.#connect(address, port);
    }
    await this.#begun.promise;
    return [];
  }

  signal(signal: number): void {
    this.#socket?.write(frame(FrameType.signal, Uint8Array.of(signal)));
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#left.size === 0 || this.#socket === undefined || this.#run.input === 'none') return resolve();
      this.#took = resolve;
      this.#socket.write(frame(FrameType.input, bytes));
    });
  }

  /** Input of no bytes is its end. */
  endInput(): void {
    if (this.#run.input !== 'none') this.#socket?.write(frame(FrameType.input));
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(host: string, port: number): void {
    const { fence, secret } = this.#gang;
    const psk = Buffer.from(secret, 'hex');
    const socket = connect({
      host,
      port,
      ...STEP_TLS,
      pskCallback: () => ({ psk, identity: stepIdentity(fence) }),
      // The secret proves who it is: there are no certificates.
      checkServerIdentity: () => undefined,
    });
    this.#socket = socket;
    const late = setTimeout(() => socket.destroy(new Error('it does not answer')), CONNECT_WITHIN_MS);
    void this.#begun.promise.catch(() => undefined).then(() => clearTimeout(late));
    socket.setNoDelay(true).setKeepAlive(true, CONNECT_WITHIN_MS);
    socket.once('secureConnect', () => socket.write(jsonFrame(FrameType.run, this.#run)));
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', (error) => this.#lost(error));
    socket.once('close', () => this.#lost(new Error('the connection was closed')));
  }

  #take(bytes: Buffer): void {
    try {
      for (const each of this.#cutter.add(bytes)) this.#one(each);
    } catch (error) {
      this.#socket?.destroy();
      this.#lost(error as Error);
    }
  }

  #one(each: Frame): void {
    switch (each.type) {
      case FrameType.begun:
        this.#begun.resolve();
        break;
      case FrameType.took:
        this.#took?.();
        this.#took = undefined;
        break;
      case FrameType.out:
      case FrameType.err:
        this.#output(each);
        break;
      case FrameType.end:
        this.#ended(jsonOf<EndFrame>(each));
        break;
      case FrameType.notice:
        this.#notice(Buffer.from(each.data).toString('utf8'));
        break;
    }
  }

  #output({ type, data }: Frame): void {
    const rank = new DataView(data.buffer, data.byteOffset).getUint32(0);
    const stream = type === FrameType.out ? 1 : 2;
    if (!this.#events.onOutput(rank, stream, data.subarray(4))) this.#socket?.pause();
  }

  #ended(end: EndFrame): void {
    if (!this.#left.delete(end.rank)) return;
    if ('failed' in end) this.#events.onFailed(end.rank, end.failed, end.errno);
    else this.#events.onEnd(end.rank, end);
  }

  /** Also after the last end, when the host has sent everything. */
  #lost(error: Error): void {
    this.#took?.();
    if (this.#left.size === 0) {
      this.#begun.resolve();
      this.#over.resolve();
    }
    this.#begun.reject(error);
    this.#over.reject(error);
  }
}
