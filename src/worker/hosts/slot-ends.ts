import type { LogStream } from '../../core/log-record.ts';
import { encodeOutcome, type Outcome } from '../../core/outcome.ts';
import { EndColumns } from '../end-columns.ts';
import { LeftBehind } from './left-behind.ts';
import type { HostRun } from './outstanding.ts';
import type { SaidEnd } from './record-stream.ts';
import type { RichEnd, SlotOptions } from './slot-options.ts';

/** The ends of the tasks of a slot, and what the one that runs has left until now. */
export class SlotEnds {
  readonly #options: Pick<SlotOptions, 'job' | 'logs' | 'isRich' | 'onEnds'>;
  #left: LeftBehind | undefined;
  #plain = new EndColumns();
  #rich: RichEnd[] = [];
  /** Resident memory of the host when it was last looked at, bytes. */
  rssBytes = 0;

  constructor(options: Pick<SlotOptions, 'job' | 'logs' | 'isRich' | 'onEnds'>) {
    this.#options = options;
  }

  /** The running task writes. */
  log(task: HostRun | undefined, stream: LogStream, timeMs: number, data: Uint8Array): void {
    if (task !== undefined) this.#of(task).log(stream, timeMs, data);
  }

  /** The running task returns something. */
  result(task: HostRun | undefined, piece: Uint8Array): void {
    if (task !== undefined) this.#of(task).result(piece);
  }

  /** What has come of the running task is with the writer of logs. */
  flush(): void {
    this.#left?.flush();
  }

  /** It is tried again, from its beginning. */
  forget(): void {
    this.#left = undefined;
  }

  /** It has ended as its host says. */
  end(task: HostRun, { cpuUs, cutBytes }: SaidEnd, outcome: number, wallUs: number): void {
    const maxRssKb = cpuUs === 0 ? 0 : Math.round(this.rssBytes / 1024);
    if (this.#left === undefined && !this.#options.isRich(task.fence)) {
      if (cpuUs === 0) this.#plain.addPlain(task.fence, outcome, wallUs);
      else this.#plain.add(task.fence, { outcome, wallUs, cpuUs, maxRssKb });
      return;
    }
    this.#rich.push({ task, outcome, wallUs, cpuUs, maxRssKb, cutBytes, left: this.#of(task) });
    this.#left = undefined;
  }

  /** It has ended with its host. @param words what that wrote before it died */
  die(task: HostRun, outcome: Outcome, words: string, wallUs: number): void {
    const left = this.#of(task);
    if (words !== '') left.say(words);
    const maxRssKb = Math.round(this.rssBytes / 1024);
    this.#rich.push({ task, outcome: encodeOutcome(outcome), wallUs, cpuUs: 0, maxRssKb, cutBytes: 0, left });
    this.#left = undefined;
    this.tell();
  }

  tell(): void {
    if (this.#plain.count === 0 && this.#rich.length === 0) return;
    const [plain, rich] = [this.#plain, this.#rich];
    this.#plain = new EndColumns();
    this.#rich = [];
    this.#options.onEnds(plain, rich);
  }

  #of({ fence, position, attempt }: HostRun): LeftBehind {
    const { job, logs } = this.#options;
    this.#left ??= new LeftBehind(logs, { jobId: job.description.id, fence, position, attempt });
    return this.#left;
  }
}
