import type { SignalRequestInput } from '../../src/api/job.ts';
import { SignalRequest } from '../../src/api/job.ts';
import type { JobSpecInput } from '../../src/api/job-spec.ts';
import { QueueQuery, type QueueQueryInput, QueueReply } from '../../src/api/queue.ts';
import type { Caller } from '../../src/coordinator/use-cases.ts';
import { type Ran, type RunOptions, runCli } from './cli-world.ts';
import { CALLER, LedgerAtHand, WorkerAtHand } from './ledger-at-hand.ts';

/** A user that every machine knows. */
const ROOT: Caller = { ...CALLER, owner: '0' };

/** Slurm's commands in a world of their own, with a coordinator over a store in memory. Time stands still unless it is moved. */
export class SlurmAtHand {
  readonly at: LedgerAtHand;
  caller: Caller = ROOT;
  /** Variables of the commands. */
  env: Record<string, string> = {};

  private constructor(at: LedgerAtHand) {
    this.at = at;
  }

  static async open(): Promise<SlurmAtHand> {
    return new SlurmAtHand(await LedgerAtHand.open());
  }

  worker(cpus = 2): Promise<WorkerAtHand> {
    return WorkerAtHand.join(this.at, { worker: 'n1', resources: { cpus, memoryBytes: 2 ** 30 } });
  }

  submit(spec: Partial<JobSpecInput> = {}): Promise<number> {
    return this.at.submit({ name: 'arr', ...spec }, undefined, ROOT);
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { at, caller } = this;
    return runCli(argv, {
      ...options,
      client: {
        queue: async (query: QueueQueryInput) =>
          QueueReply.parse(await at.coordinator.queue(caller, QueueQuery.parse(query))),
        server: () => at.coordinator.server(caller),
        job: (ref: string) => at.coordinator.job(caller, ref),
        cancel: (ref: string, selection: object) => at.coordinator.cancel(caller, ref, selection),
        signal: (ref: string, request: SignalRequestInput) =>
          at.coordinator.signal(caller, ref, SignalRequest.parse(request)),
      },
      world: { env: { PATH: '/bin', ...this.env }, userName: () => 'ada', now: at.clock.now, ...options.world },
    });
  }

  /** What a line of words prints, stderr with `! ` before it, and the exit code unless it is 0: as probes of Slurm are written. */
  async say(words: string, options: RunOptions = {}): Promise<string> {
    const argv = words.match(/"[^"]*"|\S+/g)!.map((word) => word.replace(/^"|"$/g, ''));
    const { code, out, err } = await this.run(argv, options);
    const told = err.replace(/^(?=.|\n)/gm, '! ').replace(/! $/, '');
    return `${out}${told}${code === 0 ? '' : `rc=${code}\n`}`;
  }
}
