import { SpawnError } from '../../core/errors.ts';
import type { S3 } from '../../objects/s3/s3.ts';
import { parseS3Uri, s3Uri } from '../../objects/s3/s3-uri.ts';
import type { OpenSource, Source } from '../source.ts';
import { expandBraces } from './braces.ts';
import { isGlob } from './glob.ts';
import type { LeftOut } from './left-out-paths.ts';
import { nearName } from './near-miss.ts';
import { fitsPath, type PathPattern, parsePath } from './path-pattern.ts';
import { expectSame, isGone } from './same-state.ts';

export interface S3World {
  readonly s3: S3;
  readonly leftOut: LeftOut;
  /** Whether an earlier place gave it. */
  readonly seen: (bucket: string, names: readonly string[]) => boolean;
  readonly add: (bucket: string, pattern: PathPattern) => void;
  readonly signal: AbortSignal | undefined;
}

const anyway = () => true;
/** Keys that a near miss is looked for among. */
const MOST_KEYS = 1_000;

/**
 * Objects at `s3://bucket/key`: the object of that key, all below it as below a directory, or those that a glob fits.
 *
 * @throws SpawnError INPUT_NOT_FOUND, and what S3 throws
 */
export async function* resolveS3(text: string, where: string, world: S3World): AsyncGenerator<Source, void, undefined> {
  const whole = parseS3Uri(text, where);
  const found = whole.key === '' ? undefined : await world.s3.find(whole, world.signal);
  for (const one of found === undefined ? expandBraces(text, where) : [text]) {
    yield* resolveOne(one, where, world);
  }
}

async function* resolveOne(text: string, where: string, world: S3World): AsyncGenerator<Source, void, undefined> {
  const { s3, leftOut, signal } = world;
  const { bucket, key } = parseS3Uri(text, where);
  const isTree = key === '' || key.endsWith('/');
  const object = isTree ? undefined : await s3.find({ bucket, key }, signal);
  const glob = object === undefined && isGlob(key);
  const names = key.split('/');
  if (isTree) names.pop();
  const fixed = glob ? names : names.map((name) => name.replace(/[*?[\\]/g, '\\$&'));
  const pattern = parsePath(object === undefined && (isTree || !glob) ? [...fixed, '**'] : fixed, true, where);
  const prefix = glob ? fixedPart(key) : isTree ? key : `${key}/`;
  const fixedNames = prefix.split('/').length - 1;
  const counts = { found: 0, leftOut: 0 };
  for await (const { key: at, size, etag } of object === undefined
    ? s3.list({ bucket, key: prefix }, { ...(signal && { signal }) })
    : [object]) {
    // What some programs put in the place of a directory.
    if (at.endsWith('/')) continue;
    const path = at.split('/');
    if (!fitsPath(pattern, path, anyway)) continue;
    if (isLeftOut(leftOut, bucket, path, fixedNames)) {
      counts.leftOut++;
      continue;
    }
    counts.found++;
    // Without the time: listings and answers about one object round it differently, and the etag tells more.
    if (!world.seen(bucket, path)) yield { uri: s3Uri(bucket, at), size, etag };
  }
  if (counts.found === 0) throw await notFound(text, { bucket, key }, counts.leftOut, world);
  world.add(bucket, pattern);
}

/** What all keys begin with that the pattern can fit. */
function fixedPart(key: string): string {
  const at = key.search(/[*?[\\]/);
  return at < 0 ? key : key.slice(0, at);
}

function isLeftOut(leftOut: LeftOut, bucket: string, path: readonly string[], fixedNames: number): boolean {
  if (leftOut.isEmpty) return false;
  const whole = [bucket, ...path];
  return (
    path.some((name, at) => at >= Math.min(fixedNames, path.length - 1) && leftOut.hasName(name)) ||
    leftOut.hasPath(whole) ||
    whole.some((_, at) => at > 0 && leftOut.hasTree(whole.slice(0, at)))
  );
}

async function notFound(
  uri: string,
  { bucket, key }: { bucket: string; key: string },
  leftOut: number,
  { s3, signal }: S3World,
): Promise<SpawnError> {
  if (leftOut > 0) {
    return new SpawnError('INPUT_NOT_FOUND', { uri, why: `all that it finds is left out by exclude (${leftOut})` });
  }
  const meant = await nearKey(s3, bucket, key, signal);
  const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(s3Uri(bucket, meant))}?`;
  return new SpawnError('INPUT_NOT_FOUND', { uri, why: `no object fits it${hint}` });
}

/** What was probably meant, up to the first name that nothing fits. */
async function nearKey(s3: S3, bucket: string, key: string, signal?: AbortSignal): Promise<string | undefined> {
  const names = key.split('/').filter((name, at, all) => name !== '' || at < all.length - 1);
  for (let depth = names.length - 1; depth >= 0; depth--) {
    const folder = names
      .slice(0, depth)
      .map((name) => `${name}/`)
      .join('');
    const present = new Set<string>();
    let keys = 0;
    for await (const object of s3.list({ bucket, key: folder }, { ...(signal && { signal }) })) {
      present.add(object.key.slice(folder.length).split('/')[0]!);
      if (++keys === MOST_KEYS) break;
    }
    if (keys === 0) continue;
    const meant = nearName(names[depth]!, [...present]);
    return meant === undefined ? undefined : [...names.slice(0, depth), meant, ...names.slice(depth + 1)].join('/');
  }
  return undefined;
}

export function openObject(source: Source, s3: S3): OpenSource {
  const place = parseS3Uri(source.uri, 'source');
  return {
    source,
    read: (from, to, signal) =>
      s3.read(place, { from, to, ...(signal && { signal }), ...(source.etag !== undefined && { etag: source.etag }) }),
    check: async (signal) => {
      const found = await s3.find(place, signal);
      if (found === undefined) throw isGone(source);
      expectSame(source, { uri: source.uri, size: found.size, etag: found.etag });
    },
    close: async () => {},
  };
}
