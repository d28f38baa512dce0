import type { SummaryReply } from '../api/insight.ts';
import type { JobDelta, JobView } from '../api/job.ts';
import { awaitJob, throughRestarts } from './await-job.ts';
import { colourOfState, painter } from './output/color.ts';
import { cut, oneLine, shownCount } from './output/format.ts';
import { Grid } from './output/grid-text.ts';
import { jobColumns } from './output/job-columns.ts';
import { progressLine, RateMeter } from './output/progress.ts';
import { resultLine } from './output/result-line.ts';
import { Table } from './output/table.ts';
import { Redraw } from './redraw.ts';
import { untilInterrupted } from './wait-for-job.ts';
import { WatchLog } from './watch-log.ts';
import type { World } from './world.ts';

const REDRAW_MS = 250;
const SUMMARY_MS = 2_000;
/** When a task starts while none ran: soon, for it may be over soon, but no more often than this. */
const SOON_MS = 250;
/** For the last lines of what has just ended. */
const LAST_LINES_MS = 500;
const LOG_LINES = 5;
const FAILURE_LINES = 3;
const MOST_GRID_ROWS = 12;
/** Of the lines of a terminal, what is not the grid. */
const OTHER_ROWS = 14;
const LIST_MS = 1_000;

/** All that is known of a job while it is watched. */
class View {
  readonly grid = new Grid();
  readonly meter = new RateMeter();
  /** What the watching writes of the log. */
  logLines: readonly string[] = [];
  /** Called when tasks run after none did. */
  started: () => void = () => {};
  delta: JobDelta | undefined;
  summary: SummaryReply | undefined;
  private readonly job: JobView;
  private readonly world: World;

  constructor(world: World, job: JobView) {
    this.world = world;
    this.job = job;
  }

  take(delta: JobDelta): void {
    const none = (this.delta?.counts.running ?? 0) === 0;
    this.delta = delta;
    this.meter.add(delta.counts, this.world.now());
    if (none && delta.counts.running > 0) this.started();
  }

  lines(): string[] {
    const { job, delta } = this;
    const { colour, columns } = this.world.stdout;
    const paint = painter(colour);
    const state = delta?.state ?? job.state;
    const width = Math.max(1, columns - 1);
    return [
      `${paint('bold', `${job.name}`)} (${job.arrayId})  ${paint(colourOfState(state), state)}  ${oneLine(job.command)}`,
      ...(delta === undefined
        ? []
        : [progressLine(delta, this.meter, this.world.now(), { bar: columns >= 60, colour })]),
      ...this.grid.lines(width, colour),
      this.grid.legend(colour),
      ...this.failures().map((line) => paint('red', line)),
      ...this.logLines.map((line) => cut(line, width)),
    ];
  }

  private failures(): string[] {
    const groups = this.summary?.failures ?? [];
    const more = groups.length > FAILURE_LINES ? [`… and ${groups.length - FAILURE_LINES} more kinds of failure`] : [];
    return [
      ...groups.slice(0, FAILURE_LINES).map(({ tasks, outcome, message, example }) => {
        const said = message === undefined ? '' : `: ${oneLine(message)}`;
        return `${shownCount(tasks)} × ${oneLine(outcome)} (${example})${said}`;
      }),
      ...more,
    ];
  }
}

/** Draws a job until it has ended. @returns its exit code */
export async function watchJob(world: World, ref: string): Promise<number> {
  const job = await (await world.connect()).job(ref);
  const id = String(job.id);
  const view = new View(world, job);
  const redraw = new Redraw(world.stdout);
  return untilInterrupted(world, `spawn: job ${id} goes on; spawn watch ${id} shows it again`, async (interrupted) => {
    const enough = new AbortController();
    const signal = AbortSignal.any([interrupted, enough.signal]);
    const stop = world.every(REDRAW_MS, () => redraw.draw(view.lines()));
    // What goes wrong beside it ends the view too, rather than leaving a part of it silently behind.
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const fail = (error: unknown) => {
      if (!signal.aborted) reject(error);
    };
    failed.catch(() => {});
    const log = new WatchLog(world, LOG_LINES, signal, fail);
    view.logLines = log.lines;
    const grid = followGrid(world, id, view, signal).catch(fail);
    const summary = followSummary(world, id, view, log, signal).catch(fail);
    try {
      const ended = awaitJob(world, id, signal, (delta) => view.take(delta));
      const last = await Promise.race([ended, failed]);
      if (last === undefined) return undefined;
      const done = await (await world.connect()).summary(id);
      view.summary = done;
      view.delta = last;
      await Promise.race([Promise.all([grid, log.end()]), world.pause(LAST_LINES_MS, signal), failed]);
      redraw.draw(view.lines());
      world.stdout.write(`${resultLine(done.job, [])}\n`);
      return last.exitCode;
    } finally {
      stop();
      enough.abort();
      await Promise.all([grid, summary, log.end()]);
    }
  });
}

async function followGrid(world: World, id: string, view: View, signal: AbortSignal): Promise<void> {
  const { columns, rows } = world.stdout;
  const lines = Math.min(MOST_GRID_ROWS, Math.max(1, rows - OTHER_ROWS));
  const cells = Math.max(1, lines * Math.max(1, columns - 1));
  await throughRestarts(world, signal, async (client) => {
    for await (const delta of client.watchGrid(id, cells, { signal })) view.grid.take(delta);
    return true;
  });
}

/** Asks for the summary, and has the log follow some of the tasks that run. */
async function followSummary(world: World, id: string, view: View, log: WatchLog, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const started = new AbortController();
    view.started = () => started.abort();
    await throughRestarts(world, signal, async (client) => {
      const summary = await client.summary(id, { signal });
      view.summary = summary;
      log.follow(summary.latestRunning ?? summary.longestRunning);
      return true;
    });
    await world.pause(SOON_MS, signal);
    await world.pause(SUMMARY_MS - SOON_MS, AbortSignal.any([signal, started.signal]));
  }
}

/** Draws the jobs that have not ended until the person stops it. */
export function watchList(world: World): Promise<number> {
  const redraw = new Redraw(world.stdout);
  return untilInterrupted(world, undefined, async (signal) => {
    while (!signal.aborted) {
      await throughRestarts(world, signal, async (client) => {
        const { stdout } = world;
        const { jobs, next } = await client.jobs({ limit: Math.max(1, stdout.rows - 3) }, { signal });
        const table = new Table(jobColumns(world.now()), stdout).render(jobs).split('\n').slice(0, -1);
        redraw.draw(jobs.length === 0 ? ['no live job'] : next === undefined ? table : [...table, '… see: spawn jobs']);
        return true;
      });
      await world.pause(LIST_MS, signal);
    }
    return undefined;
  });
}
