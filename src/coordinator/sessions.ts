import { API_VERSION } from '../api/limits.ts';
import type { ExchangeReply, ExchangeRequest, HelloReply, HelloRequest } from '../api/session.ts';
import { SpawnError } from '../core/errors.ts';
import { WorkerSession } from '../core/worker-session.ts';
import { checkReport, findTask, nextLinkNumber, refuseReplaced, resumeSession } from './bind.ts';
import { checkExchange } from './check-exchange.ts';
import { storedPlans } from './data/stored-plans.ts';
import { hasNews, takeExchange } from './exchange.ts';
import { instanceAttached, instanceConnected, instanceGone } from './instances/hooks.ts';
import type { Ledger } from './ledger.ts';
import { Link } from './link.ts';
import { loseGrants } from './lose.ts';
import type { Bound, SessionEntry } from './memory.ts';
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
    const { options, store } = this.#ledger.ports;
    const { leaseMs } = this.#ledger;
    const opened = await this.#ledger.write((world) => this.#greet(world, caller, request));
    return {
      ...opened,
      leaseMs,
      // No lease of a bound session runs out: all that it says in time comes with news, and a thousand of them sit on one machine.
      heartbeatMs: request.bound === undefined ? Math.floor(leaseMs / HEARTBEATS_PER_LEASE) : leaseMs,
      ...(caller.sameHost ? { logDir: options.logDir } : {}),
      sameHost: caller.sameHost,
      storeId: store.storeId,
    };
  }

  #greet(world: World, caller: Caller, request: HelloRequest): Pick<HelloReply, 'sessionId' | 'resumed' | 'after'> {
    const { memory, now } = world;
    const { store } = this.#ledger.ports;
    const found = request.bound === undefined ? undefined : findTask(memory, caller, request);
    if (found?.before !== undefined) {
      const { session, row } = found.before;
      const { id } = session;
      const link = this.#ledger.links.get(id);
      link?.close();
      const since = nextLinkNumber(link);
      this.#ledger.links.set(id, new Link(id, store.epoch, false, since));
      const entry = makeEntry(session, caller, request, row.openedAt, { ...found.task, since });
      this.#renew(entry);
      memory.changes.sessions.set(id, entry.row);
      memory.changes.event(now, found.task.jobId, 'sessionResumed', {
        session: id,
        worker: request.worker,
        host: request.host,
      });
      resumeSession(world, entry);
      return { sessionId: id, resumed: true, after: since };
    }
    const id = memory.counters.nextSession++;
    memory.changes.counters = true;
    const session = new WorkerSession(id, request.worker, request.resources, request.api);
    const entry = makeEntry(session, caller, request, now, found && { ...found.task, since: 0 });
    this.#renew(entry);
    memory.addSession(entry);
    memory.changes.sessions.set(id, entry.row);
    // Of an instance it is its job's, and goes with that.
    memory.changes.event(now, found?.task.jobId ?? 0, 'sessionOpened', {
      session: id,
      worker: request.worker,
      host: request.host,
    });
    this.#ledger.links.set(id, new Link(id, store.epoch, false));
    if (found !== undefined) instanceConnected(world, found.task.instance);
    return { sessionId: id };
  }

  #renew({ session }: SessionEntry): void {
    session.leaseUntil = this.#ledger.ports.clock.lease() + this.#ledger.leaseMs;
  }

  stream(caller: Caller, sessionId: number, after: number, sink: StreamSink): () => void {
    const { entry, link } = this.#findOwn(caller, sessionId);
    refuseReplaced(entry, after);
    const { memory } = this.#ledger;
    if (entry.bound === undefined) {
      memory.changes.topUp.add(entry.session);
    } else {
      link.dropDirectives();
      memory.changes.binding.add(entry.bound.jobId);
      instanceAttached(memory, entry.bound.instance);
    }
    link.attach(after, sink);
    entry.session.connected = true;
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
    checkExchange(request);
    checkReport(entry, request);
    refuseReplaced(entry, request.ack);
    this.#renew(entry);
    link.acknowledge(request.ack);
    if (request.seq === link.lastSeq && link.lastReply !== undefined) return await link.lastReply;
    const { leaseMs } = this.#ledger;
    // A copy of an older exchange that the network held back: it was answered long ago.
    if (request.seq < link.lastSeq) return { seq: request.seq, leaseMs, stale: 0, resync: false, deferred: false };
    if (!this.#ledger.writable && hasNews(request)) {
      return { seq: request.seq, leaseMs, stale: 0, resync: false, deferred: true };
    }
    const work = (world: World, said: ExchangeRequest) => {
      const now = this.#find(sessionId);
      refuseReplaced(now.entry, request.ack);
      return takeExchange(world, now.entry, link, said, leaseMs);
    };
    const write = async () => {
      const { planned } = request;
      const said = planned === undefined ? request : { ...request, planned: await storedPlans(this.#ledger, planned) };
      return await this.#ledger.write((world) => work(world, said));
    };
    const reply = hasNews(request) ? write() : this.#ledger.read(() => work(this.#ledger.world, request));
    // Who watches hears of it, also when nothing has to be stored.
    if (request.progress !== undefined) this.#ledger.poke();
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
      world.memory.removeSession(entry);
      world.memory.changes.topUp.delete(entry.session);
      world.memory.changes.outgoing.delete(sessionId);
      const about = entry.bound?.jobId ?? 0;
      world.memory.changes.event(world.now, about, 'sessionClosed', { session: sessionId, worker: row.worker, reason });
      const link = this.#ledger.links.get(sessionId);
      if (link !== undefined) this.#ledger.forgetLink(sessionId, link);
      if (entry.bound !== undefined) instanceGone(world, entry.bound.instance);
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

function makeEntry(
  session: WorkerSession,
  caller: Caller,
  request: HelloRequest,
  openedAt: number,
  bound: Bound | undefined,
): SessionEntry {
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
    ...(bound === undefined ? {} : { bound }),
  };
  return {
    session,
    row: {
      id: session.id,
      worker: request.worker,
      host: request.host,
      pid: request.pid,
      instance: request.instance ?? '',
      openedAt,
      closedAt: 0,
      detail: JSON.stringify(detail),
    },
    token: caller.token ?? 0,
    ...(bound === undefined ? {} : { bound }),
  };
}
