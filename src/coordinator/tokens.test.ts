import { expect, test } from 'vitest';
import { CALLER, HELLO, LedgerAtHand } from '../../test/support/ledger-at-hand.ts';
import { until } from '../../test/support/until.ts';
import type { CreateTokenRequest } from '../api/access.ts';
import { MAX_TOKENS, Tokens } from './tokens.ts';
import type { Caller } from './use-cases.ts';

const HOUR_MS = 3_600_000;

async function open(): Promise<{ at: LedgerAtHand; make: (request?: Partial<CreateTokenRequest>) => Promise<string> }> {
  const at = await LedgerAtHand.open();
  let made = 0;
  return {
    at,
    make: async (request = {}) => {
      const { token } = await at.coordinator.createToken(CALLER, { name: `t${++made}`, role: 'submit', ...request });
      return token;
    },
  };
}

const refused = { code: 'UNAUTHENTICATED', message: 'not authenticated: expected a valid token', details: {} };

test('a token tells who bears it, and the store holds no more than the hash of its secret', async () => {
  const { at, make } = await open();
  const token = await make({ name: 'ada', role: 'submit', expiresInMs: HOUR_MS });
  expect(token).toMatch(/^spawn_1_[A-Za-z0-9_-]{43}$/);
  const caller = { owner: 'ada', tenant: 'local', sameHost: false, role: 'submit', token: 1 };
  expect(await at.coordinator.authenticate(token)).toEqual(caller);
  await at.ledger.idle();
  const secret = token.slice(-43);
  expect(JSON.stringify([...at.disk.content.tokens.values(), ...at.disk.content.events])).not.toContain(secret);
  expect([...at.disk.content.tokens.values()][0]?.hash).toMatch(/^[0-9a-f]{64}$/);
  await at.restart();
  expect(await at.coordinator.authenticate(token)).toEqual(caller);
});

test('two tokens never share their secret', async () => {
  const { make } = await open();
  const secrets = await Promise.all(Array.from({ length: 20 }, async () => (await make()).slice(-43)));
  expect(new Set(secrets).size).toBe(20);
});

test('what is not a token, of another number or a changed secret is refused in the same words', async () => {
  const { at, make } = await open();
  const token = await make();
  const other = await make();
  const flipped = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  const swapped = `spawn_1_${other.slice(-43)}`;
  const unknown = token.replace('spawn_1_', 'spawn_99_');
  for (const wrong of ['', 'x', 'Bearer', token.slice(0, -1), `${token}A`, ` ${token}`, flipped, swapped, unknown]) {
    await expect(at.coordinator.authenticate(wrong), wrong).rejects.toMatchObject(refused);
  }
});

test('a token that was revoked is refused at once, also after a restart, and that is told', async () => {
  const { at, make } = await open();
  const ended: number[] = [];
  at.coordinator.onTokenEnded((id) => ended.push(id));
  const token = await make({ name: 'ci' });
  const view = await at.coordinator.revokeToken(CALLER, 'ci');
  expect(view).toMatchObject({ id: 1, name: 'ci', revokedAt: at.clock.nowMs });
  expect(ended).toEqual([1]);
  await expect(at.coordinator.authenticate(token)).rejects.toMatchObject(refused);
  at.clock.nowMs += 5;
  expect(await at.coordinator.revokeToken(CALLER, '1')).toEqual(view);
  await at.restart();
  await expect(at.coordinator.authenticate(token)).rejects.toMatchObject(refused);
  await expect(at.coordinator.revokeToken(CALLER, 'nobody')).rejects.toMatchObject({ code: 'TOKEN_NOT_FOUND' });
});

test('a token expires by the clock of the coordinator, and that is told once', async () => {
  const { at, make } = await open();
  const tokens = new Tokens(at.ledger);
  const ended: number[] = [];
  tokens.onEnded((id) => ended.push(id));
  const token = await make({ expiresInMs: 1_000 });
  at.clock.nowMs += 999;
  await at.coordinator.authenticate(token);
  tokens.expire();
  expect(ended).toEqual([]);
  at.clock.nowMs += 1;
  await expect(at.coordinator.authenticate(token)).rejects.toMatchObject(refused);
  tokens.expire();
  tokens.expire();
  expect(ended).toEqual([1]);
});

test('a name belongs to one valid token, and a number is no name', async () => {
  const { at, make } = await open();
  await make({ name: 'ci', expiresInMs: 1_000 });
  await expect(make({ name: 'ci' })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'token ci: expected a name that is free, found token 1, which is valid',
  });
  at.clock.nowMs += 1_000;
  await make({ name: 'ci' });
  expect(await at.coordinator.revokeToken(CALLER, 'ci')).toMatchObject({ id: 2 });
  await make({ name: 'ci' });
  await expect(make({ name: '12' })).rejects.toMatchObject({ code: 'BAD_NAME' });
});

