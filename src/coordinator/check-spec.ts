import type { JobSpec } from '../api/job-spec.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { parseRetryFilter } from '../core/failure-filter.ts';
import { cpusOfGang } from '../core/gang.ts';
import { checkOutputPath } from '../core/output-path.ts';
import { MAX_PARAM_NAME, paramText } from '../core/params.ts';
import { checkGiven } from './times.ts';

/** Refuses fields that contradict each other, or that would do nothing without another one. */
export function checkCombinations(spec: JobSpec): void {
  checkFilter(spec, 'retryOn');
  checkFilter(spec, 'noRetryOn');
  checkDelays(spec);
  checkGiven('spec.beginAt', { at: spec.beginAt, inMs: spec.beginInMs });
  checkGiven('spec.deadlineAt', { at: spec.deadlineAt, inMs: spec.deadlineInMs });
  checkSignal(spec);
  if (spec.outputPath !== undefined) checkOutputPath(spec.outputPath, 'spec.outputPath');
  if (spec.errorPath !== undefined) checkOutputPath(spec.errorPath, 'spec.errorPath');
  if (spec.inputPath !== undefined) checkOutputPath(spec.inputPath, 'spec.inputPath');
  checkStaged(spec);
  checkInstances(spec);
  checkGang(spec);
  checkParams(spec);
  checkData(spec);
}

/** Longer than one variable of a process can be. */
const MAX_PARAM = 131_072 - 'PARAM_='.length - MAX_PARAM_NAME;

function checkParams({ params, paramTable, input, instances }: JobSpec): void {
  if (paramTable !== undefined && input !== undefined)
    refuse('paramTable', 'none with input: how many tasks there are is known later', 'one');
  if (paramTable !== undefined && instances !== undefined) refuse('paramTable', 'none with instances', 'one');
  for (const [name, value] of Object.entries(params ?? {})) {
    const text = paramText(value) ?? '';
    if (text.includes('\0')) refuse(`params.${name}`, 'no NUL byte', 'one');
    if (text.length > MAX_PARAM) refuse(`params.${name}`, `at most ${MAX_PARAM} characters`, text.length);
  }
}

/** What its tasks read, how they run, and what this coordinator does not take yet. */
function checkData(spec: JobSpec): void {
  const { run, role, workflow, heartbeatMs, pack, input, output, array, inputPath, instances, gang } = spec;
  if (input !== undefined) {
    if (array !== undefined) refuse('array', 'none with input: the parts are the array', array);
    const bad = 'bad' in input ? input.bad : 'fail';
    if (typeof bad === 'object' && output?.to === undefined) refuse('output.to', 'a place with input.bad.to', 'none');
    if (inputPath !== undefined) refuse('inputPath', 'none with input: tasks read their part', inputPath);
  }
  for (const [name, value] of [
    ['input', input],
    ['output', output],
    ['run.kind', run.kind === 'handler' ? run : undefined],
  ] as const) {
    if (value === undefined) continue;
    if (instances !== undefined) refuse(name, 'none of it with instances', name);
    if (gang !== undefined) refuse(name, 'none of it with a gang', name);
  }
  if (spec.speculation !== undefined) refuse('speculation', 'none', 'one');
  if (heartbeatMs > 0 && instances !== undefined)
    refuse('heartbeatMs', '0 with instances: they tell by themselves', heartbeatMs);
  if (pack > 0) refuse('pack', '0', pack);
  if (role !== undefined) refuse('role', 'none (the coordinator sets it)', role.kind);
  if (workflow !== undefined) refuse('workflow', 'none (the coordinator sets it)', workflow.key);
}

/** What its sessions have follows from its ranks. */
function checkGang(spec: JobSpec): void {
  const { gang, exclusive, instances, cpus, gpus } = spec;
  if (instances !== undefined && exclusive)
    refuse('exclusive', 'false with instances: nothing else runs there', 'true');
  if (gang === undefined) return;
  if (instances !== undefined) refuse('gang', 'none with instances: each of them has one task', 'a gang');
  if (!Number.isInteger(gpus)) refuse('gpus', 'whole devices with a gang', gpus);
  const all = cpusOfGang(gang);
  if (Math.abs(cpus - all) > 1e-6) refuse('cpus', `the CPUs of all ranks of the gang (${all})`, cpus);
}

/** An instance has what its type says, and only an instance can be told that its work is done. */
function checkInstances(spec: JobSpec): void {
  if (spec.instances === undefined) {
    if (spec.run.kind === 'signal') refuse('run.kind', 'argv, shell or script without instances', 'signal');
    return;
  }
  if (spec.gpus > 0) refuse('gpus', '0 with instances: their type says what each has', spec.gpus);
  const [named] = Object.keys(spec.resources);
  if (named !== undefined) refuse('resources', 'none with instances: their type says what each has', named);
  if (spec.stage !== undefined) refuse('stage', 'none with instances: each has a disk of its own', spec.stage);
}

function checkFilter(spec: JobSpec, name: 'retryOn' | 'noRetryOn'): void {
  const text = spec[name];
  if (text === undefined) return;
  try {
    parseRetryFilter(text);
  } catch (error) {
    throw isSpawnError(error) ? (error as SpawnError).with({ where: `spec.${name}` }) : error;
  }
  if (spec.retries === 0) refuse('retries', `at least 1 with ${name}`, 0);
}

/** Relative to the copy on the worker it would be written, and go with the job. */
function checkStaged(spec: JobSpec): void {
  if (spec.stage === undefined) return;
  for (const name of ['outputPath', 'errorPath'] as const) {
    const path = spec[name];
    if (path === undefined || path.startsWith('/')) continue;
    refuse(name, 'an absolute path with stage (tasks run in a copy of the directory, which goes with the job)', path);
  }
}

function checkDelays({ retryDelayMs, retryBackoff, retryJitter, retryMaxDelayMs }: JobSpec): void {
  const exponential = retryBackoff === 'exponential';
  if (exponential && retryDelayMs === 0) refuse('retryDelayMs', 'more than 0 with exponential backoff', 0);
  if (retryJitter > 0 && retryDelayMs === 0) refuse('retryDelayMs', 'more than 0 with retryJitter', 0);
  if (exponential && retryMaxDelayMs < retryDelayMs) {
    refuse('retryMaxDelayMs', `at least retryDelayMs (${retryDelayMs})`, retryMaxDelayMs);
  }
}

function checkSignal({ signal, timeLimitMs }: JobSpec): void {
  if (signal === undefined) return;
  if (timeLimitMs === 0) refuse('signal', 'a time limit, before which it is sent', 'none');
  if (signal.beforeMs > timeLimitMs) {
    refuse('signal.beforeMs', `at most the time limit (${timeLimitMs})`, signal.beforeMs);
  }
}

function refuse(field: string, expected: string, found: string | number): never {
  throw new SpawnError('BAD_REQUEST', { where: `spec.${field}`, expected, found });
}
