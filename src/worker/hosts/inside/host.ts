import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { IndexSet } from '../../../core/index-set.ts';
import { LogStream } from '../../../core/log-record.ts';
import { encodeOutcome } from '../../../core/outcome.ts';
import { type HostJob, RUN_BYTES, STOP_CAUSES, ToHost } from '../wire.ts';
import { Calls } from './calls.ts';
import type { HostTask } from './host-task.ts';
import { errorText } from './host-task.ts';
import { loadFunction, type TaskFunction, Unusable } from './load-function.ts';
import { RecordWriter } from './records.ts';
import { Shared } from './shared.ts';
import { type HostRun, type TaskCall, TaskLoop } from './task-loop.ts';
import { ownMs, type Told, type VoiceData } from './voice.ts';

/** Environment of a host that its handlers do not see. */
export const HOST_VARIABLES = ['SPAWN_HOST_SOCKET', 'SPAWN_HOST_ID', 'SPAWN_HOST_SECRET'] as const;

const SETTLE_MS = 5_000;

/**
 * `spored host`: a process that calls the handler of one job for one task after the other, as its worker says. A worker's forker starts it.
 * @returns only where nobody has: the exit code
 */
export async function runHost(): Promise<number> {
  const [path, id, secret] = HOST_VARIABLES.map((name) => process.env[name]);
  for (const name of HOST_VARIABLES) delete process.env[name];
  if (path === undefined || id === undefined || secret === undefined) {
    process.stderr.write('spored host: a worker starts it\n');
    return 2;
  }
  const shared = new Shared();
  const { port1: port, port2 } = new MessageChannel();
  const voice = new URL(`./voice${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  const data: VoiceData = { path, id: Number(id), secret, memory: shared.memory, port: port2 };
  new Worker(voice, {
    workerData: data,
    transferList: [port2],
    name: 'voice',
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  new Host(shared, port);
  return new Promise<number>(() => {});
}

class Host {
  readonly #shared: Shared;
  readonly #records: RecordWriter;
  readonly #calls: Calls;
  #loop: TaskLoop | undefined;
  #isLeaving = false;

  constructor(shared: Shared, port: MessagePort) {
    this.#shared = shared;
    this.#records = new RecordWriter(shared, () => port.postMessage(0));
    this.#calls = new Calls(this.#records);
    port.on('message', ({ type, payload }: Told) =>
      this.#take(type, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)),
    );
    this.#capture(process.stdout, LogStream.STDOUT);
    this.#capture(process.stderr, LogStream.STDERR);
    process.on('uncaughtException', (error) => this.#strayed(error));
    process.on('unhandledRejection', (error) => this.#strayed(error));
    process.on('exit', (code) => this.#exits(code));
  }

  #take(type: number, payload: Buffer): void {
    const loop = this.#loop;
    switch (type) {
      case ToHost.JOB:
        void this.#load(JSON.parse(payload.toString()));
        break;
      case ToHost.RUNS:
        loop?.add(runsOf(payload));
        break;
      case ToHost.PARAMS:
        loop?.give(payload.readUInt32LE(0), JSON.parse(payload.toString('utf8', 4)));
        break;
      case ToHost.WITHDRAW:
        loop?.clear();
        break;
      case ToHost.ABORT:
        loop?.stop(payload.readUInt32LE(0), STOP_CAUSES[payload[4]!]!);
        break;
      case ToHost.ANSWER:
        this.#calls.answered(payload.readUInt32LE(0), payload[4]!, payload.subarray(5));
        break;
      case ToHost.QUIT:
        loop?.spend();
        if (loop === undefined) this.#leaveNow();
        break;
    }
  }

  async #load(job: HostJob): Promise<void> {
    const loop = new TaskLoop({
      shared: this.#shared,
      records: this.#records,
      of: { job, indices: IndexSet.fromString(job.indices), calls: this.#calls },
      clockOffset: ownMs() - performance.now(),
      onSpent: () => this.#leaveNow(),
    });
    this.#loop = loop;
    try {
      const call = await this.#callOf(await loadFunction(job), job);
      this.#records.ready(getHeapStatistics().heap_size_limit);
      loop.start(call);
    } catch (error) {
      this.#records.unusable(error instanceof Unusable ? error.message : errorText(error));
      this.#records.settle(SETTLE_MS);
    }
  }

  /** How a task is run: where it reads a part, that is opened first. */
  async #callOf(loaded: TaskFunction, { role, input, plan, cwd }: HostJob): Promise<TaskCall> {
    if (loaded.kind === 'own') return (context) => loaded.call(context, context.tools);
    const { call } = loaded;
    if (role !== undefined || input === undefined || plan === undefined) return call;
    const { planParts } = await import('./plan-parts.ts');
    const part = await planParts({ input, hash: plan, cwd }, (hash) => this.#calls.getPiece(hash));
    return async (context) => {
      await context.open(part);
      return call(context);
    };
  }

  /** What is written by way of Node belongs to the running task; what is not goes to the log of the host. */
  #capture(stream: NodeJS.WriteStream, kind: typeof LogStream.STDOUT | typeof LogStream.STDERR): void {
    const own = stream.write.bind(stream);
    const write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const task = this.#loop?.current;
      if (task === undefined) return own(chunk);
      const bytes =
        typeof chunk === 'string'
          ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
          : chunk;
      task.write(kind, bytes);
      const call = typeof encoding === 'function' ? encoding : done;
      if (typeof call === 'function') process.nextTick(call as () => void);
      return true;
    };
    stream.write = write as typeof stream.write;
  }

  /** Of an error that nobody caught: the task that made it has failed; when that is over, the one that runs learns of it and is not to blame. */
  #strayed(error: unknown): void {
    const task = this.#loop?.caller ?? this.#loop?.current;
    const running = this.#loop?.current;
    if (task !== undefined && !task.isOver) task.fail(error);
    else if (running !== undefined) running.say(strayText(task, error));
    else process.stderr.write(`${strayText(task, error)}\n`);
    // What nobody caught has left something half done, and may still run.
    this.#loop?.spend();
  }

  #leaveNow(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#records.spent();
    this.#records.settle(SETTLE_MS);
    // Whatever the handlers have left that would keep it alive.
    process.exit(0);
  }

  #exits(code: number): void {
    if (this.#isLeaving) return;
    const task = this.#loop?.current;
    if (task === undefined) {
      this.#records.exit(code);
    } else {
      if (code === 0) task.say('the handler ended its process with exit code 0 before it returned');
      task.end(encodeOutcome({ kind: 'exited', code: code === 0 ? 1 : code & 255 }), 0);
      this.#records.spent();
    }
    this.#records.settle(SETTLE_MS);
  }
}

function strayText(task: HostTask | undefined, error: unknown): string {
  const whose = task === undefined ? 'no task' : `the task at position ${task.facts.position}, which is over`;
  return `not of this task but of ${whose}: ${errorText(error)}`;
}

function runsOf(payload: Buffer): HostRun[] {
  return Array.from({ length: payload.length / RUN_BYTES }, (_, number) => {
    const at = number * RUN_BYTES;
    return {
      ordinal: payload.readUInt32LE(at),
      position: payload.readUInt32LE(at + 4),
      count: payload.readUInt32LE(at + 8),
      attempt: payload.readUInt32LE(at + 12),
      fence: payload.readDoubleLE(at + 16),
    };
  });
}
