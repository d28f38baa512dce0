import type { InputSpec, OutputSpec, S3Access } from '../../api/data.ts';
import { formatBytes } from '../../core/bytes.ts';
import { type Fields, said } from './said.ts';

/** The input of a job as a file says it; with what is a default where that takes no words. */
export function inputOf(input: InputSpec): Fields {
  const { cut, s3, recordBytes, overlapBytes, exclude, ...same } = input as InputSpec & {
    cut?: { bytes?: number };
    s3?: S3Access;
    recordBytes?: number;
    overlapBytes?: number;
    exclude?: readonly string[];
  };
  return said({
    ...same,
    exclude: exclude === undefined || exclude.length === 0 ? undefined : exclude,
    cut: cut?.bytes === undefined ? cut : { bytes: formatBytes(cut.bytes) },
    s3: s3 && s3Of(s3),
    record_bytes: recordBytes,
    overlap_bytes: overlapBytes || undefined,
  });
}

function s3Of({ endpoint, region, pathStyle, accessKeyId, secretAccessKey }: S3Access): Fields {
  return said({
    endpoint,
    region,
    path_style: pathStyle,
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
  });
}

/** @param quoteAll of all texts but that of a shell */
export function outputOf(output: OutputSpec, quoteAll: (value: unknown) => unknown): Fields {
  const { s3, aggregate, aggregateTo, aggregateBy, collect, name, ...same } = output;
  const isShell = typeof aggregate === 'object' && 'command' in aggregate;
  return said({
    ...(quoteAll(same) as Fields),
    s3: s3 && quoteAll(s3Of(s3)),
    collect: collect === 'files' ? undefined : collect,
    name: collect === 'stdout' ? quoteAll(name) : undefined,
    aggregate: isShell || aggregate === undefined ? aggregate : quoteAll(aggregateOf(aggregate)),
    aggregate_to: aggregateTo && quoteAll(aggregateTo),
    aggregate_by: aggregateBy === 'job' ? undefined : aggregateBy,
  });
}

function aggregateOf(aggregate: Exclude<NonNullable<OutputSpec['aggregate']>, { command: string }>): unknown {
  if (typeof aggregate === 'string') return aggregate;
  const { module, export: name } = aggregate;
  return { handler: name === 'default' ? module : `${module}#${name}` };
}
