import type { SignalRequestInput, VerbReply } from '../api/job.ts';
import type { WorkflowVerb } from '../api/workflow.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { checkName } from '../core/ids.ts';
import type { Client } from './client.ts';
import { type Command, defineCommand, type Example, type OptionTable, type Values } from './command.ts';
import { jobPages } from './job-pages.ts';
import { at, nonEmpty } from './option-values.ts';
import { counted } from './output/format.ts';
import { seeHelp } from './parse-command-line.ts';
import { type Named, narrowed, readRef } from './refs.ts';
import { reportError } from './report-error.ts';
import { selectionOptions } from './selection.ts';

type Verb = 'cancel' | 'retry' | 'requeue' | 'hold' | 'release' | 'suspend' | 'resume' | 'signal';

/** How a verb is described, and how its reply is told: `job 12: 3 tasks cancelled`. */
interface Words {
  readonly about: string;
  readonly done: string;
  readonly examples: readonly Example[];
}

const options = {
  ...selectionOptions,
  name: {
    value: 'NAME',
    summary: 'All live jobs of this name, instead of JOB|TASK',
    parse: (text, where) => at(where, () => checkName(text)),
  },
} as const satisfies OptionTable;

const workflowOption = {
  workflow: {
    value: 'REF',
    summary: 'All jobs of a workflow, named by its name or one of its jobs, instead of JOB|TASK',
    parse: nonEmpty('a workflow'),
  },
} as const satisfies OptionTable;

/** What a verb takes beside the selection. */
interface More<T extends OptionTable> {
  readonly options: T;
  /** The rest of the request; may throw for what does not go together. */
  readonly request: (given: Values<T & typeof options>) => object;
}

/**
 * A command that does one thing to each job or task named. All names are read before anything is changed; then each is
 * tried, also after one that failed. The exit code is that of the worst failure.
 */
export function changeJobs<const T extends OptionTable>(verb: Verb, words: Words, more?: More<T>): Command {
  return defineCommand({
    usage: [
      `${verb} [options] JOB|TASK…`,
      `${verb} [options] --name NAME`,
      ...(isWorkflowVerb(verb) ? [`${verb} [options] --workflow REF`] : []),
    ],
    about: words.about,
    options: { ...options, ...(isWorkflowVerb(verb) ? workflowOption : {}), ...more?.options } as T & typeof options,
    operands: { name: 'JOB|TASK', min: 0, max: Number.POSITIVE_INFINITY },
    examples: words.examples,
    run: async ({ options: values, operands }, world) => {
      const given = values as Values<typeof options> & Partial<Values<typeof workflowOption>>;
      if (given.workflow !== undefined && isWorkflowVerb(verb)) {
        checkAlone(verb, operands, given);
        const client = await world.connect();
        const { state, where, workflow: ref } = given;
        const selection = { ...(state === undefined ? {} : { state }), ...(where === undefined ? {} : { where }) };
        const done = await client.workflowVerb(verb, ref, selection);
        const { workflow, jobs, tasks } = done;
        world.stdout.write(
          `workflow ${workflow.id}: ${counted(tasks, 'task')} of ${counted(jobs, 'job')} ${words.done}\n`,
        );
        return 0;
      }
      checkNamed(verb, operands, given.name);
      const named = operands.map((operand) => narrowed(verb, readRef(verb, operand), given.index));
      const rest = {
        ...(given.state === undefined ? {} : { state: given.state }),
        ...(given.where === undefined ? {} : { where: given.where }),
        ...more?.request(values as Values<T & typeof options>),
      };
      const client = await world.connect();
      const all = given.name === undefined ? named : await jobsNamed(client, given.name, given.index);
      let exitCode = 0;
      for (const { ref, index } of all) {
        try {
          const { job, tasks } = await call(client, verb, ref, { ...rest, ...(index === undefined ? {} : { index }) });
          world.stdout.write(`job ${job.id}: ${counted(tasks, 'task')} ${words.done}\n`);
        } catch (error) {
          if (!isSpawnError(error)) throw error;
          exitCode = Math.max(exitCode, reportError(withOption(error), world));
        }
      }
      return exitCode;
    },
  });
}

const WORKFLOW_VERBS: readonly string[] = ['cancel', 'hold', 'release', 'retry'] satisfies readonly WorkflowVerb[];

function isWorkflowVerb(verb: string): verb is WorkflowVerb {
  return WORKFLOW_VERBS.includes(verb);
}

/** All of its jobs are meant, and what only some verbs take of a job is not for them. */
function checkAlone(verb: string, operands: readonly string[], given: object): void {
  const known = new Set(['workflow', 'state', 'where']);
  const other = Object.entries(given).find(
    ([name, value]) => !known.has(name) && value !== undefined && value !== false,
  );
  const found = operands[0] ?? (other === undefined ? undefined : `--${other[0]}`);
  if (found === undefined) return;
  throw new SpawnError('USAGE', {
    message: `${verb}: expected nothing beside --workflow but --state and --where, found ${found}`,
  });
}

/** The options of each command make its request what the verb takes. */
function call(client: Client, verb: Verb, ref: string, request: object): Promise<VerbReply> {
  return client[verb](ref, request as SignalRequestInput);
}

function checkNamed(verb: Verb, operands: readonly string[], name: string | undefined): void {
  const usage = (message: string): never => {
    throw new SpawnError('USAGE', { message: `${verb}: expected ${message}` });
  };
  if (name === undefined && operands.length === 0) usage(`JOB|TASK or --name, found nothing${seeHelp(verb)}`);
  if (name !== undefined && operands.length > 0) {
    usage(`JOB|TASK or --name, found ${JSON.stringify(operands[0])} and --name`);
  }
}

/** Every live job of a name, oldest first. */
async function jobsNamed(client: Client, name: string, index: string | undefined): Promise<readonly Named[]> {
  const found: Named[] = [];
  for await (const jobs of jobPages(client, { show: 'live', name })) {
    for (const { id } of jobs) found.push({ ref: String(id), ...(index === undefined ? {} : { index }) });
  }
  if (found.length === 0) throw new SpawnError('JOB_NOT_FOUND', { ref: name });
  return found.reverse();
}

/** Fields of the request that a person gave as options of other names. */
const OPTIONS: Readonly<Record<string, string>> = {
  index: '--index',
  state: '--state',
  where: '--where',
  memoryTimes: '--memory',
  memoryBytes: '--memory',
  timeLimitTimes: '--time-limit',
  timeLimitMs: '--time-limit',
};

/** What only the coordinator can find wrong, with the option that said it. */
function withOption(error: SpawnError): SpawnError {
  const option = error.code.startsWith('BAD_') ? OPTIONS[String(error.details.where)] : undefined;
  return option === undefined ? error : error.with({ where: option });
}
