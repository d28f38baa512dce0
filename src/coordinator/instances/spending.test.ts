import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CANCELLED, InstancesAtHand } from '../../../test/support/fake-instances.ts';
import { CALLER, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import type { Directive, MachineOrder } from '../../api/instance-session.ts';
import { mayEndForMs } from '../../core/cost-end.ts';
import { decide } from '../../core/instance-lifecycle.ts';

const HOUR_MS = 3_600_000;
const LOOK_MS = 1_000;
const TYPES = ['t3.micro', 'm7i.large', 'c7i.8xlarge'];

/** One machine with its agent: what it really costs is counted here, whatever the coordinator hears of it. */
class Machine {
  ranMs = 0;
  endsAtMs: number | undefined;
  directive: Directive | undefined;
  worker: WorkerAtHand | undefined;
  readonly order: MachineOrder;

  constructor(order: MachineOrder) {
    this.order = order;
  }

  get share(): number | undefined {
    return this.directive === undefined ? this.order.costShare : this.directive.costShare;
  }
}

class Spending {
  readonly at: InstancesAtHand;
  readonly machines = new Map<string, Machine>();
  readonly cutOff = new Set<string>();
  /** USD of machines that are gone. */
  ended = 0;
  away = false;

  constructor(at: InstancesAtHand) {
    this.at = at;
  }

  get cost(): number {
    return [...this.machines.values()].reduce(
      (sum, { ranMs, order }) => sum + (ranMs / HOUR_MS) * order.rate,
      this.ended,
    );
  }

  /** USD of one look of all that run. */
  get tick(): number {
    return [...this.machines.values()].reduce((sum, { order }) => sum + (LOOK_MS / HOUR_MS) * order.rate, 0);
  }

  #drop(machine: Machine): void {
    this.ended += (machine.ranMs / HOUR_MS) * machine.order.rate;
    this.machines.delete(machine.order.id);
  }

  async look(endMs: number): Promise<void> {
    const { at } = this;
    for (const machine of this.machines.values()) {
      const { order, endsAtMs } = machine;
      const left = endsAtMs === undefined ? LOOK_MS : Math.min(LOOK_MS, endsAtMs - machine.ranMs);
      machine.ranMs += left;
      if (endsAtMs === undefined || machine.ranMs < endsAtMs) continue;
      at.provider.machines.delete(order.id);
      if (this.#hears(machine)) await this.#bye(machine);
      this.#drop(machine);
    }
    at.at.clock.pass(LOOK_MS);
    if (!this.away) await at.settle();
    for (const { order, state } of [...at.provider.machines.values()])
      if (state === 'up' && !this.machines.has(order.id)) this.machines.set(order.id, new Machine(order));
    for (const machine of [...this.machines.values()]) {
      if (at.provider.machines.has(machine.order.id)) await this.#live(machine, endMs);
      else this.#drop(machine);
    }
    if (!this.away) await at.settle();
  }

  #hears(machine: Machine): boolean {
    return !this.away && machine.worker !== undefined && !this.cutOff.has(machine.order.name);
  }

  async #live(machine: Machine, endMs: number): Promise<void> {
    const { at, away } = this;
    const { order } = machine;
    const isCut = away || this.cutOff.has(order.name);
    if (isCut && machine.worker !== undefined) machine.worker.disconnect();
    if (!isCut) await this.#talk(machine);
    if (machine.endsAtMs !== undefined || !at.provider.machines.has(order.id)) return;
    const { act } = decide(
      { ttlMode: 'running', idleTimeoutMs: 0, onIdle: 'stop', onComplete: 'none', retries: false, rate: order.rate },
      {
        state: 'running',
        wanted: machine.directive?.wanted ?? 'running',
        reason: machine.directive?.reason,
        interruptInMs: undefined,
        completion: undefined,
        ended: undefined,
        done: false,
        completionServed: false,
        ranMs: machine.ranMs,
        ttlLeftMs: undefined,
        ttlSpanMs: 0,
        costShare: machine.share,
        endMs,
        idleMs: undefined,
        warned: new Set(),
      },
    );
    // An end takes as long as it may.
    if (act === 'terminate')
      machine.endsAtMs = machine.ranMs + Math.min(endMs, mayEndForMs(machine.share, order.rate, machine.ranMs));
  }

  async #talk(machine: Machine): Promise<void> {
    const { at } = this;
    const { order, ranMs, endsAtMs } = machine;
    try {
      if (machine.worker === undefined || this.#wasCut.has(machine)) {
        const before = machine.worker?.sessionId;
        const bound = before === undefined ? {} : { resume: before };
        machine.worker = await WorkerAtHand.join(at.at, { worker: order.name, instance: order.id, bound });
        this.#wasCut.delete(machine);
      }
      machine.directive = machine.worker.told('instance').at(-1)?.directive ?? machine.directive;
      const state = endsAtMs === undefined ? 'running' : 'shutting-down';
      await machine.worker.say({ instance: { version: machine.directive?.version ?? 0, state, ranMs } });
    } catch (error) {
      // The coordinator knows it no more: it must not cost anything.
      expect((error as { code?: string }).code).toMatch(/INSTANCE_NOT_FOUND|SESSION_UNKNOWN/);
      machine.endsAtMs ??= ranMs + 1;
    }
  }

  readonly #wasCut = new Set<Machine>();

  /** Links end when somebody is away. */
  cut(): void {
    for (const machine of this.machines.values())
      if (this.away || this.cutOff.has(machine.order.name)) this.#wasCut.add(machine);
  }

  async #bye({ worker, ranMs, directive }: Machine): Promise<void> {
    const version = directive?.version ?? 0;
    for (const fence of worker!.held.keys()) {
      worker!.held.delete(fence);
      await worker!.say({ ends: { runs: [[fence, 1]], outcome: [CANCELLED] } });
    }
    await worker!.say({ instance: { version, state: 'terminated', reason: 'cost-limit', ranMs } });
    await this.at.at.coordinator.bye(CALLER, worker!.sessionId);
  }
}

