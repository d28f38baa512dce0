import { Readable } from 'node:stream';
import type { UseCases } from '../../src/coordinator/use-cases.ts';
import { Noting } from './fake-noting.ts';

type DataCases = Pick<UseCases, 'putCheckpoint' | 'checkpoint'>;

/** What FakeUseCases answers of what tasks keep and give. */
export class FakeDataCalls extends Noting implements DataCases {
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
