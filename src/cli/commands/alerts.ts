import { readFileSync } from 'node:fs';
import { MAX_DURATION_MS } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import {
  type CreateOptions,
  eventList,
  filterPart,
  KINDS,
  type Kind,
  readRef,
  requestOf,
  secretRef,
} from '../alerts/request.ts';
import {
  ALERT_COLUMNS,
  alertJson,
  channelText,
  DELIVERY_COLUMNS,
  deliveryJson,
  deliveryText,
  eventsText,
} from '../alerts/show.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { durationUpTo, nonEmpty, wholeNumber } from '../option-values.ts';
import { JsonArray, jsonText } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';
import { seeHelp } from '../parse-command-line.ts';
import type { World } from '../world.ts';

const VERBS = ['create', 'list', 'test', 'delete', 'history'] as const;
type Verb = (typeof VERBS)[number];

/** Options that are not those of create. */
const BELONGS: Readonly<Record<string, readonly Verb[]>> = { all: ['list', 'history'], limit: ['history'] };
const OF_CREATE = [
  'webhook',
  'secret',
  'to',
  'event',
  'filter',
  'threshold',
  'period',
  'after',
  'max-per-hour',
  'name',
] as const;
const USUAL_HISTORY = 50;

export const alerts = defineCommand({
  usage: [
    'alerts create slack|webhook --webhook URL [options]',
    'alerts create email --to ADDRESS [options]',
    'alerts create command [options] -- PROGRAM ARG…',
    'alerts create cost --threshold USD [options]',
    'alerts list|history [ID] [options]',
    'alerts test|delete ID',
  ],
  about:
    'Lets somebody be told of what happens to jobs and instances: by default when a job of yours has ended, one message\n' +
    'for a whole array. Messages are kept until they are delivered, and are tried again for about six hours. Events:\n' +
    'start, first_failure, failed, completed, cancelled, ended (any end; also array_complete), threshold, long_running,\n' +
    'task_failed (one for each task), workflow_ended, cost, budget, instance_warning, instance_lost, instance_failed.\n' +
    'The URL of a Slack webhook is a secret, and on a command line others can read it: better give env:NAME or -\n' +
    '(standard input), which are read now, or file:/PATH, which the coordinator reads when it sends. test sends a message\n' +
    'and tells what became of it; history lists what was sent.',
  options: {
    webhook: { value: 'URL', summary: 'Where to post: a URL, env:NAME, file:PATH or -', parse: nonEmpty('a URL') },
    secret: { value: 'REF', summary: 'Key that signs what a webhook gets: env:NAME or file:PATH', parse: secretRef },
    to: { value: 'ADDRESS', many: true, summary: 'Who gets the mail', parse: nonEmpty('an address') },
    event: { value: 'EVENT', many: true, summary: 'What to tell; default ended', parse: eventList },
    filter: {
      value: 'KEY=VALUE',
      many: true,
      summary: 'Only jobs with array:id, workflow, name (with *), owner (* for all) or state',
      parse: filterPart,
    },
    threshold: { value: 'N', summary: 'USD with cost; else 10 failed tasks, 5% of them, or progress=50%' },
    period: { value: 'PERIOD', choices: ['month', 'total'], summary: 'With cost: counted by; default month' },
    after: {
      value: 'DURATION',
      summary: 'Tell when a job has run for so long, as 12h',
      parse: durationUpTo(MAX_DURATION_MS),
    },
    'max-per-hour': {
      value: 'N',
      summary: 'More messages are gathered into one; default 60',
      parse: wholeNumber(1, 3_600),
    },
    name: { value: 'NAME', summary: 'What it is called in the list', parse: nonEmpty('a name') },
    all: { short: 'a', summary: 'With list and history: those of all owners' },
    limit: {
      short: 'n',
      value: 'N',
      summary: 'With history: the newest N; default 50',
      parse: wholeNumber(1, 100_000),
    },
    format: jsonOption,
  },
  operands: { name: 'create KIND, list, test ID, delete ID or history [ID]', min: 1, max: 2 },
  takesRest: true,
  examples: [
    {
      line: 'spawn alerts create slack --webhook file:$HOME/.slack --event array_complete --filter array:id=fit-20260101-0a1b2c',
      says: 'when that array has ended',
    },
    { line: 'spawn alerts create email --to ada@example.org --event failed', says: 'when a job of yours failed' },
    { line: 'spawn alerts create cost --threshold 50.00', says: 'once a month, when your instances have cost $50' },
    {
      line: 'spawn alerts create command -- notify-send spawn',
      says: 'a program of your own, told by its environment',
    },
  ],
  run: async ({ options, operands, rest }, world) => {
    const [verb, what] = operands;
    if (!isVerb(verb)) return refuse(`expected ${VERBS.join(', ')}, found ${JSON.stringify(verb)}`);
    checkOptions(verb, options);
    if (verb === 'create') return await create(world, what, options, rest, options.format);
    if (rest !== undefined) return refuse('expected -- with create command only', verb);
    const { all, format, limit } = options;
    if (verb === 'list') {
      if (what !== undefined) return refuse(`expected nothing more, found ${JSON.stringify(what)}`, verb);
      return await list(world, all, format);
    }
    const id = what === undefined ? undefined : idOf(what, verb);
    if (verb === 'history') return await history(world, id, all, limit ?? USUAL_HISTORY, format);
    if (id === undefined) return refuse('expected the number of an alert, found nothing', verb);
    return verb === 'test' ? await sendTest(world, id, format) : await remove(world, id);
  },
});

