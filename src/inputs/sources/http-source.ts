import { SpawnError } from '../../core/errors.ts';
import { Patience, untilDone } from '../../objects/patience.ts';
import type { OpenSource, Source } from '../source.ts';
import { ask, bytesOf, shownUrl } from './http-ask.ts';
import { BadAnswer, CutShort, HTTP_JUDGE } from './http-judge.ts';
import { expectSame } from './same-state.ts';

/** What a server says of a document, and whether it gives parts of it. */
export interface Document {
  readonly source: Source;
  readonly hasRanges: boolean;
}

/** @throws SpawnError INPUT_NOT_FOUND, INPUT_UNREADABLE, STORAGE_UNREACHABLE */
export async function lookAt(uri: string, patienceMs: number, signal?: AbortSignal): Promise<Document> {
  const action = { uri: shownUrl(uri), doing: 'look at' };
  return await untilDone(() => lookOnce(uri, signal), new Patience(patienceMs, HTTP_JUDGE), action, signal);
}

/** One byte is asked for: that tells size and state, and whether ranges work, which answers to HEAD only claim. */
async function lookOnce(uri: string, signal: AbortSignal | undefined): Promise<Document> {
  const answer = await ask('GET', uri, { range: 'bytes=0-0' }, signal).catch((error: unknown) => {
    // There is no first byte.
    if (error instanceof BadAnswer && error.status === 416) return undefined;
    throw error;
  });
  if (answer === undefined) return await lookAtEmpty(uri, signal);
  const { response, drop } = answer;
  const total = /^bytes 0-0\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  const hasRanges = response.status === 206 && total !== undefined;
  // The connection can be used again when its one byte was read.
  if (hasRanges) await response.arrayBuffer();
  else drop();
  const size = hasRanges ? total : response.headers.get('content-length');
  if (size === null || !/^\d{1,15}$/.test(size)) {
    const why = 'its server says neither how long it is nor gives parts of it; fetch it and read the file';
    throw new SpawnError('INPUT_UNREADABLE', { uri: shownUrl(uri), why });
  }
  return { source: stateOf(uri, Number(size), response.headers), hasRanges };
}

async function lookAtEmpty(uri: string, signal: AbortSignal | undefined): Promise<Document> {
  const { response, drop } = await ask('HEAD', uri, {}, signal);
  drop();
  const size = response.headers.get('content-length');
  if (size !== '0')
    throw new SpawnError('INPUT_UNREADABLE', { uri: shownUrl(uri), why: 'its server gives no first byte of it' });
  return { source: stateOf(uri, 0, response.headers), hasRanges: true };
}

function stateOf(uri: string, size: number, headers: Headers): Source {
  const etag = headers.get('etag');
  const changed = Date.parse(headers.get('last-modified') ?? '');
  return { uri, size, ...(etag !== null && { etag }), ...(!Number.isNaN(changed) && { mtimeMs: changed }) };
}

/** Reads ranges; a connection that ends early is taken up again where it ended. */
export function openDocument(source: Source, patienceMs: number): OpenSource {
  return {
    source,
    read: (from, to, signal) => readRange(source, { from, to, patienceMs, signal }),
    check: async (signal) => expectSame(source, (await lookAt(source.uri, patienceMs, signal)).source),
    close: async () => {},
  };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
}

async function* readRange(source: Source, { from, to, patienceMs, signal }: Range): AsyncGenerator<Uint8Array> {
  const uri = shownUrl(source.uri);
  const action = { uri, doing: 'read' };
  const patience = new Patience(patienceMs, HTTP_JUDGE);
  // A weak one does not promise the same bytes.
  const ifSame = source.etag?.startsWith('"') === true ? { 'if-match': source.etag } : undefined;
  let at = from;
  while (at < to) {
    signal?.throwIfAborted();
    try {
      const answer = await ask('GET', source.uri, { range: `bytes=${at}-${to - 1}`, ...ifSame }, signal);
      try {
        expectRange(source, at, to, answer.response);
        for await (const piece of bytesOf(answer)) {
          if (piece.length > to - at)
            throw new SpawnError('INPUT_UNREADABLE', { uri, why: 'more bytes came than asked for' });
          at += piece.length;
          patience.renew();
          yield piece;
        }
      } finally {
        answer.drop();
      }
      if (at < to) throw new CutShort(`the answer ended ${to - at} bytes before its end`);
    } catch (error) {
      if (error instanceof BadAnswer && (error.status === 412 || error.status === 416)) {
        throw new SpawnError('INPUT_CHANGED', {
          uri,
          expected: 'what was planned',
          found: `another state (${error.message})`,
        });
      }
      await patience.again(error, action, signal);
    }
  }
}

function expectRange(source: Source, from: number, to: number, { status, headers }: Response): void {
  const said = headers.get('content-range') ?? `HTTP ${status}`;
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(said);
  if (status !== 206 || match === null || Number(match[1]) !== from || Number(match[2]) !== to - 1) {
    const uri = shownUrl(source.uri);
    if (match !== null && match[3] !== '*' && Number(match[3]) !== source.size) {
      throw new SpawnError('INPUT_CHANGED', { uri, expected: `${source.size} bytes`, found: `${match[3]} bytes` });
    }
    throw new SpawnError('INPUT_UNREADABLE', { uri, why: `expected bytes ${from}-${to - 1}, found ${said}` });
  }
  const size = match[3] === '*' ? source.size : Number(match[3]);
  expectSame(source, stateOf(source.uri, size, headers));
}
