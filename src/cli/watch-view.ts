import type { SummaryReply } from '../api/insight.ts';
import type { JobDelta, JobView } from '../api/job.ts';
import { IndexSet } from '../core/index-set.ts';
import { awaitJob, throughRestarts } from './await-job.ts';
import { colourOfState, painter } from './output/color.ts';
import { cut, oneLine, shownCount } from './output/format.ts';
import { Grid } from './output/grid-text.ts';
import { jobColumns } from './output/job-columns.ts';
import { LogMerger, LogRecords } from './output/merge-logs.ts';
import { progressLine, RateMeter } from './output/progress.ts';
import { resultLine } from './output/result-line.ts';
import { Table } from './output/table.ts';
import { Redraw } from './redraw.ts';
import { untilInterrupted } from './wait-for-job.ts';
import type { World } from './world.ts';

const REDRAW_MS = 250;
const SUMMARY_MS = 2_000;
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
  readonly logLines: string[] = [];
  delta: JobDelta | undefined;
  summary: SummaryReply | undefined;
  private readonly job: JobView;
  private readonly world: World;

  constructor(world: World, job: JobView) {
    this.world = world;
    this.job = job;
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
    const beside = [
      followGrid(world, id, view, signal),
      followLog(world, job, view, signal),
      followSummary(world, id, view, signal),
    ].map((work) => work.catch((error: unknown) => unlessAborted(error, signal)));
    // What goes wrong beside it ends the view too, rather than leaving a part of it silently behind.
    const failed = new Promise<never>((_, reject) => {
      for (const work of beside) work.catch(reject);
    });
    try {
      const ended = awaitJob(world, id, signal, (delta) => {
        view.delta = delta;
        view.meter.add(delta.counts, world.now());
      });
      const last = await Promise.race([ended, failed]);
      if (last === undefined) return undefined;
      const done = await (await world.connect()).summary(id);
      view.summary = done;
      view.delta = last;
      await beside[0];
      redraw.draw(view.lines());
      world.stdout.write(`${resultLine(done.job, [])}\n`);
      return last.exitCode;
    } finally {
      stop();
      enough.abort();
      await Promise.allSettled(beside);
    }
  });
}

function unlessAborted(error: unknown, signal: AbortSignal): void {
  if (!signal.aborted) throw error;
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

/** Of tasks that have not ended when the watching begins: what others wrote is not news. */
async function followLog(world: World, job: JobView, view: View, signal: AbortSignal): Promise<void> {
  const indices = job.array === undefined ? IndexSet.ofSize(1) : IndexSet.fromString(job.array);
  const text = new TextDecoder();
  const query = { follow: '1', state: 'blocked,ready,leased,running', tail: LOG_LINES } as const;
  await throughRestarts(world, signal, async (client) => {
    const records = new LogRecords();
    const merger = new LogMerger((position) => indices.at(position));
    for await (const chunk of client.logs(String(job.id), query, { signal })) {
      for (const record of records.add(chunk)) {
        const lines = text.decode(merger.add(record)).split('\n').slice(0, -1);
        view.logLines.push(...lines.slice(-LOG_LINES).map(oneLine));
        view.logLines.splice(0, Math.max(0, view.logLines.length - LOG_LINES));
      }
    }
    return true;
  });
}

async function followSummary(world: World, id: string, view: View, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await throughRestarts(world, signal, async (client) => {
      view.summary = await client.summary(id, { signal });
      return true;
    });
    await world.pause(SUMMARY_MS, signal);
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
        redraw.draw(jobs.length === 0 ? ['no live job'] : next === undefined ? table : [...table, '… see: spawn list']);
        return true;
      });
      await world.pause(LIST_MS, signal);
    }
    return undefined;
  });
}
