/** One machine of one index of an instance array. */
export interface StoredInstance {
  /** `i-` and 17 hex digits; never given twice. */
  id: string;
  jobId: number;
  position: number;
  /** 1 for the first machine of its index, then 2, … */
  generation: number;
  owner: string;
  tenant: string;
  createdAt: number;
  /** 0 while it is not terminated; those are loaded at start, and ended ones on demand. */
  endedAt: number;
  /** JSON: all else of core/instance.ts. */
  detail: string;
}

/** What the instances of an owner may cost. */
export interface StoredBudget {
  owner: string;
  tenant: string;
  /** USD; negative: no budget. */
  amount: number;
  period: string;
  setAt: number;
  /** JSON. */
  detail: string;
}

export interface StoredInstancesQuery {
  /** Only of this job. */
  jobId?: number;
  /** Only this one. */
  id?: string;
  /** Only those that ended at this time or later. */
  endedFrom: number;
  /** Only those that ended before this time; absent: all. */
  endedBefore?: number;
  limit: number;
}
