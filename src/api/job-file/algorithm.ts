import { z } from 'zod';
import { checkOutputPath } from '../../core/output-path.ts';
import { exactlyOne, leaf, path, section, text } from './leaves.ts';
import { moduleRef } from './output.ts';

/** All words of one command. */
const MOST_WORDS = 10_000;
const LONGEST_WORD = 131_072;
const LONGEST_SCRIPT = 16 * 1024 * 1024;

/** A path in which `%a`, `%A` … are replaced. */
const pattern = leaf('a file name', { type: 'string', minLength: 1 }, (value) => {
  if (typeof value !== 'string' || value === '' || value.length > 4_096) return undefined;
  checkOutputPath(value, 'path');
  return value;
});

const umask = leaf(
  'a umask of three octal digits in quotes, as "027"',
  { type: 'string', pattern: '^0?[0-7]{3}$' },
  (value) => (typeof value === 'string' && /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : undefined),
);

const words = z.array(text(LONGEST_WORD, 0)).max(MOST_WORDS);

/** What each task runs. */
export const FileAlgorithm = exactlyOne(
  section({
    command: z
      .union([text(1_048_576), words.min(1)])
      .optional()
      .describe('A line for the shell (sh -c), or a list: the program and its arguments'),
    script: z
      .union([
        text(LONGEST_SCRIPT),
        section({
          name: text(255).describe('As the tasks see it'),
          text: text(LONGEST_SCRIPT).describe('What is in it'),
        }),
      ])
      .optional()
      .describe('A script: its path, its text when it has several lines, or {name, text}; it is copied at submit'),
    handler: moduleRef
      .optional()
      .describe(
        'A function of a TypeScript or JavaScript module, as ./file.ts#run, called in a process that stays warm',
      ),
    args: words.optional().describe('Arguments of the script'),
    stdin: pattern
      .optional()
      .describe(
        'Standard input: part (what the task reads of the input, the default with one), or a file as in/%a.txt',
      ),
    stdout: pattern.optional().describe('File that gets a copy of standard output, as logs/%A_%a.out'),
    stderr: pattern.optional().describe('File that gets a copy of standard error'),
    open_mode: z
      .enum(['truncate', 'append'])
      .optional()
      .describe('What becomes of such a file that is there; default truncate'),
    cwd: path
      .optional()
      .describe('Directory of the tasks; relative to the directory of this file, which is the default'),
    umask: umask.optional().describe('As "027"; default that of the submit'),
    stage: z
      .boolean()
      .optional()
      .describe('Whether the directory is sent along: the tasks run in a copy, on every worker'),
  }),
  ['command', 'script', 'handler'],
);
export type FileAlgorithm = z.infer<typeof FileAlgorithm>;
