import type { InstanceSpec } from '../../api/instance.ts';
import { IndexSet } from '../../core/index-set.ts';
import { costOf } from '../../core/instance-cost.ts';
import { type LaunchPlan, planLaunch } from '../../core/instance-plan.ts';
import type { LaunchPlace } from '../../core/launch-spec.ts';
import { TaskReason, type TaskTable } from '../../core/task-table.ts';
import type { StoredJobFixed } from '../../store/store.ts';
import { type InstanceRow, isOver } from './row.ts';

/** All machines of one job: those that live and, for the retention time, those that ended. */
export class InstanceArray {
  /** Written anew by a resize. */
  fixed: StoredJobFixed;
  /** By position; newest generation last. */
  readonly members = new Map<number, InstanceRow[]>();
  readonly live = new Map<number, InstanceRow>();
  /** Members that there shall be: positions that a resize took away do not count. */
  size: number;
  /** Position of the last of these. */
  last: number;
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
  /** USD of those that ended, and of those among them that are not listed any more. */
  endedCost = 0;
  forgottenCost = 0;
  /** Told once each: events. Of its cost limit: 1 = nearly used up, 2 = used up. */
  told = 0;
  toldBudget = false;
  toldCompleted = false;

  readonly #planOf: (fixed: StoredJobFixed) => LaunchPlan;
  #plan: LaunchPlan | undefined;

  /** @param plan how an array would be launched now: asked for when it is needed, most of many arrays that ended never are */
  constructor(fixed: StoredJobFixed, plan: (fixed: StoredJobFixed) => LaunchPlan) {
    this.fixed = fixed;
    this.size = fixed.size;
    this.last = fixed.size - 1;
    this.#planOf = plan;
  }

  get plan(): LaunchPlan {
    this.#plan ??= this.#planOf(this.fixed);
    return this.#plan;
  }

  /** Counts the members that there shall be; true when that is another number. */
  measure(table: TaskTable): boolean {
    const before = this.size;
    this.size = table.size;
    this.last = table.size - 1;
    if (table.reasons !== undefined) {
      const isAway = (position: number) => table.reasonOf(position) === TaskReason.resized;
      for (let position = 0; position < table.size; position++) if (isAway(position)) this.size--;
      while (this.last > 0 && isAway(this.last)) this.last--;
    }
    return this.size !== before;
  }

  /** There are more members from now on. */
  grow(fixed: StoredJobFixed): void {
    this.fixed = fixed;
    this.#plan = undefined;
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
    if (isOver(row)) this.endedCost += costOf(row.ranMs, row.rate);
    else this.live.set(row.position, row);
    if ((row.forgotten ?? 0) > this.forgottenCost) {
      this.endedCost += row.forgotten! - this.forgottenCost;
      this.forgottenCost = row.forgotten!;
    }
    if (row.barrier) this.barrier = true;
    if ((row.told ?? 0) > this.told) this.told = row.told!;
    if (row.createdAt > (this.lastLaunchAt ?? 0)) this.lastLaunchAt = row.createdAt;
    this.sharesStale = true;
  }

  /** It has ended. */
  ended(row: InstanceRow): void {
    if (this.live.get(row.position) === row) this.live.delete(row.position);
    this.endedCost += costOf(row.ranMs, row.rate);
    this.sharesStale = true;
    this.peersStale = true;
  }

  /** Forgets one that ended, not what it cost. */
  remove(row: InstanceRow): void {
    const rows = this.members.get(row.position)?.filter((other) => other !== row) ?? [];
    if (rows.length === 0) this.members.delete(row.position);
    else this.members.set(row.position, rows);
    this.forgottenCost += costOf(row.ranMs, row.rate);
  }

  /** Of the member that has or will have a name, whose index is one of these. */
  positionNamed(name: string, indices: readonly number[]): number | undefined {
    const all = this.fixed.indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(this.fixed.indices);
    const positions = indices.map((index) => all.positionOf(index)).filter((position) => position >= 0);
    return positions.find((position) => this.plan.member(position).name === name);
  }

  /** Whether no other one is left. */
  isLast(row: InstanceRow): boolean {
    const rows = this.members.get(row.position);
    return this.members.size === 1 && rows?.length === 1 && rows[0] === row;
  }

  anyRow(): InstanceRow | undefined {
    const [rows] = this.members.values();
    return rows?.at(-1);
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
}

/** The plan of an array that was checked when it was submitted. */
export function planOf(fixed: StoredJobFixed, place: LaunchPlace): LaunchPlan {
  const { spec, name } = fixed;
  const { params: _params, minViable: _minViable, ...instances } = spec.instances!;
  const indices = fixed.indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(fixed.indices);
  return planLaunch({ ...spec, name, instances: { ...instances, strict: false } }, indices, place);
}
