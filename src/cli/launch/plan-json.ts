import type { LaunchPlan } from '../../core/instance-plan.ts';
import { plannedMembers } from '../../core/instance-plan.ts';
import { PRICES_OF } from '../../core/instance-prices.ts';
import type { Launch } from './read-launch.ts';
import type { LaunchSpecs } from './spec-of-launch.ts';

/** The plan as data. Prices are USD, `_ms` whole numbers; what has no meaning is null. */
export function planJson({ plan, instances }: LaunchSpecs, params: Launch['params'], notes: readonly string[]): object {
  const { estimate, type, rates } = plan;
  return {
    dry_run: true,
    name: plan.name,
    standalone: plan.standalone,
    size: plan.size,
    instance_type: type.name,
    vcpus: type.vcpus,
    memory_bytes: type.memoryBytes,
    gpus: type.gpus,
    region: plan.region,
    spot: plan.spot,
    ttl_ms: instances.ttlMs || null,
    on_demand_rate: rates.onDemand,
    spot_rate: rates.spot,
    rate: plan.rate,
    estimated_for_ms: estimate.forMs,
    estimated_per_hour: estimate.perHour,
    estimated_cost: estimate.cost,
    on_demand_cost: estimate.onDemand,
    spot_cost: estimate.spot,
    spot_saving_percent: estimate.savedPercent,
    cost_limit: estimate.limit ?? null,
    prices_of: PRICES_OF,
    notes,
    instances: members(plan, params),
  };
}

function members(plan: LaunchPlan, params: Launch['params']): object[] {
  return Array.from(plannedMembers(plan), ({ index, rank, name, zone }) => ({
    job_array_index: plan.standalone ? null : index,
    name,
    instance_type: plan.type.name,
    region: plan.region,
    availability_zone: zone,
    parameters: params?.[rank] ?? {},
  }));
}
