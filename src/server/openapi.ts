import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { OpenApiDocument } from '../api/http.ts';
import { ErrorReply } from '../api/job.ts';
import { nameSchemas } from '../api/names.ts';
import type { App } from './app.ts';
import { completeOperations } from './openapi-operations.ts';

/** Serves the OpenAPI document, which comes from the schemas that check the requests. */
export async function describe(app: App, version: string): Promise<void> {
  nameSchemas();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'spawn', version },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'Asked for over TCP; not on the Unix socket.' },
        },
      },
      security: [{}, { token: [] }],
    },
    transform: (input) => {
      const { schema, url } = jsonSchemaTransform(input);
      const { role, mediaType } = input.route.config ?? {};
      // What is no JSON has no schema that checks it.
      const body = mediaType === undefined ? {} : { body: { type: 'string', format: 'binary' }, consumes: [mediaType] };
      // The least role of a token that may use it.
      return { schema: { ...schema, ...body, 'x-role': role }, url };
    },
    transformObject: (document) => {
      const whole = jsonSchemaTransformObject(document);
      completeOperations(whole as Parameters<typeof completeOperations>[0]);
      dropUnused(whole as Described);
      return whole;
    },
  });
  app.get(
    '/v1/openapi.json',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'openapi',
        summary: 'This document',
        response: { 200: OpenApiDocument, default: ErrorReply },
      },
    },
    async () => ({ ...app.swagger() }),
  );
}

interface Described {
  components?: { schemas?: Record<string, unknown> };
}

/** Every schema is there twice, as it is read and as it is written; most are used one way only. */
function dropUnused(document: Described): void {
  const schemas = document.components?.schemas ?? {};
  for (let unused = unusedNames(document, schemas); unused.length > 0; unused = unusedNames(document, schemas)) {
    for (const name of unused) delete schemas[name];
  }
}

function unusedNames(document: Described, schemas: Record<string, unknown>): string[] {
  const text = JSON.stringify(document);
  return Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
}
