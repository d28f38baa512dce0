import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { DEFAULT_TIMING, MAX_TCP_CONNECTIONS } from './options.ts';
import { type RouteRole, rolesFor } from './roles.ts';
import { createServer } from './server.ts';

const page = readFileSync(new URL('../../docs/access.md', import.meta.url), 'utf8');

test('the page tells the least role of every route', async () => {
  const server = await createServer(new FakeUseCases(), { version: '1' });
  const { paths } = (await server.inject({ url: '/v1/openapi.json' })).json() as {
    paths: Record<string, Record<string, { operationId: string; 'x-role': RouteRole }>>;
  };
  await server.close();
  const routes = Object.values(paths).flatMap((methods) => Object.values(methods));
  const rows = page.split('\n').flatMap((line) => {
    const [, role, named, who] = /^\| (\w+) \| (`.*`) \| (.*) \|$/.exec(line) ?? [];
    return role === undefined ? [] : [{ role, routes: named!.replaceAll('`', '').split(' ').toSorted(), who }];
  });
  expect(rows).toEqual(
    (['any', 'read', 'submit', 'worker', 'admin'] as const).map((role) => ({
      role,
      routes: routes
        .filter((route) => route['x-role'] === role)
        .map(({ operationId }) => operationId)
        .toSorted(),
      who: role === 'any' ? 'every valid token' : rolesFor(role).join(', '),
    })),
  );
});

test('the page names the limits that hold', () => {
  const text = page.replaceAll(/\s+/g, ' ');
  const { headersMs, requestMs, certificateLookMs } = DEFAULT_TIMING;
  for (const limit of [
    `Headers must arrive within ${headersMs / 1000} s and a request within ${requestMs / 1000} s`,
    `${MAX_TCP_CONNECTIONS.toLocaleString('en')} connections`,
    `read anew within ${certificateLookMs / 1000} s`,
  ]) {
    expect(text).toContain(limit);
  }
});
