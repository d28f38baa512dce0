import type { AlertChannel, AlertChannelView, AlertFilter, CreateAlertRequest, NotifyRule } from '../../api/alert.ts';
import { Allowance } from '../../core/alert-pace.ts';
import { type Standing, standingOf } from '../../core/alert-rules.ts';
import type { Notice } from '../../core/alert-text.ts';
import type { Job } from '../../core/job.ts';
import type { LoadedState, StoredAlert, StoredDelivery } from '../../store/store.ts';
import type { Changes } from '../changes.ts';

/** What is stored of an alert besides its columns. */
export interface AlertDetail extends CreateAlertRequest {
  /** Of which month, or of all time, its cost was told. */
  told?: string;
}

/** One who may be told of a job: by an alert, or by the job's spec. */
export interface Rule extends Pick<NotifyRule, 'channel' | 'events' | 'threshold' | 'longRunningMs' | 'maxPerHour'> {
  readonly key: string;
  /** 0: of the job's spec. */
  readonly alert: number;
  readonly owner: string;
  readonly tenant: string;
  readonly filter?: AlertFilter;
}

export interface Alert {
  readonly row: StoredAlert;
  readonly detail: AlertDetail;
}

/** What is stored of a message besides its columns. */
export interface DeliveryDetail {
  /** Which rule it is of: messages of one rule keep to one pace. */
  readonly rule: string;
  readonly event: string;
  /** Of a rule of a job; else that of the alert. Holds no secret. */
  readonly channel?: AlertChannel;
  readonly view: AlertChannelView;
  /** The first of them; none: it is a test. */
  readonly notices: readonly Notice[];
  readonly total: number;
  readonly attempts: number;
  readonly triedAt?: number;
  readonly outcome?: 'delivered' | 'failed' | 'dropped';
  readonly reason?: string;
}

export interface Delivery {
  readonly row: StoredDelivery;
  readonly detail: DeliveryDetail;
}

/** Who is told of what, and what is still to be told. Rebuilt from the store with the rest of memory. */
export class AlertBook {
  /** Those that hold, by number. */
  readonly alerts = new Map<number, Alert>();
  /** What they say, in the same order; made anew when it is asked for after a change. */
  #rules: readonly Rule[] | undefined;
  /** Messages that are to be tried, by id. */
  readonly waiting = new Map<string, Delivery>();
  nextAlert = 1;
  /** Part of the ids of messages, so that those of two coordinators differ. */
  storeId = '';
  /** Nothing is due before, epoch ms. */
  nextDue = Number.POSITIVE_INFINITY;
  /** How jobs stood when they were last looked at. */
  readonly #standings = new WeakMap<Job, Standing>();
  /** By rule. */
  readonly #allowances = new Map<string, Allowance>();
  /** Ids of messages that are over, by job: of live ones when they were loaded, and of those that run long. */
  readonly #over = new Map<number, Set<string>>();
  /** The newest waiting message of each rule. */
  readonly #newest = new Map<string, string>();

  load(storeId: string, { alerts, deliveries, delivered }: LoadedState): void {
    this.storeId = storeId;
    for (const row of alerts) {
      this.nextAlert = Math.max(this.nextAlert, row.id + 1);
      if (row.deletedAt === 0) this.alerts.set(row.id, { row, detail: JSON.parse(row.detail) as AlertDetail });
    }
    for (const row of deliveries) this.#wait({ row, detail: JSON.parse(row.detail) as DeliveryDetail });
    for (const { id, jobId } of delivered) this.#noteOver(jobId, id);
  }

  /** How the job stood when this was last called; `fresh`: how one stands of which nothing was known. */
  look(job: Job, fresh: Standing | undefined): { before: Standing; after: Standing } {
    const after = standingOf(job);
    const before = this.#standings.get(job) ?? fresh ?? after;
    this.#standings.set(job, after);
    return { before, after };
  }

  get rules(): readonly Rule[] {
    this.#rules ??= [...this.alerts.values()].map(({ row, detail }) => {
      const { id, owner, tenant } = row;
      return { ...detail, key: ruleOf({ alert: id }), alert: id, owner, tenant };
    });
    return this.#rules;
  }

  saveAlert(changes: Changes, { row, detail }: Alert): void {
    const stored = { ...row, detail: JSON.stringify(detail) };
    this.alerts.set(row.id, { row: stored, detail });
    this.#rules = undefined;
    changes.alerts.set(row.id, stored);
  }

  dropAlert(changes: Changes, { row, detail }: Alert, now: number): void {
    this.alerts.delete(row.id);
    this.#rules = undefined;
    // What is secret of it is gone with it.
    const rest = { name: detail.name, events: detail.events };
    changes.alerts.set(row.id, { ...row, deletedAt: now, detail: JSON.stringify(rest) });
  }

  /** Whether there is, or was, a message of this id. */
  isTold(jobId: number, id: string): boolean {
    return this.waiting.has(id) || this.#over.get(jobId)?.has(id) === true;
  }

  /** The message of a rule that still gathers, since the rule has sent as much as it may for now. */
  gathering(rule: string, now: number): Delivery | undefined {
    const newest = this.waiting.get(this.#newest.get(rule) ?? '');
    return newest !== undefined && newest.row.nextAt > now && newest.detail.attempts === 0 ? newest : undefined;
  }

  /** How long a new message of the rule must wait, ms. */
  pace(rule: string, perHour: number, now: number): number {
    let allowance = this.#allowances.get(rule);
    if (allowance === undefined) {
      allowance = new Allowance(perHour, now);
      this.#allowances.set(rule, allowance);
    }
    return allowance.take(now);
  }

  saveDelivery(changes: Changes, { row, detail }: Delivery): void {
    const stored = { ...row, detail: JSON.stringify(detail) };
    changes.deliveries.set(row.id, stored);
    if (row.nextAt > 0) this.#wait({ row: stored, detail });
    else {
      this.waiting.delete(row.id);
      if (detail.event === 'long_running') this.#noteOver(row.jobId, row.id);
      if (this.#newest.get(detail.rule) === row.id) this.#newest.delete(detail.rule);
    }
  }

  /** Forgets what was told of jobs that have left memory. */
  forgetJobs(isHere: (jobId: number) => boolean): void {
    for (const jobId of this.#over.keys()) if (!isHere(jobId)) this.#over.delete(jobId);
    for (const rule of this.#allowances.keys()) {
      const jobId = jobOfRule(rule);
      if (jobId !== undefined && !isHere(jobId)) this.#allowances.delete(rule);
    }
  }

  #noteOver(jobId: number, id: string): void {
    this.#over.set(jobId, (this.#over.get(jobId) ?? new Set()).add(id));
  }

  #wait(delivery: Delivery): void {
    this.waiting.set(delivery.row.id, delivery);
    this.#newest.set(delivery.detail.rule, delivery.row.id);
    this.nextDue = Math.min(this.nextDue, delivery.row.nextAt);
  }
}

/** Names a rule of an alert, or one of the spec of a job. */
export function ruleOf(of: { readonly alert: number } | { readonly job: number; readonly number: number }): string {
  return 'alert' in of ? `a${of.alert}` : `j${of.job}.${of.number}`;
}

function jobOfRule(rule: string): number | undefined {
  return rule.startsWith('j') ? Number.parseInt(rule.slice(1), 10) : undefined;
}
