import { SpawnError } from '../../core/errors.ts';
import type { Source } from '../source.ts';
import { shownUrl } from './http-ask.ts';

/** @throws SpawnError INPUT_CHANGED with what differs first: size, etag, time */
export function expectSame(planned: Source, found: Source): void {
  const changed = (expectedState: string, foundState: string) =>
    new SpawnError('INPUT_CHANGED', { uri: shownUri(planned.uri), expected: expectedState, found: foundState });
  if (found.size !== planned.size) throw changed(`${planned.size} bytes`, `${found.size} bytes`);
  if (planned.etag !== undefined && found.etag !== planned.etag) {
    throw changed(`etag ${planned.etag}`, found.etag === undefined ? 'none' : `etag ${found.etag}`);
  }
  if (planned.mtimeMs !== undefined && found.mtimeMs !== planned.mtimeMs) {
    throw changed(`time ${timeText(planned.mtimeMs)}`, found.mtimeMs === undefined ? 'none' : timeText(found.mtimeMs));
  }
}

/** Where there is nothing any more. */
export function isGone(planned: Source): SpawnError {
  return new SpawnError('INPUT_CHANGED', {
    uri: shownUri(planned.uri),
    expected: `${planned.size} bytes`,
    found: 'nothing',
  });
}

function shownUri(uri: string): string {
  return /^https?:/.test(uri) ? shownUrl(uri) : uri;
}

/** With the fraction of a millisecond, in which alone two times may differ. */
function timeText(ms: number): string {
  const fraction = String(ms).split('.')[1];
  return new Date(ms).toISOString().replace('Z', `${fraction ?? ''}Z`);
}
