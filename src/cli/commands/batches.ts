import type { BatchView } from '../../api/results.ts';
import { defineCommand } from '../command.ts';
import { shownCount } from '../output/format.ts';
import { JsonArray } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { linesOption } from '../output-option.ts';
import { readRef } from '../refs.ts';

const count = (title: string, of: (batch: BatchView) => number): Column<BatchView> => ({
  title,
  right: true,
  value: (batch) => shownCount(of(batch)),
  plain: (batch) => String(of(batch)),
});

const columns: readonly Column<BatchView>[] = [
  { title: 'OF', value: ({ name }) => name },
  count('FIRST', ({ first }) => first),
  count('PARTS', ({ parts }) => parts),
  count('DONE', ({ counts }) => counts.completed),
  count('RUNNING', ({ counts }) => counts.running + counts.leased),
  count('FAILED', ({ counts }) => counts.failed),
  count('LEFT', ({ counts }) => counts.blocked + counts.ready),
];

const flat = ({ name, first, parts, counts }: BatchView) => ({ name, first, parts, ...counts });

export const batches = defineCommand({
  usage: ['batches [options] JOB'],
  about:
    'Lists what the parts of a job were cut out of, one file or value a line, and how they fare. Through a pipe: one line\n' +
    'each, tab-separated, without a header: name, index of the first part, parts, completed, running, failed, waiting.',
  options: { format: linesOption },
  operands: { name: 'JOB', min: 1, max: 1 },
  examples: [{ line: 'spawn batches 12', says: 'which files are done' }],
  run: async ({ options, operands }, world) => {
    const { ref } = readRef('batches', operands[0]!);
    const client = await world.connect();
    const { stdout } = world;
    const json = options.format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
    const table = new Table(columns, stdout);
    for (let after: number | undefined = -1; after !== undefined; ) {
      const page: Awaited<ReturnType<typeof client.batches>> = await client.batches(ref, { after });
      if (json !== undefined) json.add(page.batches.map(flat));
      else if (options.format === 'jsonl')
        stdout.write(page.batches.map((batch) => `${JSON.stringify(flat(batch))}\n`).join(''));
      else stdout.write(table.render(page.batches));
      after = page.next;
    }
    json?.end();
    return 0;
  },
});
