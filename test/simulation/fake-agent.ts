import type { Directive, InstanceReport } from '../../src/api/instance-session.ts';
import { API_VERSION } from '../../src/api/limits.ts';
import type { ExchangeRequest, StreamMessage } from '../../src/api/session.ts';
import type { Chance } from './chance.ts';
import { FakeHoldings } from './fake-holdings.ts';
import type { FakeMachine, Process } from './fake-machine.ts';
import { openStream } from './fake-stream.ts';
import { CALLER, type Network } from './network.ts';
import type { VirtualClock } from './virtual-clock.ts';

const CANCELLED = 4 * 256;
const PREEMPTED = 5 * 256;

/** The agent of one machine, which serves the one task of its instance: it may die while what it started runs on. */
export class FakeAgent {
  readonly machine: FakeMachine;
  alive = true;
  readonly #clock: VirtualClock;
  readonly #chance: Chance;
  readonly #network: Network;
  readonly #over: (state: 'down' | 'gone') => void;
  #sessionId = 0;
  #seq = 0;
  #ack = 0;
  #detach: (() => void) | undefined;
  #streaming = false;
  #resync = false;
  #inFlight = false;
  #leaving: 'down' | 'gone' | undefined;
  #directive: Directive | undefined;
  #state: InstanceReport['state'] = 'running';
  readonly #holdings = new FakeHoldings();

  constructor(
    machine: FakeMachine,
    clock: VirtualClock,
    chance: Chance,
    network: Network,
    over: (state: 'down' | 'gone') => void,
  ) {
    this.machine = machine;
    this.#clock = clock;
    this.#chance = chance;
    this.#network = network;
    this.#over = over;
  }

