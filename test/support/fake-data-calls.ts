import { Readable } from 'node:stream';
import type { UseCases } from '../../src/coordinator/use-cases.ts';
import { Noting } from './fake-noting.ts';
import { JOB } from './fake-replies.ts';

type DataCases = Pick<UseCases, 'putCheckpoint' | 'checkpoint' | 'results' | 'batches'>;

/** What FakeUseCases answers of what tasks keep and give. */
export class FakeDataCalls extends Noting implements DataCases {
  results: UseCases['results'] = async (caller, ref, query) => {
    this.note('results', caller, ref, query);
    this.known(ref);
    return Readable.from([Buffer.from('{"index":0,"state":"completed",'), Buffer.from('"attempt":1,"value":7}\n')]);
  };

  batches: UseCases['batches'] = async (caller, ref, query) => {
    this.note('batches', caller, ref, query);
    this.known(ref);
    return { batches: [{ name: 'a.csv', first: 0, parts: 8, counts: JOB.counts }], total: 1 };
  };

  putCheckpoint: UseCases['putCheckpoint'] = async (caller, sessionId, fence, chunks) => {
    let bytes = 0;
    for await (const chunk of chunks) bytes += chunk.byteLength;
    this.note('putCheckpoint', caller, sessionId, fence, bytes);
  };

  checkpoint: UseCases['checkpoint'] = async (caller, sessionId, fence) => {
    this.note('checkpoint', caller, sessionId, fence);
    return { bytes: 2, chunks: Readable.from([Buffer.from('cp')]) };
  };
}
