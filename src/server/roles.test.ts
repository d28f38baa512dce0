import { fastify } from 'fastify';
import { beforeAll, describe, expect, test } from 'vitest';
import { HELLO, LedgerAtHand } from '../../test/support/ledger-at-hand.ts';
import { askTcp } from '../../test/support/server-on-tcp.ts';
import type { Role } from '../api/access.ts';
import type { Caller } from '../coordinator/use-cases.ts';
import { demandRoles } from './roles.ts';
import { createServer, type Server } from './server.ts';

/** Who may use which route, written down a second time: a route that is not here fails this test. */
const MAY: Readonly<Record<string, readonly Role[]>> = {
  ...group('openapi results', ['read', 'submit', 'worker', 'admin']),
  ...group(
    'jobs job tasks queue history watch logs server summary why spec script events watchEvents watchGrid grep diffLogs instances cost budget alerts deliveries workflow graph batches',
    ['read', 'submit', 'admin'],
  ),
  ...group(
    'submit submitWorkflow workflowVerb update cancel retry requeue hold release suspend resume signal putBlob instanceVerb resize setBudget createAlert deleteAlert testAlert',
    ['submit', 'admin'],
  ),
  ...group('hello exchange bye stream putLog putCheckpoint checkpoint getBlob peers', ['worker', 'admin']),
  ...group('createToken tokens revokeToken prune stopServer', ['admin']),
};
/** Where it counts whose job it is. */
const OF_OWNER = new Set([
  'script',
  'update',
  'cancel',
  'retry',
  'requeue',
  'hold',
  'release',
  'suspend',
  'resume',
  'signal',
  'resize',
]);

const BODIES: Readonly<Record<string, object>> = {
  submit: { spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/' } },
  submitWorkflow: { jobs: [{ key: 'a', spec: { run: { kind: 'argv', argv: ['true'] }, cwd: '/' } }] },
  update: { throttle: 1 },
  signal: { signal: 10 },
  hello: HELLO,
  exchange: { seq: 1, ack: 0, held: { count: 0, sum: 0 }, freeCpus: 0 },
  createToken: { name: 'ROLE', role: 'read' },
  prune: { olderThanMs: 0, dryRun: true },
  instanceVerb: { target: { instance: 'nobody' } },
  resize: { count: 1 },
  setBudget: { amount: null },
  createAlert: { channel: { kind: 'event' }, events: ['ended'] },
};

function group(operations: string, roles: readonly Role[]): Record<string, readonly Role[]> {
  return Object.fromEntries(operations.split(' ').map((operation) => [operation, roles]));
}

interface Operation {
  readonly operationId: string;
  readonly line: string;
  readonly role: string;
}

const ADMIN: Caller = { owner: '0', tenant: 'local', sameHost: true, role: 'admin' };
const at = await LedgerAtHand.open();
const tokens: Record<string, string> = {};
let server: Server;
let url: string;

/** A new server and budget for failures for each of those who come, so that none is answered with RATE_LIMITED. */
async function serve(): Promise<void> {
  await server?.close();
  server = await createServer(at.coordinator, { version: '1', onStop: () => {}, timing: { closeGraceMs: 50 } });
  url = await server.listenTcp({ host: '127.0.0.1', port: 0 });
}

async function operations(): Promise<Operation[]> {
  const { text } = await askTcp(url, { line: 'GET /v1/openapi.json', token: tokens.read });
  const { paths } = JSON.parse(text) as {
    paths: Record<string, Record<string, { operationId: string; 'x-role': string }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, 'x-role': role }]) => ({
      operationId,
      line: `${method.toUpperCase()} ${filled(path)}`,
      role,
    })),
  );
}

function filled(path: string): string {
  const values: Record<string, string> = {
    ref: path.includes('tokens') ? 'nobody' : '1',
    kind: 'env',
    id: '999',
    verb: path.includes('workflows') ? 'cancel' : 'stop',
  };
  return path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? (name === 'hash' ? 'a'.repeat(64) : '1'));
}

function ask({ operationId, line }: Operation, token: string | undefined, who: string) {
  if (/putBlob|putLog|putCheckpoint/.test(operationId)) {
    const query = operationId === 'putLog' ? '?offset=0' : '';
    const headers = { 'content-type': 'application/octet-stream' };
    return askTcp(url, { line: `${line}${query}`, token, body: 'x', headers });
  }
  const query = { grep: '?pattern=x', watchGrid: '?cells=10' }[operationId] ?? '';
  const body = BODIES[operationId] ?? (line.startsWith('POST') ? {} : undefined);
  const text = body === undefined ? undefined : JSON.stringify(body).replace('ROLE', `made-by-${who}`);
  return askTcp(url, { line: `${line}${query}`, token, body: text });
}

