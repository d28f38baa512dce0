import type { InstanceTarget } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import { MAX_INDEX, parseIndexSet } from '../../core/index-set.ts';
import { defineCommand } from '../command.ts';
import { changeAll, findAll, liveText, timeoutOption, yesOption } from '../instances/change-instances.ts';
import { confirmed, needYes } from '../instances/confirm.ts';
import { showReport } from '../instances/show-report.ts';
import { readArrayRef, readTargets } from '../instances/targets.ts';
import { at } from '../option-values.ts';
import { jsonOption } from '../output-option.ts';
import { seeHelp } from '../parse-command-line.ts';

/** Members that one command replaces. */
const MOST = 100;

function readIndices(text: string, where: string): readonly number[] {
  const { set } = at(where, () => parseIndexSet(text, { dialect: 'wire', maxSize: MAX_INDEX + 1 }));
  if (set.size <= MOST) return Array.from({ length: set.size }, (_, position) => set.at(position));
  throw new SpawnError('BAD_REQUEST', { where, expected: `at most ${MOST} indices`, found: text });
}

export const replace = defineCommand({
  usage: ['replace [options] ARRAY --index SET', 'replace [options] NAME|ID…'],
  about:
    'Gives members of an array new machines under the same names, indices and names in DNS; the old ones and their disks\n' +
    'go, and their tasks run again. On a terminal it asks before; where nobody can be asked it needs -y.',
  options: {
    index: { value: 'SET', summary: 'These members of ARRAY: 5 or 1,3-5', parse: readIndices },
    timeout: timeoutOption,
    yes: yesOption,
    format: jsonOption,
  },
  operands: { name: 'ARRAY or NAME|ID', min: 1, max: MOST },
  examples: [
    { line: 'spawn replace compute --index 5', says: 'compute-5 on another machine' },
    { line: 'spawn replace -y compute-5', says: 'the same, in a script' },
  ],
  run: async ({ options: given, operands }, world) => {
    const { index, timeout, format } = given;
    const [first, second] = operands;
    if (index !== undefined && second !== undefined) {
      const message = `replace: expected one ARRAY with --index, found ${JSON.stringify(second)} too${seeHelp('replace')}`;
      throw new SpawnError('USAGE', { message });
    }
    const ref = index === undefined ? undefined : readArrayRef('replace', first!);
    const named = index === undefined ? readTargets('replace', operands, noFilters) : [];
    needYes(world, 'replace', given.yes);
    const client = await world.connect();
    const targets = ref === undefined ? named : membersOf((await client.job(ref)).arrayId, index!);
    const { found, exitCode } = await findAll(world, client, targets);
    const live = liveText(found);
    const question = `Replace ${live}? What runs there and its disk go for ever.`;
    if (!given.yes && live !== undefined && !(await confirmed(world, 'replace', question))) return 1;
    const done = await changeAll(world, client, 'replace', found, timeout === undefined ? {} : { waitMs: timeout });
    const shown = { verb: 'replace', done: 'replaced', json: format === 'json' } as const;
    return Math.max(exitCode, done.exitCode, showReport(world, shown, done.members, found));
  },
});

const noFilters = { 'job-array-name': undefined, 'job-array-id': undefined, tag: [] } as const;

function membersOf(arrayId: string, indices: readonly number[]): readonly InstanceTarget[] {
  return indices.map((index) => ({ arrayId, tag: [`array:index=${index}`] }));
}
