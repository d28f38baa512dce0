import { describe, expect, test } from 'vitest';
import { JobFile } from './job-file.ts';
import { jobFileSchema } from './job-file-schema.ts';

type Json = Readonly<Record<string, unknown>>;

/** Whether a schema of the few words that ours uses takes a value. */
function takes(schema: Json, value: unknown): boolean {
  const known = new Set(
    'type properties required additionalProperties propertyNames items minItems maxItems minLength maxLength pattern minimum maximum exclusiveMinimum exclusiveMaximum enum const anyOf $schema title description examples'.split(
      ' ',
    ),
  );
  for (const word of Object.keys(schema)) if (!known.has(word)) throw new Error(`the test knows no ${word}`);
  const { anyOf, enum: values, type } = schema as { anyOf?: Json[]; enum?: unknown[]; type?: string | string[] };
  if (anyOf !== undefined && !anyOf.some((form) => takes(form, value))) return false;
  if (values !== undefined && !values.includes(value)) return false;
  if ('const' in schema && schema.const !== value) return false;
  if (type !== undefined && ![type].flat().some((name) => isType(name, value))) return false;
  if (typeof value === 'string') return fits(schema, value);
  if (typeof value === 'number') {
    const { minimum, maximum, exclusiveMinimum } = schema as Record<string, number | undefined>;
    return !(
      value < (minimum ?? -Infinity) ||
      value > (maximum ?? Infinity) ||
      value <= (exclusiveMinimum ?? -Infinity)
    );
  }
  if (Array.isArray(value)) {
    const {
      items,
      minItems = 0,
      maxItems = Infinity,
    } = schema as { items?: Json; minItems?: number; maxItems?: number };
    return (
      value.length >= minItems &&
      value.length <= maxItems &&
      (items === undefined || value.every((item) => takes(items, item)))
    );
  }
  return typeof value !== 'object' || value === null || takesObject(schema, value as Json);
}

function fits({ pattern, maxLength }: Json, text: string): boolean {
  if (pattern !== undefined && !new RegExp(String(pattern), 'u').test(text)) return false;
  return maxLength === undefined || text.length <= Number(maxLength);
}

function takesObject(schema: Json, value: Json): boolean {
  const {
    properties = {},
    required = [],
    additionalProperties,
    propertyNames,
  } = schema as {
    properties?: Record<string, Json>;
    required?: string[];
    additionalProperties?: boolean | Json;
    propertyNames?: Json;
  };
  return (
    required.every((key) => Object.hasOwn(value, key)) &&
    Object.entries(value).every(([key, inner]) => {
      if (propertyNames !== undefined && !takes(propertyNames, key)) return false;
      if (Object.hasOwn(properties, key)) return takes(properties[key]!, inner);
      return typeof additionalProperties === 'object'
        ? takes(additionalProperties, inner)
        : additionalProperties !== false;
    })
  );
}

function isType(name: string, value: unknown): boolean {
  if (name === 'integer') return Number.isInteger(value);
  if (name === 'array') return Array.isArray(value);
  if (name === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return name === 'null' ? value === null : typeof value === name;
}

const schema = jobFileSchema();
const algorithm = { command: 'x' };
const takesFile = (part: Json) => takes(schema, { algorithm, ...part });

describe('the JSON Schema of job files', () => {
  test.each([
    {},
    { name: 'fit', array: 100, env: { A: 1, B: 'x', C: true } },
    { array: '0-99%10', compute: { cpus: 0.5, memory: '4G', retries: 3, min_success: '95%' } },
    {
      compute: {
        cpus: '${env:CPUS}',
        memory: '${env:MEM}',
        exclusive: '${env:X}',
        retries: { max: 1, backoff: '${env:B}' },
      },
    },
    { input: 'data/*.csv' },
    { input: ['a.csv', 'b.csv'] },
    { input: { from: 'a.csv', cut: { rows: 10 } } },
    { input: { type: 'json', from: 'a.json', at: 'items', bad: { to: 'bad.txt' } } },
    { input: { type: './my-input.ts', options: { a: [1] } } },
    { output: 'out/', notification: [{ email: 'ada@example.org', on: 'failed' }] },
    { output: { to: 's3://b/p', aggregate: { handler: './a.ts#sum' } }, secrets: { A: { env: 'B' } } },
    { advanced: { matrix: { lr: [0.1, 0.2] }, begin: 'now+1h', signal: { name: 'USR1' } } },
    { advanced: { stages: { a: { algorithm, input: { from: 'b.output' }, after: { afterok: ['b', 12] } } } } },
  ])('takes %j', (part) => {
    expect(takesFile(part)).toBe(true);
  });

  test.each([
    { nmae: 'x' },
    { compute: { cpus: 'four' } },
    { compute: { memory: 'much' } },
    { compute: { backoff: 'x' } },
    { compute: { retries: { max: 1, backoff: 'cubic' } } },
    { input: { type: 'cvs', from: 'x' } },
    { input: { type: 'csv' } },
    { input: { type: 'text', from: 'x', delimiter: ';' } },
    { env: ['A=1'] },
    { env: { 'A-B': 'x' } },
    { secrets: { A: 'hunter2' } },
    { algorithm: { comand: 'x' } },
    { algorithm: { handler: './x.py' } },
    { output: { aggregate: 'summ' } },
    { notification: { email: 'a@b.c', on: 'failed' } },
    { advanced: { stages: { a: {} } } },
  ])('refuses %j', (part) => {
    expect(takesFile(part)).toBe(false);
  });

  test('says what every field is for', () => {
    const bare: string[] = [];
    const look = (json: Json, path: string): void => {
      for (const [key, field] of Object.entries((json.properties ?? {}) as Record<string, Json>)) {
        if (typeof field.description !== 'string') bare.push(`${path}.${key}`);
        look(field, `${path}.${key}`);
      }
      for (const form of (json.anyOf ?? []) as Json[]) look(form, path);
      for (const inner of [json.items, json.additionalProperties])
        if (typeof inner === 'object') look(inner as Json, `${path}[]`);
    };
    look(schema, '');
    expect(bare).toEqual([]);
  });

  test('the contract itself takes values whose keys are names of what every object has', () => {
    const env = JSON.parse('{"constructor":"a","toString":"b","hasOwnProperty":"c"}');
    expect(JobFile.parse({ algorithm, env }).env).toEqual(env);
  });
});
