import type { PruneReply, PruneRequestInput } from '../../api/access.ts';
import { MAX_DURATION_MS } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { durationUpTo, wholeNumber } from '../option-values.ts';
import { counted, shownBytes } from '../output/format.ts';
import { jsonText } from '../output/json.ts';
import { jsonOption } from '../output-option.ts';
import { seeHelp } from '../parse-command-line.ts';
import { readJobRef } from '../refs.ts';

export const prune = defineCommand({
  usage: ['prune [options] [JOB…]'],
  about:
    'Removes jobs that have ended, with their logs, for ever: those that ended long ago, all but the newest, or those named.\n' +
    'Jobs that have not ended, or that a live one waits for, stay. On a terminal it asks before.',
  options: {
    'older-than': {
      value: 'DURATION',
      summary: 'Only jobs that ended longer ago than this, as 30d',
      parse: durationUpTo(MAX_DURATION_MS),
    },
    keep: { value: 'N', summary: 'Keep the N newest whatever their age', parse: wholeNumber(0, 1_000_000_000) },
    'dry-run': { summary: 'Tell what would be removed, and change nothing' },
    yes: { short: 'y', summary: 'Do not ask' },
    format: jsonOption,
  },
  operands: { name: 'JOB', min: 0, max: 10_000 },
  examples: [
    { line: 'spawn prune --older-than 30d --dry-run', says: 'what would go' },
    { line: 'spawn prune --older-than 30d --keep 100 --yes', says: 'in a cron job' },
    { line: 'spawn prune 12 13', says: 'these two' },
  ],
  run: async ({ options, operands }, world) => {
    const { 'older-than': olderThan, keep, 'dry-run': dryRun } = options;
    if (olderThan === undefined && keep === undefined && operands.length === 0) {
      const message = `prune: expected --older-than, --keep or JOB, found nothing${seeHelp('prune')}`;
      throw new SpawnError('USAGE', { message });
    }
    const refs = operands.map((operand) => readJobRef('prune', operand));
    const client = await world.connect();
    const request: PruneRequestInput = {
      olderThanMs: olderThan ?? 0,
      ...(keep === undefined ? {} : { keep }),
      ...(refs.length === 0 ? {} : { ids: await idsOf(client, refs) }),
      dryRun,
    };
    if (!dryRun && !options.yes && world.stdin.isTTY) {
      const first = await client.prune({ ...request, dryRun: true });
      if (first.jobs > 0 && !/^y(?:es)?$/i.test(await world.ask(`Remove ${what(first)} for ever? [y/N] `))) {
        world.stderr.write('spawn: prune: nothing was removed\n');
        return 1;
      }
    }
    const reply = await client.prune(request);
    const { jobs, tasks, bytes } = reply;
    world.stdout.write(
      options.format === 'json'
        ? jsonText({ jobs, tasks, bytes, dry_run: reply.dryRun })
        : `${reply.dryRun ? 'would remove' : 'removed'} ${what(reply)}\n`,
    );
    return 0;
  },
});

function what({ jobs, tasks, bytes }: PruneReply): string {
  return jobs === 0 ? 'no job' : `${counted(jobs, 'job')} (${counted(tasks, 'task')}, ${shownBytes(bytes)})`;
}

async function idsOf(client: Client, refs: readonly string[]): Promise<number[]> {
  const ids: number[] = [];
  for (const ref of refs) ids.push((await client.job(ref)).id);
  return ids;
}
