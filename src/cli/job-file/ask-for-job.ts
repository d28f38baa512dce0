import { newJobFile } from '../../config/job-file/new-job-file.ts';
import { readJobFile } from '../../config/job-file/read-job-file.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import type { World } from '../world.ts';

/** Wrong answers to one question. */
const MOST_TRIES = 5;

type Answers = Parameters<typeof newJobFile>[0];

/** Asks at the terminal what the job is. @returns the text of its file @throws SpawnError USAGE after too many wrong answers */
export async function askForJob(world: World): Promise<string> {
  const name = await ask(world, 'Name of the job [job]: ', 'job', (text) => ({ name: text, command: 'true' }));
  const command = await ask(world, 'What each task runs, as a line for the shell: ', undefined, (text) => ({
    name,
    command: text,
  }));
  let answers: Answers = { name, command };
  const input = await ask(world, 'What the tasks read, as data/*.csv [nothing]: ', '', (text) => ({
    ...answers,
    input: text,
  }));
  answers = { ...answers, input };
  if (input === '') {
    const array = await ask(world, 'How many tasks [1]: ', '1', (text) => ({ ...answers, array: text }));
    answers = { ...answers, array };
  }
  const cpus = await ask(world, 'CPUs of each task [1]: ', '1', (text) => ({ ...answers, cpus: text }));
  answers = { ...answers, cpus };
  const memory = await ask(world, 'Memory of each task, as 2G [no limit]: ', '', (text) => ({
    ...answers,
    memory: text,
  }));
  return newJobFile({ ...answers, memory });
}

/** Asks until the file that the answer makes is right. */
async function ask(
  world: World,
  question: string,
  usual: string | undefined,
  answersOf: (text: string) => Answers,
): Promise<string> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const text = (await world.ask(question)).trim() || usual;
    if (text === undefined) continue;
    try {
      readJobFile('answer', newJobFile(answersOf(text)));
      return text;
    } catch (error) {
      if (!isSpawnError(error)) throw error;
      const [fault] = error.details.issues as { says: string }[];
      world.stderr.write(`  ${fault?.says}\n`);
    }
  }
  throw new SpawnError('USAGE', {
    message: `init: ${question.replace(/[: ]+$/, '')}: expected an answer, found none that can be used`,
  });
}
