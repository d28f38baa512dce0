import type { StoredBudget } from '../../store/store.ts';

/** A budget, with what counts against it that is no instance of now. */
export interface Budget {
  readonly row: StoredBudget;
  /** USD of instances that are not listed any more, and in which period: since when it counts. */
  forgotten: number;
  forgottenFrom: number;
  /** Told once each: 80 %, 100 %. */
  told: number;
  /** In which period that was; absent: none. */
  toldFrom?: number;
  /** Of which period the beginning is noted. */
  markedFrom?: number;
  /** USD of what has ended in the period that began then; absent: to be counted. */
  ended?: { readonly from: number; usd: number };
}

export function unpackBudget(row: StoredBudget): Budget {
  const { forgotten = 0, forgottenFrom = 0, told = 0, toldFrom } = JSON.parse(row.detail) as Partial<Budget>;
  return { row, forgotten, forgottenFrom, told, ...(toldFrom === undefined ? {} : { toldFrom }) };
}
