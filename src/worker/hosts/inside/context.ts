import { format } from 'node:util';
import type { HandlerCheckpoint, HandlerContext, HandlerPart, InputRecord } from '../../../client/handler.ts';
import { asJobId, formatTaskId } from '../../../core/ids.ts';
import type { IndexSet } from '../../../core/index-set.ts';
import { LogStream } from '../../../core/log-record.ts';
import type { BuiltinTools } from '../builtin-tools.ts';
import type { HostJob } from '../wire.ts';
import type { Calls } from './calls.ts';
import type { HostTask } from './host-task.ts';

/** What all tasks of a host have in common. */
export interface JobContext {
  readonly job: HostJob;
  readonly indices: IndexSet;
  readonly calls: Calls;
}

/** Opens the part of a task; only of a job that reads an input. */
export type OpenPart = (position: number, signal: AbortSignal) => Promise<OpenedPart>;

export interface OpenedPart {
  readonly part: HandlerPart | undefined;
  records(): AsyncIterable<InputRecord>;
  bytes(): AsyncIterable<Uint8Array>;
}

/** What a handler is called with. Its functions may be taken out of it: `({ log, progress }) => …`. */
export class TaskContext implements HandlerContext {
  readonly #of: JobContext;
  readonly #task: HostTask;
  #opened: OpenedPart | undefined;

  constructor(of: JobContext, task: HostTask) {
    this.#of = of;
    this.#task = task;
  }

  /** To be called before the handler, where the job reads an input. */
  async open(part: OpenPart): Promise<void> {
    this.#opened = await part(this.#task.facts.position, this.#task.signal);
  }

  /** What the handlers of this package may ask for besides. */
  get tools(): BuiltinTools {
    const { calls, job } = this.#of;
    return {
      job,
      getPiece: (hash) => calls.getPiece(hash),
      putPiece: (bytes) => calls.putPiece(this.#task, bytes),
      planned: (plan) => calls.planned(this.#task, plan),
    };
  }

  get index(): number {
    return this.#of.indices.at(this.#task.facts.position);
  }

  get position(): number {
    return this.#task.facts.position;
  }

  get attempt(): number {
    return this.#task.facts.attempt;
  }

  get taskId(): string {
    return formatTaskId(asJobId(this.#of.job.id), this.index);
  }

  get params(): Readonly<Record<string, unknown>> {
    const { params } = this.#task.facts;
    return params === undefined ? this.#of.job.params : { ...this.#of.job.params, ...params };
  }

  get signal(): AbortSignal {
    return this.#task.signal;
  }

  get part(): HandlerPart | undefined {
    return this.#opened?.part;
  }

  get records(): () => AsyncIterable<InputRecord> {
    return () => this.#open().records();
  }

  get bytes(): () => AsyncIterable<Uint8Array> {
    return () => this.#open().bytes();
  }

  get checkpoint(): HandlerCheckpoint {
    const { calls } = this.#of;
    return {
      get: () => calls.getCheckpoint(this.#task),
      put: (value) => calls.putCheckpoint(this.#task, value),
    };
  }

  get progress(): HandlerContext['progress'] {
    return (fraction, message) => this.#of.calls.progress(this.#task, fraction, message);
  }

  get log(): HandlerContext['log'] {
    return (...values) => this.#task.write(LogStream.STDOUT, Buffer.from(`${format(...values)}\n`));
  }

  get emit(): HandlerContext['emit'] {
    return (name, data) => this.#of.calls.emit(this.#task, name, data);
  }

  #open(): OpenedPart {
    if (this.#opened === undefined) throw new Error('this job reads no input: there are no records and no bytes');
    return this.#opened;
  }
}
