import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type JobTemplate, writeJobTemplate } from '../../config/job-file/job-template.ts';
import { listTemplates } from '../../config/launch-template.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Command } from '../command.ts';
import { submit } from '../commands/submit.ts';
import { jsonText } from '../output/json.ts';
import { parseCommandLine } from '../parse-command-line.ts';
import type { SubmitInput } from '../submit/options.ts';
import type { World } from '../world.ts';
import { isJobFile, readGivenFile, readGivenText } from './read-file.ts';
import { submitGiven } from './submit-file.ts';

/** Keeps a job file under a name; undefined when what is to be kept is none. @param words what stands behind the name */
export async function saveJobTemplate(
  name: string,
  words: readonly string[],
  world: World,
): Promise<number | undefined> {
  const [path, ...more] = words;
  if (path === undefined || path.startsWith('-') || !isJobFile(path, world.cwd)) return undefined;
  const refuse = (what: string): never => {
    throw new SpawnError('USAGE', { message: `template save: ${what}` });
  };
  if (more.length > 0) refuse(`expected the job file alone, found ${JSON.stringify(more[0])} too`);
  if (listTemplates(world.env).includes(name))
    refuse(`expected another name, found ${JSON.stringify(name)}, which is a template of spawn launch`);
  // A template that is wrong would be found only when it is used.
  await readGivenFile('template save', path, world);
  const saved = writeJobTemplate(world.env, name, readFileSync(resolve(world.cwd, path), 'utf8'));
  world.stdout.write(`${saved.replaced ? 'replaced' : 'saved'} ${saved.path}\n`);
  return 0;
}

/** Submits the job of a template, in the present directory. @param words options of spawn submit */
export async function useJobTemplate(template: JobTemplate, words: readonly string[], world: World): Promise<number> {
  const { stopsAtOperand: _, takesRest: __, ...mixed } = submit;
  const command: Command = { ...mixed, operands: { name: 'FILE', min: 0, max: 0 } };
  const input = parseCommandLine('template use', command, words);
  if (input === 'help') throw new SpawnError('USAGE', { message: 'template use: expected no --help here' });
  const { options } = input as SubmitInput;
  const shown = template.path ?? `template ${template.name}`;
  const given = await readGivenText(shown, template.text, world.cwd, world, Object.fromEntries(options.param));
  return submitGiven('template use', input as SubmitInput, given, world);
}

/** Prints the file. */
export function showJobTemplate(
  { name, path, summary, text }: JobTemplate,
  format: 'json' | undefined,
  world: World,
): number {
  const json = () => jsonText({ name, kind: 'job', path: path ?? null, summary, text });
  world.stdout.write(format === 'json' ? json() : text);
  return 0;
}
