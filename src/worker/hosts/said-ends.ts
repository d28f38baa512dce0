import { encodeOutcome } from '../../core/outcome.ts';
import type { TaskCalls } from '../calls/task-calls.ts';
import { EndColumns } from '../end-columns.ts';
import { FenceSet } from '../fence-set.ts';
import type { KnownJob } from '../job-book.ts';
import { type ResultRow, type ResultWriter, resultJson } from '../records/results.ts';
import type { SegmentWriter } from '../records/segment-writer.ts';
import { LeftBehind } from './left-behind.ts';
import type { HostRun } from './outstanding.ts';
import type { RichEnd } from './slot-options.ts';

export interface LastThings {
  readonly logs: SegmentWriter;
  readonly results: ResultWriter;
  readonly calls: TaskCalls;
}

const FAILED = encodeOutcome({ kind: 'exited', code: 1 });

/**
 * Ends of which more is to be said, once all they have left is where it belongs: outputs are published, then logs are written, and results are on disk.
 * Rejects when the session is over before that.
 */
async function saidEnds({ description }: KnownJob, ends: readonly RichEnd[], things: LastThings): Promise<EndColumns> {
  const { logs, results, calls } = things;
  const said = new EndColumns();
  const rows: ResultRow[] = [];
  const places: number[] = [];
  for (const end of ends) {
    const { json, outcome } = await finished(description.output !== undefined, end, calls, description.id);
    const { task, wallUs, cpuUs, maxRssKb, cutBytes, left } = end;
    if (json !== undefined) {
      places.push(said.count);
      rows.push({ fence: task.fence, position: task.position, attempt: task.attempt, json });
    }
    said.add(task.fence, { outcome, wallUs, cpuUs, maxRssKb, cutBytes, ...left.columns });
  }
  // Before a loss of power takes them it is the log that may go.
  await logs.sync(description.id);
  if (rows.length > 0) {
    for (const [at, place] of (await results.write(description.id, rows)).entries()) said.set(places[at]!, place);
  }
  return said;
}

/** What it leaves besides its log, and how it ended after all. */
async function finished(hasOutput: boolean, { task, outcome, left }: RichEnd, calls: TaskCalls, jobId: number) {
  const value = left.resultText;
  const known = calls.known(task.fence);
  if (known?.hasLeft !== true && !hasOutput) return { json: value && resultJson({ value }), outcome };
  const { fence, position, attempt } = task;
  const asked = calls.of({ jobId, fence, position, attempt });
  try {
    if (value !== undefined) asked.result(value);
    return { json: await asked.finish(outcome === 0), outcome };
  } catch (error) {
    left.say(error instanceof Error ? error.message : String(error));
    return { json: undefined, outcome: outcome === 0 ? FAILED : outcome };
  }
}

export interface EndSayerOptions extends LastThings {
  readonly onEnded: (ends: EndColumns, jobId: number) => void;
  /** Something was said. */
  readonly onChange: () => void;
  readonly onFailed: (error: unknown) => void;
}

const NOT_RUN = encodeOutcome({ kind: 'exited', code: 126, isUnstarted: true });

/** Says ends of which more is to be said than that, and knows how many it has not said yet. */
export class EndSayer {
  readonly #options: EndSayerOptions;
  /** Of these attempts the host has nothing any more, and the coordinator has not heard. */
  readonly unsaid = new FenceSet();

  constructor(options: EndSayerOptions) {
    this.#options = options;
  }

  async say(job: KnownJob, ends: readonly RichEnd[]): Promise<void> {
    const { calls, onEnded, onChange, onFailed } = this.#options;
    if (ends.length === 0) return;
    for (const { task } of ends) this.unsaid.add(task.fence);
    try {
      onEnded(await saidEnds(job, ends, this.#options), job.description.id);
    } catch (error) {
      // The session is over, and who takes its tasks over is not its business.
      onFailed(error);
    }
    for (const { task } of ends) {
      this.unsaid.delete(task.fence);
      calls.over(task.fence);
    }
    onChange();
  }

  /** None of them can be run, and the log of each says why. */
  fail(job: KnownJob, runs: readonly HostRun[], text: string): void {
    const { id: jobId } = job.description;
    const ends = runs.flatMap(({ fence, position, count, attempt }) =>
      Array.from({ length: count }, (_, at): RichEnd => {
        const task = { fence: fence + at, position: position + at, count: 1, attempt };
        const left = new LeftBehind(this.#options.logs, { jobId, ...task });
        left.say(`spawn: ${text}`);
        return { task, outcome: NOT_RUN, wallUs: 0, cpuUs: 0, maxRssKb: 0, cutBytes: 0, left };
      }),
    );
    void this.say(job, ends);
  }
}
