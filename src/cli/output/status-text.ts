import type { JobView, TaskView } from '../../api/job.ts';
import type { ServerView } from '../../api/server-view.ts';
import { type Params, paramText } from '../../core/params.ts';
import { colourOfState, painter } from './color.ts';
import { counted, isoTime, oneLine, shownBytes, shownCount, shownDuration } from './format.ts';
import { endedOf } from './progress.ts';
import { sheet } from './sheet.ts';

export function taskStatus(task: TaskView, colour: boolean): string {
  const paint = painter(colour);
  const bytes = (count: number | undefined) => (count === undefined ? undefined : shownBytes(count));
  const duration = (ms: number | undefined) => (ms === undefined ? undefined : shownDuration(ms));
  return sheet(`Task ${task.id}`, [
    [
      'state',
      `${paint(colourOfState(task.state), task.state)}${task.reason === undefined ? '' : `: ${oneLine(task.reason)}`}`,
    ],
    ['attempt', String(task.attempt)],
    ['progress', task.progress === undefined ? undefined : progressText(task.progress)],
    ['failures', task.failures === 0 ? undefined : String(task.failures)],
    ['end', task.outcome],
    ['started', isoTime(task.startedAt) ?? undefined],
    ['ended', isoTime(task.endedAt) ?? undefined],
    ['wall time', duration(task.wallMs)],
    ['CPU time', duration(task.cpuMs)],
    ['memory', bytes(task.maxRssBytes)],
    ['worker', task.worker === undefined ? undefined : oneLine(task.worker)],
    ['parameters', task.params === undefined ? undefined : oneLine(paramsText(task.params))],
    ['output', bytes(task.outBytes)],
    ['errors', bytes(task.errBytes)],
    ['cut', task.cutBytes ? bytes(task.cutBytes) : undefined],
    ['missing', task.missingBytes ? bytes(task.missingBytes) : undefined],
  ]);
}

function progressText({ fraction, message }: NonNullable<TaskView['progress']>): string {
  return `${Math.floor(fraction * 100)}%${message === undefined ? '' : `: ${oneLine(message)}`}`;
}

function paramsText(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${paramText(value) ?? ''}`)
    .join(' ');
}

/** What is free and what there is of each named resource, over all workers. */
function namedAmounts(workers: ServerView['sessions']): Map<string, [number, number]> {
  const named = new Map<string, [number, number]>();
  for (const { resources, freeNamed } of workers) {
    for (const [name, all] of Object.entries(resources.named ?? {})) {
      const [left, sum] = named.get(name) ?? [0, 0];
      named.set(name, [tenThousandths(left + (freeNamed?.[name] ?? all)), tenThousandths(sum + all)]);
    }
  }
  return named;
}

/** Amounts have four decimals at most; sums of them must not show more. */
function tenThousandths(amount: number): number {
  return Math.round(amount * 10_000) / 10_000;
}

/** @param jobs some of those that have not ended, newest first */
export function serverStatus(server: ServerView, jobs: readonly JobView[], now: number, colour: boolean): string {
  const paint = painter(colour);
  const workers = server.sessions.filter(({ connected }) => connected);
  const cpus = workers.reduce((sum, { resources }) => sum + resources.cpus, 0);
  const free = workers.reduce((sum, { freeCpus }) => sum + freeCpus, 0);
  const running = workers.reduce((sum, session) => sum + session.running, 0);
  const gpus = workers.reduce((sum, { resources }) => sum + (resources.gpus ?? 0), 0);
  const freeGpus = workers.reduce((sum, { resources, freeGpus }) => sum + (freeGpus ?? resources.gpus ?? 0), 0);
  const named = namedAmounts(workers);
  const text = sheet(`Coordinator ${server.version} on ${server.host} (pid ${server.pid})`, [
    ['up', shownDuration(now - server.startedAt)],
    ['data', oneLine(server.dataDir)],
    ['listens', server.listens?.join(', ')],
    ['store', server.writable ? undefined : paint('red', 'refuses writes: no space left; reads go on')],
    ['workers', `${shownCount(workers.length)}, ${free} of ${cpus} CPUs free, ${counted(running, 'task')} running`],
    ['GPUs', gpus === 0 ? undefined : `${freeGpus} of ${gpus} free`],
    ...[...named].map(([name, [left, all]]) => [name, `${left} of ${all} free`] as const),
    ['live jobs', shownCount(server.liveJobs)],
  ]);
  const lines = jobs.map((job) => {
    const ended = endedOf(job.counts);
    const failed = job.counts.failed > 0 ? paint('red', `, ${shownCount(job.counts.failed)} failed`) : '';
    const state = paint(colourOfState(job.state), job.state);
    return `    ${job.id}  ${job.name}  ${state}  ${shownCount(ended)}/${shownCount(job.size)}${failed}\n`;
  });
  const more = server.liveJobs > jobs.length ? '    …  see: spawn jobs\n' : '';
  return text + lines.join('') + more;
}
