import {
  deleteJobTemplate,
  findJobTemplate,
  type JobTemplate,
  listJobTemplates,
} from '../../config/job-file/job-template.ts';
import {
  deleteTemplate,
  type LaunchTemplate,
  listTemplates,
  readTemplate,
  writeTemplate,
} from '../../config/launch-template.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import type { Command, OptionTable } from '../command.ts';
import { cut, oneLine } from '../output/format.ts';
import { jsonText } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';
import { parseCommandLine, seeHelp } from '../parse-command-line.ts';
import type { World } from '../world.ts';
import { readLayer } from './layers.ts';
import { options } from './options.ts';
import { NOT_KEPT } from './read-launch.ts';
import { templateText } from './template-text.ts';
import { dnsName } from './values.ts';

const VERBS = ['save', 'list', 'show', 'delete', 'use'] as const;
type Verb = (typeof VERBS)[number];
const KNOWN: OptionTable = options;
const own = { format: jsonOption } as const satisfies OptionTable;

/** The commands that words are read by. */
export interface TemplateCommands {
  readonly template: Command;
  readonly launch: Command;
}

/** Carries out `template VERB …`. @param before what stood before the verb @returns the exit code */
export async function runTemplate(
  commands: TemplateCommands,
  before: 'json' | undefined,
  operands: readonly string[],
  world: World,
): Promise<number> {
  const [verb, ...words] = operands;
  if (!isVerb(verb)) return refuse(`expected ${VERBS.join(', ')}, found ${JSON.stringify(verb)}`);
  if (before !== undefined && (verb === 'save' || verb === 'use' || verb === 'delete')) {
    refuse(`expected -o with list or show only${verb === 'use' ? ', or after the name' : ''}`, verb);
  }
  switch (verb) {
    case 'save':
      return save(words, commands, world);
    case 'use':
      return use(words, commands, world);
    case 'list': {
      const { format } = readRest(commands, verb, words, 0);
      return list(before ?? format, world);
    }
    case 'show': {
      const { format, name } = readRest(commands, verb, words, 1);
      const job = jobTemplate(name, world);
      if (job !== undefined) return (await jobTemplates()).showJobTemplate(job, before ?? format, world);
      return show(name, before ?? format, world);
    }
    case 'delete': {
      const { name, format } = readRest(commands, verb, words, 1);
      if (format !== undefined) refuse('expected -o with list or show only', verb);
      world.stdout.write(`deleted ${deleteJobTemplate(world.env, name) ?? deleteTemplate(world.env, name)}\n`);
      return 0;
    }
  }
}

/** The job template of a name that is not one of a launch. */
function jobTemplate(name: string, { env }: World): JobTemplate | undefined {
  return listTemplates(env).includes(name) ? undefined : findJobTemplate(env, name);
}

/** Loaded when needed only: it brings the options of spawn submit. */
function jobTemplates() {
  return import('../job-file/run-job-template.ts');
}

function isVerb(word: string | undefined): word is Verb {
  return VERBS.some((verb) => verb === word);
}

function refuse(what: string, verb?: Verb): never {
  const where = verb === undefined ? 'template' : `template ${verb}`;
  throw new SpawnError('USAGE', { message: `${where}: ${what}${seeHelp('template')}` });
}

/** What follows list, show and delete. */
function readRest(
  { template }: TemplateCommands,
  verb: Verb,
  words: readonly string[],
  names: 0 | 1,
): { format: 'json' | undefined; name: string } {
  const command = { ...template, options: own, operands: { name: 'NAME', min: names, max: names } };
  const { stopsAtOperand: _, ...mixed } = command;
  const input = parseCommandLine(`template ${verb}`, mixed, words);
  if (input === 'help') return refuse('expected no --help here', verb);
  const format = input.options.format as 'json' | undefined;
  return { format, name: names === 0 ? '' : dnsName(input.operands[0]!, `template ${verb}: NAME`) };
}

/** The name of a template, which stands before the options of the launch. */
function takeName(verb: Verb, words: readonly string[]): { name: string; rest: readonly string[] } {
  const [name, ...rest] = words;
  if (name === undefined || name.startsWith('-'))
    refuse(`expected NAME first, found ${name === undefined ? 'nothing' : JSON.stringify(name)}`, verb);
  return { name: dnsName(name!, `template ${verb}: NAME`), rest };
}

