import type { Blobs, Checkpoints, LogReader, Results, SegmentCopies } from '../objects/log-reader.ts';
import type { Store } from '../store/store.ts';
import type { AlertPorts } from './alerts/channel.ts';
import type { Clock } from './clock.ts';
import type { InstancePorts } from './instances/ports.ts';

interface CoordinatorOptions {
  version: string;
  host: string;
  dataDir: string;
  /** Where workers on this machine write their segments. */
  logDir: string;
  /** Default 30 s. */
  leaseMs?: number;
  /** Default 1,000,000. */
  maxArraySize?: number;
}

export interface CoordinatorPorts {
  store: Store;
  clock: Clock;
  blobs: Blobs;
  logs: LogReader;
  copies: SegmentCopies;
  /** Absent: no task gives any. */
  results?: Results;
  /** Absent: tasks can keep nothing of their work. */
  checkpoints?: Checkpoints;
  /** Lower-case hex digits, unpredictable. */
  randomHex(digits: number): string;
  /** 0 ≤ x < 1, for what need not be unpredictable. */
  random(): number;
  /** The store belongs to another coordinator now, or cannot be read: this one must end. */
  onFatal(error: Error): void;
  /** Absent: jobs with instances are refused. */
  instances?: InstancePorts;
  /** Absent: nobody is told anything. */
  alerts?: AlertPorts;
  options: CoordinatorOptions;
}
