import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { ERRORS } from '../core/error-table.ts';
import { createServer } from './server.ts';

interface Reply {
  $ref?: string;
  description?: string;
  content?: Record<string, { schema?: object }>;
}

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  'x-role': string;
  responses: Record<string, Reply>;
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
}

const server = await createServer(new FakeUseCases(), { version: '1.2.3' });
const document = (await server.inject({ url: '/v1/openapi.json' })).json();
await server.close();
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const broken = structuredClone(document);
  broken.paths['/v1/jobs'].get.responses = 5;
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

test('every reference leads somewhere, and nothing is described that nobody refers to', () => {
  const text = JSON.stringify(document);
  const named = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref!);
  const there = ['schemas', 'responses'].flatMap((kind) =>
    Object.keys(document.components[kind]).map((name) => `#/components/${kind}/${name}`),
  );
  expect([...new Set(named)].toSorted()).toEqual(there.toSorted());
});

test('every operation has a name of its own, a summary, a tag and the role that it asks for', () => {
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { operationId, summary, tags, 'x-role': role } of operations) {
    expect(summary, operationId).toMatch(/^[A-Z].*[^.]$/);
    expect(tags, operationId).toHaveLength(1);
    expect(['any', 'read', 'submit', 'worker', 'admin'], operationId).toContain(role);
  }
  expect(document.security).toEqual([{}, { token: [] }]);
  expect(document.components.securitySchemes.token).toMatchObject({ type: 'http', scheme: 'bearer' });
});

test('every parameter, body and reply has a schema', () => {
  for (const { operationId, parameters = [], requestBody, responses } of operations) {
    for (const { name, schema } of parameters) expect(Object.keys(schema), `${operationId} ${name}`).not.toEqual([]);
    for (const { schema } of Object.values(requestBody?.content ?? {})) expect(schema, operationId).toBeDefined();
    const [status, done] = Object.entries(responses).find(([code]) => code.startsWith('2'))!;
    if (status === '204') expect(done.content, operationId).toBeUndefined();
    else expect(Object.values(done.content!)[0]?.schema, operationId).toBeDefined();
    expect(done.description, operationId).not.toBe('Default Response');
  }
});

test('every operation says with which errors it can end, and what their codes are', () => {
  for (const { operationId, path, requestBody, responses, 'x-role': role } of operations) {
    const errors = Object.keys(responses).filter((code) => code >= '4' && code !== 'default');
    expect(errors, operationId).toEqual(expect.arrayContaining(['401', '429', '503']));
    expect(errors.includes('404'), operationId).toBe(/\{ref\}|\{verb\}|\/alerts\/|\/cost$|\/peers$/.test(path));
    expect(errors.includes('413') && errors.includes('415'), operationId).toBe(requestBody !== undefined);
    expect(errors.includes('403'), operationId).toBe(role !== 'any');
    for (const status of errors) expect(responses[status]).toEqual({ $ref: `#/components/responses/Error${status}` });
  }
  for (const [code, { http }] of Object.entries(ERRORS)) {
    const told = document.components.responses[`Error${http}`]?.description as string | undefined;
    // 500 and 502 are not for a caller to plan for: the default tells their form.
    if (told === undefined) expect([500, 502], code).toContain(http);
    else expect(told.slice('code '.length).split(', '), code).toContain(code);
  }
});
