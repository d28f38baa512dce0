import type { KnownJob } from '../job-book.ts';
import type { HostJob } from './wire.ts';

type Values = Readonly<Record<string, unknown>>;

/** The parameters of a task are here, or it is known why there are none. */
export function hasParams({ params }: KnownJob, position: number): boolean {
  return params === undefined || params.at(position) !== undefined;
}

/** Why the task has none. */
export function missingParams({ params }: KnownJob, position: number): string | undefined {
  const row = params?.at(position);
  return row !== undefined && 'missing' in row ? row.missing : undefined;
}

/** Of consecutive tasks whose parameters are here; undefined where all tasks of the job have the same. */
export function paramsFrom({ description, params }: KnownJob, position: number, count: number): Values[] | undefined {
  if (description.paramTable === undefined) return undefined;
  return Array.from({ length: count }, (_, at) => {
    const row = params?.at(position + at);
    return row !== undefined && 'params' in row ? row.params : {};
  });
}

/** What a host is told of a job whose tasks run there. */
export function hostJobOf({ description, prepared, indices }: KnownJob): HostJob {
  const { id, name, run, logCapBytes, params = {}, input, plan, output, role } = description;
  if (run.kind !== 'handler') throw new TypeError(`job ${id} has no handler`);
  const { module, export: exported } = run;
  return {
    ...{ id, name, module, export: exported, cwd: prepared!.cwd, indices: String(indices), params, logCapBytes },
    ...{ input, plan, output, role },
  };
}
