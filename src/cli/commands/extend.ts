import { MAX_DURATION_MS } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Values } from '../command.ts';
import { changeInstances } from '../instances/change-instances.ts';
import { durationUpTo } from '../option-values.ts';
import { seeHelp } from '../parse-command-line.ts';

/** What begins with a digit and is no more than digits and units was meant as a duration. */
const LIKE_A_DURATION = /^\d+(?:$|[smhd]|ms)[\dsmhd]*$/i;

const upToMax = durationUpTo(MAX_DURATION_MS);

function lasting(text: string, where: string): number {
  const ms = upToMax(text, where);
  if (ms === 0) throw new SpawnError('BAD_REQUEST', { where, expected: 'a duration above 0, as 4h', found: text });
  return ms;
}

const options = {
  ttl: { value: 'DURATION', summary: 'They live so long from now on, instead of so much longer', parse: lasting },
} as const;

/** `extend NAME… 4h` adds; `extend NAME… --ttl 4h` counts from now. */
function read(operands: readonly string[], { ttl }: Values<typeof options>) {
  const last = operands.at(-1);
  if (ttl !== undefined) {
    if (last !== undefined && LIKE_A_DURATION.test(last)) usage(`expected ${last} or --ttl, found both`);
    return { names: operands, request: { ttlMs: ttl } };
  }
  if (last === undefined) usage('expected how much longer, as 4h, or --ttl 4h, found nothing');
  if (!/^\d/.test(last)) usage(`expected how much longer, as 4h, or --ttl 4h, found ${JSON.stringify(last)} only`);
  return { names: operands.slice(0, -1), request: { byMs: lasting(last, 'extend') } };
}

function usage(what: string): never {
  throw new SpawnError('USAGE', { message: `extend: ${what}${seeHelp('extend')}` });
}

export const extend = changeInstances(
  'extend',
  {
    about:
      'Gives instances more time before their TTL ends them: so much longer, or with --ttl so much from now on. Every\n' +
      'instance that runs acknowledges it. Durations are as 90m, 4h or 1d12h30m.',
    done: 'extended',
    usage: ' DURATION',
    examples: [
      { line: 'spawn extend compute-0 2h', says: 'two hours more' },
      { line: 'spawn extend --job-array-name compute 4h', says: 'a whole array' },
      { line: 'spawn extend --job-array-name compute --ttl 8h', says: 'it ends eight hours from now' },
    ],
  },
  { options, read },
);
