import type { MachineOrder } from '../../src/api/instance-session.ts';
import type { FakeAgent } from './fake-agent.ts';
import type { Held } from './fake-holdings.ts';
import type { WorkerWatch } from './worker-watch.ts';

/** What a machine remembers of one attempt, whoever serves it. */
export interface Process extends Held {
  /** Set when it has ended; told again to every agent that comes. */
  outcome?: number;
  /** Virtual time. */
  endsAt: number;
}

/** A machine and what runs in it, which outlives its agents. */
export class FakeMachine {
  readonly order: MachineOrder;
  readonly name: string;
  readonly frozen = false;
  state: 'up' | 'down' | 'gone' = 'up';
  agent: FakeAgent | undefined;
  /** What its agent wrote down: the session that it serves. */
  session: number | undefined;
  /** By fence; of this start of the machine. */
  readonly processes = new Map<number, Process>();
  ranMs = 0;
  readonly watch: WorkerWatch;

  constructor(order: MachineOrder, watch: WorkerWatch) {
    this.order = order;
    this.name = order.id;
    this.watch = watch;
  }

  begin(held: Held, endsAt: number): Process {
    const process = { ...held, started: true, endsAt };
    this.processes.set(held.fence, process);
    this.watch.began(this, held);
    return process;
  }

  /** One attempt is over. */
  end(process: Process, outcome: number): void {
    if (process.outcome !== undefined) return;
    process.outcome = outcome;
    this.watch.over(this, process.fence);
  }

  /** Nothing runs any more, and nobody is told. */
  halt(): void {
    for (const process of this.processes.values())
      if (process.outcome === undefined) this.watch.over(this, process.fence);
    this.processes.clear();
    this.session = undefined;
  }
}
