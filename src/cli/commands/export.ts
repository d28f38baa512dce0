import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SpecReply } from '../../api/insight.ts';
import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { nonEmpty } from '../option-values.ts';
import { jsonText } from '../output/json.ts';
import { readJobRef } from '../refs.ts';

/** The module is called after its verb; the word itself is taken. */
export const exportJob = defineCommand({
  usage: ['export [options] JOB'],
  about:
    'Prints a job as a spec in JSON, with its script and with what was updated since, for spawn submit --spec. Fields that\n' +
    'have their default are left out. The environment is only named by its hash: its content is not given back. With\n' +
    '--format yaml it is a job file, for spawn submit FILE.',
  options: {
    format: { value: 'FORMAT', choices: ['json', 'yaml'], summary: 'A spec (json, the default) or a job file (yaml)' },
    output: { value: 'FILE', summary: 'Write it into this file instead', parse: nonEmpty('a file') },
  },
  operands: { name: 'JOB', min: 1, max: 1 },
  examples: [
    { line: 'spawn export 12 --output fit.json', says: 'keep it' },
    { line: 'spawn export 12 | spawn submit --spec - --array 5', says: 'once more, smaller' },
    { line: 'spawn export 12 --format yaml --output fit.yaml', says: 'as a job file' },
  ],
  run: async ({ options, operands }, world) => {
    const ref = readJobRef('export', operands[0]!);
    const reply = await (await world.connect()).spec(ref);
    const text = options.format === 'yaml' ? await jobFile(reply) : jsonText(await specFile(reply));
    if (options.output === undefined) world.stdout.write(text);
    else write(resolve(world.cwd, options.output), text);
    return 0;
  },
});

async function jobFile(reply: SpecReply): Promise<string> {
  // Loaded here only: YAML is slow to load.
  const { exportedFile } = await import('../job-file/exported-file.ts');
  return exportedFile(reply);
}

/** What a spec file holds of a job: all that is not as it would be anyway, and not who submitted it. */
async function specFile({ spec, script }: SpecReply): Promise<object> {
  const { JobSpec } = await import('../../api/job-spec.ts');
  const { user: _, run, ...rest } = spec;
  const usual = JobSpec.parse({ run, cwd: spec.cwd }) as Readonly<Record<string, unknown>>;
  const kept = ['cwd', 'umask'];
  const own = Object.entries(rest).filter(
    ([name, value]) => kept.includes(name) || JSON.stringify(value) !== JSON.stringify(usual[name]),
  );
  return { ...Object.fromEntries(own), run: runOf(run, script) };
}

function runOf(run: SpecReply['spec']['run'], script: SpecReply['script']): object {
  if (run.kind !== 'script' || script === undefined) return run;
  const { hash: _, ...rest } = run;
  return { ...rest, ...(script.encoding === 'utf8' ? {} : { encoding: script.encoding }), content: script.content };
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new SpawnError('USAGE', { message: `--output: file ${JSON.stringify(path)} cannot be written: ${why}` });
  }
}
