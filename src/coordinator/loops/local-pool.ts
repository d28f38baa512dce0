import type { Provider, SessionPlace, StopHow } from '../../providers/provider.ts';

/** A worker session as the pool sees it. */
export interface PoolSession extends SessionPlace {
  readonly id: number;
  /** It was opened through the Unix socket. What comes by TCP may call itself anything. */
  readonly sameHost: boolean;
  /** Whether its stream is open. */
  readonly connected: boolean;
}

/** The part of the coordinator that the pool needs. */
export interface PoolSessions {
  sessions(): readonly PoolSession[];
  /** What the session holds is lost at once and runs again elsewhere. */
  loseSession(sessionId: number, reason: string): Promise<void>;
}

export interface LocalPoolOptions {
  readonly provider: Provider;
  readonly coordinator: PoolSessions;
  /** Instances to keep alive. */
  readonly size: number;
  /** Told of what a person may want to know later. */
  readonly note?: (text: string) => void;
}

/** Until the next look while nothing is going on. */
const REST_MS = 1_000;
/** Until the next look while a process is on its way up or down. */
const SOON_MS = 25;
/** An instance that lived at least this long started well. */
const GOOD_LIFE_MS = 10_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;
/** An agent that has had no session for so long hangs. Well above a lease, so that all it ran is decided. */
const MUTE_MS = 90_000;

interface Instance {
  readonly startedAtMs: number;
  /** How long it has been seen without a session. */
  muteMs: number;
}

/** Keeps the local pool at its size, and says which sessions lost their machine. */
export class LocalPool {
  readonly #options: LocalPoolOptions;
  readonly #instances = new Map<string, Instance>();
  readonly #stopping = new Set<string>();
  #lastNumber = 0;
  #shortLives = 0;
  #startAfterMs = 0;
  #lastLookMs: number | undefined;

  constructor(options: LocalPoolOptions) {
    this.#options = options;
  }

  /**
   * Looks once, and does what is to do.
   *
   * @param nowMs on a clock that no one sets
   * @returns ms until it is worth looking again
   */
  async runOnce(nowMs: number): Promise<number> {
    const unsure = await this.#loseGoneSessions();
    const seenMs = Math.min(nowMs - (this.#lastLookMs ?? nowMs), 2 * REST_MS);
    this.#lastLookMs = nowMs;
    const connected = new Set(this.#sessions().flatMap(({ connected, instance }) => (connected ? [instance] : [])));
    const alive = new Set([...(await this.#options.provider.list()), ...connected].filter((id) => id !== undefined));
    this.#noteEnds(alive, nowMs);
    await this.#stopMute(alive, connected, seenMs, nowMs);
    await this.#stopSurplus(alive);
    const short = await this.#startMissing(alive, nowMs);
    if (short > 0) return Math.max(SOON_MS, Math.min(this.#startAfterMs - nowMs, REST_MS));
    return unsure || connected.size < alive.size ? SOON_MS : REST_MS;
  }

  /** Asks every instance to end; `end` and `kill` also those that were asked to drain. */
  async stopAll(how: StopHow): Promise<void> {
    const { provider } = this.#options;
    for (const id of await provider.list()) await provider.stop(id, how);
  }

  #sessions(): PoolSession[] {
    const prefix = `${this.#options.provider.name}-`;
    const sessions = this.#options.coordinator.sessions();
    return sessions.filter(({ instance, sameHost }) => sameHost && instance?.startsWith(prefix));
  }

  /** Whether there are sessions without a link whose machine is not known to be gone. */
  async #loseGoneSessions(): Promise<boolean> {
    let unsure = false;
    for (const session of this.#sessions()) {
      this.#lastNumber = Math.max(this.#lastNumber, numberOf(session.instance ?? ''));
      // Asked of those that are well too: the provider gets to know their processes while these surely live.
      if (await this.#options.provider.isGone(session)) {
        this.#options.note?.(
          `worker ${session.instance} (process ${session.pid}) is gone: its session ${session.id} ends`,
        );
        await this.#options.coordinator.loseSession(session.id, 'its process is gone');
      } else if (!session.connected) unsure = true;
    }
    return unsure;
  }

  #noteEnds(alive: ReadonlySet<string>, nowMs: number): void {
    for (const id of alive) {
      this.#lastNumber = Math.max(this.#lastNumber, numberOf(id));
      if (!this.#instances.has(id)) this.#instances.set(id, { startedAtMs: nowMs, muteMs: 0 });
    }
    for (const [id, { startedAtMs }] of this.#instances) {
      if (alive.has(id)) continue;
      this.#instances.delete(id);
      if (this.#stopping.delete(id)) continue;
      this.#shortLives = nowMs - startedAtMs < GOOD_LIFE_MS ? this.#shortLives + 1 : 0;
      // The first short life may be an accident, which costs the user nothing.
      const delayMs = this.#shortLives < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (this.#shortLives - 2), MAX_DELAY_MS);
      this.#startAfterMs = nowMs + delayMs;
      this.#options.note?.(`worker ${id} ended; another is started in ${delayMs} ms`);
    }
  }

  async #stopMute(
    alive: ReadonlySet<string>,
    connected: ReadonlySet<string | undefined>,
    seenMs: number,
    nowMs: number,
  ): Promise<void> {
    for (const id of alive) {
      const instance = this.#instances.get(id);
      if (instance === undefined) continue;
      instance.muteMs = connected.has(id) || nowMs === instance.startedAtMs ? 0 : instance.muteMs + seenMs;
      if (instance.muteMs < MUTE_MS) continue;
      this.#options.note?.(`worker ${id} has said nothing for ${MUTE_MS / 1_000} s and is killed`);
      await this.#options.provider.stop(id, 'kill');
    }
  }

  /** There are too many after a coordinator died between starting one and writing that down. */
  async #stopSurplus(alive: ReadonlySet<string>): Promise<void> {
    const staying = [...alive].filter((id) => !this.#stopping.has(id)).toSorted((a, b) => numberOf(a) - numberOf(b));
    for (const id of staying.slice(this.#options.size)) {
      this.#stopping.add(id);
      this.#options.note?.(`worker ${id} is one too many and drains`);
      await this.#options.provider.stop(id, 'drain');
    }
  }

  /** Returns how many are still missing. */
  async #startMissing(alive: ReadonlySet<string>, nowMs: number): Promise<number> {
    const staying = [...alive].filter((id) => !this.#stopping.has(id)).length;
    const missing = this.#options.size - staying;
    if (missing <= 0 || nowMs < this.#startAfterMs) return Math.max(missing, 0);
    for (let i = 0; i < missing; i++) {
      const id = `${this.#options.provider.name}-${++this.#lastNumber}`;
      this.#instances.set(id, { startedAtMs: nowMs, muteMs: 0 });
      await this.#options.provider.start(id);
    }
    return 0;
  }
}

function numberOf(id: string): number {
  const number = Number(id.slice(id.lastIndexOf('-') + 1));
  return Number.isSafeInteger(number) ? number : 0;
}
