import { defineDialect, isGiven, reportSlurmError } from './dialect.ts';
import { DESCRIPTION } from './scontrol/description.ts';
import { runCommand } from './scontrol/keywords.ts';
import { Session } from './scontrol/session.ts';

export const scontrol = defineDialect({
  ...DESCRIPTION,
  run: async (input, world) => {
    const session = new Session(world);
    session.oneLine = isGiven(input, 'oneliner');
    session.detailed = isGiven(input, 'details');
    session.quiet = isGiven(input, 'quiet');
    session.verbose = isGiven(input, 'verbose');
    if (input.operands.length > 0) await attempt(session, input.operands);
    else await readCommands(session);
    return session.exitCode;
  },
});

async function attempt(session: Session, words: readonly string[]): Promise<void> {
  try {
    await runCommand(session, words);
  } catch (error) {
    const stderr = { ...session.world.stderr, write: (text: string | Uint8Array) => complain(session, text) };
    session.exitCode = reportSlurmError('scontrol', error, { stderr });
  }
}

function complain({ quiet, world }: Session, text: string | Uint8Array): void {
  if (!quiet) world.stderr.write(text);
}

/** As GNU readline shows it: the prompt, and from a pipe what was read behind it. */
const PROMPT = 'scontrol: ';

async function readCommands(session: Session): Promise<void> {
  const { stdin } = session.world;
  let before: readonly string[] = [];
  const echoes = !stdin.isTTY;
  if (echoes) session.print(PROMPT);
  for await (const line of stdin.lines(PROMPT)) {
    if (echoes) session.print(`${line}\n`);
    const words = splitWords(line);
    const asked = words[0] === '!!' ? before : words;
    before = asked;
    await attempt(session, asked);
    if (session.over) return;
    if (echoes) session.print(PROMPT);
  }
  session.print('\n');
}

/** At blanks outside of quotes; quotes are part of the words, as in Slurm. */
function splitWords(line: string): readonly string[] {
  return line.match(/(?:"[^"]*"?|'[^']*'?|[^\s"'])+/g) ?? [];
}
