import { z } from 'zod';
import { BlobHash } from './blob-hash.ts';
import { JobSpec, RunSpec } from './job-spec.ts';

const [argv, shell, script, handler] = RunSpec.options;

/** A script is in the file itself, or was stored before. */
const FileScript = z
  .strictObject({
    ...script.shape,
    args: script.shape.args.default([]),
    hash: BlobHash.optional(),
    /** As text, or in base64 where it is not UTF-8. */
    content: z.string().optional(),
    encoding: z.enum(['utf8', 'base64']).default('utf8'),
  })
  .refine(({ hash, content }) => (hash === undefined) !== (content === undefined), 'either hash or content');

/** A job in a file, as `spawn export` writes it and `spawn submit --spec` reads it: a spec that says little of where it is submitted. */
export const SpecFile = z.strictObject({
  ...JobSpec.shape,
  run: z.discriminatedUnion('kind', [argv, shell, FileScript, handler]).optional(),
  cwd: JobSpec.shape.cwd.optional(),
  umask: z.int().min(0).max(0o777).optional(),
});
export type SpecFile = z.infer<typeof SpecFile>;
/** What may stand in the file: defaults may be left out. */
export type SpecFileInput = z.input<typeof SpecFile>;
