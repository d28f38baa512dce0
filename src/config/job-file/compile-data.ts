import type { FileInput } from '../../api/job-file/input.ts';
import type { FileOutput } from '../../api/job-file/output.ts';
import type { JobSpecInput } from '../../api/job-spec.ts';

type InputSpecInput = NonNullable<JobSpecInput['input']>;
type OutputSpecInput = NonNullable<JobSpecInput['output']>;
type S3 = NonNullable<OutputSpecInput['s3']>;

/** What the tasks read, in the words of the API. */
export function inputSpec(input: FileInput): InputSpecInput {
  if (input.type === 'stage') {
    const { stage, what } = input.from;
    const as = input.as ?? (what === 'results' ? 'results' : undefined);
    return {
      type: 'job',
      job: stage,
      ...(as === undefined ? {} : { as }),
      ...(input.cut && { cut: cutOf(input.cut) }),
    };
  }
  const spec: Record<string, unknown> = { ...input };
  if ('cut' in input && input.cut !== undefined) spec.cut = cutOf(input.cut);
  if ('s3' in input && input.s3 !== undefined) spec.s3 = s3Of(input.s3);
  if (input.type === 'binary') {
    rename(spec, 'record_bytes', 'recordBytes');
    rename(spec, 'overlap_bytes', 'overlapBytes');
  }
  // The fields of a file's input are those of the API but for the ones above; a test holds each of them to the contract.
  return spec as InputSpecInput;
}

type FileCut = NonNullable<Extract<FileInput, { type: 'csv' }>['cut']>;

function cutOf({
  files,
  rows,
  bytes,
  tasks,
  group,
}: FileCut): NonNullable<Extract<InputSpecInput, { type: 'csv' }>['cut']> {
  if (files !== undefined) return { files };
  if (rows !== undefined) return { rows };
  if (bytes !== undefined) return { bytes };
  return tasks === undefined ? { group: group! } : { tasks };
}

function rename(spec: Record<string, unknown>, from: string, to: string): void {
  const value = spec[from];
  delete spec[from];
  if (value !== undefined) spec[to] = value;
}

type FileS3 = NonNullable<FileOutput['s3']>;

function s3Of({ endpoint, region, path_style, access_key_id, secret_access_key }: FileS3): S3 {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(path_style === undefined ? {} : { pathStyle: path_style }),
    ...(access_key_id === undefined ? {} : { accessKeyId: access_key_id }),
    ...(secret_access_key === undefined ? {} : { secretAccessKey: secret_access_key }),
  };
}

/** What becomes of what the tasks make, in the words of the API. */
export function outputSpec(output: FileOutput): OutputSpecInput {
  const { s3, aggregate, aggregate_to, aggregate_by, ...same } = output;
  return {
    ...same,
    ...(s3 === undefined ? {} : { s3: s3Of(s3) }),
    ...(aggregate === undefined ? {} : { aggregate: aggregateOf(aggregate) }),
    ...(aggregate_to === undefined ? {} : { aggregateTo: aggregate_to }),
    ...(aggregate_by === undefined ? {} : { aggregateBy: aggregate_by }),
  };
}

function aggregateOf(aggregate: NonNullable<FileOutput['aggregate']>): NonNullable<OutputSpecInput['aggregate']> {
  if (typeof aggregate === 'string') return aggregate;
  return aggregate.command === undefined ? aggregate.handler! : { command: aggregate.command };
}
