import { HEAD } from './built-in-templates.ts';
import { said } from './said.ts';
import { plainScalar } from './scalars.ts';
import { writeYaml } from './write-yaml.ts';

/** What a person said of a job, each as it was typed; '' for what is left out. */
export interface NewJob {
  readonly name: string;
  readonly command: string;
  readonly input?: string;
  readonly array?: string;
  readonly cpus?: string;
  readonly memory?: string;
}

const DATA = `
# output:
#   to: out                      # a directory, or s3://bucket/prefix
#   aggregate: concat            # one file of all results
`;
const MORE = `
# Also, when they are wanted:
# env: {NAME: value}
# secrets: {API_TOKEN: {env: API_TOKEN}}
# compute: {time_limit: 2h, concurrency: 8, retries: {max: 3, delay: 10s}}
# notification: [{email: you@example.org, on: [failed, completed]}]
# advanced: {begin: now+1h}
`;

/** The text of a job file with these answers, and with hints at what else there is. */
export function newJobFile({ name, command, input = '', array = '', cpus = '', memory = '' }: NewJob): string {
  const compute = said({ cpus: cpus === '' ? undefined : plainScalar(cpus).value, memory: memory || undefined });
  const fields = said({
    name,
    array: array || undefined,
    input: input || undefined,
    algorithm: { command },
    compute: Object.keys(compute).length === 0 ? undefined : compute,
  });
  return `${HEAD}\n${writeYaml(fields)}${input === '' ? '' : DATA}${MORE}`;
}
