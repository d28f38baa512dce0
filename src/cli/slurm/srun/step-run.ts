import { constants } from 'node:os';
import type { Claim } from '../../../client/node/steps/claim-step.ts';
import type { RankEvents } from '../../../client/node/steps/rank-processes.ts';
import type { RunFrame } from '../../../client/node/steps/step-wire.ts';
import { isSpawnError } from '../../../core/errors.ts';
import { codeOf, ExitReport, type RankOutcome, tasksText } from './exit-report.ts';
import { listenToSignals } from './interrupts.ts';
import { LocalRanks, type NodeRanks } from './node-ranks.ts';
import { prepareStep, type StepParts } from './prepare-step.ts';
import { systemSentence } from './signal-sentence.ts';
import type { StepInput } from './step-input.ts';
import type { StepStreams } from './step-streams.ts';

const { SIGKILL, SIGTERM, SIGINT } = constants.signals;
/** From TERM to KILL for what is aborted. */
const KILL_AFTER_MS = 32_000;

interface StepRunOptions extends Omit<StepParts, 'step'> {
  readonly claim: Claim;
}

/** One step from its start to its end. */
export class StepRun {
  readonly #options: StepRunOptions;
  readonly #id: string;
  readonly #report: ExitReport;
  readonly #nodes: NodeRanks[] = [];
  readonly #running = new Set<number>();
  readonly #over = new AbortController();
  #highest = 0;
  #waits: NodeJS.Timeout | undefined;
  #kills: NodeJS.Timeout | undefined;

  constructor(options: StepRunOptions) {
    this.#options = options;
    this.#id = `${options.allocation.job}.${options.claim.step}`;
    this.#report = new ExitReport(this.#id, (line) => this.#say(line));
  }

