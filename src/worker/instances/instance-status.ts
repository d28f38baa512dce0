import { formatDuration } from '../../core/duration.ts';
import { costOf } from '../../core/instance-cost.ts';
import type { ServedInstance } from './served-instance.ts';

const DEFAULT_COMPLETION_FILE = '/tmp/SPAWN_COMPLETE';

/** The keys that `spored config` knows, as text. */
export function configOf({ life, machine }: Pick<ServedInstance, 'life' | 'machine'>): Record<string, string> {
  const { settings, own, time } = life;
  return {
    // Whole seconds: what was set a moment ago reads as it was set.
    ttl: time.ttlLeftMs === undefined ? '0' : formatDuration(Math.max(0, Math.ceil(time.ttlLeftMs / 1_000) * 1_000)),
    'idle-timeout': settings.idleTimeoutMs === 0 ? '0' : formatDuration(settings.idleTimeoutMs),
    'idle-cpu': String(settings.idleCpuPercent),
    'on-complete': settings.onComplete,
    'on-idle': settings.onIdle,
    'completion-file': own.completionFile ?? DEFAULT_COMPLETION_FILE,
    'pre-stop': own.preStop ?? machine.order.preStop ?? '',
    'pre-stop-timeout': formatDuration(own.preStopTimeoutMs ?? machine.order.preStopTimeoutMs),
  };
}

const seconds = (ms: number | undefined) => (ms === undefined ? null : Math.max(0, Math.round(ms / 1_000)));

/** The notice of an interruption, as its file and `spored status` have it; null while there is none. */
export function interruptionOf(
  { interruptInMs }: ServedInstance['life'],
  clock: ServedInstance['place']['clock'],
): { readonly action: 'terminate'; readonly time: string } | null {
  if (interruptInMs === undefined) return null;
  const atMs = Math.floor((clock.wallMs() + interruptInMs) / 1_000) * 1_000;
  return { action: 'terminate', time: `${new Date(atMs).toISOString().slice(0, -'.000Z'.length)}Z` };
}

/** What `spored status -o json` prints; docs/in-instance.md. What is unknown is null. */
export function statusOf({ life, machine, place }: ServedInstance): Record<string, unknown> {
  life.pass();
  const { order } = machine;
  const { settings, time, idleForMs, directive } = life;
  const now = place.clock.wallMs();
  const cost = costOf(time.ranMs, order.rate);
  const limit = directive?.costShare;
  const elapsed = Math.max(time.ranMs, now - order.launchedAt);
  return {
    instance_id: order.id,
    name: order.name,
    state: life.state,
    region: order.region,
    availability_zone: order.zone,
    instance_type: order.type.name,
    spored_version: place.version,
    started_at: new Date(order.launchedAt).toISOString(),
    elapsed_seconds: seconds(elapsed),
    compute_seconds: seconds(time.ranMs),
    stopped_seconds: seconds(elapsed - time.ranMs),
    ttl: {
      configured: time.ttlLeftMs !== undefined,
      remaining_seconds: seconds(time.ttlLeftMs),
      terminate_at: time.ttlLeftMs === undefined ? null : new Date(now + time.ttlLeftMs).toISOString(),
      mode: order.ttlMode,
    },
    idle: {
      configured: settings.idleTimeoutMs > 0,
      timeout_seconds: seconds(settings.idleTimeoutMs),
      is_idle: idleForMs !== undefined && idleForMs > 0,
      idle_seconds: seconds(idleForMs),
      action: settings.onIdle,
      remaining_seconds: idleForMs === undefined ? null : seconds(settings.idleTimeoutMs - idleForMs),
    },
    on_complete: {
      action: settings.onComplete,
      completion_file: configOf({ life, machine })['completion-file'],
      sentinel_present: life.completion !== undefined,
    },
    cost: {
      price_per_hour: order.rate,
      compute_cost: cost,
      cumulative_cost: cost,
      cost_limit: limit ?? null,
      cost_limit_used: limit === undefined ? null : cost,
      cost_limit_used_pct: limit === undefined || limit === 0 ? null : (cost / limit) * 100,
      cost_limit_remaining: limit === undefined ? null : Math.max(0, limit - cost),
    },
    cpu_percent: life.cpuPercent ?? null,
    network_bytes_per_min: life.bytesPerMinute ?? null,
    pre_stop_hook: configOf({ life, machine })['pre-stop'] || null,
    job_array: { id: order.arrayId, name: order.arrayName, index: order.index, size: life.size },
    completion: life.completion ?? null,
    interruption: interruptionOf(life, place.clock),
  };
}
