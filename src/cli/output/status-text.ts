import type { Counts, JobView, TaskView } from '../../api/job.ts';
import type { ServerView } from '../../api/session.ts';
import { colourOfState, painter } from './color.ts';
import { counted, isoTime, oneLine, shownBytes, shownCount, shownDuration, shownRate } from './format.ts';
import { endedOf } from './progress.ts';
import { failureText } from './result-line.ts';

const ORDER: readonly (keyof Counts)[] = [
  'completed',
  'failed',
  'cancelled',
  'skipped',
  'running',
  'leased',
  'ready',
  'blocked',
];

/** `name  value` lines below a heading; those without a value are left out. */
function sheet(heading: string, lines: readonly (readonly [string, string | undefined])[]): string {
  const present = lines.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...present.map(([name]) => name.length));
  return [heading, ...present.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`), ''].join('\n');
}

/** @param now by this machine's clock, for the time since it started */
export function jobStatus(job: JobView, failed: readonly TaskView[], now: number, colour: boolean): string {
  const paint = painter(colour);
  const counts = ORDER.filter((state) => job.counts[state] > 0).map((state) =>
    paint(colourOfState(state), `${shownCount(job.counts[state])} ${state}`),
  );
  const elapsedMs = job.startedAt === undefined ? undefined : (job.endedAt ?? now) - job.startedAt;
  const ended = endedOf(job.counts);
  const rate = elapsedMs !== undefined && elapsedMs > 0 && ended > 0 ? (ended * 1_000) / elapsedMs : undefined;
  const left = rate !== undefined && job.endedAt === undefined ? ((job.size - ended) / rate) * 1_000 : undefined;
  const more = job.counts.failed > failed.length ? ', …' : '';
  return sheet(`Job ${job.id}: ${job.name} (${job.arrayId})`, [
    [
      'state',
      `${paint(colourOfState(job.state), job.state)}${job.reason === undefined ? '' : `: ${oneLine(job.reason)}`}`,
    ],
    ['tasks', `${shownCount(job.size)}: ${counts.join(', ')}`],
    ['throttle', job.throttle === 0 ? undefined : `${shownCount(job.throttle)} at once`],
    ['after', job.after],
    ['submitted', isoTime(job.createdAt) ?? undefined],
    ['elapsed', elapsedMs === undefined ? undefined : shownDuration(elapsedMs)],
    [
      'rate',
      rate === undefined
        ? undefined
        : `${shownRate(rate)}${left === undefined ? '' : `, about ${shownDuration(left)} left`}`,
    ],
    ['mean time', job.meanWallMs === undefined ? undefined : `${shownDuration(job.meanWallMs)} a task`],
    ['retried', job.retried === 0 ? undefined : counted(job.retried, 'attempt')],
    ['failures', failed.length === 0 ? undefined : `${failed.map(failureText).join(', ')}${more}`],
    ['exit code', job.exitCode === undefined ? undefined : String(job.exitCode)],
    ['command', oneLine(job.command)],
    ['directory', oneLine(job.cwd)],
  ]);
}

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
    ['failures', task.failures === 0 ? undefined : String(task.failures)],
    ['end', task.outcome],
    ['started', isoTime(task.startedAt) ?? undefined],
    ['ended', isoTime(task.endedAt) ?? undefined],
    ['wall time', duration(task.wallMs)],
    ['CPU time', duration(task.cpuMs)],
    ['memory', bytes(task.maxRssBytes)],
    ['worker', task.worker === undefined ? undefined : oneLine(task.worker)],
    ['output', bytes(task.outBytes)],
    ['errors', bytes(task.errBytes)],
    ['cut', task.cutBytes ? bytes(task.cutBytes) : undefined],
    ['missing', task.missingBytes ? bytes(task.missingBytes) : undefined],
  ]);
}

/** @param jobs some of those that have not ended, newest first */
export function serverStatus(server: ServerView, jobs: readonly JobView[], now: number, colour: boolean): string {
  const paint = painter(colour);
  const workers = server.sessions.filter(({ connected }) => connected);
  const cpus = workers.reduce((sum, { resources }) => sum + resources.cpus, 0);
  const free = workers.reduce((sum, { freeCpus }) => sum + freeCpus, 0);
  const running = workers.reduce((sum, session) => sum + session.running, 0);
  const text = sheet(`Coordinator ${server.version} on ${server.host} (pid ${server.pid})`, [
    ['up', shownDuration(now - server.startedAt)],
    ['data', oneLine(server.dataDir)],
    ['store', server.writable ? undefined : paint('red', 'refuses writes: no space left; reads go on')],
    ['workers', `${shownCount(workers.length)}, ${free} of ${cpus} CPUs free, ${counted(running, 'task')} running`],
    ['live jobs', shownCount(server.liveJobs)],
  ]);
  const lines = jobs.map((job) => {
    const ended = endedOf(job.counts);
    const failed = job.counts.failed > 0 ? paint('red', `, ${shownCount(job.counts.failed)} failed`) : '';
    const state = paint(colourOfState(job.state), job.state);
    return `    ${job.id}  ${job.name}  ${state}  ${shownCount(ended)}/${shownCount(job.size)}${failed}\n`;
  });
  const more = server.liveJobs > jobs.length ? '    …  see: spawn list\n' : '';
  return text + lines.join('') + more;
}