const Act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), looks: fc.integer({ min: 1, max: 30 }) }) },
  fc.record({ kind: fc.constant('away' as const), looks: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('restart' as const), looks: fc.constant(1) }),
  fc.record({ kind: fc.constantFrom('cut' as const, 'join' as const), looks: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constantFrom('launch' as const, 'replace' as const, 'resize' as const), looks: fc.constant(2) }),
);

async function live(
  types: readonly string[],
  size: number,
  seconds: number,
  endMs: number,
  by: 'limit' | 'budget',
  acts: readonly (typeof Act extends fc.Arbitrary<infer T> ? T : never)[],
): Promise<number> {
  const at = await InstancesAtHand.open();
  const spending = new Spending(at);
  // So much that the first array can run for so many seconds.
  const probe = await at.submit({ array: '0-0', name: 'probe' }, { type: types[0] });
  const [first] = await at.list();
  await at.at.coordinator.cancel(CALLER, String(probe), {});
  await at.settle();
  const cap = (size * seconds * LOOK_MS * first!.rate) / HOUR_MS;
  if (by === 'budget') await at.at.coordinator.setBudget(CALLER, { amount: cap, period: 'total' });
  let arrays = 0;
  const launch = async () => {
    const costLimit = by === 'limit' ? { costLimit: cap } : {};
    const type = types[arrays % types.length];
    await at
      .submit({ array: `0-${size - 1}`, name: `a${arrays++}` }, { type, ...costLimit, replacements: 2 })
      .catch((error: { code?: string }) => expect(error.code).toBe('BUDGET_EXCEEDED'));
  };
  await launch();
  let peak = 0;
  let tick = 0;
  const pass = async (looks: number) => {
    for (let left = looks; left > 0; left--) {
      spending.cut();
      tick = Math.max(tick, spending.tick);
      await spending.look(endMs);
      tick = Math.max(tick, spending.tick);
      peak = Math.max(peak, spending.cost / cap);
      expect(spending.cost).toBeLessThanOrEqual(cap + tick * 1.001);
    }
  };
  const refusable = (done: Promise<unknown>) =>
    done.catch((error: { code?: string }) => expect(error.code).toBeDefined());
  await pass(3);
  for (const { kind, looks } of acts) {
    if (kind === 'launch' && by === 'budget') await launch();
    if (kind === 'cut') spending.cutOff.add('a0-0').add('a1-0');
    if (kind === 'join') spending.cutOff.clear();
    if (kind === 'replace') await refusable(at.verb('replace', { instance: 'a0-0' }));
    if (kind === 'resize') await refusable(at.at.coordinator.resize(CALLER, 'a0', size + 1));
    if (kind === 'restart') await at.restart();
    if (kind === 'away') {
      await at.at.coordinator.stop();
      spending.away = true;
    }
    await pass(looks);
    if (kind === 'away') {
      spending.cut();
      spending.away = false;
      await at.restart();
    }
  }
  spending.cutOff.clear();
  await pass(20);
  expect(at.errors).toEqual([]);
  await at.at.coordinator.stop();
  return peak;
}

test('what is really spent stays within the cap, whoever is away, but for one look of what runs', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(TYPES, { minLength: 1 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 12, max: 90 }),
      fc.constantFrom(1_000, 10_000, 40_000, 310_000),
      fc.constantFrom('limit' as const, 'budget' as const),
      fc.array(Act, { maxLength: 12 }),
      async (...given) => {
        await live(...given);
      },
    ),
    { numRuns: Number(process.env.SPAWN_SPENDING_RUNS ?? 60) },
  );
});

test('and most of it is spent', async () => {
  expect(await live(['t3.micro'], 2, 60, 4_000, 'limit', [{ kind: 'pass', looks: 70 }])).toBeGreaterThan(0.9);
});
