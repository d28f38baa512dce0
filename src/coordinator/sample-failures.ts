import { type EndRecord, unpackEnds } from '../core/end-chunk.ts';
import type { SampledFailure } from '../core/failure-groups.ts';
import type { Job } from '../core/job.ts';
import { LogStream, parseLogRecords } from '../core/log-record.ts';
import { lastLineOf, normaliseLine } from '../core/normalise-line.ts';
import { decodeOutcome, withoutProcess } from '../core/outcome.ts';
import { TaskState } from '../core/task-state.ts';
import type { LogReader } from '../objects/log-reader.ts';
import type { Store, StoredEnds } from '../store/store.ts';
import type { Clock } from './clock.ts';

/** Logs that are read at most. */
const MAX_LOGS = 400;
/** Chunks of ends that are looked at, spread over all that hold a failure. */
const MAX_CHUNKS = 64;
/** Ends that are unpacked of them, at most. */
const MAX_ENDS = 20_000;
/** Failed tasks that are taken out of one chunk, about. */
const PER_CHUNK = 64;
/** So few failed tasks are looked for in every chunk from the first on. */
const FEW = 1_000;
/** Outcomes that no chunk showed and that are looked for one by one. */
const MAX_RARE = 8;
/** After so long no further log is begun, unless these few have not been read. */
const MAX_MS = 60;
const MIN_LOGS = 16;
/** Of one log. */
const MAX_BYTES = 1024 * 1024;
const TAIL_BYTES = 4_096;

/** What failed tasks said last, of a sample spread over each outcome. */
export async function sampleFailures(
  { store, logs, clock }: { store: Store; logs: LogReader; clock: Clock },
  job: Job,
  counts: ReadonlyMap<number, number>,
): Promise<SampledFailure[]> {
  const byOutcome = await findFailedEnds(store, job, counts);
  const chosen = choose(byOutcome, counts);
  const until = clock.steady() + MAX_MS;
  const sample: SampledFailure[] = [];
  for (const [read, end] of chosen.entries()) {
    if (read >= MIN_LOGS && clock.steady() > until) break;
    const message = await readMessage(logs, job.id, end);
    if (message !== 'too long') sample.push({ position: end.position, outcome: withoutProcess(end.outcome), message });
  }
  return sample;
}

/** Last ends of failed tasks, by outcome, in the order of their positions. */
async function findFailedEnds(
  store: Store,
  job: Job,
  counts: ReadonlyMap<number, number>,
): Promise<Map<number, EndRecord[]>> {
  const { table } = job;
  const found = new Map<number, EndRecord[]>();
  // Those that failed and run again, or were retried meanwhile, are none of them.
  const isFailed = (position: number) => table.state[position] === TaskState.failed;
  const take = (chunk: StoredEnds, wanted: (position: number) => boolean) => {
    for (const end of unpackEnds(chunk.data, wanted)) {
      if (end.attempt !== table.attempts[end.position]) continue;
      const outcome = withoutProcess(end.outcome);
      const ends = found.get(outcome);
      if (ends === undefined) found.set(outcome, [end]);
      else ends.push(end);
    }
  };
  const among = { jobId: job.id, fromPosition: 0, toPosition: job.size - 1, bad: true };
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let ends = 0;
  for await (const chunk of total <= FEW ? firstChunks(store, among) : spreadChunks(store, among)) {
    // Of many in one chunk some are enough, evenly spread over it.
    const step = total <= FEW ? 1 : Math.max(1, Math.floor(chunk.bad / PER_CHUNK));
    let seen = 0;
    take(chunk, (position) => isFailed(position) && seen++ % step === 0);
    ends += chunk.count;
    if (ends > MAX_ENDS) break;
  }
  const rare = [...counts.keys()].filter((outcome) => !found.has(outcome)).slice(0, MAX_RARE);
  for (const outcome of rare) {
    const at = table.state.findIndex((state, i) => state === TaskState.failed && table.outcomes?.[i] === outcome);
    const near = { ...among, fromPosition: at, toPosition: at, after: 0, newest: true, limit: 1 };
    for (const chunk of await store.findEnds(near)) take(chunk, (position) => position === at);
  }
  for (const list of found.values()) list.sort((a, b) => a.position - b.position);
  return found;
}

