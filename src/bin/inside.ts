import { existsSync } from 'node:fs';

/** What `spored` does in a task or inside an instance, where it is a small native program. Where this one is called it hands them on. */
const VERBS: ReadonlySet<string> = new Set([
  'complete',
  'progress',
  'checkpoint',
  'emit',
  'result',
  'status',
  'wait-peers',
  'config',
  'reload',
  'queue',
  'rsh',
  'version',
  'help',
]);

export function isInsideVerb(word: string | undefined): boolean {
  return word !== undefined && VERBS.has(word);
}

/** Of `spored status --check-complete` and all others outside of an instance. */
const OUTSIDE = 3;

/** Runs the native program in place of this one. */
export async function runInside(argv: readonly string[]): Promise<number> {
  const { nativeProgram } = await import('../client/node/package-files.ts');
  const { runInstead } = await import('./run-instead.ts');
  const program = nativeProgram('instance');
  if (!existsSync(program)) {
    process.stderr.write(
      `spored ${argv[0]}: expected to be inside an instance, found that ${program} was not even built\n`,
    );
    return OUTSIDE;
  }
  await runInstead(program, ['spored', ...argv]);
  return Number(process.exitCode ?? 0);
}
