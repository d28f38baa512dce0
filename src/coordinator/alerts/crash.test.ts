import { expect, test } from 'vitest';
import { AlertsAtHand } from '../../../test/support/alerts-at-hand.ts';
import { CALLER, WorkerAtHand } from '../../../test/support/ledger-at-hand.ts';
import type { CommitFate } from '../../../test/support/memory-store.ts';

const CRASH = Symbol('crash');

/** A coordinator that dies at one of its commits, as often as it is told, and is started again. */
class Lives {
  alerts!: AlertsAtHand;
  commits = 0;
  #die: () => void = () => {};
  #dead = new Promise<typeof CRASH>(() => {});
  readonly #at: ReadonlyMap<number, CommitFate>;

  constructor(at: ReadonlyMap<number, CommitFate>) {
    this.#at = at;
  }

  async open(): Promise<void> {
    this.#live();
    const beforeCommit = (): CommitFate => {
      const fate = this.#at.get(++this.commits) ?? 'ok';
      if (fate !== 'ok') setImmediate(this.#die);
      return fate;
    };
    this.alerts = await AlertsAtHand.open({ hooks: { beforeCommit } });
  }

  #live(): void {
    this.#dead = new Promise((resolve) => {
      this.#die = () => resolve(CRASH);
    });
  }

  /** Does something that goes on in the next life if this one ends. */
  async through(work: () => Promise<void>): Promise<void> {
    for (let life = 0; life < 10; life++) {
      if ((await Promise.race([work(), this.#dead])) !== CRASH) return;
      this.#live();
      await this.alerts.restart();
    }
    throw new Error('it dies too often');
  }
}

/** Submits a job that tells of three things, lets its tasks end, and sends until nothing waits. */
async function runThrough(lives: Lives): Promise<void> {
  const notify = [
    {
      channel: { kind: 'email' as const, to: ['a@b.c'] },
      events: ['start' as const, 'first_failure' as const, 'ended' as const],
    },
  ];
  await lives.through(async () => {
    const { at } = lives.alerts;
    const id = await at.submit({ array: '0-3', notify }, 'once');
    for (const session of at.ledger.memory.sessions.keys()) await at.coordinator.loseSession(session, 'gone');
    const worker = await WorkerAtHand.join(at, { resources: { cpus: 2, memoryBytes: 2 ** 30 } });
    for (let round = 0; round < 9 && (await at.coordinator.job(CALLER, `${id}`)).endedAt === undefined; round++) {
      const [position] = [...worker.held.values()].map((held) => held.position);
      if (position !== undefined) await worker.end(id, [position], position === 0 ? 3 : 0);
      await at.ledger.idle();
    }
    at.clock.pass(1_000);
    await lives.alerts.send();
    expect(at.ledger.memory.alerts.waiting.size).toBe(0);
  });
}

test('whatever commit it dies at, everybody is told of everything, and twice only under the same id', async () => {
  const whole = new Lives(new Map());
  await whole.open();
  await runThrough(whole);
  expect(whole.alerts.mailbox.letters.map(({ facts }) => facts.event)).toEqual(['start', 'first_failure', 'ended']);
  const commits = whole.commits;
  expect(commits).toBeGreaterThan(6);
  for (let at = 1; at <= commits; at++) {
    for (const fate of ['crashBefore', 'crashAfter'] as const) {
      const lives = new Lives(new Map([[at, fate]]));
      await lives.open();
      await runThrough(lives);
      const { letters } = lives.alerts.mailbox;
      const ids = new Map(letters.map(({ id, facts }) => [id, facts.event]));
      expect([...ids.values()].toSorted(), `${fate} ${at}`).toEqual(['ended', 'first_failure', 'start']);
      expect(lives.alerts.errors).toEqual([]);
      const history = await lives.alerts.history();
      expect(history.map(({ id, state }) => [id, state]).toSorted()).toEqual(
        [...ids.keys()].toSorted().map((id) => [id, 'delivered']),
      );
    }
  }
});

test('a commit that is refused tells nobody of what it held', async () => {
  let full = false;
  const alerts = await AlertsAtHand.open({ hooks: { beforeCommit: () => (full ? 'fail' : 'ok') } });
  await alerts.create({ events: ['ended', 'start'] });
  const id = await alerts.at.submit({});
  const worker = await WorkerAtHand.join(alerts.at);
  full = true;
  await expect(worker.end(id, [0])).rejects.toMatchObject({ code: 'STORE_FULL' });
  await alerts.send();
  expect(alerts.mailbox.letters).toEqual([]);
});
