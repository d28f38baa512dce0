import { writeStageManifest } from '../../api/stage.ts';
import { packDirectory } from '../../config/pack-directory.ts';
import type { Client } from '../client.ts';

/** Packs a directory and stores it, a piece at a time; gives what `stage` of the spec shall be. */
export async function storeDirectory(directory: string, client: Pick<Client, 'putBlob'>): Promise<string> {
  const pieces: string[] = [];
  let bytes = 0;
  for await (const piece of packDirectory(directory, { where: '--stage' })) {
    pieces.push((await client.putBlob('stage', piece)).hash);
    bytes += piece.length;
  }
  return (await client.putBlob('stage', writeStageManifest({ version: 1, pieces, bytes }))).hash;
}
