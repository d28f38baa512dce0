import { PackedReader, PackedWriter } from './packed.ts';

export const GrantStatus = { leased: 0, running: 1, closed: 2 } as const;

/** What a session has of an attempt that was placed as a whole. */
export interface GrantNode {
  readonly sessionId: number;
  /** Ranks there. */
  readonly tasks: number;
}

/** Bytes of a secret; it is written in hex. */
const SECRET_BYTES = 32;

/**
 * Consecutive fences for consecutive tasks of one job, granted to one session at once. A fence is current exactly while its entry here
 * is not closed: that is the compare-and-set on which every report depends.
 */
export class GrantRange {
  readonly fence: number;
  readonly count: number;
  readonly jobId: number;
  readonly position: number;
  readonly sessionId: number;
  /** Number of the lane by whose needs it holds resources; the task's own may be another one by now. */
  lane: number;
  /** GrantStatus of each. */
  readonly status: Uint8Array;
  /** Not closed. */
  open: number;
  running = 0;
  /** Epoch ms by the coordinator's clock; present once one has started without ending at once. */
  startedAt: Float64Array | undefined;
  /** Number of each started attempt. */
  attempts: Uint16Array | undefined;
  /** Where the log of each started attempt begins. */
  logSegment: Uint32Array | undefined;
  logOffset: Float64Array | undefined;
  /** Where each task has its share of a GPU; present where the lane needs less than a whole one. */
  devices: Uint16Array | undefined;
  /** Of one task that was placed as a whole, in the order of its ranks; the first is the session that has the grant. */
  nodes: readonly GrantNode[] | undefined;
  /** By which its nodes know each other, in hex; '' where there is but one. */
  secret = '';
  /** One of its nodes is gone: it was asked to stop, and ends as lost. */
  broken = false;
  /** Number of the stream message that carried it in this coordinator's life; 0 = not sent yet. */
  sentN = 0;
  /** Asked back, and not answered yet. */
  revoking = false;

  constructor(fence: number, count: number, jobId: number, position: number, sessionId: number, lane = 0) {
    this.fence = fence;
    this.count = count;
    this.jobId = jobId;
    this.position = position;
    this.sessionId = sessionId;
    this.lane = lane;
    this.status = new Uint8Array(count);
    this.open = count;
  }

  get leased(): number {
    return this.open - this.running;
  }

  start(at: number, attempt: number, startedAt: number, logSegment: number, logOffset: number): void {
    this.attempts ??= new Uint16Array(this.count);
    this.attempts[at] = attempt;
    this.startedAt ??= new Float64Array(this.count);
    this.logSegment ??= new Uint32Array(this.count);
    this.logOffset ??= new Float64Array(this.count);
    this.startedAt[at] = startedAt;
    this.logSegment[at] = logSegment;
    this.logOffset[at] = logOffset;
    this.status[at] = GrantStatus.running;
    this.running++;
  }

  close(at: number): void {
    if (this.status[at] === GrantStatus.running) this.running--;
    this.status[at] = GrantStatus.closed;
    this.open--;
  }

  /** Closes entries at … at+count-1, all of them leased. */
  closeLeased(at: number, count: number): void {
    this.status.fill(GrantStatus.closed, at, at + count);
    this.open -= count;
  }

  pack(): Uint8Array {
    const writer = new PackedWriter();
    writer.runs(this.status, 0, this.count);
    for (let at = 0; at < this.count; at++) {
      if (this.status[at] !== GrantStatus.running) continue;
      writer.number(this.attempts![at]!);
      writer.number(this.startedAt![at]!);
      writer.number(this.logSegment![at]!);
      writer.number(this.logOffset![at]!);
    }
    const { nodes, devices } = this;
    if (this.lane > 0 || devices !== undefined || nodes !== undefined) {
      writer.number(this.lane);
      if (devices !== undefined || nodes !== undefined)
        writer.runs(devices ?? new Uint16Array(this.count), 0, this.count);
      if (nodes !== undefined) this.#packNodes(writer, nodes);
    }
    return writer.bytes();
  }

  unpack(data: Uint8Array): void {
    const reader = new PackedReader(data);
    const status = new Uint8Array(this.count);
    reader.runs(status, 0, this.count);
    for (let at = 0; at < this.count; at++) {
      if (status[at] === GrantStatus.closed) this.close(at);
      if (status[at] === GrantStatus.running)
        this.start(at, reader.number(), reader.number(), reader.number(), reader.number());
    }
    // Version 0.1.0 wrote no more.
    if (reader.done) return;
    this.lane = reader.number();
    if (reader.done) return;
    this.devices = new Uint16Array(this.count);
    reader.runs(this.devices, 0, this.count);
    if (reader.done) return;
    this.devices = undefined;
    this.#unpackNodes(reader);
  }

  #packNodes(writer: PackedWriter, nodes: readonly GrantNode[]): void {
    writer.number(this.broken ? 1 : 0);
    writer.number(nodes.length);
    for (const { sessionId, tasks } of nodes) {
      writer.number(sessionId);
      writer.number(tasks);
    }
    for (let at = 0; at < this.secret.length; at += 2)
      writer.number(Number.parseInt(this.secret.slice(at, at + 2), 16));
  }

  #unpackNodes(reader: PackedReader): void {
    this.broken = reader.number() === 1;
    const count = reader.number();
    this.nodes = Array.from({ length: count }, () => ({ sessionId: reader.number(), tasks: reader.number() }));
    if (reader.done) return;
    const bytes = Array.from({ length: SECRET_BYTES }, () => reader.number());
    this.secret = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}