  async run(): Promise<number> {
    const { plan, request, claim } = this.#options;
    const { streams, input, frames } = prepareStep({ ...this.#options, step: claim.step }, () => {
      for (const node of this.#nodes) node.resume();
    });
    for (const { ranks } of plan.nodes) for (const rank of ranks) this.#running.add(rank);
    const unlisten = listenToSignals(request.quitOnInterrupt, {
      onFirst: () => this.#tellState('srun: interrupt (one more within 1 sec to abort)'),
      onSecond: () => this.#interrupt(),
      onEnd: () => this.#abort(SIGTERM),
      onPassed: (signal) => this.#signal(signal),
    });
    try {
      await this.#start(streams, input, frames);
      if (input.isCopied) void input.copy(this.#nodes, this.#over.signal);
      await Promise.all(this.#nodes.map(({ over }, at) => over.catch((error) => this.#lost(at, error))));
      this.#report.flush();
      return this.#highest;
    } finally {
      unlisten();
      this.#over.abort();
      clearTimeout(this.#waits);
      clearTimeout(this.#kills);
      for (const node of this.#nodes) node.close();
      streams.close();
      input.close();
      claim.release();
    }
  }

  async #start(streams: StepStreams, input: StepInput, frames: readonly RunFrame[]): Promise<void> {
    const { plan, claim } = this.#options;
    const toOthers = await this.#others();
    plan.nodes.forEach((node, at) => {
      const run = frames[at]!;
      const events = {
        onOutput: (rank: number, stream: 1 | 2, bytes: Uint8Array) => streams.add(rank, stream, bytes),
        onEnd: (rank: number, end: RankOutcome) => this.#ended(node.name, rank, end),
        onFailed: (rank: number, name: string, errno: number) => this.#failed(node.name, rank, name, errno),
      };
      const direct = (rank: number) => ({
        stdin: input.direct(rank),
        stdout: streams.direct(rank, 1),
        stderr: streams.direct(rank, 2),
        alone: !this.#options.request.pty,
      });
      const ranks = node.place === 0 ? new LocalRanks(run, direct, events) : toOthers!(run, node.place, events);
      this.#nodes.push(ranks);
      const last = () => {
        for (const rank of node.ranks) streams.end(rank);
      };
      void ranks.over.then(last, last);
    });
    const started = await Promise.all(
      this.#nodes.map((node, at) =>
        node.start().catch((error) => {
          if (isSpawnError(error)) throw error;
          return this.#lost(at, error);
        }),
      ),
    );
    claim.started(started.flatMap((ranks) => ranks ?? []));
  }

  /** Loaded only where a step leaves this machine. */
  async #others(): Promise<((run: RunFrame, place: number, events: RankEvents) => NodeRanks) | undefined> {
    const { plan, allocation } = this.#options;
    if (plan.nodes.every(({ place }) => place === 0)) return undefined;
    const { RemoteRanks, readGang } = await import('./remote-ranks.ts');
    const gang = await readGang(allocation, this.#over.signal);
    return (run, place, events) => new RemoteRanks(run, gang, place, events, (text) => this.#say(text));
  }

  #ended(node: string, rank: number, end: RankOutcome): void {
    this.#running.delete(rank);
    this.#report.ended(node, rank, end);
    this.#highest = Math.max(this.#highest, codeOf(end));
    const { killOnBadExit, waitMs } = this.#options.request;
    if (this.#running.size === 0) return;
    if (killOnBadExit && codeOf(end) !== 0 && this.#kills === undefined) {
      this.#report.flush();
      this.#say(`srun: launch/slurm: _step_signal: Terminating StepId=${this.#id}`);
      this.#terminate();
    } else if (waitMs !== undefined) {
      this.#waits ??= setTimeout(() => this.#waitedEnough(waitMs), waitMs);
    }
  }

  /** As execve(2) says. */
  #failed(node: string, rank: number, name: string, errno: number): void {
    const [program] = this.#options.request.argv;
    this.#say(`slurmstepd: error: execve(): ${program}: ${systemSentence(name)}`);
    this.#ended(node, rank, { code: errno });
  }

  /** Nothing more is heard of a node. */
  #lost(at: number, error: unknown): undefined {
    const { name, ranks } = this.#options.plan.nodes[at]!;
    const left = ranks.filter((rank) => this.#running.delete(rank));
    if (left.length === 0) return undefined;
    this.#say(`srun: error: Node failure on ${name}: ${(error as Error).message}`);
    this.#say(`srun: error: ${name}: ${tasksText(left)}: lost`);
    this.#highest = Math.max(this.#highest, 1);
    this.#abort(SIGTERM);
    return undefined;
  }

  #waitedEnough(waitMs: number): void {
    this.#say(`srun: First task exited ${waitMs / 1_000}s ago`);
    this.#tellState();
    this.#say(`srun: launch/slurm: _step_signal: Terminating StepId=${this.#id}`);
    this.#sayAborted();
    this.#signal(SIGKILL);
  }

  #interrupt(): void {
    this.#say(`srun: sending Ctrl-C to StepId=${this.#id}`);
    this.#signal(SIGINT);
    this.#abort(SIGTERM);
  }

  #abort(signal: number): void {
    if (this.#kills !== undefined) return;
    this.#say('srun: forcing job termination');
    this.#sayAborted();
    this.#terminate(signal);
  }

  #terminate(signal: number = SIGTERM): void {
    this.#signal(signal);
    this.#kills = setTimeout(() => this.#signal(SIGKILL), KILL_AFTER_MS);
  }

  #sayAborted(): void {
    this.#report.aborted = true;
    this.#say(`srun: Job step aborted: Waiting up to ${KILL_AFTER_MS / 1_000} seconds for job step to finish.`);
  }

  #tellState(first?: string): void {
    if (first !== undefined) this.#say(first);
    const all = this.#options.plan.nodes.flatMap(({ ranks }) => ranks);
    const ended = all.filter((rank) => !this.#running.has(rank));
    this.#say(`srun: StepId=${this.#id} ${tasksText([...this.#running])}: running`);
    if (ended.length > 0) this.#say(`srun: StepId=${this.#id} ${tasksText(ended)}: exited`);
  }

  #signal(signal: number): void {
    for (const node of this.#nodes) node.signal(signal);
  }

  #say(line: string): void {
    this.#options.world.stderr.write(`${line}\n`);
  }
}