async function save(words: readonly string[], { launch }: TemplateCommands, world: World): Promise<number> {
  const { name, rest } = takeName('save', words);
  const saved = await (await jobTemplates()).saveJobTemplate(name, rest, world);
  if (saved !== undefined) return saved;
  if (jobTemplate(name, world)?.path !== undefined)
    refuse(`expected another name, found ${JSON.stringify(name)}, which is a job file`, 'save');
  const typed = templateText(rest, launch, world.cwd);
  if (typed === 'help') return refuse('expected no --help here', 'save');
  if (Object.keys(typed.options).length === 0 && typed.argv === undefined)
    refuse('expected options of spawn launch to keep, found none', 'save');
  const { path, replaced } = writeTemplate(world.env, name, typed);
  world.stdout.write(`${replaced ? 'replaced' : 'saved'} ${path}\n`);
  if (typed.keptVariables.length > 0) {
    const names = typed.keptVariables.join(', ');
    world.stderr.write(
      `spawn: note: the values of --env ${names} are in that file as they were typed; --env K keeps the name alone\n`,
    );
  }
  return 0;
}

async function use(words: readonly string[], { launch }: TemplateCommands, world: World): Promise<number> {
  const { name, rest } = takeName('use', words);
  const job = jobTemplate(name, world);
  if (job !== undefined) return (await jobTemplates()).useJobTemplate(job, rest, world);
  const input = parseCommandLine('template use', launch, ['--template', name, ...rest]);
  if (input === 'help') return refuse('expected no --help here', 'use');
  return launch.run(input, world);
}

function show(name: string, format: 'json' | undefined, world: World): number {
  const found = readTemplate(world.env, name);
  const { refused } = readLayer(found.options, NOT_KEPT);
  if (format === 'json')
    world.stdout.write(jsonText({ name, path: found.path, options: optionsJson(found), argv: found.argv ?? null }));
  else
    world.stdout.write(
      `${found.path}\n\n  spawn launch${wordsOf(found)
        .map((word) => ` \\\n    ${word}`)
        .join('')}\n`,
    );
  for (const { where } of refused) world.stderr.write(`spawn: note: ${where}: provider local cannot honour it\n`);
  return 0;
}

interface Row {
  readonly name: string;
  readonly kind: 'launch' | 'job';
  readonly says: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'SAYS', value: ({ says }) => says },
];

/** A file that cannot be read is listed with what is wrong with it. */
function list(format: 'json' | undefined, world: World): number {
  const found = listTemplates(world.env).map((name) => {
    try {
      return { name, template: readTemplate(world.env, name) };
    } catch (error) {
      if (!isSpawnError(error)) throw error;
      return { name, fault: error.message };
    }
  });
  const jobs = listJobTemplates(world.env).filter(({ name }) => !found.some((other) => other.name === name));
  if (format === 'json') {
    const launches = found.map(({ name, template: read, fault }) => ({
      name,
      kind: 'launch',
      path: read?.path ?? null,
      options: read === undefined ? null : optionsJson(read),
      argv: read?.argv ?? null,
      summary: null,
      fault: fault ?? null,
    }));
    const none = { options: null, argv: null, fault: null };
    const files = jobs.map(({ name, path, summary }) => ({ name, kind: 'job', path: path ?? null, summary, ...none }));
    world.stdout.write(jsonText([...launches, ...files]));
    return 0;
  }
  const rows = found.map(
    ({ name, template: read, fault }): Row => ({
      name,
      kind: 'launch',
      says: read === undefined ? fault! : wordsOf(read).join(' '),
    }),
  );
  const files = jobs.map(({ name, summary }): Row => ({ name, kind: 'job', says: summary }));
  world.stdout.write(new Table(COLUMNS, world.stdout).render([...rows, ...files]));
  return 0;
}

function optionsJson({ options: entries }: LaunchTemplate): Record<string, string | readonly string[]> {
  const all: Record<string, string | readonly string[]> = {};
  for (const { option, text } of entries) {
    const many = Object.hasOwn(KNOWN, option) && KNOWN[option]?.many;
    all[option] = many ? [...((all[option] as readonly string[] | undefined) ?? []), text] : text;
  }
  return all;
}

/** As they could be typed, an option a word. */
function wordsOf({ options: entries, argv }: LaunchTemplate): string[] {
  const words = entries.flatMap(({ option, text }) => {
    const row = Object.hasOwn(KNOWN, option) ? KNOWN[option] : { value: '' };
    if (row?.value === undefined) return text === 'true' ? [`--${option}`] : [];
    return [`--${option} ${quoted(text)}`];
  });
  return argv === undefined ? words : [...words, `-- ${argv.map(quoted).join(' ')}`];
}

const LONGEST_WORD = 200;

function quoted(text: string): string {
  const shown = cut(oneLine(text), LONGEST_WORD);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
