import { ERRORS } from '../core/error-table.ts';

/** One route as the document has it; what is not named here stays as it is. */
interface Operation {
  tags?: string[];
  requestBody?: unknown;
  responses?: Record<string, { $ref?: string; description?: string; content?: unknown }>;
  'x-role'?: string;
}

interface Document {
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, unknown>; responses?: Record<string, unknown> };
}

/** The first that fits a path is the tag of its operations. */
const TAGS: readonly (readonly [prefix: RegExp, tag: string])[] = [
  [/^\/v1\/jobs\/\{ref\}\/(?:logs|grep|log-diff)$/, 'logs'],
  [/^\/v1\/(?:instances|cost|budget|jobs\/\{ref\}\/resize)/, 'instances'],
  [/^\/v1\/(?:jobs|queue|history|blobs\/\{kind\}|prune|workflows)/, 'jobs'],
  [/^\/v1\/events/, 'events'],
  [/^\/v1\/(?:alerts|deliveries)/, 'alerts'],
  [/^\/v1\/(?:sessions|blobs)/, 'workers'],
  [/^\/v1\/tokens/, 'access'],
  [/^\/v1\/(?:server|openapi)/, 'server'],
];

/** Gives each operation its tag and, by status, the errors that it can end with. */
export function completeOperations(document: Document): void {
  const statuses = new Set<number>();
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    const tag = TAGS.find(([prefix]) => prefix.test(path))?.[1];
    if (tag === undefined) throw new Error(`${path}: no tag fits; add one to TAGS`);
    for (const [method, operation] of Object.entries(methods)) {
      operation.tags = [tag];
      const responses = operation.responses ?? {};
      for (const reply of Object.values(responses)) {
        if (reply.description === 'Default Response') reply.description = 'done';
      }
      if (responses.default !== undefined) responses.default.description = 'any other error, in the same form';
      for (const status of errorStatuses(path, method, operation)) {
        statuses.add(status);
        responses[status] = { $ref: `#/components/responses/${nameOf(status)}` };
      }
      operation.responses = responses;
    }
  }
  document.components ??= {};
  document.components.responses = Object.fromEntries(
    [...statuses].sort().map((status) => [nameOf(status), reply(status)]),
  );
}

function errorStatuses(path: string, method: string, operation: Operation): number[] {
  const writes = method !== 'get';
  const hasBody = operation.requestBody !== undefined;
  const when: readonly (readonly [number, boolean])[] = [
    [400, true],
    [401, true],
    [403, operation['x-role'] !== 'any'],
    [404, /\{ref\}|\/alerts\/|\/instances\/|\/cost|\/peers/.test(path)],
    [409, writes && /^\/v1\/(?:jobs|workflows)/.test(path)],
    [410, path.includes('/sessions/')],
    [413, hasBody],
    [415, hasBody],
    [426, path === '/v1/sessions'],
    [429, true],
    [503, true],
    [507, writes && path !== '/v1/server/stop'],
  ];
  return when.flatMap(([status, can]) => (can ? [status] : []));
}

function nameOf(status: number): string {
  return `Error${status}`;
}

function reply(status: number) {
  const codes = Object.entries(ERRORS).flatMap(([code, { http }]) => (http === status ? [code] : []));
  const description = `code ${codes.join(', ')}`;
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/ErrorReply' } } };
  const seconds = { description: 'seconds to wait', schema: { type: 'integer', minimum: 0 } };
  return { description, content, ...(status === 429 ? { headers: { 'Retry-After': seconds } } : {}) };
}
