import { MAX_DURATION_MS } from '../../api/limits.ts';
import { checkDnsLabel } from '../../core/dns-label.ts';
import { SpawnError } from '../../core/errors.ts';
import { checkName } from '../../core/ids.ts';
import { parseNameTemplate } from '../../core/instance-name.ts';
import { MAX_INSTANCES } from '../../core/instance-plan.ts';
import { findType } from '../../core/instance-types.ts';
import { bytes, durationUpTo } from '../option-values.ts';

/** Readers of values of options; each names the option and tells what it expected. */

const MAX_USD = 1e9;
const MAX_TAG_KEY = 128;
const MAX_TAG_VALUE = 256;
const MAX_LINE = 4_096;
const MAX_LOG_CAP = 16 * 1024 ** 3;
const CONTROL = /\p{Cc}/u;

function bad(where: string, expected: string, found: unknown): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

/** A name of an array or an instance: part of DNS names, and never read as a job's number. */
export function dnsName(text: string, where: string): string {
  checkDnsLabel(text, where);
  try {
    return checkName(text);
  } catch (error) {
    throw error instanceof SpawnError ? error.with({ where }) : error;
  }
}

export function label(text: string, where: string): string {
  return checkDnsLabel(text, where);
}

export function typeName(text: string, where: string): string {
  return findType(text, where).name;
}

export function nameTemplate(text: string, where: string): string {
  if (text === '') bad(where, 'a template, as worker-{index}', text);
  parseNameTemplate(text, where);
  return text;
}

export function count(text: string, where: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= 1 && number <= MAX_INSTANCES)) bad(where, `a whole number from 1 to ${MAX_INSTANCES}`, text);
  return number;
}

/** A time that instances live or wait: at least a second, because they look at their clock once a second. */
export function lifetime(text: string, where: string): number {
  if (/^-|^\d{4}-\d\d-\d\d/.test(text)) bad(where, 'a time from the launch on, as 30m or 1d12h', text);
  const ms = durationUpTo(MAX_DURATION_MS)(text, where);
  if (ms < 1_000) bad(where, 'at least 1s; leave it out for none', text);
  return ms;
}

/** `5` or `5%`, of 0 to 100. */
export function percent(text: string, where: string): number {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,4})?)%?$/.exec(text) ?? [];
  const number = digits === undefined ? Number.NaN : Number(digits);
  if (!(number <= 100)) bad(where, 'a percentage from 0 to 100', text);
  return number;
}

/** USD: `0.05`, `$50`. */
export function dollars(text: string, where: string): number {
  const [, digits] = /^\$?(\d{1,10}(?:\.\d{1,9})?)$/.exec(text) ?? [];
  const number = digits === undefined ? Number.NaN : Number(digits);
  if (!(number > 0 && number <= MAX_USD)) bad(where, 'an amount of USD above 0, as 0.15 or 50', text);
  return number;
}

export function tag(text: string, where: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const [key, value] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
  if (key === '') bad(where, 'KEY=VALUE', text);
  // An object of JSON cannot carry it.
  if (key === '__proto__') bad(where, 'another key', key);
  if (/^(?:spawn|array):/.test(key))
    bad(where, 'a key that does not begin with spawn: or array:, which are set for each instance', key);
  if (key.length > MAX_TAG_KEY) bad(where, `a key of at most ${MAX_TAG_KEY} characters`, key.length);
  if (value.length > MAX_TAG_VALUE) bad(where, `a value of at most ${MAX_TAG_VALUE} characters`, value.length);
  if (CONTROL.test(text)) bad(where, 'no control characters', text);
  return [key, value];
}

/** A command that is kept in one line of the instance's order. */
export function line(text: string, where: string): string {
  if (text === '') bad(where, 'a command line', text);
  if (text.length > MAX_LINE) bad(where, `at most ${MAX_LINE} characters`, text.length);
  if (CONTROL.test(text)) bad(where, 'one line without control characters', text);
  return text;
}

export function logCap(text: string, where: string): number {
  const cap = bytes(text, where);
  if (cap > MAX_LOG_CAP) bad(where, 'at most 16G', text);
  return cap;
}
