import type { CostQuery, CostReply } from '../../api/instance-money.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { parseJobRef } from '../../core/ids.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { targetOf, targetOptions, targetText } from '../instances/filters.ts';
import { at } from '../option-values.ts';
import { costJson } from '../output/cost-json.ts';
import { ARRAY_COLUMNS, costNotes, MEMBER_COLUMNS, totalRow } from '../output/cost-text.ts';
import { jsonText } from '../output/json.ts';
import { Table, type TableStyle } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';
import { readJobRef } from '../refs.ts';

const AN_ID = /^i-[0-9a-f]+$/;

export const cost = defineCommand({
  usage: ['cost [options] [NAME|ID]', 'cost [options] --tag K=V'],
  about:
    'Tells what instances cost so far, by array: running time x price, on-demand and spot side by side, what of it went\n' +
    'into attempts that did not complete, what it is an hour now, and what it comes to when all that runs goes on until\n' +
    'its TTL. NAME|ID is an array, a job or an instance. Through a pipe: array id, name, instances, running, ms run,\n' +
    'on-demand, spot, cost, failed, an hour, forecast, limit; with --by-index array id, name, index, id, state, ms run\n' +
    'and the same four amounts.',
  options: {
    job: { value: 'JOB', summary: 'Only the instances of this job', parse: (text, where) => readJobRef(where, text) },
    ...targetOptions,
    'by-index': { summary: 'A line for each instance' },
    json: { summary: 'The same as -o json' },
    format: jsonOption,
  },
  operands: { name: 'NAME|ID', min: 0, max: 1 },
  examples: [
    { line: 'spawn cost', says: 'all arrays' },
    { line: 'spawn cost compute --by-index', says: 'one array, member by member' },
    { line: 'spawn cost --tag array:id=compute-20260113-0abc12 -o json', says: 'for a program' },
  ],
  run: async ({ options, operands }, world) => {
    const { job } = options;
    const filters: CostQuery = { ...targetOf(options), ...(job === undefined ? {} : { job }) };
    const [operand] = operands;
    if (operand !== undefined && Object.keys(filters).length > 0) {
      const given = [...(job === undefined ? [] : ['--job']), targetText(filters)].filter((text) => text !== '');
      const message = `cost: expected NAME|ID or filters, found ${JSON.stringify(operand)} and ${given.join(' ')}`;
      throw new SpawnError('USAGE', { message });
    }
    const ref = operand === undefined ? undefined : readName(operand);
    const client = await world.connect();
    const reply = ref === undefined ? await client.cost(filters) : await costOfName(client, ref);
    const { stdout } = world;
    if (options.format === 'json' || options.json) stdout.write(jsonText(costJson(reply)));
    else stdout.write(costText(reply, options['by-index'], stdout));
    return 0;
  },
});

function readName(text: string): string {
  const ref = at('cost', () => parseJobRef(text));
  if (ref.kind !== 'tasks') return text;
  const expected = 'an array, a job or an instance, as compute, 12 or compute-3';
  throw new SpawnError('BAD_REQUEST', { where: 'cost', expected, found: text });
}

/** Of an array or a job of this name, or else of the instance. */
async function costOfName(client: Client, name: string): Promise<CostReply> {
  if (!AN_ID.test(name)) {
    try {
      return await client.cost({ job: name });
    } catch (error) {
      if (!isSpawnError(error) || error.code !== 'JOB_NOT_FOUND') throw error;
    }
  }
  const reply = await client.cost({ instance: name });
  if (reply.arrays.length === 0) throw new SpawnError('INSTANCE_NOT_FOUND', { ref: name });
  return reply;
}

function costText(reply: CostReply, byIndex: boolean, style: TableStyle): string {
  const { arrays } = reply;
  if (arrays.length === 0) return style.isTTY ? 'no instance fits: nothing was spent\n' : '';
  const notes = style.isTTY ? costNotes(reply) : '';
  if (byIndex) {
    const rows = arrays.flatMap((array) => array.members.map((member) => ({ array, member })));
    return new Table(MEMBER_COLUMNS, style).render(rows) + notes;
  }
  // A sum would be one line too many for whoever adds the lines up.
  const rows = style.isTTY && arrays.length > 1 ? [...arrays, totalRow(reply)] : arrays;
  return new Table(ARRAY_COLUMNS, style).render(rows) + notes;
}
