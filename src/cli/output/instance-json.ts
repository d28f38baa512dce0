import type { InstanceView } from '../../api/instance.ts';
import { formatDuration } from '../../core/duration.ts';
import { asJobId, formatTaskId } from '../../core/ids.ts';
import { isoTime } from './format.ts';

/** Whole seconds, rounded up so that what is left is never said to be nothing before it is. */
export function secondsOf(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.ceil(ms / 1_000);
}

function durationOf(ms: number): string | null {
  return ms === 0 ? null : formatDuration(ms);
}

/** Keys are always all there: what is not known, or has no meaning for a standalone instance, is null. */
export function instanceJson(instance: InstanceView): object {
  const { standalone } = instance;
  return {
    instance_id: instance.id,
    name: instance.name,
    state: instance.state,
    reason: instance.reason ?? null,
    message: instance.message ?? null,
    instance_type: instance.type,
    region: instance.region,
    availability_zone: instance.zone,
    public_ip: instance.publicIp ?? null,
    private_ip: instance.privateIp ?? null,
    dns: instance.dns ?? null,
    spot: instance.spot,
    created_at: isoTime(instance.createdAt),
    launch_time: isoTime(instance.launchedAt),
    ended_at: isoTime(instance.endedAt),
    ttl: durationOf(instance.ttlMs),
    ttl_remaining_seconds: secondsOf(instance.ttlLeftMs),
    idle_timeout: durationOf(instance.idleTimeoutMs),
    idle_seconds: secondsOf(instance.idleMs),
    cpu_percent: instance.cpuPercent ?? null,
    job_array_id: standalone ? null : instance.arrayId,
    job_array_name: standalone ? null : instance.arrayName,
    job_array_index: standalone ? null : instance.index,
    job_array_rank: standalone ? null : instance.rank,
    job_array_size: standalone ? null : instance.arraySize,
    job_id: instance.jobId,
    task: formatTaskId(asJobId(instance.jobId), instance.index),
    task_state: instance.task,
    owner: instance.owner,
    running_seconds: secondsOf(instance.ranMs),
    rate: instance.rate,
    cost: instance.cost,
    generation: instance.generation,
    tags: instance.tags,
    parameters: instance.params ?? {},
  };
}
