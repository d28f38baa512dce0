import { type Gang, type Shape, shapeOf } from './gang.ts';
import type { PositionSet } from './position-set.ts';
import { type Amounts, type Needs, needsOf, needsOfRanks } from './resources.ts';

/** Highest number of a lane: a task keeps its lane in one byte. */
export const MAX_LANE = 255;

/** What tasks of a lane get, where others of their job may get something else. */
export interface LaneTerms extends Amounts {
  /** From the start of an attempt; 0 = none. */
  readonly timeLimitMs: number;
  /** Strict bands; higher runs first. */
  readonly priority: number;
}

/** What of its job a lane decides by; Job is the only implementation. */
export interface LaneJob {
  readonly id: number;
  readonly facts: {
    readonly owner: string;
    readonly minApi: number;
    readonly bound: boolean;
    readonly exclusive?: boolean | undefined;
    readonly gang?: Gang | undefined;
  };
  readonly held: boolean;
  /** It has not begun, or its deadline has passed. */
  readonly shut: boolean;
  /** How many more tasks may be granted under the throttle. */
  readonly room: number;
  /** Granted tasks of all its lanes that hold resources. */
  slots: number;
  readonly lanes: readonly Lane[];
  /** Smoothed wall time of an attempt, microseconds; 0 = none has ended. */
  readonly meanWallUs: number;
}

/**
 * Tasks of one job that ask for the same. Number 0 is what was submitted, others came later (`retry --memory x2`). What is asked for never
 * changes, so that what holds resources gives the same back; tasks change their lane instead. Only the priority may change.
 */
export class Lane {
  readonly job: LaneJob;
  readonly number: number;
  readonly terms: Omit<LaneTerms, 'priority'>;
  /** Of one task; of one that is placed as a whole the least that any of its sessions must have. */
  readonly needs: Needs;
  /** Its tasks are placed as a whole, one by one. */
  readonly shape: Shape | undefined;
  priority: number;
  /** Oldest version of the API with which a worker understands these tasks. */
  readonly minApi: number;
  /** Its tasks wait for their instances, in no queue, and take no slot of the pool. */
  readonly bound: boolean;
  /** Its tasks that may be granted now; the job's table keeps it. */
  readonly #eligible: PositionSet;
  /** Granted tasks that hold resources (not those granted ahead), over all sessions. */
  slots = 0;
  /** When it last got a grant, in turns: breaks ties. */
  turn = 0;
  /** Since when it is first in line and fits nowhere, epoch ms; 0 = it is not. */
  starvedSince = 0;
  heapAt = -1;
  /** Too large for every machine there is: out of the queue until another one comes. */
  parked = false;
  /** Fits nowhere now: out of the queue for the rest of a pass. */
  aside = false;

  constructor(job: LaneJob, number: number, terms: LaneTerms, eligible: PositionSet) {
    this.job = job;
    this.number = number;
    const { cpus, memoryBytes, gpus, resources, timeLimitMs } = terms;
    this.terms = { cpus, memoryBytes, gpus, resources, timeLimitMs };
    this.priority = terms.priority;
    this.shape = shapeOf(terms, job.facts.exclusive === true, job.facts.gang);
    this.needs = this.shape === undefined ? needsOf(terms) : leastOf(this.shape);
    const plain = number === 0 && this.needs.gpuShares === 0 && this.needs.named.size === 0;
    this.minApi = plain ? job.facts.minApi : Math.max(2, job.facts.minApi);
    this.bound = job.facts.bound;
    this.#eligible = eligible;
  }

  /** How many tasks the pool may be given now, resources aside. */
  get wanted(): number {
    return this.bound || this.job.held || this.job.shut ? 0 : Math.min(this.#eligible.count, this.job.room);
  }

  /** The next tasks to be granted, at most `limit`: [start, count], or undefined. They stay where they are until they are leased. */
  takeRun(limit: number): readonly [start: number, count: number] | undefined {
    return this.#eligible.takeRun(0, limit);
  }
}

function leastOf({ node, rank, perNode = 1 }: Shape): Needs {
  return needsOfRanks(node, rank, perNode);
}
