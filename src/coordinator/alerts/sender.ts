import type { AlertChannel } from '../../api/alert.ts';
import { nextTryMs } from '../../core/alert-pace.ts';
import { bodyOf, type Notice, sentenceOf, subjectOf } from '../../core/alert-text.ts';
import { jobState } from '../../core/job-state.ts';
import type { Letter, Sent } from '../../notify/notify.ts';
import type { Store } from '../../store/store.ts';
import type { Ledger } from '../ledger.ts';
import type { World } from '../world.ts';
import type { Delivery, DeliveryDetail } from './book.ts';
import type { AlertPorts } from './channel.ts';

/** Messages that are sent at a time, and of these to one receiver. */
const MOST_AT_ONCE = 16;
const MOST_TO_ONE = 2;
/** Jobs of a workflow that did not complete, told one by one. */
const MOST_BAD = 50;

/**
 * Sends what waits. What became of an attempt is written down after it: a coordinator that dies in between sends the message again, under the same id.
 */
export class AlertSender {
  readonly #ledger: Ledger;
  readonly #ports: AlertPorts;
  readonly #failed: (error: unknown) => void;
  readonly #stop = new AbortController();
  /** Receivers of what is being sent, by the id of the message. */
  readonly #underWay = new Map<string, string>();
  readonly #tried = new Map<string, () => void>();
  readonly #running = new Set<Promise<void>>();

  constructor(ledger: Ledger, ports: AlertPorts, failed: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#ports = ports;
    this.#failed = failed;
  }

  /** Begins to send what is due. Does not wait for it. */
  async runOnce(): Promise<void> {
    const { writable, memory, ports } = this.#ledger;
    const now = ports.clock.now();
    // What became of it could not be written down.
    if (!writable || memory.alerts.nextDue > now || this.#stop.signal.aborted) return;
    // Resolves when what it has seen is durable: nobody is told of what may never have been.
    const due = await this.#ledger.read(({ alerts }) =>
      this.#takeDue(alerts.waiting, now, (next) => (alerts.nextDue = next)),
    );
    for (const delivery of due) {
      if (this.#underWay.has(delivery.row.id)) continue;
      this.#underWay.set(delivery.row.id, delivery.detail.view.target);
      const run = this.#deliver(delivery).catch(this.#failed);
      this.#running.add(run);
      void run.then(() => this.#running.delete(run));
    }
  }

  /** Resolves when nothing is being sent. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Breaks off what is under way, which is tried again after the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.settled();
  }

  /** Resolves when the message was tried, at the latest after `ms`. */
  untilTried(id: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#ledger.ports.clock.timer(ms, resolve);
      this.#tried.set(id, () => {
        cancel();
        resolve();
      });
    });
  }

  async #send(channel: AlertChannel, { row, detail }: Delivery): Promise<Sent> {
    const { store } = this.#ledger.ports;
    const notices = await Promise.all(detail.notices.map((notice) => withWorkflow(store, notice)));
    if (this.#stop.signal.aborted) return { kind: 'later', reason: 'the coordinator stopped' };
    return await this.#ports.notifier.send(
      channel,
      letterOf({ row, detail: { ...detail, notices } }),
      this.#stop.signal,
    );
  }

  #takeDue(waiting: ReadonlyMap<string, Delivery>, now: number, sayNext: (at: number) => void): Delivery[] {
    const due: Delivery[] = [];
    const busy = new Map<string, number>();
    for (const target of this.#underWay.values()) busy.set(target, (busy.get(target) ?? 0) + 1);
    let room = MOST_AT_ONCE - this.#underWay.size;
    let next = Number.POSITIVE_INFINITY;
    for (const delivery of waiting.values()) {
      const { row, detail } = delivery;
      if (this.#underWay.has(row.id)) continue;
      const { target } = detail.view;
      const there = busy.get(target) ?? 0;
      if (row.nextAt > now || room <= 0 || there >= MOST_TO_ONE) {
        next = Math.min(next, row.nextAt);
        continue;
      }
      room--;
      busy.set(target, there + 1);
      due.push(delivery);
    }
    sayNext(next);
    return due;
  }

  async #deliver({ row, detail }: Delivery): Promise<void> {
    const { id } = row;
    try {
      const channel = detail.channel ?? this.#ledger.memory.alerts.alerts.get(row.alertId)?.detail.channel;
      const sent: Sent | undefined = channel === undefined ? undefined : await this.#send(channel, { row, detail });
      if (this.#stop.signal.aborted && sent?.kind !== 'sent') return;
      await this.#ledger.write((world) => note(world, id, sent));
    } finally {
      this.#underWay.delete(id);
      // More may wait for the same receiver, and this one may have to wait again.
      this.#ledger.memory.alerts.nextDue = 0;
      this.#tried.get(id)?.();
      this.#tried.delete(id);
    }
  }
}

