import { resolve } from 'node:path';
import type { RunSpec } from '../../api/job-spec.ts';
import type { CompiledJob } from '../../config/job-file/compile.ts';
import { checkScript, readScriptFile } from '../../config/read-script.ts';
import type { SpecPart } from '../submit/spec-of.ts';
import type { Work } from '../submit-input.ts';
import type { GivenFile } from './read-file.ts';

/** One job of a file, at the place where it is submitted; scripts are still here. */
export interface PlacedJob {
  /** As errors call it. */
  readonly path: string;
  readonly work: Work | RunSpec;
  /** With the directory of the tasks. */
  readonly spec: SpecPart;
  readonly sendsDirectory: boolean;
  readonly parameterSets: CompiledJob['parameterSets'];
}

/** Finds the directory of the tasks, and reads the script. @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, SCRIPT_TOO_LARGE, USAGE */
export function placeJob(job: CompiledJob, { path, directory }: Pick<GivenFile, 'path' | 'directory'>): PlacedJob {
  const cwd = resolve(directory, job.cwd ?? '.');
  const { sendsDirectory, parameterSets } = job;
  return { path, work: workOf(job.run, cwd, path), spec: { ...job.spec, cwd }, sendsDirectory, parameterSets };
}

function workOf(run: CompiledJob['run'], cwd: string, path: string): Work | RunSpec {
  if (run.kind === 'scriptFile') {
    return { kind: 'script', ...readScriptFile(resolve(cwd, run.path)), args: [...run.args] };
  }
  if (run.kind !== 'scriptText') return run;
  const bytes = new TextEncoder().encode(run.text);
  checkScript(bytes, `${path}: algorithm.script`);
  return { kind: 'script', name: run.name, bytes, args: [...run.args] };
}