beforeAll(async () => {
  const make = async (name: string, role: Role, owner = 'ada', expiresInMs?: number) => {
    const { token } = await at.coordinator.createToken(ADMIN, {
      name,
      role,
      owner,
      ...(expiresInMs === undefined ? {} : { expiresInMs }),
    });
    tokens[name] = token;
  };
  for (const role of ['read', 'submit', 'worker', 'admin'] as const) await make(role, role);
  await make('other owner', 'submit', 'bob');
  await make('revoked', 'admin');
  await make('expired', 'admin', 'ada', 1_000);
  await at.coordinator.revokeToken(ADMIN, 'revoked');
  at.clock.nowMs += 1_000;
  tokens.garbage = `spawn_4_${'A'.repeat(43)}`;
  await serve();
  const ada: Caller = await at.coordinator.authenticate(tokens.submit!);
  const { job } = await at.coordinator.submit(ada, (await import('../api/job.ts')).SubmitRequest.parse(BODIES.submit));
  expect(job).toMatchObject({ id: 1, owner: 'ada' });
  return () => server.close();
});

test('a route that asks for no role cannot be registered', () => {
  const app = fastify();
  demandRoles(app);
  const said = 'GET /v1/x: a route must say which role it asks for';
  expect(() => app.get('/v1/x', async () => 1)).toThrow(said);
  expect(() => app.get('/v1/x', { config: { mediaType: 'x' } as never }, async () => 1)).toThrow(said);
  expect(() => app.get('/v1/x', { config: { role: 'root' as never } }, async () => 1)).toThrow(said);
  app.get('/v1/x', { config: { role: 'read' } }, async () => 1);
});

test('every route is in this table, and asks for the role that it says', async () => {
  const all = await operations();
  expect(all.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(MAY).toSorted());
  const LEAST: Record<string, string> = { 'read,submit,worker,admin': 'any', 'read,submit,admin': 'read' };
  for (const { operationId, role } of all) {
    const may = MAY[operationId]!.join();
    expect([operationId, role]).toEqual([operationId, LEAST[may] ?? may.split(',')[0]]);
  }
});

describe.each(['no token', 'garbage', 'revoked', 'expired'])('with %s', (who) => {
  test('every route is refused in the same words', async () => {
    const all = await operations();
    for (const [n, operation] of all.entries()) {
      if (n % 20 === 0) await serve();
      const { status, headers, text } = await ask(operation, tokens[who], who);
      expect([operation.operationId, status, headers['www-authenticate'], JSON.parse(text)]).toEqual([
        operation.operationId,
        401,
        'Bearer',
        {
          error: {
            code: 'UNAUTHENTICATED',
            message: 'not authenticated: expected a valid token',
            details: {},
          },
        },
      ]);
    }
    await serve();
    const nowhere = await askTcp(url, { line: 'GET /v1/nothing', token: tokens[who] });
    expect(nowhere.status).toBe(401);
  });
});

describe.each(['read', 'submit', 'other owner', 'worker', 'admin'])('with a token of %s', (who) => {
  const role = (who === 'other owner' ? 'submit' : who) as Role;
  test('the routes of its role are open, and no other', async () => {
    const all = await operations();
    for (const operation of all) {
      const { status, text } = await ask(operation, tokens[who], who.replace(' ', '-'));
      const { operationId } = operation;
      const may = MAY[operationId]!.includes(role);
      if (!may) {
        expect([operationId, status]).toEqual([operationId, 403]);
        expect(JSON.parse(text).error).toMatchObject({
          code: 'NOT_PERMITTED',
          message: `not permitted: ${operationId} (it needs a token of role ${MAY[operationId]!.join(' or ')}; the role of this one is ${role})`,
        });
      } else if (who === 'other owner' && OF_OWNER.has(operationId)) {
        expect([operationId, status]).toEqual([operationId, 403]);
        expect(JSON.parse(text).error.message).toContain('it belongs to ada');
      } else {
        expect([operationId, 401, 403]).not.toContain(status);
        expect(status, operationId).toBeGreaterThanOrEqual(200);
      }
    }
    expect((await askTcp(url, { line: 'GET /v1/nothing', token: tokens[who] })).status).toBe(404);
  });
});
