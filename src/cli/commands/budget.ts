import type { BudgetView } from '../../api/instance-money.ts';
import { SpawnError } from '../../core/errors.ts';
import { lastsMs, shownUsd } from '../../core/instance-cost.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { confirmed } from '../instances/confirm.ts';
import { budgetJson } from '../output/cost-json.ts';
import { isoTime, oneLine, shownDuration } from '../output/format.ts';
import { jsonText } from '../output/json.ts';
import { sheet } from '../output/sheet.ts';
import { jsonOption } from '../output-option.ts';
import { seeHelp } from '../parse-command-line.ts';
import type { World } from '../world.ts';

const MAX_USD = 1e9;
const VERBS = ['show', 'set', 'off'] as const;

export const budget = defineCommand({
  usage: ['budget [show]', 'budget set AMOUNT [--period month|total]', 'budget off'],
  about:
    'What all your instances may cost together, in USD: in each month (UTC), or in total from now on. It is held while\n' +
    'they run: each holds a share and ends itself when that is used up, so the sum never passes the budget. With 0\n' +
    'nothing may run. On a terminal it asks before it sets one that is used up while instances run.',
  options: {
    period: { value: 'PERIOD', choices: ['month', 'total'], summary: 'With set: counted by; default month' },
    yes: { short: 'y', summary: 'Do not ask' },
    format: jsonOption,
  },
  operands: { name: 'show, set AMOUNT or off', min: 0, max: 2 },
  examples: [
    { line: 'spawn budget set 50', says: 'at most $50 a month' },
    { line: 'spawn budget set 200 --period total', says: 'at most $200 from now on' },
    { line: 'spawn budget', says: 'what is spent, and for how long the rest lasts' },
  ],
  run: async ({ options, operands }, world) => {
    const [verb = 'show', amount] = operands;
    const { period, format } = options;
    if (!VERBS.some((name) => name === verb)) {
      const amounts = /^\$?[\d.]/.test(verb) ? ` (spawn budget set ${verb})` : '';
      usage(`budget: expected show, set or off, found ${JSON.stringify(verb)}${amounts}`);
    }
    if (verb !== 'set' && amount !== undefined) {
      usage(`budget ${verb}: expected nothing more, found ${JSON.stringify(amount)}`);
    }
    if (verb !== 'set' && period !== undefined) usage(`budget ${verb}: expected --period with set only`);
    if (verb === 'set' && amount === undefined) usage('budget set: expected an AMOUNT in USD, as 50, found nothing');
    const usd = verb === 'set' ? readUsd(amount!) : null;
    const client = await world.connect();
    if (usd !== null && !options.yes && !(await mayEndWhatRuns(world, client, usd, period))) return 1;
    const view =
      verb === 'show'
        ? await client.budget()
        : await client.setBudget({ amount: usd, ...(period === undefined ? {} : { period }) });
    world.stdout.write(format === 'json' ? jsonText(budgetJson(view)) : budgetText(view, world.now()));
    return 0;
  },
});

/** What runs under a budget that is used up ends at once, with its disks. */
async function mayEndWhatRuns(world: World, client: Client, usd: number, period = 'month'): Promise<boolean> {
  if (!world.stdin.isTTY) return true;
  const { spent, rate } = await client.budget();
  // In total counts from now on.
  if (rate === 0 || usd > (period === 'total' ? 0 : spent)) return true;
  const why = period === 'total' ? 'Nothing may be spent then' : `${shownUsd(spent)} is spent already`;
  return confirmed(world, 'budget', `${why}: all that runs now (${shownUsd(rate)} an hour) ends for ever. Set it?`);
}

function usage(message: string): never {
  throw new SpawnError('USAGE', { message: `${message}${seeHelp('budget')}` });
}

/** `50`, `12.50`, `$50`. */
function readUsd(text: string): number {
  const usd = /^\$?\d{1,10}(?:\.\d{1,6})?$/.test(text) ? Number(text.replace('$', '')) : Number.NaN;
  if (usd <= MAX_USD) return usd;
  const expected = 'an amount in USD from 0 to 1000000000, as 50 or 12.50';
  throw new SpawnError('BAD_REQUEST', { where: 'budget set', expected, found: text });
}

function budgetText({ owner, amount, period, spent, rate, setAt }: BudgetView, now: number): string {
  const since = setAt === undefined ? undefined : `${isoTime(setAt)}, ${shownDuration(now - setAt)} ago`;
  const hourly = rate > 0 ? `${shownUsd(rate)} an hour` : undefined;
  if (amount === undefined) {
    return sheet('No budget', [
      ['owner', oneLine(owner)],
      ['spent', `${shownUsd(spent)}${period === 'month' ? ' this month' : ''}`],
      ['running', hourly],
    ]);
  }
  const left = Math.max(0, amount - spent);
  const lasts = rate > 0 ? `${shownUsd(left)}, ${shownDuration(lastsMs(left, rate))} of what runs now` : shownUsd(left);
  return sheet(`Budget: ${shownUsd(amount)} ${period === 'month' ? 'a month' : 'in total'}`, [
    ['owner', oneLine(owner)],
    ['spent', `${shownUsd(spent)}${amount > 0 ? ` (${Math.round((spent / amount) * 100)}%)` : ''}`],
    ['left', lasts],
    ['running', hourly],
    ['set', since],
  ]);
}
