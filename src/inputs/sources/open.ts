import type { S3Access } from '../../api/data.ts';
import { openS3 } from '../../objects/s3/open-s3.ts';
import type { S3 } from '../../objects/s3/s3.ts';
import type { OpenSource, Source, SourceReader } from '../source.ts';
import { lookAt, openDocument } from './http-source.ts';
import { openFile } from './local-source.ts';
import { openObject } from './s3-source.ts';
import { expectSame } from './same-state.ts';
import { openWhole } from './whole-document.ts';

export interface SourcesOptions {
  /** How S3 is reached; default as the SDK finds it. */
  readonly s3?: S3Access;
  /** For secrets by reference; default that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long a server may be away; default 2 minutes. */
  readonly patienceMs?: number;
}

/** What reads sources of every kind. */
export interface Sources extends SourceReader {
  /** Ends connections; sources that are open must be closed before. */
  close(): void;
}

export const PATIENCE_MS = 120_000;

/** Nothing is loaded or asked before the first source of a kind is opened. */
export function openSources(options: SourcesOptions = {}): Sources {
  const { patienceMs = PATIENCE_MS } = options;
  let s3: Promise<S3> | undefined;
  return {
    open: async (source: Source, signal?: AbortSignal): Promise<OpenSource> => {
      if (source.uri.startsWith('/')) return await openFile(source);
      if (source.uri.startsWith('s3://')) {
        s3 ??= connectS3(options);
        return openObject(source, await s3);
      }
      const found = await lookAt(source.uri, patienceMs, signal);
      if (found.hasRanges) return openDocument(source, patienceMs);
      expectSame(source, found.source);
      return await openWhole(source, patienceMs, signal);
    },
    close: () => {
      s3?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
  };
}

export function connectS3({ s3 = {}, env, patienceMs }: SourcesOptions): Promise<S3> {
  return openS3(s3, {
    where: 'input.s3',
    ...(env !== undefined && { env }),
    ...(patienceMs !== undefined && { patienceMs }),
  });
}