function isVerb(word: string | undefined): word is Verb {
  return VERBS.some((verb) => verb === word);
}

function refuse(what: string, verb?: Verb): never {
  const message = `alerts${verb === undefined ? '' : ` ${verb}`}: ${what}${seeHelp('alerts')}`;
  throw new SpawnError('USAGE', { message });
}

function checkOptions(verb: Verb, options: Readonly<Record<string, unknown>>): void {
  const given = (name: string) => {
    const value = options[name];
    return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  };
  for (const name of OF_CREATE)
    if (verb !== 'create' && given(name)) refuse(`expected --${name} with create only`, verb);
  for (const [name, verbs] of Object.entries(BELONGS)) {
    if (given(name) && !verbs.includes(verb)) refuse(`expected --${name} with ${verbs.join(' and ')} only`, verb);
  }
}

function idOf(text: string, verb: Verb): number {
  return /^[1-9]\d{0,14}$/.test(text)
    ? Number(text)
    : refuse(`expected the number of an alert, found ${JSON.stringify(text)}`, verb);
}

async function create(
  world: World,
  kind: string | undefined,
  options: CreateOptions,
  argv: readonly string[] | undefined,
  format: 'json' | undefined,
): Promise<number> {
  if (!isKind(kind))
    return refuse(
      `expected ${KINDS.join(', ')}, found ${kind === undefined ? 'nothing' : JSON.stringify(kind)}`,
      'create',
    );
  const request = requestOf(kind, options, argv, { env: world.env, stdin: () => readFileSync(0, 'utf8') });
  const view = await (await world.connect()).createAlert(request);
  world.stdout.write(
    format === 'json' ? jsonText(alertJson(view)) : `alert ${view.id}: ${channelText(view)}, ${eventsText(view)}\n`,
  );
  const { webhook } = options;
  if (request.channel.kind === 'slack' && webhook !== undefined && webhook !== '-' && readRef(webhook) === undefined)
    world.stderr.write(
      'spawn: the URL was on a command line, where others on this machine can see it; env:NAME and file:PATH are not seen\n',
    );
  if (request.channel.kind === 'event')
    world.stderr.write(
      'spawn: it is recorded (spawn events, spawn alerts history); --to or --webhook also tells somebody\n',
    );
  return 0;
}

function isKind(word: string | undefined): word is Kind {
  return KINDS.some((kind) => kind === word);
}

async function sendTest(world: World, id: number, format: 'json' | undefined): Promise<number> {
  const delivery = await (await world.connect()).testAlert(id);
  world.stdout.write(format === 'json' ? jsonText(deliveryJson(delivery)) : `${deliveryText(delivery, world.now())}\n`);
  return delivery.state === 'delivered' ? 0 : 1;
}

async function remove(world: World, id: number): Promise<number> {
  const view = await (await world.connect()).deleteAlert(id);
  const waiting = view.pending === 0 ? '' : `; what it had not sent is not sent any more (${view.pending})`;
  world.stdout.write(`deleted alert ${id}: ${channelText(view)}${waiting}\n`);
  return 0;
}

async function list(world: World, all: boolean, format: 'json' | undefined): Promise<number> {
  const client = await world.connect();
  const pages = walk(
    (before) => client.alerts({ all: all ? '1' : '0', ...(before === undefined ? {} : { before }) }),
    ({ alerts: page }) => page,
  );
  return await print(world, pages, ALERT_COLUMNS, alertJson, format, Number.POSITIVE_INFINITY);
}

async function history(
  world: World,
  alert: number | undefined,
  all: boolean,
  limit: number,
  format: 'json' | undefined,
): Promise<number> {
  const client: Client = await world.connect();
  const query = {
    all: all ? ('1' as const) : ('0' as const),
    ...(alert === undefined ? {} : { alert }),
    limit: Math.min(limit, 1_000),
  };
  const pages = walk(
    (before) => client.deliveries({ ...query, ...(before === undefined ? {} : { before }) }),
    ({ deliveries }) => deliveries,
  );
  return await print(world, pages, DELIVERY_COLUMNS, deliveryJson, format, limit);
}

async function* walk<R extends { next?: number | undefined }, T>(
  read: (before: number | undefined) => Promise<R>,
  rowsOf: (reply: R) => readonly T[],
): AsyncGenerator<readonly T[]> {
  let before: number | undefined;
  do {
    const page: R = await read(before);
    yield rowsOf(page);
    before = page.next;
  } while (before !== undefined);
}

async function print<T>(
  { stdout }: World,
  pages: AsyncIterable<readonly T[]>,
  columns: readonly Column<T>[],
  json: (row: T) => Record<string, unknown>,
  format: 'json' | undefined,
  limit: number,
): Promise<number> {
  const array = format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
  const table = new Table(columns, stdout);
  let left = limit;
  for await (const page of pages) {
    const rows = page.slice(0, left);
    left -= rows.length;
    if (array !== undefined) array.add(rows.map(json));
    else if (rows.length > 0) stdout.write(table.render(rows));
    if (left <= 0) break;
  }
  array?.end();
  return 0;
}
