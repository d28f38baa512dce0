import type { ProcessIdentity } from '../../../client/node/process-identity.ts';
import { type RankEvents, RankProcesses, type RankStart } from '../../../client/node/steps/rank-processes.ts';
import type { RunFrame } from '../../../client/node/steps/step-wire.ts';

/** The ranks of a step on one node, wherever that is. */
export interface NodeRanks {
  /** Starts them. @returns those that run on this machine */
  start(): Promise<readonly ProcessIdentity[]>;
  signal(signal: number, rank?: number): void;
  /** For those that read; resolves when they have room for more. */
  write(bytes: Uint8Array): Promise<void>;
  endInput(): void;
  /** Output is wanted again. */
  resume(): void;
  /** Resolves when all have ended and their output has been given; rejects when nothing more is heard of them. */
  readonly over: Promise<void>;
  /** Ends what is left. */
  close(): void;
}

/** Where the streams of each rank lead: an open file of this process, or a pipe whose bytes the step writes itself. */
export type StreamsOf = (rank: number) => Pick<RankStart, 'stdin' | 'stdout' | 'stderr' | 'alone'>;

/** Ranks as children of this process. */
export class LocalRanks implements NodeRanks {
  readonly #processes: RankProcesses;
  readonly #run: RunFrame;
  readonly #streams: StreamsOf;

  constructor(run: RunFrame, streams: StreamsOf, events: RankEvents) {
    this.#run = run;
    this.#streams = streams;
    this.#processes = new RankProcesses(events);
  }

  get over(): Promise<void> {
    return this.#processes.over;
  }

  async start(): Promise<readonly ProcessIdentity[]> {
    const { argv, env, cwd, ranks } = this.#run;
    return this.#processes.start(
      ranks.map((one) => ({ rank: one.rank, argv, env: { ...env, ...one.env }, cwd, ...this.#streams(one.rank) })),
    );
  }

  signal(signal: number, rank?: number): void {
    this.#processes.signal(signal, rank);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#processes.write(bytes);
  }

  endInput(): void {
    this.#processes.endInput();
  }

  resume(): void {
    this.#processes.resume();
  }

  close(): void {}
}