  start(): void {
    const { machine } = this;
    const resume = machine.session;
    this.#network
      .call((coordinator) =>
        coordinator.hello(CALLER, {
          worker: machine.name,
          host: 'simulated',
          pid: 1,
          bootId: 'simulated',
          instance: machine.order.id,
          bound: resume === undefined ? {} : { resume },
          resources: { cpus: 1, memoryBytes: 2 ** 30 },
          api: API_VERSION,
          version: 'simulated',
        }),
      )
      .then(
        ({ sessionId, resumed, after = 0 }) =>
          this.#when(() => {
            this.#sessionId = sessionId;
            machine.session = sessionId;
            this.#ack = after;
            // What ran for a session that is over is nobody's.
            if (resumed !== true) for (const process of machine.processes.values()) machine.end(process, CANCELLED);
            if (resumed !== true) machine.processes.clear();
            this.#connect();
            this.#heartbeat();
          }),
        (error: { code?: string; details?: { session?: number } }) =>
          this.#when(() => {
            if (error.code === 'INSTANCE_SERVED') machine.session = error.details!.session!;
            if (error.code === 'INSTANCE_NOT_FOUND') this.#over('gone');
            else this.#after(200, () => this.start());
          }),
      );
  }

  /** Its process is gone; what it started runs on. */
  die(): void {
    this.alive = false;
    this.#detach?.();
  }

  cut(): void {
    this.#detach?.();
    this.#detach = undefined;
    if (!this.#streaming) return;
    this.#streaming = false;
    this.#after(50 + this.#chance.below(300), () => this.#connect());
  }

  #connect(): void {
    const { life: server } = this.#network;
    if (server === undefined || !server.alive || this.#chance.yes(this.#network.faults.loss)) {
      this.#after(100 + this.#chance.below(200), () => this.#connect());
      return;
    }
    try {
      this.#detach = openStream(server, this.#clock, this.#chance, this.#network.faults.delayMs, {
        sessionId: this.#sessionId,
        after: this.#ack,
        arrived: (line) => this.#when(() => this.#receive(JSON.parse(line) as StreamMessage)),
        broken: () => this.#when(() => this.cut()),
      });
      this.#streaming = true;
      this.#resync = true;
      this.#report();
    } catch {
      this.#sessionOver();
    }
  }

  #receive(message: StreamMessage): void {
    if (message.type === 'ping' || message.n <= this.#ack) return;
    this.#ack = message.n;
    const holdings = this.#holdings;
    switch (message.type) {
      case 'grant':
        for (const [fence, position] of message.runs) {
          const attempt = typeof message.attempt === 'number' ? message.attempt : message.attempt[0]!;
          const held = { fence, jobId: message.job, position, attempt, started: false };
          if (holdings.take(held)) this.#run(held);
        }
        break;
      case 'revoke':
        break;
      case 'cancel':
        for (const { fence } of holdings.named(message.fences)) this.#stop(fence, CANCELLED);
        break;
      case 'drop':
        for (const { fence } of holdings.named(message.fences)) {
          const process = this.machine.processes.get(fence);
          if (process !== undefined) this.machine.end(process, CANCELLED);
          holdings.forget(fence);
        }
        break;
      case 'instance':
        this.#directive = message.directive;
        this.#obey(message.directive);
        break;
    }
    this.#report();
  }

  /** What runs already, or has run, is not run again: this agent may have taken over from another. */
  #run(held: Process | Omit<Process, 'endsAt'>): void {
    const { machine } = this;
    const known = machine.processes.get(held.fence);
    if (known === undefined) machine.watch.granted(held.jobId, held.position, held.attempt);
    const script = machine.watch.script(held.jobId, held.position);
    const process = known ?? machine.begin(held, this.#clock.elapsed + script.durationMs);
    this.#holdings.start(held);
    const ended = (): void => {
      if (!machine.processes.has(process.fence)) return;
      if (machine.state !== 'up') return;
      if (this.#state === 'hibernated') {
        this.#after(500, ended);
        return;
      }
      machine.end(process, script.outcome);
      if (this.#holdings.held.has(process.fence)) this.#holdings.end(process.fence, process.outcome!);
      this.#report();
    };
    this.#after(Math.max(0, process.endsAt - this.#clock.elapsed), ended);
  }

  #stop(fence: number, outcome: number): void {
    const process = this.machine.processes.get(fence);
    if (process !== undefined) this.machine.end(process, outcome);
    this.#holdings.end(fence, process?.outcome ?? outcome);
  }

  #obey({ wanted, done }: Directive): void {
    if (done && wanted === 'running' && this.machine.order.onComplete === 'terminate') this.#leave('gone', CANCELLED);
    if (wanted === 'hibernated' || wanted === 'running') this.#state = wanted;
    if (wanted === 'stopped') this.#leave('down', PREEMPTED);
    if (wanted === 'terminated') this.#leave('gone', CANCELLED);
  }

  #leave(to: 'down' | 'gone', outcome: number): void {
    if (this.#leaving === 'gone') return;
    this.#leaving = to;
    this.#state = to === 'down' ? 'stopping' : 'shutting-down';
    for (const fence of [...this.#holdings.held.keys()]) this.#stop(fence, outcome);
    this.#after(this.#chance.between(1, 500), () => {
      this.#state = this.#leaving === 'down' ? 'stopped' : 'terminated';
      this.#report();
    });
  }

  /** One exchange at a time; what was sent stays the same until it is answered. */
  #report(): void {
    if (this.#inFlight || this.#sessionId === 0) return;
    this.#inFlight = true;
    this.machine.ranMs += 1;
    const request: ExchangeRequest = {
      ...this.#holdings.report(++this.#seq, this.#ack, this.#resync),
      ...(this.#leaving === undefined ? {} : { draining: true }),
      instance: {
        version: this.#directive?.version ?? 0,
        state: this.#state,
        ...(this.#leaving === undefined ? {} : { reason: this.#directive?.reason ?? 'completed' }),
        ranMs: this.machine.ranMs,
      },
    };
    this.#resync = false;
    this.#send(request);
  }

  #send(request: ExchangeRequest): void {
    const again = () => this.#after(100, () => this.#send(request));
    this.#network
      .call((coordinator) => coordinator.exchange(CALLER, this.#sessionId, request))
      .then(
        (reply) =>
          this.#when(() => {
            if (reply.deferred) {
              again();
              return;
            }
            this.#inFlight = false;
            const last = request.instance!.state;
            if (last === 'stopped' || last === 'terminated') {
              this.#bye(last === 'stopped' ? 'down' : 'gone');
              return;
            }
            if (reply.resync) this.#resync = true;
            if (reply.resync || this.#holdings.unreported > 0 || this.#state !== last) this.#report();
          }),
        (error: { code?: string }) =>
          this.#when(() => {
            if (error.code === 'SESSION_UNKNOWN') this.#sessionOver();
            else again();
          }),
      );
  }

  #bye(to: 'down' | 'gone'): void {
    this.#network
      .call((coordinator) => coordinator.bye(CALLER, this.#sessionId))
      .then(
        () => this.#when(() => this.#over(to)),
        (error: { code?: string }) =>
          this.#when(() => {
            if (error.code === 'SESSION_UNKNOWN') this.#over(to);
            else this.#after(100, () => this.#bye(to));
          }),
      );
  }

  /** The coordinator ended it: another one is asked for, and what ran for it is stopped. */
  #sessionOver(): void {
    this.die();
    this.machine.agent = undefined;
    this.machine.halt();
    const next = new FakeAgent(this.machine, this.#clock, this.#chance, this.#network, this.#over);
    this.machine.agent = next;
    next.start();
  }

  #heartbeat(): void {
    this.#after(5_000, () => {
      this.#report();
      this.#heartbeat();
    });
  }

  #when(task: () => void): void {
    if (this.alive) task();
  }

  #after(ms: number, task: () => void): void {
    this.#clock.timer(ms, () => this.#when(task));
  }
}
