import { SLURM_VERSION } from './dialect-help.ts';

/** A number that is written with a point, as `1.0`. */
export interface Float {
  readonly float: number;
}

/** What Slurm's data files hold. */
export type Data = null | boolean | number | string | Float | readonly Data[] | { readonly [key: string]: Data };

/** As Slurm's serializer of JSON writes it: two blanks a level, `/` as `\/`, no newline at the end. Keys are ours, and plain. */
export function jsonText(data: Data, indent = ''): string {
  switch (typeof data) {
    case 'string':
      return PLAIN_TEXT.test(data) ? `"${data}"` : quoted(data).replaceAll('/', '\\/');
    case 'number':
      return Number.isFinite(data) ? String(data) : 'null';
    case 'boolean':
      return String(data);
  }
  if (data === null) return 'null';
  const inner = `${indent}  `;
  let text = '';
  if (Array.isArray(data)) {
    for (const item of data) text += `${text === '' ? '' : ','}\n${inner}${jsonText(item, inner)}`;
    return `[${text}\n${indent}]`;
  }
  if (isFloat(data)) return Number.isInteger(data.float) ? `${data.float}.0` : String(data.float);
  for (const key in data) {
    text += `${text === '' ? '' : ','}\n${inner}"${key}": ${jsonText((data as Readonly<Record<string, Data>>)[key]!, inner)}`;
  }
  return `{${text}\n${indent}}`;
}

/** What JSON writes as it is. */
const PLAIN_TEXT = /^[\w .:+*%=,()[\]-]*$/;

/** Characters that steer a terminal are written as their numbers; JSON itself asks that of a few of them alone. */
function quoted(data: null | boolean | number | string, isYaml = false): string {
  const text = JSON.stringify(data);
  if (ASCII.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0)!;
    if (isYaml && code > 0xff_ff) return `\\U${hex(code, 8)}`;
    return Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at), 4)}`).join('');
  });
}

const ASCII = /^[\x20-\x7e]*$/;
const hex = (code: number, width: number) => code.toString(16).padStart(width, '0');

/** How a list is written: of a million jobs it is longer than any string may be. */
export interface ListText {
  readonly head: string;
  readonly item: (data: Data) => string;
  readonly between: string;
  readonly foot: string;
  /** The foot where there is no item. */
  readonly none: string;
}

/** What Slurm's commands put around their data. */
export function listText(kind: 'json' | 'yaml', key: string, plugin: Plugin = PLUGIN): ListText {
  const [major = 0, minor = 0, micro = 0] = SLURM_VERSION.split('.').map(Number);
  const meta = { plugin: { ...plugin }, Slurm: { version: { major, micro, minor }, release: SLURM_VERSION } };
  if (kind === 'yaml') {
    return {
      head: `%YAML 1.1\n--- !!map\n${yamlPairs({ meta, errors: [] }, '')}!!str ${key}: !!seq`,
      item: (data) => `\n- ${yamlValue(data, '')}`,
      between: '',
      foot: '\n...\n',
      none: ' []\n...\n',
    };
  }
  const foot = '\n  ]\n}';
  return {
    head: `{\n  "meta": ${jsonText(meta, '  ')},\n  "errors": [\n  ],\n  "${key}": [`,
    item: (data) => `\n    ${jsonText(data, '    ')}`,
    between: ',',
    foot,
    none: foot,
  };
}

interface Plugin {
  readonly type: string;
  readonly name: string;
}

const PLUGIN: Plugin = { type: 'openapi/v0.0.38', name: 'Slurm OpenAPI v0.0.38' };

/** The whole list, piece by piece. */
export function* listPieces({ head, item, between, foot, none }: ListText, all: Iterable<Data>): Generator<string> {
  let before = head;
  for (const data of all) {
    yield before + item(data);
    before = between;
  }
  yield before === head ? head + none : foot;
}

/** As its serializer of YAML does: every value with its type. */
function yamlPairs(data: object, indent: string): string {
  return Object.entries(data)
    .map(([key, value]) => `${indent}!!str ${key}: ${yamlValue(value as Data, indent)}\n`)
    .join('');
}

/** What follows its key, without the newline at its end. */
function yamlValue(data: Data, indent: string): string {
  if (data === null || data === '') return '!!null null';
  if (typeof data === 'boolean') return `!!bool ${data}`;
  if (typeof data === 'number') return `!!int ${data}`;
  if (typeof data === 'string') return `!!str ${PLAIN.test(data) ? data : quoted(data, true)}`;
  if (isFloat(data)) return `!!float ${data.float.toFixed(6)}`;
  if (Array.isArray(data)) {
    if (data.length === 0) return '!!seq []';
    return `!!seq\n${data.map((item) => `${indent}- ${yamlValue(item, indent)}`).join('\n')}`;
  }
  return `!!map\n${yamlPairs(data, `${indent}  `).slice(0, -1)}`;
}

/** What YAML reads back without quotes. */
const PLAIN = /^[\w/.+%=,()*:[\]-][\w /.+%=,()*[\]:-]*$/;

function isFloat(data: object): data is Float {
  return 'float' in data;
}
