/** Details with the keys that a message needs, and those that it tells when they are given. */
export type Facts<Needed extends string, Told extends string = never> = {
  readonly [K in Needed]: unknown;
} & { readonly [K in Told]?: unknown };

const SHOWN_AROUND_CARET = 30;
const SHOWN_VALUE = 200;

/** Each control or format character becomes one visible one: a caret stays true and input does not steer a terminal. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u00b7');
}

/** A value as it was found: text in quotes, cut when it is long. */
export function value(v: unknown): string {
  const text = visible(JSON.stringify(v) ?? 'nothing');
  return text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE)}…` : text;
}

/** The first twenty of a list. */
export function list(v: unknown, separator = ', '): string {
  return Array.isArray(v) && v.length > 0 ? v.slice(0, 20).join(separator) : 'none';
}

/** A piece of a message that is left out when its detail is not given. */
export function optional(before: string, v: unknown, after = ''): string {
  return v === undefined ? '' : `${before}${v}${after}`;
}

/** The whole word or number at a place, or the one character that is there. */
function wordAt(text: string, at: number): string {
  const place = text.slice(at, at + SHOWN_AROUND_CARET);
  return /^[\p{L}\p{N}]+|^./su.exec(place)![0];
}

/** Three lines: what was expected, the text (cut around the place when it is long), and a caret under the place. */
export function caretMessage(subject: string): (d: Facts<'text' | 'at' | 'expected', 'where'>) => string {
  return (d) => {
    const text = String(d.text);
    const at = Number(d.at);
    const from = Math.max(0, at - SHOWN_AROUND_CARET);
    const to = Math.min(text.length, at + SHOWN_AROUND_CARET);
    const before = from > 0 ? '…' : '';
    const found = at < text.length ? value(wordAt(text, at)) : 'the end';
    return [
      `${optional('', d.where, ': ')}${subject}, column ${at + 1}: expected ${d.expected}, found ${found}`,
      `  ${before}${visible(text.slice(from, to))}${to < text.length ? '…' : ''}`,
      `  ${' '.repeat(before.length + at - from)}^`,
    ].join('\n');
  };
}
