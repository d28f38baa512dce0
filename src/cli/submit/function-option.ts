import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunSpec } from '../../api/job-spec.ts';
import { SpawnError } from '../../core/errors.ts';

type FunctionRun = Extract<RunSpec, { kind: 'handler' }>;

const MODULE = /^([^#]+\.[cm]?[jt]s)(?:#([\p{ID_Start}$_][\p{ID_Continue}$]*))?$/u;

/** `./file.ts#name` of `--handler`; without a name the default export. */
export function functionOption(text: string, where: string): FunctionRun {
  const [, module, name = 'default'] = MODULE.exec(text) ?? [];
  if (module !== undefined) return { kind: 'handler', module, export: name };
  throw new SpawnError('BAD_REQUEST', {
    where,
    expected: 'a module of TypeScript or JavaScript and a function of it, as ./file.ts#run',
    found: JSON.stringify(text),
  });
}

/** Refuses a module that is not there. @param directory of the tasks, or that is sent along */
export function checkFunction(run: FunctionRun, directory: string): FunctionRun {
  const path = resolve(directory, run.module);
  if (existsSync(path)) return run;
  throw new SpawnError('BAD_REQUEST', { where: '--handler', expected: 'a module that exists', found: path });
}