/** What became of its jobs is known from the store: most of them have left memory. */
async function withWorkflow(store: Store, notice: Notice): Promise<Notice> {
  const { workflow } = notice;
  if (workflow === undefined) return notice;
  const { first, count } = workflow;
  const rows = await store.findJobs({ live: false, above: first - 1, limit: count });
  const states: Record<string, number> = { completed: 0, failed: 0, cancelled: 0, skipped: 0 };
  const bad: string[] = [];
  for (const { id, name, counts, held, spec } of rows) {
    if (spec.workflow?.first !== first) continue;
    const state = jobState(counts, held, spec.minSuccess);
    states[state] = (states[state] ?? 0) + 1;
    if (state !== 'completed' && bad.length < MOST_BAD) bad.push(`job ${id} (${name}) ${state}`);
  }
  const there = Object.fromEntries(Object.entries(states).filter(([, jobs]) => jobs > 0));
  return { ...notice, workflow: { ...workflow, states: there, bad } };
}

/** What became of an attempt; undefined: the alert is no more. */
function note(world: World, id: string, sent: Sent | undefined): void {
  const { memory, now, chance } = world;
  const delivery = memory.alerts.waiting.get(id);
  if (delivery === undefined) return;
  const { row, detail } = delivery;
  const attempts = detail.attempts + (sent === undefined ? 0 : 1);
  const after = sent?.kind === 'later' ? nextTryMs(attempts, chance(), sent.afterMs) : undefined;
  const outcome = sent === undefined ? 'dropped' : sent.kind === 'sent' ? 'delivered' : 'failed';
  const reason = sent === undefined ? 'its alert was deleted' : sent.kind === 'sent' ? sent.note : sent.reason;
  const { reason: _, ...rest } = detail;
  const next: DeliveryDetail = {
    ...rest,
    attempts,
    ...(sent === undefined ? {} : { triedAt: now }),
    ...(reason === undefined ? {} : { reason }),
    ...(after === undefined ? { outcome } : {}),
  };
  memory.alerts.saveDelivery(memory.changes, {
    row: { ...row, nextAt: after === undefined ? 0 : now + after },
    detail: next,
  });
  if (after !== undefined || sent === undefined) return;
  tell(world, { row, detail: next });
}

/** What was recorded only, and what could not be delivered, is seen in the events. */
function tell({ memory, now }: World, { row, detail }: Delivery): void {
  const { view, notices, total, attempts, reason } = detail;
  const whose = row.alertId === 0 ? {} : { alert: row.alertId };
  if (detail.outcome === 'failed') {
    memory.changes.event(now, row.jobId, 'alertFailed', { ...whose, target: view.target, attempts, reason });
  } else if (view.kind === 'event') {
    const text = notices.length === 0 ? 'test' : sentenceOf(notices[0]!);
    memory.changes.event(now, row.jobId, 'alertRaised', {
      ...whose,
      text: total > 1 ? `${text} (and ${total - 1} more)` : text,
    });
  }
}

function letterOf({ row, detail }: Delivery): Letter {
  const { notices, total, event } = detail;
  const job = notices[0]?.job;
  return {
    id: row.id,
    subject: subjectOf(notices, total),
    text: bodyOf(notices, total),
    facts: {
      event,
      ...(row.alertId === 0 ? {} : { alert: row.alertId }),
      at: row.createdAt,
      ...(job === undefined ? {} : { job }),
      total,
      notices,
    },
  };
}
