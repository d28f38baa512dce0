import { createHash } from 'node:crypto';
import { SpawnError } from '../../src/core/errors.ts';
import type { BlobSink, GetBlob } from '../../src/inputs/plan/manifest.ts';
import type { PlanContext } from '../../src/inputs/plan-context.ts';
import type { Source, SourceReader } from '../../src/inputs/source.ts';

/** Sources in memory, which give their bytes in chunks of a size that a test wants. */
export class MemorySources implements SourceReader {
  readonly #files: Map<string, { bytes: Uint8Array; version: number }>;
  readonly #chunk: number;
  /** Bytes that were read. */
  read = 0;
  /** Sources that are open. */
  opened = 0;

  constructor(files: Readonly<Record<string, Uint8Array | string>>, chunk = 1024 * 1024) {
    this.#files = new Map(
      Object.entries(files).map(([uri, data]) => [uri, { bytes: Buffer.from(data as Uint8Array), version: 1 }]),
    );
    this.#chunk = chunk;
  }

  /** Puts other bytes in the place of a source's. */
  change(uri: string, data: Uint8Array | string): void {
    const before = this.#files.get(uri)!;
    this.#files.set(uri, { bytes: Buffer.from(data as Uint8Array), version: before.version + 1 });
  }

  async *list(): AsyncIterable<Source> {
    for (const [uri, { bytes, version }] of this.#files) yield { uri, size: bytes.length, etag: `${version}` };
  }

  async open(source: Source): Promise<Awaited<ReturnType<SourceReader['open']>>> {
    this.opened++;
    const self = this;
    return {
      source,
      async *read(from, to) {
        const { bytes } = self.#files.get(source.uri)!;
        for (let at = from; at < to; at += self.#chunk) {
          const chunk = bytes.slice(at, Math.min(to, at + self.#chunk));
          self.read += chunk.length;
          yield chunk;
        }
      },
      async check() {
        const { version } = self.#files.get(source.uri)!;
        if (`${version}` === source.etag) return;
        throw new SpawnError('INPUT_CHANGED', { uri: source.uri, expected: `${source.etag}`, found: `${version}` });
      },
      async close() {
        self.opened--;
      },
    };
  }
}

/** Blobs in memory. */
export class MemoryBlobs implements BlobSink {
  readonly blobs = new Map<string, Uint8Array>();

  async put(bytes: Uint8Array): Promise<string> {
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.blobs.set(hash, Uint8Array.from(bytes));
    return hash;
  }

  readonly get: GetBlob = async (hash) => {
    const bytes = this.blobs.get(hash);
    if (bytes === undefined) throw new Error(`no blob ${hash}`);
    return bytes;
  };
}

/** What a plan of sources in memory needs. */
export function planContext(sources: MemorySources, sink: BlobSink, more: Partial<PlanContext> = {}): PlanContext {
  return { sources: sources.list(), reader: sources, sink, signal: new AbortController().signal, ...more };
}
