import type { JobView, TaskView } from '../../api/job.ts';
import type { ServerView, SessionView } from '../../api/server-view.ts';
import { isoTime } from './format.ts';

type Flat = Record<string, string | number | boolean | null>;

/** Keys are always all there: what is not known is null. Times are ISO 8601 in UTC, `_ms` and `_bytes` whole numbers. */
export function jobJson(job: JobView): Flat {
  return {
    id: job.id,
    array_id: job.arrayId,
    name: job.name,
    owner: job.owner,
    state: job.state,
    reason: job.reason ?? null,
    array: job.array ?? null,
    size: job.size,
    throttle: job.throttle,
    held: job.held,
    priority: job.priority,
    tasks_blocked: job.counts.blocked,
    tasks_ready: job.counts.ready,
    tasks_leased: job.counts.leased,
    tasks_running: job.counts.running,
    tasks_completed: job.counts.completed,
    tasks_failed: job.counts.failed,
    tasks_cancelled: job.counts.cancelled,
    tasks_skipped: job.counts.skipped,
    retried: job.retried,
    command: job.command,
    cwd: job.cwd,
    after: job.after ?? null,
    cpus: job.cpus,
    memory_bytes: job.memoryBytes,
    time_limit_ms: job.timeLimitMs,
    retries: job.retries,
    created_at: isoTime(job.createdAt),
    started_at: isoTime(job.startedAt),
    ended_at: isoTime(job.endedAt),
    exit_code: job.exitCode ?? null,
    mean_wall_ms: job.meanWallMs ?? null,
    gpus: job.gpus ?? 0,
    resources: amounts(job.resources),
    begin_at: isoTime(job.beginAt),
    deadline_at: isoTime(job.deadlineAt),
    canary: job.canary ?? null,
    instances: job.instances ?? false,
    tasks_suspended: job.suspended ?? 0,
    plan_job: job.plan?.job ?? null,
    parts: job.plan?.parts ?? null,
    min_success: job.minSuccess ?? null,
    progress: job.progress ?? null,
  };
}

/** `licence=1,scratch=0.5`; null without any. */
function amounts(named: Readonly<Record<string, number>> | undefined): string | null {
  const list = Object.entries(named ?? {}).map(([name, amount]) => `${name}=${amount}`);
  return list.length === 0 ? null : list.join(',');
}

export function taskJson(task: TaskView): Flat {
  return {
    id: task.id,
    job_id: task.jobId,
    index: task.index,
    raw_id: task.rawId,
    state: task.state,
    reason: task.reason ?? null,
    attempt: task.attempt,
    failures: task.failures,
    outcome: task.outcome ?? null,
    exit_code: task.exitCode ?? null,
    signal: task.signal ?? null,
    started_at: isoTime(task.startedAt),
    ended_at: isoTime(task.endedAt),
    wall_ms: task.wallMs ?? null,
    cpu_ms: task.cpuMs ?? null,
    max_rss_bytes: task.maxRssBytes ?? null,
    worker: task.worker ?? null,
    out_bytes: task.outBytes ?? null,
    err_bytes: task.errBytes ?? null,
    cut_bytes: task.cutBytes ?? null,
    missing_bytes: task.missingBytes ?? null,
    suspended_at: isoTime(task.suspendedAt),
    suspended_ms: task.suspendedMs ?? null,
  };
}

/** The same with its parameters, which are no part of what can be a row of a table. */
export function taskWithParams(task: TaskView): Record<string, unknown> {
  return { ...taskJson(task), params: task.params ?? null };
}

export function serverJson(server: ServerView): Flat {
  const sum = (of: (session: SessionView) => number) => server.sessions.reduce((total, each) => total + of(each), 0);
  return {
    running: true,
    version: server.version,
    api: server.api,
    pid: server.pid,
    host: server.host,
    store_id: server.storeId,
    epoch: server.epoch,
    data_dir: server.dataDir,
    started_at: isoTime(server.startedAt),
    writable: server.writable,
    listens: server.listens?.join(' ') ?? null,
    live_jobs: server.liveJobs,
    workers: server.sessions.filter(({ connected }) => connected).length,
    cpus: sum(({ resources }) => resources.cpus),
    free_cpus: sum(({ freeCpus }) => freeCpus),
    tasks_running: sum(({ running }) => running),
    tasks_leased: sum(({ leased }) => leased),
    ...Object.fromEntries(Object.entries(server.counters).map(([name, count]) => [`count_${snake(name)}`, count])),
  };
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-z0-9_]/g, '_');
}

/** One document, readable and with a newline at its end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A JSON array written piece by piece, one element a line, so that a million rows are never held together. */
export class JsonArray {
  private readonly write: (text: string) => void;
  private before = '[\n';

  constructor(write: (text: string) => void) {
    this.write = write;
  }

  add(values: readonly unknown[]): void {
    if (values.length === 0) return;
    this.write(this.before + values.map((value) => JSON.stringify(value)).join(',\n'));
    this.before = ',\n';
  }

  end(): void {
    this.write(this.before === '[\n' ? '[]\n' : '\n]\n');
  }
}
