import { z } from 'zod';
import { InstanceFilters, InstanceState, Usd } from './instance.ts';

/** Money of one group: an array, a standalone instance, an index. USD. */
export const CostLine = z.object({
  ranMs: z.number(),
  onDemand: z.number(),
  spot: z.number(),
  /** What it was charged: the one of both that it was launched with. */
  cost: z.number(),
  /** Of attempts that did not complete. */
  failed: z.number(),
});
export type CostLine = z.infer<typeof CostLine>;

export const CostReply = z.object({
  total: CostLine,
  arrays: z.array(
    CostLine.extend({
      jobId: z.int(),
      arrayId: z.string(),
      name: z.string(),
      standalone: z.boolean(),
      instances: z.int(),
      running: z.int(),
      /** USD an hour of what runs now. */
      rate: z.number(),
      costLimit: z.number().optional(),
      /** When everything that runs goes on until its TTL; absent without a TTL. */
      forecast: z.number().optional(),
      members: z.array(
        CostLine.extend({
          id: z.string(),
          name: z.string(),
          index: z.int(),
          generation: z.int(),
          state: InstanceState,
        }),
      ),
    }),
  ),
  /** `2026-11-01`: of which day the prices are. */
  pricesOf: z.string(),
});
export type CostReply = z.infer<typeof CostReply>;
/** Also `job`: a reference to a job. */
export const CostQuery = z.strictObject({ ...InstanceFilters, job: z.string().max(255).optional() });
export type CostQuery = z.infer<typeof CostQuery>;

/** What the instances of one owner may cost together; 0 amount: nothing may run. */
export const BudgetView = z.object({
  owner: z.string(),
  /** USD; absent: no budget. */
  amount: z.number().optional(),
  /** Counted from the first of the month (UTC) or from `setAt`. */
  period: z.enum(['month', 'total']),
  spent: z.number(),
  rate: z.number(),
  setAt: z.number().optional(),
});
export type BudgetView = z.infer<typeof BudgetView>;
export const BudgetRequest = z.strictObject({
  /** null removes the budget. */
  amount: Usd.nullable(),
  period: z.enum(['month', 'total']).default('month'),
});
export type BudgetRequest = z.infer<typeof BudgetRequest>;
export type BudgetRequestInput = z.input<typeof BudgetRequest>;
