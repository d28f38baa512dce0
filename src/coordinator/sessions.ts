import { API_VERSION } from '../api/limits.ts';
import type { ExchangeReply, ExchangeRequest, HelloReply, HelloRequest } from '../api/session.ts';
import { SpawnError } from '../core/errors.ts';
import { WorkerSession } from '../core/worker-session.ts';
import { checkExchange } from './check-exchange.ts';
import { hasNews, takeExchange } from './exchange.ts';
import type { Ledger } from './ledger.ts';
import { Link } from './link.ts';
import { loseGrants } from './lose.ts';
import type { SessionEntry } from './memory.ts';
import { refuseStranger } from './ownership.ts';
import type { SessionDetail } from './restore.ts';
import type { Caller, StreamSink } from './use-cases.ts';
import type { World } from './world.ts';

/** Exchanges come at least three times a term. */
const HEARTBEATS_PER_LEASE = 3;

/** The workers' side of the coordinator. */
export class Sessions {
  readonly #ledger: Ledger;
  readonly #disconnected = new Set<(sessionId: number) => void>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  onDisconnected(listener: (sessionId: number) => void): void {
    this.#disconnected.add(listener);
  }

  async hello(caller: Caller, request: HelloRequest): Promise<HelloReply> {
    if (request.api !== API_VERSION && request.api !== API_VERSION - 1) {
      throw new SpawnError('VERSION_UNSUPPORTED', {
        found: request.api,
        expected: `${API_VERSION - 1} or ${API_VERSION}`,
      });
    }
    const { options, store, clock } = this.#ledger.ports;
    const { leaseMs } = this.#ledger;
    const sessionId = await this.#ledger.write(({ memory, now }) => {
      const id = memory.counters.nextSession++;
      memory.changes.counters = true;
      const entry = openSession(id, caller, request, now);
      entry.session.leaseUntil = clock.lease() + leaseMs;
      memory.sessions.set(id, entry);
      memory.changes.sessions.set(id, entry.row);
      memory.changes.event(now, 0, 'sessionOpened', { session: id, worker: request.worker, host: request.host });
      this.#ledger.links.set(id, new Link(id, store.epoch, false));
      return id;
    });
    return {
      sessionId,
      leaseMs,
      heartbeatMs: Math.floor(leaseMs / HEARTBEATS_PER_LEASE),
      ...(caller.sameHost ? { logDir: options.logDir } : {}),
      sameHost: caller.sameHost,
      storeId: store.storeId,
    };
  }

  stream(caller: Caller, sessionId: number, after: number, sink: StreamSink): () => void {
    const { entry, link } = this.#findOwn(caller, sessionId);
    link.attach(after, sink);
    entry.session.connected = true;
    this.#ledger.memory.changes.topUp.add(entry.session);
    this.#ledger.poke();
    return () => {
      if (!link.detach(sink)) return;
      const now = this.#ledger.memory.sessions.get(sessionId);
      if (now === undefined) return;
      now.session.connected = false;
      for (const listener of this.#disconnected) listener(sessionId);
    };
  }

  async exchange(caller: Caller, sessionId: number, request: ExchangeRequest): Promise<ExchangeReply> {
    const { entry, link } = this.#findOwn(caller, sessionId);
    const { clock } = this.#ledger.ports;
    checkExchange(request);
    entry.session.leaseUntil = clock.lease() + this.#ledger.leaseMs;
    link.acknowledge(request.ack);
    if (request.seq === link.lastSeq && link.lastReply !== undefined) return await link.lastReply;
    const { leaseMs } = this.#ledger;
    // A copy of an older exchange that the network held back: it was answered long ago.
    if (request.seq < link.lastSeq) return { seq: request.seq, leaseMs, stale: 0, resync: false, deferred: false };
    if (!this.#ledger.writable && hasNews(request)) {
      return { seq: request.seq, leaseMs, stale: 0, resync: false, deferred: true };
    }
    const work = (world: World) => takeExchange(world, this.#find(sessionId).entry.session, link, request, leaseMs);
    const reply = hasNews(request) ? this.#ledger.write(work) : this.#ledger.read(() => work(this.#ledger.world));
    link.lastSeq = request.seq;
    link.lastReply = reply;
    try {
      return await reply;
    } catch (error) {
      if (link.lastReply === reply) link.lastReply = undefined;
      throw error;
    }
  }

  async bye(caller: Caller, sessionId: number): Promise<void> {
    this.#findOwn(caller, sessionId);
    await this.lose(sessionId, 'the worker left');
  }

  /** The session is over, for a reason that is recorded; nothing if it was already. */
  async lose(sessionId: number, reason: string): Promise<void> {
    await this.#ledger.write((world) => {
      const entry = world.memory.sessions.get(sessionId);
      if (entry === undefined) return;
      loseGrants(world, entry.session);
      world.settlement.run();
      const row = { ...entry.row, closedAt: world.now };
      world.memory.changes.sessions.set(sessionId, row);
      world.memory.sessions.delete(sessionId);
      world.memory.changes.topUp.delete(entry.session);
      world.memory.changes.outgoing.delete(sessionId);
      world.memory.changes.event(world.now, 0, 'sessionClosed', { session: sessionId, worker: row.worker, reason });
      const link = this.#ledger.links.get(sessionId);
      if (link !== undefined) this.#ledger.forgetLink(sessionId, link);
    });
  }

  #findOwn(caller: Caller, sessionId: number): { entry: SessionEntry; link: Link } {
    const found = this.#find(sessionId);
    refuseStranger(caller, sessionId, found.entry.token);
    return found;
  }

  #find(sessionId: number): { entry: SessionEntry; link: Link } {
    const entry = this.#ledger.memory.sessions.get(sessionId);
    const link = this.#ledger.links.get(sessionId);
    if (entry === undefined || link === undefined) throw new SpawnError('SESSION_UNKNOWN', { session: sessionId });
    return { entry, link };
  }
}

function openSession(id: number, caller: Caller, request: HelloRequest, now: number): SessionEntry {
  const { cpus, memoryBytes, gpus, named, slots } = request.resources;
  const detail: SessionDetail = {
    cpus,
    memoryBytes,
    ...(gpus === undefined ? {} : { gpus }),
    ...(named === undefined ? {} : { named }),
    ...(slots === undefined ? {} : { slots }),
    api: request.api,
    bootId: request.bootId,
    forkerPid: request.forkerPid ?? 0,
    version: request.version,
    sameHost: caller.sameHost,
    owner: caller.owner,
    ...(caller.token === undefined ? {} : { token: caller.token }),
  };
  return {
    session: new WorkerSession(id, request.worker, detail, request.api),
    row: {
      id,
      worker: request.worker,
      host: request.host,
      pid: request.pid,
      instance: request.instance ?? '',
      openedAt: now,
      closedAt: 0,
      detail: JSON.stringify(detail),
    },
    token: caller.token ?? 0,
  };
}
