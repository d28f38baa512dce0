import type { ExchangeRequest } from '../api/session.ts';

/**
 * True only for what the ExchangeRequest schema accepts, found without its cost of an object and a call for every
 * number: an exchange may carry 100,000 of them. What this refuses (reports of instances, of members of gangs, plans and progress, too) goes to the schema, which also words the error,
 * so that the schema stays the one contract.
 */
export function isExchangeRequest(data: unknown): data is ExchangeRequest {
  if (!isObject(data)) return false;
  for (const key in data) {
    const value = data[key];
    if (value === undefined) continue;
    const accepts = REQUEST[key];
    if (accepts === undefined || !accepts(value)) return false;
  }
  return data.seq !== undefined && data.ack !== undefined && data.held !== undefined;
}

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;
type Bag = Record<string, unknown>;

/** Without a prototype, so that a field named `constructor` finds nothing. */
function fields(all: Fields): Fields {
  return Object.assign(Object.create(null), all);
}

const ENDS = fields({
  runs: isRuns,
  outcome: isColumn,
  wallUs: isColumn,
  cpuUs: isColumn,
  maxRssKb: isColumn,
  logSegment: isColumn,
  logOffset: isColumn,
  logEndSegment: isColumn,
  logEndOffset: isColumn,
  outBytes: isColumn,
  errBytes: isColumn,
  cutBytes: isColumn,
  missingBytes: isColumn,
  resultSegment: isColumn,
  resultOffset: isColumn,
  resultBytes: isColumn,
});
const STARTS = fields({ fences: isFences, agoMs: isColumn, logSegment: isColumn, logOffset: isColumn });
const HELD = fields({ count: isCount, sum: isCount });
const REQUEST = fields({
  seq: isFence,
  ack: isCount,
  starts: (value) => hasOnly(value, STARTS) && value.fences !== undefined,
  ends: (value) => hasOnly(value, ENDS) && value.runs !== undefined,
  returned: isRuns,
  held: (value) => hasOnly(value, HELD) && value.count !== undefined && value.sum !== undefined,
  heldRuns: isRuns,
  startedRuns: isRuns,
  heldMembers: isFences,
  draining: (value) => typeof value === 'boolean',
});

function isObject(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasOnly(value: unknown, known: Fields): value is Bag {
  if (!isObject(value)) return false;
  for (const key in value) {
    const field = value[key];
    if (field === undefined) continue;
    const accepts = known[key];
    if (accepts === undefined || !accepts(field)) return false;
  }
  return true;
}

function isFence(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isColumn(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) {
    if (!Number.isFinite(value[i])) return false;
  }
  return true;
}

function isFences(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) {
    if (!isFence(value[i])) return false;
  }
  return true;
}

/** Runs of `[base, count]`. */
function isRuns(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) {
    const run: unknown = value[i];
    if (!Array.isArray(run) || run.length !== 2 || !isFence(run[0]) || !isFence(run[1])) return false;
  }
  return true;
}
