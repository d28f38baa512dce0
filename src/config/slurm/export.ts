/** The environment that the tasks of a job get. */
export interface ExportedEnvironment {
  /** all: the submitter's variables. none: those of a login at the worker. */
  readonly base: 'all' | 'none';
  /** Set besides, over the others. */
  readonly variables: Readonly<Record<string, string>>;
  /** SLURM_EXPORT_ENV, for the srun in the job; absent for plain ALL. */
  readonly shown?: string;
}

const NOTHING = /^(?:NONE|NIL)$/i;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads `--export`: `ALL`, `NONE`, `NIL`, or names and `NAME=VALUE` by `,`, with `ALL` among them or not. A name that is not set is left out.
 * Commas within quotes do not separate; the quotes stay, as in Slurm.
 */
export function exportOption(text: string, env: Env): ExportedEnvironment {
  if (text.toUpperCase() === 'ALL') return { base: 'all', variables: {} };
  let base: ExportedEnvironment['base'] = 'none';
  const variables = new Map<string, string>();
  for (const item of text.match(/(?:[^,"']|"[^"]*(?:"|$)|'[^']*(?:'|$))+/g) ?? []) {
    const equals = item.indexOf('=');
    const value = equals < 0 ? env[item] : item.slice(equals + 1);
    const name = equals < 0 ? item : item.slice(0, equals);
    if (item.toUpperCase() === 'ALL') base = 'all';
    else if (NOTHING.test(item)) continue;
    else if (name !== '' && value !== undefined) variables.set(name, value);
  }
  return { base, variables: Object.fromEntries(variables), shown: text };
}

/** The entries of `--export-file`: `NAME=VALUE`, each closed by NUL. What has no `=` is left out. */
export function exportFileVariables(bytes: Uint8Array): Readonly<Record<string, string>> {
  const entries = new TextDecoder().decode(bytes).split('\0');
  return Object.fromEntries(
    entries.flatMap((entry): [string, string][] => {
      const equals = entry.indexOf('=');
      return equals < 1 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
    }),
  );
}
