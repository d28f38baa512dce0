import { defineCommand } from '../command.ts';
import { runningInstance } from '../connect-instance.ts';
import { durationUpTo } from '../option-values.ts';

const DEFAULT_TIMEOUT_MS = 120_000;
const DAY_MS = 86_400_000;

export const connect = defineCommand({
  usage: ['connect [options] NAME|ID [-- COMMAND...]'],
  about:
    'Opens a login shell in an instance of this machine, with the environment of its task; or runs a command there, with\n' +
    'standard input, output and error of this one. One word after -- is a line for the shell, several are a program and its\n' +
    'arguments as they are. Ends with the exit code of what ran; 128 + n for signal n; 255 when the instance ended meanwhile.\n' +
    'An instance that was stopped or hibernated is started before; one that is pending is waited for. An instance is not idle\n' +
    'while a shell is open.',
  options: {
    'no-start': { summary: 'Do not start an instance that is stopped or hibernated' },
    timeout: { summary: 'How long to wait until it runs, default 2m', value: 'DURATION', parse: durationUpTo(DAY_MS) },
  },
  operands: { name: 'NAME|ID', min: 1, max: 1 },
  takesRest: true,
  examples: [
    { line: 'spawn connect compute-3', says: 'a shell in instance compute-3' },
    { line: "spawn connect compute-3 -- 'echo $JOB_ARRAY_INDEX'", says: 'a line for the shell there' },
    { line: 'spawn connect compute-3 -- tail -100 /var/log/cloud-init-output.log', says: 'a program' },
  ],
  run: async ({ options, operands, rest = [] }, world) => {
    const client = await world.connect();
    const { id } = await runningInstance(client, world, {
      ref: operands[0]!,
      start: !options['no-start'],
      withinMs: options.timeout ?? DEFAULT_TIMEOUT_MS,
    });
    const terminal = world.stdin.isTTY && world.stdout.isTTY;
    return world.enter({ id, argv: inLoginShell(rest), terminal, login: rest.length === 0 || terminal });
  },
});

/** Where an instance has no /etc of its own, the profile of the machine knows nothing of it. */
const OWN_PROFILE = '[ ! -r "$SPAWN_ETC_DIR/job-array.sh" ] || . "$SPAWN_ETC_DIR/job-array.sh"; ';

/** With what a login has in its environment. Nothing for the shell itself. */
function inLoginShell(words: readonly string[]): readonly string[] {
  if (words.length === 0) return [];
  if (words.length === 1) return ['/bin/sh', '-lc', `${OWN_PROFILE}${words[0]!}`];
  return ['/bin/sh', '-lc', `${OWN_PROFILE}exec "$@"`, ...['sh', ...words]];
}
