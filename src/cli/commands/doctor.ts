import { readSettings } from '../../config/settings.ts';
import { readSettingsFile } from '../../config/settings-file.ts';
import { settingsPath } from '../../config/settings-path.ts';
import { isSpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { type Check, fail, ok } from '../doctor/check.ts';
import type { Colour } from '../output/color.ts';
import { jsonText } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';
import type { World } from '../world.ts';

const COLOURS: Readonly<Record<Check['result'], Colour>> = { ok: 'green', info: 'dim', warn: 'yellow', fail: 'red' };

const columns: readonly Column<Check>[] = [
  { title: '', value: ({ result }) => result, colour: ({ result }) => COLOURS[result] },
  { title: 'CHECK', value: ({ name }) => name },
  { title: 'FOUND', wrap: true, value: ({ found }) => found },
];
const plain: readonly Column<Check>[] = [...columns, { title: 'ADVICE', value: ({ advice }) => advice ?? '' }];

export const doctor = defineCommand({
  usage: ['doctor [-o json]'],
  about:
    'Checks what tasks and the coordinator need on this machine: Node, directories, limits, the agent, the coordinator. It\n' +
    'starts and changes nothing. Exit code 1 when something fails. Through a pipe: one line a check, tab-separated: result\n' +
    '(ok, info, warn, fail), check, what was found, advice.',
  options: { format: jsonOption },
  operands: { name: 'argument', min: 0, max: 0 },
  examples: [
    { line: 'spawn doctor', says: 'before you write a bug report' },
    { line: 'spawn doctor -o json', says: 'for a program' },
  ],
  run: async ({ options }, world) => {
    const checks = await allChecks(world);
    const { stdout } = world;
    if (options.format === 'json') {
      stdout.write(jsonText(checks.map(({ advice, ...check }) => ({ ...check, advice: advice ?? null }))));
    } else if (stdout.isTTY) {
      stdout.write(
        new Table(columns, { ...stdout, isTTY: true, columns: 1_000, colour: stdout.colour }).render(checks),
      );
      const advised = checks.filter(({ advice }) => advice !== undefined);
      if (advised.length > 0) stdout.write('\nAdvice\n');
      for (const { name, advice } of advised) stdout.write(`  ${name}: ${advice}\n`);
    } else {
      stdout.write(new Table(plain, stdout).render(checks));
    }
    return checks.some(({ result }) => result === 'fail') ? 1 : 0;
  },
});

async function allChecks(world: World): Promise<readonly Check[]> {
  const [
    { checkDirectories, checkLimits, checkNode, lookAtKernel },
    { checkAgent },
    { checkInstances },
    { checkServer },
  ] = await Promise.all([
    import('../doctor/check-machine.ts'),
    import('../doctor/check-agent.ts'),
    import('../doctor/check-instances.ts'),
    import('../doctor/check-server.ts'),
  ]);
  const uid = process.getuid?.() ?? 0;
  const [agent, instances, server] = await Promise.all([
    checkAgent({ ...world.env }),
    checkInstances(world.env.SPAWN_SANDBOX),
    checkServer(world),
  ]);
  return [
    checkNode(process.version),
    checkSettings(world),
    ...checkDirectories(readSettings(world.env, uid), uid),
    ...checkLimits(),
    ...agent,
    ...instances,
    ...server,
    ...lookAtKernel(),
  ];
}

function checkSettings(world: World): Check {
  const path = settingsPath(world.ownEnv);
  try {
    const names = Object.keys(readSettingsFile(path));
    return ok('settings', names.length === 0 ? `none in ${path}` : `${path}: ${names.join(', ')}`);
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    return fail('settings', error.message, 'mend the file: spawn config path tells where it is');
  }
}
