/** A number that is written with a point, as `1.0`. */
export interface Float {
  readonly float: number;
}

/** What Slurm's data files hold. */
export type Data = null | boolean | number | string | Float | readonly Data[] | { readonly [key: string]: Data };

/** As Slurm's serializer of JSON writes it: two blanks a level, `/` as `\/`, no newline at the end. */
export function jsonText(data: Data, indent = ''): string {
  const inner = `${indent}  `;
  if (Array.isArray(data)) {
    return `[${data.map((item) => `\n${inner}${jsonText(item, inner)}`).join(',')}\n${indent}]`;
  }
  if (data === null || typeof data !== 'object') return quoted(data).replaceAll('/', '\\/');
  if (isFloat(data)) return Number.isInteger(data.float) ? `${data.float}.0` : String(data.float);
  const pairs = Object.entries(data).map(([key, value]) => `\n${inner}${quoted(key)}: ${jsonText(value, inner)}`);
  return `{${pairs.join(',')}\n${indent}}`;
}

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

/** As its serializer of YAML does: every value with its type. */
export function yamlText(data: { readonly [key: string]: Data }): string {
  return `%YAML 1.1\n--- !!map\n${yamlPairs(data, '')}...\n`;
}

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