interface Among {
  readonly jobId: number;
  readonly fromPosition: number;
  readonly toPosition: number;
  readonly bad: boolean;
}

async function* firstChunks(store: Store, among: Among): AsyncGenerator<StoredEnds> {
  const some = 8;
  for (let after = 0, read = 0; read < MAX_CHUNKS; read += some) {
    const chunks = await store.findEnds({ ...among, after, limit: some });
    yield* chunks;
    if (chunks.length < some) return;
    after = chunks.at(-1)!.id;
  }
}

/** Some chunks from every part of the job's life, in an order that leaves no part out when it ends early. */
async function* spreadChunks(store: Store, among: Among): AsyncGenerator<StoredEnds> {
  const [first] = await store.findEnds({ ...among, after: 0, limit: 1 });
  const [last] = await store.findEnds({ ...among, after: 0, newest: true, limit: 1 });
  if (first === undefined || last === undefined) return;
  // From `from` on the next chunk is `id`.
  const known: { from: number; id: number }[] = [];
  for (let at = 0; at < MAX_CHUNKS; at++) {
    const from = first.id + Math.floor(((last.id - first.id) * spread(at)) / (MAX_CHUNKS - 1));
    if (known.some((one) => from >= one.from && from <= one.id)) continue;
    const [chunk] = await store.findEnds({ ...among, after: from - 1, limit: 1 });
    if (chunk === undefined) continue;
    const isNew = known.every(({ id }) => id !== chunk.id);
    known.push({ from, id: chunk.id });
    if (isNew) yield chunk;
  }
}

/** 0 to 63 in the order of their bits read backwards: 0, 32, 16, 48, … */
function spread(at: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 6; bit++) reversed |= ((at >> bit) & 1) << (5 - bit);
  return reversed;
}

/** Of each outcome a share of all reads, at least a few, evenly spread over its positions; outcomes take turns. */
function choose(byOutcome: ReadonlyMap<number, EndRecord[]>, counts: ReadonlyMap<number, number>): EndRecord[] {
  const total = [...byOutcome.keys()].reduce((sum, outcome) => sum + (counts.get(outcome) ?? 0), 0);
  const lists = [...byOutcome].map(([outcome, ends]) => {
    const share = Math.ceil((MAX_LOGS * (counts.get(outcome) ?? 0)) / Math.max(1, total));
    const wanted = Math.min(ends.length, Math.max(8, share));
    const some = Array.from({ length: wanted }, (_, at) => ends[Math.floor((at * ends.length) / wanted)]!);
    // Coarse first: when time is up, what was read is spread as well.
    return some.map((end, at) => ({ end, order: (at * 0.618_033_988_75) % 1 })).sort((a, b) => a.order - b.order);
  });
  const chosen: EndRecord[] = [];
  for (let at = 0; chosen.length < MAX_LOGS && lists.some((list) => at < list.length); at++) {
    for (const list of lists) if (at < list.length) chosen.push(list[at]!.end);
  }
  return chosen.slice(0, MAX_LOGS);
}

/** The last line of standard error, made comparable. */
async function readMessage(logs: LogReader, jobId: number, end: EndRecord): Promise<string | undefined | 'too long'> {
  const { kind } = decodeOutcome(end.outcome);
  if (end.errBytes === 0 || kind === 'lost' || kind === 'preempted') return undefined;
  const { sessionId, fence, logSegment: fromSegment, logOffset: fromOffset } = end;
  const range = { fromSegment, fromOffset, toSegment: end.logEndSegment, toOffset: end.logEndOffset };
  let tail = new Uint8Array(0);
  let read = 0;
  for await (const bytes of logs.read({ jobId, sessionId, fence, ...range }, 'err')) {
    read += bytes.byteLength;
    if (read > MAX_BYTES) return 'too long';
    for (const { stream, data } of parseLogRecords(bytes).records) {
      if (stream !== LogStream.STDERR) continue;
      const joined = new Uint8Array(Math.min(TAIL_BYTES, tail.length) + data.length);
      joined.set(tail.subarray(-TAIL_BYTES));
      joined.set(data, joined.length - data.length);
      tail = joined;
    }
  }
  const line = lastLineOf(new TextDecoder().decode(tail.subarray(-TAIL_BYTES)));
  return line === '' ? undefined : normaliseLine(line);
}
