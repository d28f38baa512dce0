import type { BudgetView, CostLine, CostReply } from '../../api/instance-money.ts';
import { isoTime } from './format.ts';
import { secondsOf } from './instance-json.ts';

function lineJson(line: CostLine): object {
  return {
    running_seconds: secondsOf(line.ranMs),
    on_demand: line.onDemand,
    spot: line.spot,
    cost: line.cost,
    failed: line.failed,
  };
}

/** Money is in USD; lists hold flat objects. */
export function costJson({ total, arrays, pricesOf }: CostReply): object {
  return {
    currency: 'USD',
    prices_of: pricesOf,
    ...lineJson(total),
    arrays: arrays.map((array) => ({
      job_id: array.jobId,
      job_array_id: array.standalone ? null : array.arrayId,
      name: array.name,
      standalone: array.standalone,
      instances: array.instances,
      running: array.running,
      ...lineJson(array),
      rate: array.rate,
      forecast: array.forecast ?? null,
      cost_limit: array.costLimit ?? null,
      members: array.members.map((member) => ({
        instance_id: member.id,
        name: member.name,
        job_array_index: array.standalone ? null : member.index,
        generation: member.generation,
        state: member.state,
        ...lineJson(member),
      })),
    })),
  };
}

export function budgetJson(budget: BudgetView): object {
  return {
    owner: budget.owner,
    currency: 'USD',
    amount: budget.amount ?? null,
    period: budget.period,
    spent: budget.spent,
    left: budget.amount === undefined ? null : Math.max(0, budget.amount - budget.spent),
    rate: budget.rate,
    set_at: isoTime(budget.setAt),
  };
}
