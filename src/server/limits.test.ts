import { expect, test } from 'vitest';
import { Bounds, type Schema } from '../../test/support/bounds.ts';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { ask, serveOn, socketPath } from '../../test/support/server-on-socket.ts';
import { MAX_ENV_ENTRIES, MAX_LOG_PIECE_BYTES, MAX_NAMED_RESOURCES } from '../api/limits.ts';
import { createServer } from './server.ts';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required: boolean;
    readonly schema: Schema;
  }[];
}

const fake = new FakeUseCases();
const server = await createServer(fake, { version: '1' });
const document = (await server.inject({ url: '/v1/openapi.json' })).json() as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const routes = Object.entries(document.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ url, method: method.toUpperCase(), ...operation })),
);
/** A job for ref, a session for id. */
const filled = (url: string) =>
  url.replace(
    /\{(\w+)\}/g,
    (_, name: string) =>
      ({
        ref: '12',
        id: '7',
        kind: 'script',
        hash: 'a'.repeat(64),
        verb: url.includes('workflows') ? 'cancel' : 'stop',
      })[name] ?? '1',
  );

const bodies = routes.filter(({ requestBody }) => requestBody?.content['application/json'] !== undefined);

test.each(bodies)('$operationId refuses one more than each limit of its body, and takes the limit', async (route) => {
  const served = await serveOn(socketPath());
  const bounds = new Bounds(document.components.schemas);
  bounds.look(route.requestBody!.content['application/json']!.schema, 'body', (value) => value);
  expect(bounds.found.length).toBeGreaterThan({ submit: 35, update: 8, hello: 3 }[route.operationId] ?? 0);
  const line = `${route.method} ${filled(route.url)}`;
  for (const { where, limit, over, at } of bounds.found) {
    const calls = served.fake.calls.length;
    const refused = await ask(served.path, line, JSON.stringify(over));
    expect({ where, status: refused.status }).toEqual({ where, status: 400 });
    expect(served.fake.calls.length, where).toBe(calls);
    const { issues } = JSON.parse(refused.text).error.details as { issues: { where: string; expected: string }[] };
    const own = issues.filter(
      (issue) => issue.where.startsWith(where) && issue.expected.startsWith(`at most ${limit}`),
    );
    expect(own, `${where}, at most ${limit}: ${refused.text.slice(0, 300)}`).toHaveLength(1);
    const taken = await ask(served.path, line, JSON.stringify(at));
    if (taken.status !== 400) continue;
    // Something else may be wrong with it, such as a path that must begin with a slash; the limit is not.
    const faults = (JSON.parse(taken.text).error.details.issues ?? []) as { where: string; expected: string }[];
    expect(faults.filter((fault) => fault.where === where && fault.expected.startsWith('at most'))).toEqual([]);
  }
  // What an exchange holds is bounded by its body alone: a worker reports as many ends as it had tasks.
  if (route.operationId !== 'exchange') expect(bounds.unbounded).toEqual([]);
});

test('each query refuses one more than its limits, and takes the limits', async () => {
  let checked = 0;
  for (const { url, method, operationId, parameters = [] } of routes.filter(
    (route) => !/watch|stream|putLog/i.test(route.operationId),
  )) {
    const needed = parameters.filter((each) => each.in === 'query' && each.required).map(({ name }) => `${name}=1`);
    for (const { in: part, name, schema } of parameters.filter((each) => each.in === 'query')) {
      const { maximum, maxLength } = schema;
      if (schema.type === 'string' && schema.enum === undefined)
        expect(maxLength, `${operationId} ${name}`).toBeDefined();
      const limit = maxLength ?? maximum;
      if (limit === undefined || limit === Number.MAX_SAFE_INTEGER) continue;
      const value = (more: number) => (maxLength === undefined ? String(limit + more) : '1'.repeat(limit + more));
      const at = (more: number) =>
        `${filled(url)}?${[...needed.filter((text) => !text.startsWith(`${name}=`)), `${name}=${value(more)}`].join('&')}`;
      const refused = await server.inject({ method: method as 'GET', url: at(1) });
      expect(refused.json().error?.message, `${operationId} ${part} ${name}`).toMatch(
        new RegExp(`^query\\.${name}: expected at most ${limit}\\b`),
      );
      expect((await server.inject({ method: method as 'GET', url: at(0) })).statusCode, `${operationId} ${name}`).toBe(
        200,
      );
      checked++;
    }
  }
  expect(checked).toBeGreaterThan(15);
});

test('names of variables and resources are counted', async () => {
  const before = fake.calls.length;
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`V${i}`, 'x']));
  const amounts = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}`, 1]));
  const submit = async (more: object) => {
    const spec = { run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...more };
    const reply = await server.inject({ method: 'POST', url: '/v1/jobs', payload: { spec } });
    return reply.statusCode === 200 ? 'taken' : reply.json().error.message;
  };
  expect(await submit({ env: many(MAX_ENV_ENTRIES) })).toBe('taken');
  expect(await submit({ env: many(MAX_ENV_ENTRIES + 1) })).toContain(
    `body.spec.env: expected at most ${MAX_ENV_ENTRIES} variables`,
  );
  expect(await submit({ resources: amounts(MAX_NAMED_RESOURCES) })).toBe('taken');
  expect(await submit({ resources: amounts(MAX_NAMED_RESOURCES + 1) })).toContain(
    `body.spec.resources: expected at most ${MAX_NAMED_RESOURCES} names`,
  );
  expect(fake.calls.length - before).toBe(2);
});

test('a piece of a log of more than the limit is refused', async () => {
  const put = async (bytes: number) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const url = '/v1/sessions/7/logs/1/1?offset=0';
    return (await server.inject({ method: 'PUT', url, headers, payload: Buffer.alloc(bytes) })).statusCode;
  };
  expect([await put(MAX_LOG_PIECE_BYTES), await put(MAX_LOG_PIECE_BYTES + 1)]).toEqual([200, 413]);
});
