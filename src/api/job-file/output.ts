import { z } from 'zod';
import { s3 } from './input.ts';
import { exactlyOne, leaf, path, section, text } from './leaves.ts';

const HANDLER = /^([^#\0]+\.m?[jt]s)(?:#([A-Za-z_$][\w$]*))?$/;

/** `./file.ts#function`; without a function the default export. */
export const moduleRef = leaf(
  'a module and a function of it, as ./file.ts#run',
  { type: 'string', pattern: '^[^#]+\\.m?[jt]s(#[A-Za-z_$][A-Za-z0-9_$]*)?$' },
  (value) => {
    const [, module, name] = typeof value === 'string' && value.length <= 4_096 ? (HANDLER.exec(value) ?? []) : [];
    return module === undefined ? undefined : { module, ...(name === undefined ? {} : { export: name }) };
  },
);

const aggregate = z.union([
  z.enum(['concat', 'merge-json', 'csv', 'sum']),
  exactlyOne(
    section({
      command: text(1_048_576).optional().describe('A line for the shell that gets all results on its standard input'),
      handler: moduleRef.optional().describe('A function, as ./file.ts#total'),
    }),
    ['command', 'handler'],
  ),
]);

const form = section({
  to: path.optional().describe('A directory, or s3://bucket/prefix; without it results are kept with the job only'),
  s3: s3.optional().describe('How S3 is reached'),
  collect: z
    .enum(['stdout', 'files'])
    .optional()
    .describe(
      'What the output of a command is: its standard output, or what it puts into $SPAWN_OUTPUT_DIR; default files',
    ),
  name: text(255)
    .optional()
    .describe('Name of the file of standard output; {index}, {index:06} and {batch} are replaced'),
  aggregate: aggregate.optional().describe('One thing made of all results, in the order of the tasks'),
  aggregate_to: text(255).optional().describe('Name of its file in `to`'),
  aggregate_by: z.enum(['job', 'batch']).optional().describe('One for all, or one for each batch; default job'),
  manifest: text(255).optional().describe('Name of a file in `to` that lists every file with its size and SHA-256'),
});

/** What becomes of what the tasks make; text alone is `to`. */
export const FileOutput = z.union([path.transform((to): z.infer<typeof form> => ({ to })), form]);
export type FileOutput = z.infer<typeof FileOutput>;
