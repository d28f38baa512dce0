import { checkStages } from './check-stages.ts';
import type { Faults, Keys } from './faults.ts';
import { quote } from './faults.ts';
import { JobPart } from './job-part.ts';
import type { Tree } from './tree.ts';

/** Tasks that a matrix may make. */
const MOST_TASKS = 1_000_000;

/** What a variable's name may not be; undefined when it may. */
export type RefusedVariable = (name: string) => string | undefined;

/**
 * Tells of fields that contradict each other, or that would do nothing without another one. Looks at what is written, so that it says its part also where
 * other fields are wrong.
 */
export function checkTogether(root: Tree, refused: RefusedVariable, faults: Faults): void {
  const jobs = [new JobPart(root, root, [], faults)];
  const stages = root.fields?.get('advanced')?.tree.fields?.get('stages')?.tree.fields;
  for (const [name, { tree }] of stages ?? []) jobs.push(new JobPart(root, tree, ['advanced', 'stages', name], faults));
  const [top, ...rest] = jobs;
  for (const job of stages === undefined ? [top!] : rest) {
    checkArray(job);
    checkWork(job);
    checkInput(job);
    checkOutput(job);
    checkRetries(job);
    checkTimes(job);
  }
  for (const job of jobs) checkVariables(job, refused);
  if (stages === undefined) {
    if (top!.word('input', 'type') === 'stage' || isStageOutput(top!.word('input', 'from') ?? top!.word('input'))) {
      top!.refuse(['input'], 'a stage only within advanced.stages', 'one outside');
    }
  } else {
    for (const key of ['array', 'after', 'input', 'algorithm', 'output'])
      if (top!.has(key)) top!.refuse([key], 'it in a stage, since there is advanced.stages', 'it beside them');
    for (const key of ['matrix', 'sweep']) {
      if (top!.has('advanced', key))
        top!.refuse(['advanced', key], 'it in a stage, since there is advanced.stages', 'it beside them');
    }
    checkStages(root, stages, faults);
  }
}

function isStageOutput(from: string | undefined): boolean {
  return from !== undefined && /^[A-Za-z_][\w-]*\.(?:output|results)$/.test(from);
}

function checkArray(job: JobPart): void {
  const sets = ['matrix', 'sweep'].filter((key) => job.has('advanced', key));
  if (job.has('input') && job.has('array')) job.refuse(['array'], 'none with input, whose parts make the array', 'one');
  for (const key of sets) {
    if (job.has('array')) job.refuse(['array'], `none with advanced.${key}, which makes the array`, 'one');
    if (job.has('input')) job.refuse(['advanced', key], 'none with input, whose parts make the array', 'one');
  }
  const axes = [...(job.at('advanced', 'matrix')?.fields?.values() ?? [])];
  const size = axes.reduce((product, { tree }) => product * (tree.items?.length ?? 1), 1);
  const rows = job.at('advanced', 'sweep')?.items?.length ?? 0;
  if ((axes.length > 0 ? size : 0) + rows > MOST_TASKS) {
    job.refuse(
      ['advanced', 'matrix'],
      `at most ${MOST_TASKS} combinations, with the sets of sweep`,
      String(size + rows),
    );
  }
  if (job.has('compute', 'concurrency') && job.own('compute') && (job.word('array') ?? '').includes('%')) {
    job.refuse(['compute', 'concurrency'], 'none beside the %N of array', 'both');
  }
}

function checkWork(job: JobPart): void {
  const need = (key: string, others: readonly string[]) => {
    if (job.has('algorithm', key) && !others.some((other) => job.has('algorithm', other))) {
      job.refuse(['algorithm', key], `${others.join(' or ')} with it`, 'none');
    }
  };
  need('args', ['script']);
  need('open_mode', ['stdout', 'stderr']);
  if (job.word('algorithm', 'stage') === 'true') {
    for (const key of ['stdout', 'stderr']) {
      const path = job.word('algorithm', key);
      if (path !== undefined && !path.startsWith('/')) {
        job.refuse(['algorithm', key], 'an absolute path with stage (the copy goes with the job)', quote(path));
      }
    }
  }
  if (job.word('algorithm', 'stdin') === 'part' && !job.has('input')) {
    job.refuse(['algorithm', 'stdin'], 'an input with "part"', 'none');
  }
}

/** Which cuts each type of input knows. */
const CUTS: Readonly<Record<string, readonly string[]>> = {
  files: ['files', 'tasks'],
  text: ['files', 'rows', 'bytes', 'tasks'],
  jsonl: ['files', 'rows', 'bytes', 'tasks', 'group'],
  csv: ['files', 'rows', 'bytes', 'tasks', 'group'],
  json: ['files', 'rows', 'tasks', 'group'],
  binary: ['files', 'rows', 'bytes', 'tasks'],
  list: ['rows', 'tasks'],
  range: ['rows', 'tasks'],
};

