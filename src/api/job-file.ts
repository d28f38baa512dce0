import { z } from 'zod';
import { FileAlgorithm } from './job-file/algorithm.ts';
import { FileCompute } from './job-file/compute.ts';
import { arrayText, CONDITIONS, dependency, jobName } from './job-file/conditions.ts';
import { FileInput } from './job-file/input.ts';
import { paramName, ruled, secretRef, section, size, stageName, text, variableName } from './job-file/leaves.ts';
import { FileNotification } from './job-file/notification.ts';
import { FileOutput } from './job-file/output.ts';
import { MAX_ENV_ENTRIES } from './limits.ts';

/**
 * What a user writes of a job in one file, in YAML or JSON: sizes as `4G`, durations as `90s`, parts as `20%`. Read, it holds bytes, ms
 * and numbers from 0 to 1. What is left out is left out here too: the job spec knows the defaults.
 */

const MOST_PARAMS = 1_000;
const MOST_STAGES = 1_000;
const MOST_ROWS = 100_000;
const MOST_DESCRIPTION = 10_000;
const LONGEST_VALUE = 131_072;

const values = z
  .record(variableName, text(LONGEST_VALUE, 0))
  .refine((env) => Object.keys(env).length <= MAX_ENV_ENTRIES, `at most ${MAX_ENV_ENTRIES} variables`);
const secrets = z.record(variableName, secretRef);
const params = z
  .record(paramName, z.unknown())
  .refine((all) => Object.keys(all).length <= MOST_PARAMS, `at most ${MOST_PARAMS} parameters`);

const SWEEP = {
  matrix: z
    .record(paramName, z.array(z.unknown()).min(1).max(MOST_ROWS))
    .refine((axes) => Object.keys(axes).length > 0, 'at least one parameter')
    .optional()
    .describe(
      'Values of parameters: a task for each combination; the last name in the order of the alphabet changes first',
    ),
  sweep: z
    .array(z.record(paramName, z.unknown()))
    .min(1)
    .max(MOST_ROWS)
    .optional()
    .describe('Sets of parameters, a task for each; those of matrix come after them'),
};
const LOGS = {
  log_limit: size({ most: 16 * 1024 ** 3 })
    .optional()
    .describe('Output that is kept of each attempt, as 64M; default 16M'),
};

/** Of a job and of a stage alike. */
const WORK = {
  array: arrayText.optional().describe('The tasks: 100 (0 to 99), 0-99:2, 1,3,7-9; with %N at most N at once'),
  after: dependency.optional().describe('What is waited for: afterok:12, a list of such, or {afterok: NAME}'),
  env: values.optional().describe('Variables of the tasks'),
  secrets: secrets.optional().describe('Variables whose values are not written down, as {env: NAME} or {file: PATH}'),
  params: params
    .optional()
    .describe('Given to handlers as they are, to commands as $PARAM_name; they may be named in this file'),
  input: FileInput.optional().describe('What the tasks read, and how it is cut; a file alone stands for itself'),
  algorithm: FileAlgorithm.optional().describe('What each task runs'),
  compute: FileCompute.optional().describe('What the tasks need, and how they are tried'),
  output: FileOutput.optional().describe('What becomes of what they make; a directory alone is `to`'),
};

const stage = section({
  ...WORK,
  algorithm: FileAlgorithm.describe('What each task runs'),
  advanced: section({
    ...SWEEP,
    ...CONDITIONS,
    ...LOGS,
    on_failure: z
      .enum(['continue', 'stop'])
      .optional()
      .describe('stop: when this stage fails, all others that wait are cancelled; default continue'),
  })
    .optional()
    .describe('All else'),
});
export type FileStage = z.infer<typeof stage>;

/** What there is to do: of one job, or of stages. */
function whole(given: Readonly<Record<string, unknown>>): string | undefined {
  const { stages } = (given.advanced ?? {}) as { readonly stages?: unknown };
  const found = given.algorithm !== undefined || stages !== undefined;
  return found ? undefined : 'algorithm (what each task runs) or advanced.stages, found none';
}

export const JobFile = ruled(
  section({
    $schema: text(4_096).optional().describe('For editors: where the JSON Schema is'),
    name: jobName.optional().describe('Name of the job'),
    description: text(MOST_DESCRIPTION, 0).optional().describe('What it is for'),
    ...WORK,
    notification: FileNotification.optional().describe('Who is told of what'),
    advanced: section({
      ...SWEEP,
      stages: z
        .record(stageName, stage)
        .refine((all) => Object.keys(all).length > 0, 'at least one stage')
        .refine((all) => Object.keys(all).length <= MOST_STAGES, `at most ${MOST_STAGES} stages`)
        .optional()
        .describe('Jobs by name that wait for each other; env, secrets, params and compute beside them hold for all'),
      ...CONDITIONS,
      ...LOGS,
    })
      .optional()
      .describe('All else'),
  }),
  whole,
);
export type JobFile = z.infer<typeof JobFile>;
