import { SpawnError } from '../../core/errors.ts';
import { BadAnswer, CutShort } from './http-judge.ts';

/** RFC 9110 leaves it to clients; a chain of more leads nowhere. */
const MOST_REDIRECTS = 5;
/** Until an answer begins. */
const ANSWER_MS = 30_000;
/** The reader waits for bytes and none come for so long. */
const SILENCE_MS = 60_000;

/** The address as it may be shown: what follows `?` may be a secret that signs it. */
export function shownUrl(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : `${url.slice(0, mark)}?…`;
}

/** @throws SpawnError BAD_REQUEST */
export function parseUrl(text: string, where: string): URL {
  const url = URL.parse(text);
  const refuse = (expected: string) => new SpawnError('BAD_REQUEST', { where, expected, found: shownUrl(text) });
  if (url === null || !/^https?:$/.test(url.protocol)) throw refuse('http://HOST/PATH or https://HOST/PATH');
  if (url.username !== '' || url.password !== '') {
    const expected = 'an address without a name and password: it is kept with the job and shown';
    throw new SpawnError('BAD_REQUEST', { where, expected, found: `${url.protocol}//…@${url.host}${url.pathname}` });
  }
  if (url.pathname.includes('*'))
    throw refuse('an address without "*": what is on a server cannot be listed over HTTP');
  url.hash = '';
  return url;
}

/** An answer and what ends it. */
export interface Answer {
  readonly response: Response;
  /** Closes the connection unless all was read. */
  drop(): void;
}

/**
 * Asks as it is told, and follows redirects to other addresses.
 * @throws BadAnswer for any status but 200 and 206, SpawnError INPUT_UNREADABLE, or what fetch throws
 */
export async function ask(
  method: 'GET' | 'HEAD',
  uri: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const refuse = (why: string) => new SpawnError('INPUT_UNREADABLE', { uri: shownUrl(uri), why });
  const control = new AbortController();
  const late = setTimeout(() => control.abort(new CutShort(`no answer came within ${ANSWER_MS} ms`)), ANSWER_MS);
  const signals = signal === undefined ? control.signal : AbortSignal.any([control.signal, signal]);
  try {
    let url = new URL(uri);
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      // Ranges are of the bytes as they are, not of packed ones.
      const all = { ...headers, 'accept-encoding': 'identity' };
      const response = await fetch(url.href, { method, headers: all, redirect: 'manual', signal: signals });
      if (response.status === 200 || response.status === 206) {
        const packed = response.headers.get('content-encoding');
        if (packed === null || packed === 'identity') return { response, drop: () => control.abort() };
        control.abort();
        throw refuse(`expected bytes as they are, found an answer packed with ${packed}`);
      }
      control.signal.throwIfAborted();
      await response.body?.cancel();
      const next = response.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || next === null) {
        throw new BadAnswer(response.status, response.statusText);
      }
      const target = URL.parse(next, url.href);
      if (target === null || !/^https?:$/.test(target.protocol))
        throw refuse('it leads to an address that is not HTTP');
      if (url.protocol === 'https:' && target.protocol === 'http:') throw refuse('it leads from https to http');
      url = target;
    }
    throw refuse(`expected at most ${MOST_REDIRECTS} redirects, found more`);
  } catch (error) {
    // Which of the two is seen first is chance.
    if (control.signal.reason instanceof CutShort) throw control.signal.reason;
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** The bytes of an answer. Errors: CutShort when none come for long while the reader waits. */
export async function* bytesOf({ response, drop }: Answer): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let isSilent = false;
  try {
    for (;;) {
      const silence = setTimeout(() => {
        isSilent = true;
        drop();
      }, SILENCE_MS);
      const { value, done } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      if (value.length > 0) yield value;
    }
  } catch (error) {
    if (isSilent) throw new CutShort(`nothing came for ${SILENCE_MS} ms`);
    throw error;
  } finally {
    drop();
  }
}
