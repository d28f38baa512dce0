import { isSpawnError } from '../core/errors.ts';
import type { Client } from './client.ts';
import { defineCommand, type Example } from './command.ts';
import { counted } from './output/format.ts';
import { indexOption, narrowed, readRef } from './refs.ts';
import { reportError } from './report-error.ts';

type Verb = 'cancel' | 'retry' | 'requeue' | 'hold' | 'release';

/** How the reply is told: `job 12: 3 tasks cancelled`. */
interface Words {
  readonly about: string;
  readonly done: string;
  readonly examples: readonly Example[];
}

/**
 * A command that does one thing to each job or task named. All names are read before anything is changed; then each is
 * tried, also after one that failed. The exit code is that of the worst failure.
 */
export function changeJobs(verb: Verb, words: Words) {
  return defineCommand({
    usage: [`${verb} [options] JOB|TASK…`],
    about: words.about,
    options: { index: indexOption },
    operands: { name: 'JOB|TASK', min: 1, max: Number.POSITIVE_INFINITY },
    examples: words.examples,
    run: async ({ options, operands }, world) => {
      const named = operands.map((operand) => narrowed(verb, readRef(verb, operand), options.index));
      const client: Client = await world.connect();
      let exitCode = 0;
      for (const { ref, index } of named) {
        try {
          const { job, tasks } = await client[verb](ref, index === undefined ? {} : { index });
          world.stdout.write(`job ${job.id}: ${counted(tasks, 'task')} ${words.done}\n`);
        } catch (error) {
          if (!isSpawnError(error)) throw error;
          exitCode = Math.max(exitCode, reportError(error, world));
        }
      }
      return exitCode;
    },
  });
}