test('a list has the valid ones, or all, a page at a time', async () => {
  const { at, make } = await open();
  for (let i = 0; i < 5; i++) await make();
  await at.coordinator.revokeToken(CALLER, 't2');
  const ids = async (query: { all?: boolean; after?: number; limit?: number }) => {
    const reply = await at.coordinator.tokens(CALLER, { all: false, after: 0, limit: 100, ...query });
    return { ids: reply.tokens.map(({ id }) => id), next: reply.next };
  };
  expect(await ids({})).toEqual({ ids: [1, 3, 4, 5], next: undefined });
  expect(await ids({ all: true, limit: 2 })).toEqual({ ids: [1, 2], next: 2 });
  expect(await ids({ all: true, after: 2, limit: 3 })).toEqual({ ids: [3, 4, 5], next: undefined });
});

test('use is noted to the hour, once an hour, and a full store does not refuse anybody', async () => {
  const { at, make } = await open();
  const token = await make();
  const used = () => at.disk.content.tokens.get(1)?.lastUsedAt;
  await at.coordinator.authenticate(token);
  await until('the note', () => used() !== 0);
  const first = used()!;
  expect(first % HOUR_MS).toBe(0);
  expect(at.clock.nowMs - first).toBeLessThan(HOUR_MS);
  await at.ledger.idle();
  const before = at.disk.content.tokens.get(1);
  await at.coordinator.authenticate(token);
  await at.ledger.idle();
  expect(at.disk.content.tokens.get(1)).toBe(before);
  at.ledger.writable = false;
  at.clock.nowMs += HOUR_MS;
  await at.coordinator.authenticate(token);
  at.ledger.writable = true;
  await at.coordinator.authenticate(token);
  await until('the next note', () => used() === first + HOUR_MS);
});

test('beyond the limit the oldest that is valid no more is forgotten; of valid ones there are no more', async () => {
  const { at, make } = await open();
  const { tokens } = at.ledger.memory;
  await make();
  const row = tokens.get(1)!;
  for (let id = 2; id <= MAX_TOKENS; id++) tokens.set(id, { ...row, id, name: `n${id}` });
  await expect(make()).rejects.toMatchObject({ code: 'CONFLICT', details: { expected: 'at most 10000' } });
  tokens.set(7, { ...row, id: 7, revokedAt: 1 });
  expect(await make()).toContain(`spawn_${MAX_TOKENS + 1}_`);
  expect(tokens.has(7)).toBe(false);
  expect(tokens.size).toBe(MAX_TOKENS);
});

test('a worker session belongs to the token that opened it', async () => {
  const { at, make } = await open();
  const [mine, other] = [await make({ role: 'worker' }), await make({ role: 'worker' })];
  const me: Caller = await at.coordinator.authenticate(mine);
  const them = await at.coordinator.authenticate(other);
  const { sessionId } = await at.coordinator.hello(me, HELLO);
  const exchange = (caller: Caller, seq: number) =>
    at.coordinator.exchange(caller, sessionId, { seq, ack: 0, held: { count: 0, sum: 0 } } as never);
  const notTheirs = {
    code: 'NOT_PERMITTED',
    message: `not permitted: act as the worker of session ${sessionId} (it was not opened with this token)`,
  };
  const sink = { write() {}, close() {} };
  for (const caller of [them, CALLER]) {
    await expect(exchange(caller, 1)).rejects.toMatchObject(notTheirs);
    expect(() => at.coordinator.stream(caller, sessionId, 0, sink)).toThrow(notTheirs.message);
    await expect(at.coordinator.bye(caller, sessionId)).rejects.toMatchObject(notTheirs);
    await expect(at.coordinator.putLog(caller, sessionId, 1, 1, 0, new Uint8Array())).rejects.toMatchObject(notTheirs);
  }
  await exchange(me, 1);
  await at.restart();
  await expect(exchange(them, 2)).rejects.toMatchObject(notTheirs);
  await exchange(me, 2);
  await at.coordinator.bye(me, sessionId);
});

test('what a session wrote is taken from the token that replaces its own, once that is valid no more', async () => {
  const { at, make } = await open();
  const token = async (owner: string) => await at.coordinator.authenticate(await make({ role: 'worker', owner }));
  const [before, after, stranger] = [await token('farm'), await token('farm'), await token('other')];
  const { sessionId } = await at.coordinator.hello(before, HELLO);
  const put = (caller: Caller) => at.coordinator.putLog(caller, sessionId, 99, 1, 0, new Uint8Array());
  await expect(put(after)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  await at.coordinator.revokeToken(CALLER, `${before.token}`);
  // As far as the token goes: there is no such job.
  await expect(put(after)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  for (const caller of [stranger, CALLER]) await expect(put(caller)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  await at.restart();
  await expect(put(after)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});
