import type { InstanceSpec } from '../../api/instance.ts';
import { IndexSet } from '../../core/index-set.ts';
import { costOf } from '../../core/instance-cost.ts';
import { type LaunchPlan, planLaunch } from '../../core/instance-plan.ts';
import type { LaunchPlace } from '../../core/launch-spec.ts';
import type { StoredJobFixed } from '../../store/store.ts';
import { type InstanceRow, isOver } from './row.ts';

/** All machines of one job: those that live and, for the retention time, those that ended. */
export class InstanceArray {
  /** Written anew by a resize. */
  fixed: StoredJobFixed;
  plan: LaunchPlan;
  /** By position; newest generation last. */
  readonly members = new Map<number, InstanceRow[]>();
  readonly live = new Map<number, InstanceRow>();
  /** Members that there shall be: positions that a resize took away do not count. */
  size: number;
  /** All members have run once: there is a peers document. */
  barrier = false;
  /** Version of the peers document, and who is in it; 0 = there is none. */
  peers = 0;
  peersText = '';
  /** Steady clock: the next one may come then. */
  peersDue = 0;
  /** Who runs, or where, has changed since the last one. */
  peersStale = true;
  /** Epoch ms; undefined before the first launch. */
  lastLaunchAt: number | undefined;
  /** Who shares the cap, or what it is, has changed since it was split. */
  sharesStale = true;
  /** USD of those that ended and are not listed any more. */
  forgottenCost = 0;
  /** Told once each: events. */
  toldCostLimit = false;
  toldCompleted = false;

  constructor(fixed: StoredJobFixed, place: LaunchPlace) {
    this.fixed = fixed;
    this.size = fixed.size;
    this.plan = planOf(fixed, place);
  }

  get id(): number {
    return this.fixed.id;
  }

  get part(): InstanceSpec {
    return this.fixed.spec.instances!;
  }

  /** `tenant/owner`: whose budget it counts against. */
  get account(): string {
    return `${this.fixed.tenant}/${this.fixed.owner}`;
  }

  add(row: InstanceRow): void {
    const rows = this.members.get(row.position);
    if (rows === undefined) this.members.set(row.position, [row]);
    else {
      rows.push(row);
      rows.sort((a, b) => a.generation - b.generation);
    }
    if (!isOver(row)) this.live.set(row.position, row);
    if (row.barrier) this.barrier = true;
    if (row.createdAt > (this.lastLaunchAt ?? 0)) this.lastLaunchAt = row.createdAt;
    this.sharesStale = true;
  }

  /** Forgets one that ended. */
  remove(row: InstanceRow): void {
    const rows = this.members.get(row.position)?.filter((other) => other !== row) ?? [];
    if (rows.length === 0) this.members.delete(row.position);
    else this.members.set(row.position, rows);
    this.forgottenCost += costOf(row.ranMs, row.rate);
  }

  /** The machine of a position: the one that lives, else the last one. */
  newest(position: number): InstanceRow | undefined {
    return this.live.get(position) ?? this.members.get(position)?.at(-1);
  }

  /** Those that run, in order of index. */
  running(): InstanceRow[] {
    return [...this.live.values()]
      .filter(({ state }) => state === 'running')
      .toSorted((a, b) => a.position - b.position);
  }

  /** In order of index, then generation. */
  *rows(): Generator<InstanceRow> {
    for (const position of [...this.members.keys()].toSorted((a, b) => a - b)) yield* this.members.get(position)!;
  }

  /** USD of those that ended. */
  spentByEnded(): number {
    let sum = this.forgottenCost;
    for (const rows of this.members.values())
      for (const row of rows) if (isOver(row)) sum += costOf(row.ranMs, row.rate);
    return sum;
  }
}

/** The plan of an array that was checked when it was submitted. */
export function planOf(fixed: StoredJobFixed, place: LaunchPlace): LaunchPlan {
  const { spec, name } = fixed;
  const { params: _params, minViable: _minViable, ...instances } = spec.instances!;
  const indices = fixed.indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(fixed.indices);
  return planLaunch({ ...spec, name, instances: { ...instances, strict: false } }, indices, place);
}
