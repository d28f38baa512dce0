import type { FenceRun } from '../../api/session.ts';
import type { EndColumns } from '../end-columns.ts';
import type { KnownJob } from '../job-book.ts';
import type { PendingStart } from '../outbox.ts';
import type { SegmentWriter } from '../records/segment-writer.ts';
import type { HostPlaces } from './host-process.ts';
import type { LeftBehind } from './left-behind.ts';
import type { HostRun } from './outstanding.ts';
import type { CallKind, HostJob } from './wire.ts';

/** An end that says more than an outcome and a duration. */
export interface RichEnd {
  readonly task: HostRun;
  readonly outcome: number;
  readonly wallUs: number;
  readonly cpuUs: number;
  readonly maxRssKb: number;
  readonly cutBytes: number;
  readonly left: LeftBehind;
}

/** What a slot wants of its pool. */
export interface SlotOptions {
  readonly job: KnownJob;
  readonly hostJob: HostJob;
  readonly places: HostPlaces;
  readonly logs: SegmentWriter;
  /** Name of this worker, when it is on another machine than its coordinator. */
  readonly elsewhere: string | undefined;
  /** What only its processes have in their environment. */
  readonly env: readonly string[];
  /** The attempt may have left something that is to be looked after before its end is said. */
  readonly isRich: (fence: number) => boolean;
  /** Parameters of tasks, from a position on, over those of their job; undefined where no task has any. */
  readonly paramsOf: (position: number, count: number) => readonly Readonly<Record<string, unknown>>[] | undefined;
  readonly onStarted: (start: PendingStart) => void;
  readonly onEnds: (plain: EndColumns, rich: readonly RichEnd[]) => void;
  readonly onReturned: (runs: readonly FenceRun[]) => void;
  readonly onCall: (
    task: HostRun,
    kind: CallKind,
    data: Uint8Array,
    answer: (kind: number, data: Uint8Array) => void,
  ) => void;
  /** Its tasks cannot be run by a host; nothing was started. */
  readonly onUnusable: (text: string) => void;
  /** Something of it is over: it may have room, or be empty. */
  readonly onChange: () => void;
}
