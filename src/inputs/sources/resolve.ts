import { lstatSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpawnError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { S3 } from '../../objects/s3/s3.ts';
import type { Source } from '../source.ts';
import { expandBraces } from './braces.ts';
import { parseUrl } from './http-ask.ts';
import { lookAt } from './http-source.ts';
import { leaveOut } from './left-out-paths.ts';
import { connectS3, PATIENCE_MS, type SourcesOptions } from './open.ts';
import { namesOf, resolveLocal } from './resolve-local.ts';
import { resolveS3 } from './s3-source.ts';
import { Seen } from './seen.ts';

export interface ResolveOptions extends SourcesOptions {
  /** Directory that relative paths and globs begin in. */
  readonly cwd: string;
  readonly signal?: AbortSignal;
}

/** Files after which others get a turn; looking at one takes some microseconds. */
const TURN = 500;
/** Most milliseconds without one. */
const TURN_MS = 20;

/**
 * The files, objects and documents that an input names: place after place, and within one in the order of their paths. What
 * two places name is given once.
 *
 * @param from paths, globs, `http(s)://…`, `s3://bucket/…`
 * @param exclude globs of what is left out
 * @throws SpawnError INPUT_NOT_FOUND for a place that gives nothing, INPUT_UNREADABLE, BAD_REQUEST, and what S3 throws
 */
export async function* resolveSources(
  from: readonly string[],
  exclude: readonly string[],
  options: ResolveOptions,
): AsyncGenerator<Source, void, undefined> {
  const { cwd, signal, patienceMs = PATIENCE_MS } = options;
  const local = {
    cwd,
    seen: new Seen((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false),
    leftOut: leaveOut(
      exclude,
      (pattern) => (schemeOf(pattern) === undefined ? namesOf(cwd, pattern) : undefined),
      'input.exclude',
    ),
  };
  const objects = {
    leftOut: leaveOut(
      exclude,
      (pattern) => (schemeOf(pattern) === 's3' ? pattern.slice('s3://'.length).split('/').filter(Boolean) : undefined),
      'input.exclude',
    ),
    seen: new Map<string, Seen>(),
    signal,
  };
  const documents = new Set<string>();
  let s3: S3 | undefined;
  let count = 0;
  let turnAt = performance.now();
  try {
    for (const [at, text] of from.entries()) {
      const where = `input.from[${at}]`;
      const scheme = schemeOf(text);
      if (scheme === undefined) {
        for (const source of resolveLocal(text, where, local)) {
          yield source;
          if (++count % TURN !== 0 && performance.now() - turnAt < TURN_MS) continue;
          // Looking at files holds up everything else.
          await nextTurn();
          signal?.throwIfAborted();
          turnAt = performance.now();
        }
      } else if (scheme === 's3') {
        s3 ??= await connectS3(options);
        const { seen, leftOut } = objects;
        yield* resolveS3(text, where, {
          s3,
          leftOut,
          signal,
          seen: (bucket, names) => seenIn(seen, bucket).has(names),
          add: (bucket, pattern) => seenIn(seen, bucket).add(pattern),
        });
      } else if (scheme === 'http' || scheme === 'https') {
        for (const one of expandBraces(text, where)) {
          const { href } = parseUrl(one, where);
          if (documents.has(href)) continue;
          documents.add(href);
          yield (await lookAt(href, patienceMs, signal)).source;
        }
      } else throw unknownScheme(scheme, text, where);
    }
  } finally {
    s3?.close();
  }
}

function schemeOf(text: string): string | undefined {
  return /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
}

function unknownScheme(scheme: string, found: string, where: string): SpawnError {
  const hint = scheme === 'file' ? '; write the path alone' : didYouMean(scheme, ['http', 'https', 's3']);
  const expected = `a path, http://, https:// or s3://${hint}`;
  return new SpawnError('BAD_REQUEST', { where, expected, found });
}

function seenIn(all: Map<string, Seen>, bucket: string): Seen {
  const seen = all.get(bucket) ?? new Seen();
  all.set(bucket, seen);
  return seen;
}
