import { isDeepStrictEqual } from 'node:util';
import type { SpecReply } from '../../api/insight.ts';
import { JobSpec } from '../../api/job-spec.ts';
import { compileJobFile } from '../../config/job-file/compile.ts';
import { decompileSpec } from '../../config/job-file/decompile.ts';
import { readJobFile } from '../../config/job-file/read-job-file.ts';
import { writeYaml } from '../../config/job-file/write-yaml.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';

/**
 * A job as a job file that compiles to the same spec: it is read back here to be sure of that.
 * @throws SpawnError USAGE for a job that a file cannot say
 */
export function exportedFile({ id, spec, script }: SpecReply): string {
  const content = script?.encoding === 'utf8' ? script.content : undefined;
  const text = writeYaml(decompileSpec(spec, content));
  const where = `export: job ${id}: expected one that a job file can say`;
  try {
    if (isDeepStrictEqual(specAgain(text, spec), compared(spec))) return text;
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    const [first] = error.message.split('\n');
    throw new SpawnError(
      'USAGE',
      { message: `${where}, found: ${first}; without --format it is written as a spec` },
      { cause: error },
    );
  }
  throw new SpawnError('USAGE', { message: `${where}, found more in it; without --format it is written as a spec` });
}

/** The spec that a submit of the file would make, in the place where it was made. */
function specAgain(text: string, { run }: JobSpec): unknown {
  const [job] = compileJobFile(readJobFile('job.yaml', text), () => 0).jobs;
  const same =
    job!.run.kind === 'scriptText' && run.kind === 'script'
      ? { ...run, name: job!.run.name, args: job!.run.args }
      : job!.run;
  return compared(JobSpec.parse({ ...job!.spec, run: same, cwd: job!.cwd }));
}

/** Without what belongs to the submit: who, in which environment, with which copy of the directory. */
function compared(spec: JobSpec): object {
  const { user: _, envSnapshot: __, stage: ___, ...rest } = spec;
  return JSON.parse(JSON.stringify(JobSpec.parse(rest))) as object;
}
