import { hash, timingSafeEqual } from 'node:crypto';
import type { CreateTokenReply, CreateTokenRequest, TokensQuery, TokensReply, TokenView } from '../api/access.ts';
import { SpawnError } from '../core/errors.ts';
import type { StoredToken } from '../store/store.ts';
import type { Ledger } from './ledger.ts';
import type { Caller } from './use-cases.ts';

/** All of them are in memory. Beyond this number those that are valid no more are forgotten, the oldest first. */
export const MAX_TOKENS = 10_000;
const SECRET_HEX_DIGITS = 64;
const TOKEN = /^spawn_([1-9]\d{0,15})_([A-Za-z0-9_-]{43})$/;
const HOUR_MS = 3_600_000;
const NO_HASH = '0'.repeat(64);

/** Who may come through a door that strangers can reach. */
export class Tokens {
  readonly #ledger: Ledger;
  readonly #listeners = new Set<(id: number) => void>();
  /** Up to when it is known which have expired. */
  #expiredUntil: number;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#expiredUntil = ledger.ports.clock.now();
  }

  /** Calls `listener` with the number of each token that is valid no more, once its revocation is durable. */
  onEnded(listener: (id: number) => void): void {
    this.#listeners.add(listener);
  }

  async create(caller: Caller, request: CreateTokenRequest): Promise<CreateTokenReply> {
    const { name, role, owner = name, expiresInMs } = request;
    if (/^\d+$/.test(name)) {
      throw new SpawnError('BAD_NAME', { where: 'token', name, expected: 'at least one letter: numbers are ids' });
    }
    const secret = Buffer.from(this.#ledger.ports.randomHex(SECRET_HEX_DIGITS), 'hex').toString('base64url');
    const row = await this.#ledger.write(({ memory, now }) => {
      const { tokens, changes } = memory;
      const valid = [...tokens.values()].filter((token) => isValid(token, now));
      const namesake = valid.find((token) => token.name === name);
      if (namesake !== undefined) {
        const found = `token ${namesake.id}, which is valid`;
        throw new SpawnError('CONFLICT', { what: `token ${name}`, expected: 'a name that is free', found });
      }
      if (valid.length >= MAX_TOKENS) {
        throw new SpawnError('CONFLICT', { what: 'tokens', expected: `at most ${MAX_TOKENS}`, found: valid.length });
      }
      const made: StoredToken = {
        id: Math.max(0, ...tokens.keys()) + 1,
        name,
        role,
        owner,
        tenant: caller.tenant,
        hash: hashOf(secret),
        createdAt: now,
        expiresAt: expiresInMs === undefined ? 0 : now + expiresInMs,
        revokedAt: 0,
        lastUsedAt: 0,
      };
      tokens.set(made.id, made);
      changes.tokens.set(made.id, made);
      for (const { id } of [...tokens.values()].filter((token) => !isValid(token, now))) {
        if (tokens.size <= MAX_TOKENS) break;
        tokens.delete(id);
        changes.tokens.delete(id);
        changes.droppedTokens.add(id);
      }
      changes.event(now, 0, 'tokenCreated', { token: made.id, name, role, owner, by: caller.owner });
      return made;
    });
    return { token: `spawn_${row.id}_${secret}`, view: view(row) };
  }

  list({ all, after, limit }: TokensQuery): Promise<TokensReply> {
    const now = this.#ledger.ports.clock.now();
    return this.#ledger.read(({ tokens }) => {
      const wanted = [...tokens.values()].filter((token) => token.id > after && (all || isValid(token, now)));
      wanted.sort((a, b) => a.id - b.id);
      const page = wanted.slice(0, limit).map(view);
      return wanted.length > limit ? { tokens: page, next: page.at(-1)!.id } : { tokens: page };
    });
  }

  /** One that is revoked already stays as it is. Errors: TOKEN_NOT_FOUND. */
  async revoke(caller: Caller, ref: string): Promise<TokenView> {
    const row = await this.#ledger.write(({ memory, now }) => {
      const found = find(memory.tokens, ref, now);
      if (found.revokedAt !== 0) return found;
      const revoked = { ...found, revokedAt: now };
      memory.tokens.set(found.id, revoked);
      memory.changes.tokens.set(found.id, revoked);
      const { id: token, name } = found;
      memory.changes.event(now, 0, 'tokenRevoked', { token, name, by: caller.owner });
      return revoked;
    });
    this.#ended(row.id);
    return view(row);
  }

  /**
   * Who bears this token: a look at memory, never at the store. The secret is 256 random bits, so a fast hash protects it as well
   * as a slow one would. Unknown, revoked and expired tokens take the same path, and about the same time.
   */
  authenticate(token: string): Caller {
    const [, id, secret] = TOKEN.exec(token) ?? [];
    const now = this.#ledger.ports.clock.now();
    const row = this.#ledger.memory.tokens.get(Number(id));
    const given = Buffer.from(hashOf(secret ?? token), 'hex');
    const isSame = timingSafeEqual(given, Buffer.from(row?.hash ?? NO_HASH, 'hex'));
    if (!isSame || row === undefined || !isValid(row, now)) throw new SpawnError('UNAUTHENTICATED');
    this.#noteUse(row, now);
    return { owner: row.owner, tenant: row.tenant, sameHost: false, role: row.role, token: row.id };
  }

  /** Tells of those that have expired since it was last called. */
  expire(): void {
    const now = this.#ledger.ports.clock.now();
    for (const { id, expiresAt } of this.#ledger.memory.tokens.values()) {
      if (expiresAt > this.#expiredUntil && expiresAt <= now) this.#ended(id);
    }
    this.#expiredUntil = now;
  }

  /** At most once an hour; whoever uses it does not wait, and a store that is full does not mind. */
  #noteUse({ id, lastUsedAt }: StoredToken, now: number): void {
    const hour = now - (now % HOUR_MS);
    if (lastUsedAt >= hour) return;
    const note = this.#ledger.write(({ memory }) => {
      const row = memory.tokens.get(id);
      if (row === undefined || row.lastUsedAt >= hour) return;
      memory.tokens.set(id, { ...row, lastUsedAt: hour });
      memory.changes.tokens.set(id, { ...row, lastUsedAt: hour });
    });
    note.catch(() => {});
  }

  #ended(id: number): void {
    for (const listener of this.#listeners) listener(id);
  }
}

export function isValid({ revokedAt, expiresAt }: Pick<StoredToken, 'revokedAt' | 'expiresAt'>, now: number): boolean {
  return revokedAt === 0 && (expiresAt === 0 || now < expiresAt);
}

/** By number, or by name: the valid one of that name, else the newest. */
function find(tokens: ReadonlyMap<number, StoredToken>, ref: string, now: number): StoredToken {
  const named = [...tokens.values()].filter(({ id, name }) => name === ref || String(id) === ref);
  const found = named.find((token) => isValid(token, now)) ?? named.toSorted((a, b) => a.id - b.id).at(-1);
  if (found === undefined) throw new SpawnError('TOKEN_NOT_FOUND', { ref });
  return found;
}

function hashOf(secret: string): string {
  return hash('sha256', secret, 'hex');
}

function view({ id, name, role, owner, createdAt, expiresAt, revokedAt, lastUsedAt }: StoredToken): TokenView {
  return {
    id,
    name,
    role,
    owner,
    createdAt,
    ...(expiresAt === 0 ? {} : { expiresAt }),
    ...(revokedAt === 0 ? {} : { revokedAt }),
    ...(lastUsedAt === 0 ? {} : { lastUsedAt }),
  };
}
