import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import { Patience, untilDone } from '../../objects/patience.ts';
import type { OpenSource, Source } from '../source.ts';
import { ask, bytesOf, shownUrl } from './http-ask.ts';
import { CutShort, HTTP_JUDGE } from './http-judge.ts';
import { lookAt } from './http-source.ts';
import { readPieces } from './local-source.ts';
import { expectSame } from './same-state.ts';

/** Of a document whose server gives no parts of it: it is kept on disk as long as it is read. */
const MOST_BYTES = 1024 ** 3;

/**
 * Fetches a document once and reads it from a file without a name, which is gone with this process.
 * @throws SpawnError INPUT_UNREADABLE for one larger than 1 GiB, INPUT_CHANGED, STORAGE_UNREACHABLE
 */
export async function openWhole(source: Source, patienceMs: number, signal?: AbortSignal): Promise<OpenSource> {
  const uri = shownUrl(source.uri);
  if (source.size > MOST_BYTES) {
    const why = `its server gives no parts of it, and it has ${source.size} bytes, of at most ${MOST_BYTES} that are fetched at once`;
    throw new SpawnError('INPUT_UNREADABLE', { uri, why });
  }
  const file = await openNameless();
  try {
    const patience = new Patience(patienceMs, HTTP_JUDGE);
    await untilDone(() => fetchInto(file, source, patience, signal), patience, { uri, doing: 'read' }, signal);
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    source,
    read: (from, to, stop) => readPieces(source, file, { from, to, signal: stop }),
    check: async (stop) => expectSame(source, (await lookAt(source.uri, patienceMs, stop)).source),
    close: () => file.close(),
  };
}

async function fetchInto(
  file: FileHandle,
  source: Source,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<void> {
  const answer = await ask('GET', source.uri, {}, signal);
  let at = 0;
  for await (const piece of bytesOf(answer)) {
    patience.renew();
    if (at + piece.length > source.size) throw changed(source, 'more');
    for (let done = 0; done < piece.length; ) {
      done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
    }
    at += piece.length;
  }
  if (at < source.size) throw new CutShort(`the answer ended ${source.size - at} bytes before its end`);
}

function changed(source: Source, found: string): SpawnError {
  return new SpawnError('INPUT_CHANGED', { uri: shownUrl(source.uri), expected: `${source.size} bytes`, found });
}

async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'spawn-fetched-'));
  try {
    return await open(join(folder, 'document'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
