import type { FailureGroup, SummaryReply } from '../../api/insight.ts';
import type { Counts, JobView, TaskView } from '../../api/job.ts';
import { colourOfState, type Paint, painter } from './color.ts';
import { counted, cut, isoTime, oneLine, shownBytes, shownCount, shownDuration, shownRate } from './format.ts';
import { suspendedText } from './progress.ts';
import { sheet } from './sheet.ts';

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

/** For a line of a terminal. */
export interface SummaryStyle {
  /** By this machine's clock, for the time since it started. */
  readonly now: number;
  readonly colour: boolean;
  readonly columns: number;
}

/** Lines at the top of the sheet. */
const STATE_AND_TASKS = 2;
const MESSAGE_COLUMNS = 60;
const INDICES_COLUMNS = 30;

/** How a job is doing: a sheet, then what failed and how, then what takes long. @param more lines of the sheet, after its tasks */
export function summaryText(
  summary: SummaryReply,
  style: SummaryStyle,
  more: readonly (readonly [string, string | undefined])[] = [],
): string {
  const paint = painter(style.colour);
  const { job } = summary;
  const [example] = summary.failures;
  const lines = jobLines(summary, style.now, paint);
  const [first, rest] = [lines.slice(0, STATE_AND_TASKS), lines.slice(STATE_AND_TASKS)];
  return [
    sheet(`Job ${job.id}: ${job.name} (${job.arrayId})`, [...first, ...more, ...rest]),
    section('Failures', failureLines(summary.failures, style)),
    section('Slowest', summary.slowest.map(slowLine)),
    section(
      'Running longest',
      summary.longestRunning.map((task) => runningLine(task, style.now)),
    ),
    ...(example === undefined ? [] : [`See: spawn logs ${example.example}\n`]),
  ].join('');
}

function section(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${heading}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** `1,000: 990 completed, 10 failed`. */
function partsText({ plan, minSuccess }: JobView): string | undefined {
  const planner = plan?.job === undefined ? '' : ` (planned by job ${plan.job})`;
  const enough = minSuccess === undefined ? undefined : `${minSuccess * 100}% of the tasks are enough`;
  if (plan === undefined) return enough;
  const parts = plan.parts === undefined ? `not known yet${planner}` : `${shownCount(plan.parts)}${planner}`;
  return enough === undefined ? parts : `${parts}; ${enough}`;
}

function tasksText(job: JobView, paint: Paint): string {
  const counts = ORDER.filter((state) => job.counts[state] > 0).map((state) =>
    paint(
      colourOfState(state),
      `${shownCount(job.counts[state])} ${state}${state === 'running' ? suspendedText(job) : ''}`,
    ),
  );
  return `${shownCount(job.size)}: ${counts.join(', ')}`;
}

function jobLines(summary: SummaryReply, now: number, paint: Paint) {
  const { job, ratePerSecond, etaAt, retriedTasks } = summary;
  const elapsedMs = job.startedAt === undefined ? undefined : (job.endedAt ?? now) - job.startedAt;
  const when = (at: number | undefined): string | undefined => {
    if (at === undefined) return undefined;
    return at > now ? `${isoTime(at)}, in ${shownDuration(at - now)}` : isoTime(at)!;
  };
  const left = etaAt === undefined || job.endedAt !== undefined ? undefined : shownDuration(Math.max(0, etaAt - now));
  const needs = [
    `${job.cpus} CPU${job.cpus === 1 ? '' : 's'}`,
    ...(job.memoryBytes > 0 ? [shownBytes(job.memoryBytes)] : []),
    ...(job.gpus ? [`${job.gpus} GPU${job.gpus === 1 ? '' : 's'}`] : []),
    ...Object.entries(job.resources ?? {}).map(([name, amount]) => `${name}=${amount}`),
    ...(job.timeLimitMs > 0 ? [`${shownDuration(job.timeLimitMs)} at most`] : []),
  ];
  return [
    [
      'state',
      `${paint(colourOfState(job.state), job.state)}${job.reason === undefined ? '' : `: ${oneLine(job.reason)}`}`,
    ],
    ['tasks', tasksText(job, paint)],
    ['throttle', job.throttle === 0 ? undefined : `${shownCount(job.throttle)} at once`],
    ['priority', job.priority === 0 ? undefined : String(job.priority)],
    ['needs', needs.length > 1 || job.cpus !== 1 ? needs.join(', ') : undefined],
    ['parts', partsText(job)],
    ['progress', job.progress === undefined ? undefined : `${Math.floor(job.progress * 100)}%`],
    ['after', job.after],
    ['canary', job.canary],
    ['begin', when(job.beginAt)],
    ['deadline', when(job.deadlineAt)],
    ['submitted', isoTime(job.createdAt) ?? undefined],
    ['elapsed', elapsedMs === undefined ? undefined : shownDuration(elapsedMs)],
    ['rate', ratePerSecond === undefined ? undefined : shownRate(ratePerSecond)],
    ['left', left === undefined ? undefined : `about ${left}, until ${isoTime(etaAt)}`],
    ['mean time', job.meanWallMs === undefined ? undefined : `${shownDuration(job.meanWallMs)} a task`],
    [
      'retried',
      job.retried === 0 ? undefined : `${counted(job.retried, 'attempt')} of ${counted(retriedTasks, 'task')}`,
    ],
    ['exit code', job.exitCode === undefined ? undefined : String(job.exitCode)],
    ['command', oneLine(job.command)],
    ['directory', oneLine(job.cwd)],
  ] as const;
}

/** `3  exit 3  [5-7]  No such file: <path>`, most frequent first as they came. */
function failureLines(failures: readonly FailureGroup[], { colour, columns }: SummaryStyle): string[] {
  const paint = painter(colour);
  const counts = failures.map(({ tasks, estimated }) => `${estimated ? 'about ' : ''}${shownCount(tasks)}`);
  const indices = failures.map(({ indices }) => cut(`[${oneLine(indices)}]`, INDICES_COLUMNS));
  const width = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
  const outcomes = failures.map(({ outcome }) => oneLine(outcome));
  return failures.map(({ message }, at) => {
    const start = [
      counts[at]!.padStart(width(counts)),
      outcomes[at]!.padEnd(width(outcomes)),
      indices[at]!.padEnd(width(indices)),
    ].join('  ');
    const room = Math.max(MESSAGE_COLUMNS, columns - start.length - 4);
    return `${paint('red', start)}${message === undefined ? '' : `  ${cut(oneLine(message), room)}`}`.trimEnd();
  });
}

function slowLine(task: TaskView): string {
  const end = task.outcome ?? task.state;
  return `${task.id}  ${task.wallMs === undefined ? '-' : shownDuration(task.wallMs)}  ${oneLine(end)}`;
}

function runningLine(task: TaskView, now: number): string {
  const { startedAt, suspendedAt = now, suspendedMs = 0 } = task;
  const ran = startedAt === undefined ? '-' : shownDuration(suspendedAt - startedAt - suspendedMs);
  return `${task.id}  ${ran}${task.suspended ? ', suspended' : ''}${task.worker === undefined ? '' : `  on ${oneLine(task.worker)}`}`;
}
