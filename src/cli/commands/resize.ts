import type { InstanceTarget } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import { countsText } from '../../core/instance-counts.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { yesOption } from '../instances/change-instances.ts';
import { confirmed, needYes } from '../instances/confirm.ts';
import { targetOf, targetOptions, targetText } from '../instances/filters.ts';
import { allInstances } from '../instances/pages.ts';
import { showReport } from '../instances/show-report.ts';
import { findMembers, readArrayRef } from '../instances/targets.ts';
import { wholeNumber } from '../option-values.ts';
import { jsonOption } from '../output-option.ts';
import { seeHelp } from '../parse-command-line.ts';

const MOST = 100_000;

export const resize = defineCommand({
  usage: ['resize [options] ARRAY --count N', 'resize [options] --job-array-name NAME --count N'],
  about:
    'Makes an array larger or smaller. New members get the next indices; those with the highest indices go. Whoever stays\n' +
    'keeps its index, and peers and DNS follow. On a terminal it asks before members go; where nobody can be asked that\n' +
    'needs -y.',
  options: {
    count: { value: 'N', summary: 'So many members from now on', parse: wholeNumber(1, MOST) },
    ...targetOptions,
    yes: yesOption,
    format: jsonOption,
  },
  operands: { name: 'ARRAY', min: 0, max: 1 },
  examples: [
    { line: 'spawn resize compute --count 12', says: 'from 8 to 12' },
    { line: 'spawn resize -y --job-array-name compute --count 4', says: 'smaller, in a script' },
  ],
  run: async ({ options, operands }, world) => {
    const { count, yes, format } = options;
    const named = readArray(operands[0], targetOf(options));
    if (count === undefined) usage('expected --count N, found nothing');
    const client = await world.connect();
    const job = await client.job(typeof named === 'string' ? named : await oneArray(client, named));
    const target = { arrayId: job.arrayId };
    const members = await allInstances(client, target);
    const surplus = members.filter(({ rank, state }) => rank >= count && state !== 'terminated');
    if (surplus.length > 0 && !yes) {
      needYes(world, 'resize', yes);
      const what = `${countsText(surplus)}? What runs there and its disk go for ever.`;
      if (!(await confirmed(world, 'resize', `Make ${job.name} smaller by ${what}`))) return 1;
    }
    const reply = await client.resize(String(job.id), count);
    const changed = reply.members.filter((member) => member.changed);
    const had = members.at(-1)?.arraySize ?? job.size;
    const sum = had === count ? `${job.name} has ${count} members` : `${job.name} had ${had} members and has ${count}`;
    const smaller = surplus.length > 0;
    const shown = { command: 'resize', sum, json: format === 'json' };
    const found = [{ target, single: false, members }];
    const verb = smaller
      ? ({ verb: 'terminate', done: 'terminated' } as const)
      : ({ verb: 'start', done: 'started' } as const);
    return showReport(world, { ...shown, ...verb }, changed, found);
  },
});

function usage(what: string): never {
  throw new SpawnError('USAGE', { message: `resize: ${what}${seeHelp('resize')}` });
}

/** A reference to its job, or what fits its members. */
function readArray(operand: string | undefined, filters: InstanceTarget | undefined): string | InstanceTarget {
  const forms = 'ARRAY, --job-array-name, --job-array-id or --tag';
  if (operand === undefined) return filters ?? usage(`expected ${forms}, found nothing`);
  if (filters !== undefined) {
    usage(`expected ARRAY or filters, found ${JSON.stringify(operand)} and ${targetText(filters)}`);
  }
  return readArrayRef('resize', operand);
}

/** The job of all that fits: filters may be true of several arrays, and one count is not meant for all of those. */
async function oneArray(client: Client, target: InstanceTarget): Promise<string> {
  const { members } = await findMembers(client, target);
  const live = members.filter(({ state }) => state !== 'terminated');
  const arrays = new Map((live.length > 0 ? live : members).map(({ jobId, arrayId }) => [jobId, arrayId]));
  const [first, ...others] = arrays;
  if (others.length > 0) usage(`expected one array, found ${[...arrays.values()].slice(0, 5).join(', ')}`);
  return String(first![0]);
}
