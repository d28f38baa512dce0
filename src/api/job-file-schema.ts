import { z } from 'zod';
import { FileInput } from './job-file/input.ts';
import { JobFile } from './job-file.ts';

type Json = Record<string, unknown>;

/** Any text in which something is put in its place when the file is read: what it will be is not known to an editor. */
const PLACE = '\\$\\{';

/**
 * The JSON Schema of job files, made of the contract: for completion and checks in editors. What it takes may still be wrong, as a stage that there is
 * not; what it refuses is always wrong.
 */
export function jobFileSchema(): Json {
  const schema = z.toJSONSchema(JobFile, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const json = jsonSchema as Json;
      if (zodSchema._zod.def === FileInput._zod.def) widenInput(json);
      widenScalar(json);
    },
  }) as Json;
  const { $schema, ...rest } = schema;
  return {
    $schema,
    title: 'Job file of spawn',
    description: 'What spawn submit FILE and spawn run FILE take',
    ...rest,
  };
}

/** Fields that want text take numbers and words as they are written; every field takes `${…}`. */
function widenScalar(json: Json): void {
  const types = [json.type].flat();
  if (json.const !== undefined || json.anyOf !== undefined) return;
  if (json.enum !== undefined) {
    const { enum: values } = json;
    delete json.enum;
    delete json.type;
    json.anyOf = [{ enum: values }, { type: 'string', pattern: PLACE }];
    return;
  }
  if (types.includes('string')) {
    json.type = [
      'string',
      'number',
      'boolean',
      ...types.filter((type) => !['string', 'number', 'integer', 'boolean'].includes(String(type))),
    ];
    if (typeof json.pattern === 'string' && !json.pattern.endsWith(PLACE)) json.pattern = `${json.pattern}|${PLACE}`;
    delete json.minLength;
    return;
  }
  if (!types.some((type) => type === 'number' || type === 'integer' || type === 'boolean')) return;
  const number: Json = {};
  for (const key of ['type', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']) {
    if (json[key] !== undefined && Math.abs(Number(json[key])) !== Number.MAX_SAFE_INTEGER) number[key] = json[key];
    delete json[key];
  }
  json.anyOf = [number, { type: 'string', pattern: PLACE }];
}

/** A file or a list of them alone, and a mapping whose type follows from `from`. */
function widenInput(json: Json): void {
  const { oneOf } = json as { oneOf?: readonly Json[] };
  if (oneOf === undefined) return;
  delete json.oneOf;
  const from = ['text', 'jsonl', 'csv', 'json', 'stage'];
  const forms = oneOf.map((form) => {
    const { properties, required } = form as { properties: Json; required: readonly string[] };
    const type = String((properties.type as Json).const);
    if (type === 'module') {
      const path = {
        ...(properties.type as Json),
        pattern: '^(module$|\\.{0,2}/.*\\.m?[jt]s$)',
        type: 'string',
      } as Json;
      delete path.const;
      return { ...form, properties: { ...properties, type: path }, required: ['type'] };
    }
    return from.includes(type) ? { ...form, required: required.filter((key) => key !== 'type') } : form;
  });
  json.anyOf = [{ type: 'string' }, { type: 'array', items: { type: ['string', 'number'] }, minItems: 1 }, ...forms];
}