function checkInput(job: JobPart): void {
  const type = job.word('input', 'type');
  const known = type === undefined || !Object.hasOwn(CUTS, type) ? undefined : CUTS[type];
  for (const cut of job.at('input', 'cut')?.fields?.keys() ?? []) {
    const isCut = Object.values(CUTS).some((cuts) => cuts.includes(cut));
    if (isCut && known?.includes(cut) === false)
      job.refuse(['input', 'cut', cut], `one of ${known.join(', ')} with type ${type}`, quote(cut));
  }
  if (type === 'binary' && job.has('input', 'cut', 'rows') && !job.has('input', 'record_bytes')) {
    job.refuse(['input', 'cut', 'rows'], 'record_bytes with it', 'none');
  }
  if (type === 'range') {
    const [first, last, step = 1] = ['first', 'last', 'step'].map((key) => job.number('input', key));
    if (step === 0) job.refuse(['input', 'step'], 'another step than 0', '0');
    else if (first !== undefined && last !== undefined && (last - first) * step < 0) {
      job.refuse(['input', 'last'], `a number that is reached from ${first} in steps of ${step}`, String(last));
    }
  }
  if (job.has('input', 's3') && !job.words('input', 'from').some((from) => from.startsWith('s3://'))) {
    job.refuse(['input', 's3'], 'an s3://… in from with it', 'none');
  }
}

function checkOutput(job: JobPart): void {
  const to = job.word('output', 'to') ?? job.word('output');
  for (const key of ['aggregate_to', 'aggregate_by']) {
    if (job.has('output', key) && !job.has('output', 'aggregate'))
      job.refuse(['output', key], 'aggregate with it', 'none');
  }
  if (job.has('output', 'manifest') && to === undefined) job.refuse(['output', 'manifest'], 'to with it', 'none');
  if (job.has('output', 'name') && job.word('output', 'collect') !== 'stdout') {
    job.refuse(['output', 'name'], 'collect: stdout with it', 'none');
  }
  if (job.has('output', 's3') && !to?.startsWith('s3://'))
    job.refuse(['output', 's3'], 'an s3://… in to with it', 'none');
  const isByBatch = job.word('output', 'aggregate_by') === 'batch';
  const name = job.word('output', 'aggregate_to');
  if (isByBatch && name !== undefined && !name.includes('{batch}')) {
    job.refuse(['output', 'aggregate_to'], 'a name with {batch} in it, since there is one for each batch', quote(name));
  }
}

function checkRetries(job: JobPart): void {
  if (!job.own('compute')) return;
  const at = (key: string): Keys => ['compute', 'retries', key];
  const delay = job.duration('compute', 'retries', 'delay');
  const hasDelay = delay !== undefined && delay > 0;
  const none = job.number('compute', 'retries', 'max') === 0;
  for (const key of ['delay', 'backoff', 'jitter', 'max_delay', 'retry_on', 'no_retry_on']) {
    if (none && job.has('compute', 'retries', key)) job.refuse(at(key), 'a max above 0 with it', '0');
  }
  if (none) return;
  for (const key of ['jitter', 'max_delay']) {
    if (job.has('compute', 'retries', key) && !hasDelay) job.refuse(at(key), 'a delay with it', 'none');
  }
  if (job.word('compute', 'retries', 'backoff') === 'exponential' && !hasDelay)
    job.refuse(at('backoff'), 'a delay with exponential', 'none');
  const most = job.duration('compute', 'retries', 'max_delay');
  if (hasDelay && most !== undefined && most < delay) job.refuse(at('max_delay'), 'no less than delay', 'less');
}

function checkTimes(job: JobPart): void {
  const limit = job.duration('compute', 'time_limit');
  if (job.has('advanced', 'signal')) {
    const before = job.duration('advanced', 'signal', 'before') ?? 60_000;
    if (!limit) job.refuse(['advanced', 'signal'], 'compute.time_limit with it', 'none');
    else if (before >= limit)
      job.refuse(['advanced', 'signal', 'before'], 'a time shorter than compute.time_limit', 'one that is not');
  }
  const [begin, deadline] = [job.moment('advanced', 'begin'), job.moment('advanced', 'deadline')];
  if (deadline?.kind === 'in' && deadline.inMs === 0)
    job.refuse(['advanced', 'deadline'], 'a time that is to come', 'now');
  else if (begin !== undefined && deadline !== undefined && begin.kind === deadline.kind) {
    const [from, to] = [begin, deadline].map((time) => (time.kind === 'at' ? time.at : time.inMs));
    if (to! <= from!) job.refuse(['advanced', 'deadline'], 'a time after begin', 'one that is not');
  }
}

function checkVariables(job: JobPart, refused: RefusedVariable): void {
  for (const section of ['env', 'secrets']) {
    for (const name of job.at(section)?.fields?.keys() ?? []) {
      const expected = refused(name);
      if (expected !== undefined) job.refuse([section, name], expected, quote(name), true);
      else if (section === 'secrets' && job.has('env', name))
        job.refuse([section, name], 'a name that is not in env', quote(name), true);
    }
  }
}
