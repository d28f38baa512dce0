import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FakeUseCases } from '../../test/support/fake-use-cases.ts';
import { MAX_BLOB_BYTES, MAX_BODY_BYTES } from '../api/limits.ts';
import { DEFAULT_TIMING, MAX_BACKLOG_BYTES, MAX_HEADER_BYTES } from './options.ts';
import { createServer } from './server.ts';

interface Operation {
  operationId: string;
  summary: string;
  responses: Record<string, { content?: Record<string, { schema: { $ref?: string } }> }>;
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: { $ref?: string } }> };
}

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const server = await createServer(new FakeUseCases(), { version: '1.2.3' });
const document = (await server.inject({ url: '/v1/openapi.json' })).json() as {
  openapi: string;
  info: object;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties?: object; additionalProperties?: unknown }> };
};
await server.close();
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
);

test('the page lists the routes of the OpenAPI document', () => {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const listed = rows.map(([, method, path, operationId, summary]) => ({ method, path, operationId, summary }));
  const served = operations.map(({ method, path, operationId, summary }) => ({ method, path, operationId, summary }));
  expect(listed).toEqual(served);
});

test('the page names the limits that hold', () => {
  const mebibyte = 1024 * 1024;
  const { requestMs, streamPingMs, watchPingMs, watchEveryMs } = DEFAULT_TIMING;
  const text = page.replaceAll(/\s+/g, ' ');
  for (const limit of [
    `${MAX_BODY_BYTES / mebibyte} MiB for a JSON body, ${MAX_BLOB_BYTES / mebibyte} MiB for a blob`,
    `${MAX_HEADER_BYTES / 1024} KiB for the request line and headers, ${requestMs / 1000} s for a request to arrive`,
    `${watchEveryMs} ms apart at least`,
    `A comment comes every ${watchPingMs / 1000} s`,
    `after ${streamPingMs / 1000} s of silence`,
    `for ${streamPingMs / 1000} to ${(2 * streamPingMs) / 1000} s while more than ${MAX_BACKLOG_BYTES / mebibyte} MiB`,
  ]) {
    expect(text).toContain(limit);
  }
});

test('every operation says what it takes and gives, and how it fails', () => {
  expect([document.openapi, document.info]).toEqual(['3.1.0', { title: 'spawn', version: '1.2.3' }]);
  for (const operation of operations) {
    const { responses, parameters = [], path, method, operationId } = operation;
    expect(responses.default?.content?.['application/json']?.schema.$ref, operationId).toBe(
      '#/components/schemas/ErrorReply',
    );
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
    expect(path.match(/\{\w+\}/g) ?? [], operationId).toEqual(inPath);
    const hasBody = operation.requestBody !== undefined || ['stopServer', 'testAlert'].includes(operationId);
    expect(hasBody, operationId).toBe(['POST', 'PATCH', 'PUT'].includes(method));
  }
});

test('requests are described as strict and by name', () => {
  const submit = operations.find(({ operationId }) => operationId === 'submit');
  expect(submit?.requestBody?.content['application/json']?.schema).toEqual({
    $ref: '#/components/schemas/SubmitRequestInput',
  });
  expect(document.components.schemas.JobSpecInput).toMatchObject({ additionalProperties: false });
  expect(JSON.stringify(document)).not.toContain('__SCHEMA__');
});
